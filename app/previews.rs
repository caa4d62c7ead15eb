//! Preview decoders for the models of the catalog.

use fourstep_catalog::Catalog;
use fourstep_engine::{BackendChoice, Precision, open_tiny_decoder};
use fourstep_preview::{Decode, LinearDecoder, Previewer, TinyDecoder};
use fourstep_protocol::ModelRef;

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
    Previewer::spawn(move |model| decoder(&catalog, backend, precision, model), wake)
}

/// The model's own tiny decoder; the linear one where it brings none.
pub(crate) fn decoder(
    catalog: &Catalog,
    backend: BackendChoice,
    precision: Precision,
    model: &ModelRef,
) -> Result<Box<dyn Decode>, String> {
    let backend = backend.open(precision).map_err(|e| e.to_string())?;
    let tiny = open_tiny_decoder(&backend, catalog, model).map_err(|e| e.to_string())?;
    Ok(match tiny {
        Some(autoencoder) => Box::new(TinyDecoder::new(backend, autoencoder)),
        None => Box::new(LinearDecoder),
    })
}
