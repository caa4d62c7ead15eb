//! How much two pictures differ: a heat map made on the graphics card, and one figure.

use eframe::egui_wgpu::RenderState;
use egui::{Color32, TextureId};
use fourstep_protocol::{Picture, RunId};
use wgpu::util::{DeviceExt, TextureDataOrder};

/// Both pictures, by run and step: what the heat map was made of.
type Of = [(RunId, Option<u32>); 2];

/// Draws heat maps with `shaders/difference.wgsl`, into a texture that is drawn like a picture.
pub(super) struct HeatMap {
    gpu: RenderState,
    pipeline: wgpu::RenderPipeline,
    sampler: wgpu::Sampler,
    made: Option<Made>,
}

struct Made {
    of: Of,
    texture: TextureId,
    mean: Option<f32>,
}

const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

impl HeatMap {
    pub(super) fn new(gpu: RenderState) -> Self {
        let source = wgpu::ShaderSource::Wgsl(include_str!("../../../../shaders/difference.wgsl").into());
        let module =
            gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("difference"), source });
        let pipeline = gpu.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("difference"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                buffers: &[],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("difference"),
                targets: &[Some(FORMAT.into())],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            }),
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            multiview_mask: None,
            cache: None,
        });
        let sampler = gpu.device.create_sampler(&wgpu::SamplerDescriptor {
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        Self { gpu, pipeline, sampler, made: None }
    }

    /// The heat map of two pictures, made once for each pair, and how much they differ on the whole.
    pub(super) fn of(&mut self, of: Of, pictures: [&Picture; 2]) -> (TextureId, Option<f32>) {
        if let Some(made) = self.made.as_ref().filter(|made| made.of == of) {
            return (made.texture, made.mean);
        }
        self.clear();
        let texture = self.render(pictures);
        let mean = mean_difference(pictures);
        self.made = Some(Made { of, texture, mean });
        (texture, mean)
    }

    /// Gives the texture back.
    pub(super) fn clear(&mut self) {
        if let Some(made) = self.made.take() {
            self.gpu.renderer.write().free_texture(&made.texture);
        }
    }

    fn render(&self, pictures: [&Picture; 2]) -> TextureId {
        let device = &self.gpu.device;
        let target = device.create_texture(&descriptor(
            [0, 1].map(|side| pictures.iter().map(|p| [p.width(), p.height()][side]).max().unwrap_or(1)),
            wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
        ));
        let view = target.create_view(&wgpu::TextureViewDescriptor::default());
        let [fast, slow] = pictures.map(|picture| self.upload(picture));
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("difference"),
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&fast) },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&slow) },
                wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::Sampler(&self.sampler) },
            ],
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("difference"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    resolve_target: None,
                    ops: wgpu::Operations::default(),
                    depth_slice: None,
                })],
                ..wgpu::RenderPassDescriptor::default()
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &bindings, &[]);
            pass.draw(0..3, 0..1);
        }
        self.gpu.queue.submit([encoder.finish()]);
        self.gpu.renderer.write().register_native_texture(device, &view, wgpu::FilterMode::Linear)
    }

    fn upload(&self, picture: &Picture) -> wgpu::TextureView {
        let rgba: Vec<u8> = picture.rgb().as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
        let descriptor = descriptor([picture.width(), picture.height()], usage);
        let texture =
            self.gpu.device.create_texture_with_data(&self.gpu.queue, &descriptor, TextureDataOrder::LayerMajor, &rgba);
        texture.create_view(&wgpu::TextureViewDescriptor::default())
    }
}

impl Drop for HeatMap {
    fn drop(&mut self) {
        self.clear();
    }
}

fn descriptor([width, height]: [u32; 2], usage: wgpu::TextureUsages) -> wgpu::TextureDescriptor<'static> {
    wgpu::TextureDescriptor {
        label: Some("difference"),
        size: wgpu::Extent3d { width: width.max(1), height: height.max(1), depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage,
        view_formats: &[],
    }
}

/// Mean absolute difference of all channels, 0 … 1; `None` where the sizes differ.
fn mean_difference([a, b]: [&Picture; 2]) -> Option<f32> {
    if (a.width(), a.height()) != (b.width(), b.height()) {
        return None;
    }
    let sum: u64 = a.rgb().iter().zip(b.rgb()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    Some(sum as f32 / a.rgb().len().max(1) as f32 / 255.0)
}

/// The colour of a mean difference of the channels of 0 … 1: what the shader computes, for the legend.
pub(super) fn heat(apart: f32) -> Color32 {
    // As `shaders/difference.wgsl` has them, to the precision of f32.
    const C: [[f32; 3]; 7] = [
        [0.000_218_940_36, 0.001_651_004_6, -0.019_480_899],
        [0.106_513_42, 0.563_956_44, 3.932_712_4],
        [11.602_493, -3.972_854, -15.942_394],
        [-41.703_995, 17.436_4, 44.354_145],
        [77.162_94, -33.402_36, -81.807_31],
        [-71.319_43, 32.626_064, 73.209_52],
        [25.131_126, -12.242_669, -23.070_326],
    ];
    let t = (apart * 2.0).clamp(0.0, 1.0);
    let [r, g, b] = [0, 1, 2].map(|channel| {
        let value = C.iter().rev().fold(0.0, |sum, c| sum * t + c[channel]);
        (value.clamp(0.0, 1.0) * 255.0).round() as u8
    });
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_black_and_half_the_range_is_bright() {
        assert_eq!(heat(0.0), Color32::BLACK);
        let light = |c: Color32| u32::from(c.r()) + u32::from(c.g()) + u32::from(c.b());
        let ramp: Vec<u32> = (0..=10).map(|i| light(heat(i as f32 / 20.0))).collect();
        assert!(ramp.is_sorted(), "{ramp:?}");
        assert_eq!(heat(0.5), heat(1.0));
    }

    #[test]
    fn the_mean_is_of_all_channels() {
        let flat = |value: u8| Picture::new(2, 1, vec![value, 0, 0, value, 0, 0]).unwrap();
        assert_eq!(mean_difference([&flat(0), &flat(255)]), Some(1.0 / 3.0));
        let other = Picture::new(1, 1, vec![0; 3]).unwrap();
        assert_eq!(mean_difference([&flat(0), &other]), None);
    }
}
