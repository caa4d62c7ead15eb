//! Preview decoders for the models of the catalog.

use fourstep_catalog::Catalog;
use fourstep_compute::{Backend, cpu::lower_priority};
use fourstep_engine::{BackendChoice, DeviceOptions, OpenDevice, open_tiny_decoder};
use fourstep_preview::{Decode, Decoders, LinearDecoder, Previewer, TinyDecoder};
use fourstep_protocol::{Failure, ModelInfo, ModelRef};

/// Starts the preview thread. It decodes on this device; `wake` is called when there is a preview.
///
/// # Errors
/// Where the system has no thread to give.
pub(crate) fn spawn(
    catalog: Catalog,
    device: DeviceOptions,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<Previewer> {
    let load = move |model: &ModelRef| {
        // It is the preview thread that loads, and computes from then on.
        lower_priority();
        match catalog.inspect(model) {
            Ok(info) => Decoders {
                tiny: tiny(&catalog, &device, &info).map_err(|failure| failure.to_string()),
                linear: LinearDecoder::of(info.family),
            },
            Err(failure) => Decoders { tiny: Err(failure.to_string()), linear: LinearDecoder::default() },
        }
    };
    Previewer::spawn(load, wake)
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
