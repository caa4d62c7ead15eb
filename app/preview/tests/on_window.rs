//! Previews on a device that somebody else opened, as the window does, by Mesa's driver that computes on the processor.

mod support;

use fourstep_compute::{
    CancelFloor, CancelToken, Precision,
    gpu::{Gpu, GpuOptions},
};
use fourstep_preview::{
    Decode, DecodeError, Decoders, Image, Job, LinearDecoder, OpenShow, Previewer, Show, Turns, WindowDecoder,
};
use fourstep_protocol::{Latents, ModelRef, RunId};
use std::{sync::Arc, time::Duration};
use support::{autoencoder, decoder, latents};

/// A window that takes its turns until the test ends.
fn turns() -> Turns {
    let turns = Turns::new(|| ());
    let frames = turns.clone();
    std::thread::spawn(move || {
        loop {
            frames.take();
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    turns
}

/// The window's device, as the window opens it.
fn window() -> (wgpu::Device, wgpu::Queue) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    let software = adapters.into_iter().find(|adapter| adapter.get_info().device_type == wgpu::DeviceType::Cpu);
    let adapter = software.expect("no software driver for Vulkan: install mesa-vulkan-drivers");
    let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..wgpu::DeviceDescriptor::default() };
    pollster::block_on(adapter.request_device(&descriptor)).expect("a device")
}

fn on_window((device, queue): &(wgpu::Device, wgpu::Queue)) -> (WindowDecoder, Gpu) {
    let options = GpuOptions { precision: Precision::F32, ..GpuOptions::default() };
    let gpu = Gpu::on(device.clone(), queue.clone(), &options).expect("it computes");
    (WindowDecoder::new(device.clone(), gpu.clone(), autoencoder(&gpu), turns()), gpu)
}

/// The texture's pixels: what only a test does.
fn read((device, queue): &(wgpu::Device, wgpu::Queue), texture: &wgpu::Texture) -> Vec<u8> {
    let (width, height) = (texture.width(), texture.height());
    let bytes_per_row = (width * 4).next_multiple_of(256);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(bytes_per_row * height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes_per_row), rows_per_image: None };
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
    queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |mapped| mapped.expect("mapped"));
    device.poll(wgpu::PollType::wait_indefinitely()).expect("done");
    let mapped = buffer.get_mapped_range(..).expect("mapped");
    let rows = mapped.chunks_exact(bytes_per_row as usize);
    rows.flat_map(|row| row[..width as usize * 4].as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]))
        .collect()
}

#[test]
fn a_preview_on_the_windows_device_is_the_processors() {
    let window = window();
    let (mut shown, _) = on_window(&window);
    let mut expected = decoder();
    let never = CancelToken::never();
    // Another size is recorded anew, another picture is not.
    for (side, sign) in [(8, 1.0), (8, -1.0), (12, 1.0)] {
        let mut latents = latents(side);
        latents.data.iter_mut().for_each(|value| *value *= sign);
        let texture = shown.show(&latents, &never).expect("shows");
        assert_eq!((texture.width(), texture.format()), (8 * side as u32, wgpu::TextureFormat::Rgba8Unorm));
        let expected = expected.decode(&latents, &never).expect("decodes");
        let apart = read(&window, &texture).iter().zip(expected.rgb()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart.is_some_and(|apart| apart <= 1), "{side} px: {apart:?} apart");
    }
}

#[test]
fn what_nobody_waits_for_is_left_undone() {
    let window = window();
    let (mut shown, _) = on_window(&window);
    let floor = CancelFloor::default();
    floor.raise(2);
    assert_eq!(shown.show(&latents(8), &floor.token(1)).err(), Some(DecodeError::Cancelled));
    let broken = Latents { data: vec![f32::NAN; 4 * 64], ..latents(8) };
    assert!(matches!(shown.show(&broken, &floor.token(2)), Err(DecodeError::Failed(_))));
    shown.show(&latents(8), &floor.token(2)).expect("and goes on");
}

#[test]
fn the_processor_goes_on_where_the_windows_device_is_lost() {
    let window = window();
    let (shown, gpu) = on_window(&window);
    let mut shown = Some(shown);
    let load = move |_: &ModelRef| Decoders {
        on_window: shown.take().map(|shown| -> OpenShow { Box::new(move || Some(Box::new(shown))) }),
        tiny: Ok(Some(Box::new(decoder()))),
        linear: LinearDecoder::Sd,
    };
    let (wake, woken) = crossbeam_channel::unbounded();
    let previewer = Previewer::spawn(load, move || wake.send(()).expect("the test listens")).expect("a thread");
    let preview = |run: u64, on_window| {
        let (model, denoised) = (ModelRef::new("m"), Arc::new(latents(8)));
        previewer.offer(Job { run: RunId(run), step: 1, model, denoised, step_secs: 1000.0, on_window });
        loop {
            woken.recv_timeout(Duration::from_secs(60)).expect("a preview");
            if let Some(preview) = previewer.try_picture() {
                return preview.image;
            }
        }
    };
    assert!(matches!(preview(1, true), Image::Texture(_)));
    assert!(matches!(preview(2, false), Image::Picture(_)), "who wants to read it gets a picture");
    gpu.lose();
    assert!(matches!(preview(3, true), Image::Picture(_)));
    assert!(matches!(preview(4, true), Image::Picture(_)));
}
