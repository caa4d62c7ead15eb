use crate::app::MIN_SIZE;
use crate::{App, Ports, app_icon};
use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};
use fourstep_session::Session;
use std::{cell::RefCell, rc::Rc, sync::Arc};

/// Wakes the window from any thread: there is something to receive.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// What the window is drawn with: others may compute on it too.
#[derive(Clone, Debug)]
pub struct Graphics {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to open a window on.
    #[error(
        "there is no display to open a window on ({0}). Start Fourstep in a graphical session, or paint without a window: \
         fourstep generate --prompt \"a red apple\" --out apple.png"
    )]
    NoDisplay(String),
    /// A display, but nothing that draws.
    #[error(
        "no usable graphics driver was found ({0}). Install a Vulkan or OpenGL driver (on Debian: apt install \
         mesa-vulkan-drivers libegl1), or paint without a window: fourstep generate --prompt \"a red apple\" --out apple.png"
    )]
    NoGraphics(String),
}

/// Opens the window and returns when it is closed. `build` makes the session and the ports once the window can be woken
/// and drawn.
///
/// Vulkan, Metal or Direct3D is tried first, then OpenGL.
///
/// # Errors
/// Where there is no display or no graphics driver.
pub fn run(build: impl FnOnce(Waker, Option<Graphics>) -> (Session, Ports) + 'static) -> Result<(), StartError> {
    check_display()?;
    let build = Rc::new(RefCell::new(Some(build)));
    match attempt(native_options(), &build) {
        // Only OpenGL is left where the better driver is found but does not work.
        Err(eframe::Error::Wgpu(e)) if build.borrow().is_some() => {
            log::warn!("the graphics driver cannot be used, trying OpenGL: {e}");
            attempt(with_backends(wgpu::Backends::GL), &build)
        }
        result => result,
    }
    .map_err(|error| explain(&error))
}

fn attempt<B>(options: eframe::NativeOptions, build: &Rc<RefCell<Option<B>>>) -> eframe::Result
where
    B: FnOnce(Waker, Option<Graphics>) -> (Session, Ports) + 'static,
{
    let build = Rc::clone(build);
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        let build = build.borrow_mut().take().ok_or("the window was already made")?;
        let ctx = cc.egui_ctx.clone();
        let graphics = cc.wgpu_render_state.as_ref();
        let graphics = graphics.map(|it| Graphics { device: it.device.clone(), queue: it.queue.clone() });
        let (session, ports) = build(Arc::new(move || ctx.request_repaint()), graphics);
        Ok(Box::new(App::new(cc, session, ports)))
    });
    eframe::run_native("Fourstep", options, create)
}

/// A window of 1280×800, at least 900×600, drawn with wgpu.
pub fn native_options() -> eframe::NativeOptions {
    with_backends(wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all()))
}

fn with_backends(backends: wgpu::Backends) -> eframe::NativeOptions {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    setup.instance_descriptor.backends = backends;
    // What the adapter can do, not egui's modest default: large pictures and previews that are computed on it need it.
    setup.device_descriptor = Arc::new(|adapter| wgpu::DeviceDescriptor {
        label: Some("fourstep"),
        required_features: adapter.features() & (wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP),
        required_limits: adapter.limits(),
        ..Default::default()
    });
    let viewport = egui::ViewportBuilder::default()
        .with_title("Fourstep")
        .with_app_id("fourstep")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size(MIN_SIZE)
        .with_icon(app_icon::icon())
        .with_drag_and_drop(true);
    eframe::NativeOptions {
        viewport,
        centered: true,
        wgpu_options: WgpuConfiguration { wgpu_setup: WgpuSetup::CreateNew(setup), ..Default::default() },
        ..Default::default()
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn check_display() -> Result<(), StartError> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET") || is_set("DISPLAY") {
        return Ok(());
    }
    Err(StartError::NoDisplay("neither WAYLAND_DISPLAY nor DISPLAY is set".into()))
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn check_display() -> Result<(), StartError> {
    Ok(())
}

fn explain(error: &eframe::Error) -> StartError {
    match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            log::warn!("{error}");
            let named = ["WAYLAND_DISPLAY", "DISPLAY"].map(|name| (name, std::env::var(name).unwrap_or_default()));
            let named = named.iter().filter(|(_, value)| !value.is_empty());
            let named: Vec<String> = named.map(|(name, value)| format!("{name}={value}")).collect();
            StartError::NoDisplay(format!("{} cannot be reached", named.join(" and ")))
        }
        _ => StartError::NoGraphics(error.to_string()),
    }
}
