use super::{SOFTWARE, open};
use fourstep_compute::{
    Activation, Backend, Conv2dSpec, Epilogue, HostTensor, Precision,
    gpu::{Gpu, GpuOptions},
};
use std::ops::ControlFlow;

const SHAPE: [usize; 4] = [1, 3, 9, 7];

fn picture(seed: f32) -> Vec<f32> {
    (0..SHAPE.iter().product()).map(|i: usize| ((i as f32 * 0.37 + seed).sin() * 2.0 - 0.3).clamp(-1.5, 1.5)).collect()
}

/// Three operations, so that memory is used again among them.
fn work(gpu: &Gpu, x: &<Gpu as Backend>::Tensor) -> fourstep_compute::Result<<Gpu as Backend>::Tensor> {
    let values: Vec<f32> = (0..81).map(|i| (i as f32 * 1.7).cos() * 0.3).collect();
    let w = gpu.pack_conv2d(&HostTensor::from_f32([3, 3, 3, 3], &values), None, Conv2dSpec::padded(1))?;
    let y = gpu.conv2d(x, &w, Epilogue::activation(Activation::Silu))?;
    let y = gpu.conv2d(&y, &w, Epilogue::residual(x))?;
    gpu.conv2d(&y, &w, Epilogue::none())
}

#[test]
fn a_recording_computes_what_its_operations_do_for_other_inputs_too() {
    let gpu = open(Precision::F32);
    let (mut recording, (x, y)) = gpu
        .record(|gpu| {
            let x = gpu.upload_image(&picture(0.0), SHAPE)?;
            let y = work(gpu, &x)?;
            assert!(gpu.download_image(&y).is_err(), "nothing is computed yet");
            Ok((x, y))
        })
        .expect("records");
    assert_eq!(recording.dispatches().count(), 3);
    for seed in [1.0, 2.0] {
        recording.write_image(&x, &picture(seed)).expect("writes");
        let mut slices = 0;
        while recording.advance(1e-9).expect("goes on") == ControlFlow::Continue(()) {
            slices += 1;
        }
        assert!(slices >= 2, "each slice has one operation, or none while another is computed");
        let x = gpu.upload_image(&picture(seed), SHAPE).expect("uploads");
        let want = work(&gpu, &x).and_then(|y| gpu.download_image(&y)).expect("computes");
        assert_eq!(gpu.download_image(&y).expect("downloads"), want);
    }
    assert_eq!(recording.advance(1.0).expect("nothing is left"), ControlFlow::Break(()));
}

#[test]
fn a_picture_is_shown_on_a_device_of_somebody_else() {
    let (device, queue) = foreign();
    let options = GpuOptions { precision: Precision::F32, ..GpuOptions::default() };
    let gpu = Gpu::on(device.clone(), queue.clone(), &options).expect("computes there");
    let [_, _, h, w] = SHAPE.map(|side| side as u32);
    let size = wgpu::Extent3d { width: w, height: h, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    let record = |gpu: &Gpu| {
        let x = gpu.upload_image(&picture(0.0), SHAPE)?;
        gpu.show(&x, &view)?;
        assert!(gpu.show(&gpu.image_to_tokens(&x)?, &view).is_err());
        Ok(x)
    };
    let (mut recording, x) = gpu.record(record).expect("records");
    recording.write_image(&x, &picture(5.0)).expect("writes");
    assert_eq!(recording.advance(1.0).expect("computes"), ControlFlow::Break(()));
    gpu.finish().expect("computes");

    let pixels = read(&device, &queue, &texture, [w, h]);
    let nchw = picture(5.0);
    for (at, pixel) in pixels.as_chunks::<4>().0.iter().enumerate() {
        for (channel, byte) in pixel.iter().take(3).enumerate() {
            let want = (nchw[channel * (w * h) as usize + at].clamp(-1.0, 1.0) * 0.5 + 0.5) * 255.0;
            assert!((f32::from(*byte) - want).abs() <= 0.51, "{byte} instead of {want}");
        }
        assert_eq!(pixel[3], 255);
    }
}

/// A device as a window opens one.
fn foreign() -> (wgpu::Device, wgpu::Queue) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    let adapter =
        adapters.into_iter().find(|a| a.get_info().name.contains(SOFTWARE)).expect("install mesa-vulkan-drivers");
    let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..wgpu::DeviceDescriptor::default() };
    pollster::block_on(adapter.request_device(&descriptor)).expect("opens")
}

fn read(device: &wgpu::Device, queue: &wgpu::Queue, texture: &wgpu::Texture, [w, h]: [u32; 2]) -> Vec<u8> {
    // Rows of what is copied begin at multiples of 256.
    let row = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT;
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(row * h),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo { buffer: &buffer, layout },
        texture.size(),
    );
    queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |mapped| mapped.expect("maps"));
    device.poll(wgpu::PollType::wait_indefinitely()).expect("is done");
    let bytes = buffer.get_mapped_range(..).expect("is mapped");
    bytes.chunks(row as usize).flat_map(|line| &line[..4 * w as usize]).copied().collect()
}
