//! Preview decoders for the models of the catalog.

use fourstep_catalog::Catalog;
use fourstep_compute::{
    Backend,
    cpu::lower_priority,
    gpu::{AdapterKind, Gpu, GpuOptions},
};
use fourstep_engine::{BackendChoice, DeviceOptions, OpenDevice, open_tiny_decoder};
use fourstep_preview::{Decode, Decoders, LinearDecoder, OpenShow, Previewer, Show, TinyDecoder, Turns, WindowDecoder};
use fourstep_protocol::{Failure, ModelInfo, ModelRef};
use fourstep_ui::Graphics;

/// Starts the preview thread. It decodes on this device, and on the window's where that is given; `wake` is called when
/// there is a preview.
///
/// # Errors
/// Where the system has no thread to give.
pub(crate) fn spawn(
    catalog: Catalog,
    device: DeviceOptions,
    window: Option<WindowCard>,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<Previewer> {
    let load = move |model: &ModelRef| {
        // It is the preview thread that loads, and computes from then on.
        lower_priority();
        let info = match catalog.inspect(model) {
            Ok(info) => info,
            Err(failure) => {
                let tiny = Err(failure.to_string());
                return Decoders { on_window: None, tiny, linear: LinearDecoder::default() };
            }
        };
        Decoders {
            on_window: window.clone().map(|card| -> OpenShow {
                let (catalog, info) = (catalog.clone(), info.clone());
                Box::new(move || card.decoder(&catalog, &info))
            }),
            tiny: tiny(&catalog, &device, &info).map_err(|failure| failure.to_string()),
            linear: LinearDecoder::of(info.family),
        }
    };
    Previewer::spawn(load, wake)
}

/// What the window is drawn with, to compute on.
#[derive(Clone)]
pub(crate) struct WindowCard {
    graphics: Graphics,
    gpu: Gpu,
    turns: Turns,
}

impl WindowCard {
    /// `None` where it cannot compute. `turns` are those of the thread that draws.
    pub(crate) fn new(graphics: Graphics, engine: &DeviceOptions, turns: Turns) -> Option<Self> {
        let Graphics { device, queue } = graphics.clone();
        let options = GpuOptions { cache: engine.shader_cache.clone(), ..GpuOptions::default() };
        let gpu =
            Gpu::on(device, queue, &options).inspect_err(|e| log::debug!("no previews on the window's card: {e}"));
        Some(Self { graphics, gpu: gpu.ok()?, turns })
    }

    /// Whether it is real: a driver that computes on the processor is slower than the processor.
    pub(crate) fn is_real(&self) -> bool {
        self.gpu.kind() != AdapterKind::Software
    }

    /// A tiny decoder for this model's latents, where it has one; why there is none is told by the other decoders.
    fn decoder(&self, catalog: &Catalog, model: &ModelInfo) -> Option<Box<dyn Show>> {
        let autoencoder = open_tiny_decoder(&self.gpu, catalog, model);
        let autoencoder =
            autoencoder.inspect_err(|failure| log::debug!("preview on the window's card: {failure}")).ok()??;
        let (device, turns) = (self.graphics.device.clone(), self.turns.clone());
        Some(Box::new(WindowDecoder::new(device, self.gpu.clone(), autoencoder, turns)))
    }
}

/// What decodes beside an engine on this device: never a graphics card's queue, where a preview would wait for the step
/// that is computed.
pub(crate) fn device(engine: &DeviceOptions) -> DeviceOptions {
    match engine.backend {
        BackendChoice::Auto | BackendChoice::Gpu => engine.on_processor(),
        _ => engine.clone(),
    }
}

/// The best decoder for a model's latents: a tiny one, else the linear one of its family.
///
/// # Errors
/// [`Failure`] where there is no such model, the device cannot be opened or weights cannot be read.
pub(crate) fn decoder(catalog: &Catalog, device: &DeviceOptions, model: &ModelRef) -> Result<Box<dyn Decode>, Failure> {
    let info = catalog.inspect(model)?;
    let tiny = tiny(catalog, device, &info)?;
    Ok(tiny.unwrap_or_else(|| Box::new(LinearDecoder::of(info.family))))
}

/// A tiny decoder, on a handle of the device of its own.
fn tiny(catalog: &Catalog, device: &DeviceOptions, model: &ModelInfo) -> Result<Option<Box<dyn Decode>>, Failure> {
    match device.open()? {
        OpenDevice::Candle(backend) => tiny_on(backend, catalog, model),
        OpenDevice::Cpu(backend) => tiny_on(backend, catalog, model),
        OpenDevice::Gpu(backend) => tiny_on(backend, catalog, model),
    }
}

fn tiny_on<B: Backend>(backend: B, catalog: &Catalog, model: &ModelInfo) -> Result<Option<Box<dyn Decode>>, Failure> {
    let autoencoder = open_tiny_decoder(&backend, catalog, model)?;
    Ok(autoencoder.map(|autoencoder| -> Box<dyn Decode> { Box::new(TinyDecoder::new(backend, autoencoder)) }))
}
