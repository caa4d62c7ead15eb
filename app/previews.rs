//! Preview decoders for the models of the catalog.

use fourstep_catalog::Catalog;
use fourstep_engine::{BackendChoice, Precision, open_tiny_decoder};
use fourstep_preview::{Decode, LinearDecoder, Previewer, TinyDecoder};
use fourstep_protocol::{Failure, ModelRef};

/// Starts the preview thread. It decodes on the same device as the engine; `wake` is called when there is a preview.
///
/// # Errors
/// Where the system has no thread to give.
pub(crate) fn spawn(
    catalog: Catalog,
    backend: BackendChoice,
    precision: Precision,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<Previewer> {
    let load = move |model: &ModelRef| decoder(&catalog, backend, precision, model).map_err(|e| e.to_string());
    Previewer::spawn(load, wake)
}

/// The model's own tiny decoder, on a handle of the device of its own; the linear one where the model brings none.
///
/// # Errors
/// [`Failure`] where the device cannot be opened or the decoder's weights cannot be read.
pub(crate) fn decoder(
    catalog: &Catalog,
    backend: BackendChoice,
    precision: Precision,
    model: &ModelRef,
) -> Result<Box<dyn Decode>, Failure> {
    let backend = backend.open(precision)?;
    Ok(match open_tiny_decoder(&backend, catalog, model)? {
        Some(autoencoder) => Box::new(TinyDecoder::new(backend, autoencoder)),
        None => Box::new(LinearDecoder),
    })
}
