//! Previews that lie on the card which the window is drawn with.

mod double;

use double::library::{click, press};
use double::{Look, Window};
use egui::Key;
use egui_kittest::kittest::Queryable;
use fourstep_protocol::Event;
use fourstep_session::PreviewPlace;
use fourstep_ui::{PreviewImage, PreviewPicture};
use std::sync::Arc;
use wgpu::util::{DeviceExt, TextureDataOrder};

const GREEN: [u8; 4] = [20, 200, 60, 255];

/// A texture of one colour on the window's own device.
fn texture(window: &Window) -> wgpu::Texture {
    let descriptor = wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: 32, height: 32, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    };
    let card = &window.card;
    card.device.create_texture_with_data(&card.queue, &descriptor, TextureDataOrder::LayerMajor, &GREEN.repeat(32 * 32))
}

/// A step of the run in progress whose preview is that texture.
fn step_on_card(window: &mut Window, step: u32) {
    let (run, request) = window.newest();
    let denoised = Arc::new(double::latents(&request));
    window.event(Event::Step { run, step, steps: request.steps, denoised, elapsed_secs: 0.03 });
    let image = PreviewImage::Texture(texture(window));
    window.double.lock().previews.push_back(PreviewPicture { run, step, image });
    window.pass(0.1);
}

/// The middle of the stage as it is drawn.
fn middle(window: &mut Window) -> [u8; 4] {
    window.harness.render().expect("drawn").get_pixel(813, 416).0
}

fn painting() -> Window {
    let mut window = Window::with(Look::default());
    window.finish();
    window.pass(1.0);
    press(&mut window, Key::Escape);
    press(&mut window, Key::R);
    window.pass(0.5);
    window.start();
    window
}

#[test]
fn a_preview_on_the_card_is_drawn_as_it_lies_there() {
    let mut window = painting();
    step_on_card(&mut window, 1);
    assert_eq!(middle(&mut window), GREEN);
    step_on_card(&mut window, 2);
    assert_eq!(middle(&mut window), GREEN);
    // Pixels instead of a smooth picture, and back.
    for _ in 0..2 {
        press(&mut window, Key::P);
        window.pass(0.1);
        assert_eq!(middle(&mut window), GREEN);
    }
    window.finish();
    window.pass(0.5);
    assert_ne!(middle(&mut window), GREEN, "the picture has come");
}

#[test]
fn what_compares_does_without_it_until_it_is_a_picture() {
    let mut window = painting();
    step_on_card(&mut window, 1);
    window.open_tab("Compare with the same in many steps", "Twin");
    window.pass(0.2);
    assert_eq!(window.double.lock().places.last(), Some(&PreviewPlace::Auto));
    window.step(2);
    window.pass(0.2);
    assert_eq!(window.double.lock().places.last(), Some(&PreviewPlace::Processor));
    let live = window.newest().0;
    window.finish_with(double::picture);
    // Its twin is painted first.
    window.finish_with(double::picture);
    let developed = window.double.lock().developed.clone();
    assert!(developed.contains(&(live, 1)), "a step that only the card had is decoded again: {developed:?}");
}

#[test]
fn the_place_is_chosen_in_the_preferences() {
    let mut window = painting();
    window.finish();
    click(&mut window, "Device CPU f32");
    window.pass(0.2);
    click(&mut window, "The window's card");
    window.pass(0.1);
    press(&mut window, Key::Escape);
    assert_eq!(window.harness.state().session().settings().ui.previews, PreviewPlace::Window);
    press(&mut window, Key::R);
    window.pass(0.5);
    window.start();
    window.step(1);
    assert_eq!(window.double.lock().places.last(), Some(&PreviewPlace::Window));
    assert!(window.harness.query_by_label("Preferences").is_some());
}
