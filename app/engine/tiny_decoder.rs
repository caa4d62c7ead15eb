use crate::{
    fault::{Result, RunError},
    vae::from_config,
};
use fourstep_catalog::Catalog;
use fourstep_compute::Backend;
use fourstep_nets::TinyAutoencoder;
use fourstep_protocol::{Failure, ModelInfo};
use fourstep_weights::{Network, NetworkClass, open_vae};

/// A tiny decoder for previews of this model: its own autoencoder where that is a tiny one, else the one of its family
/// where that is on this machine, else `None`.
///
/// # Errors
/// [`Failure`] where files are missing or damaged.
pub fn open_tiny_decoder<B: Backend>(
    b: &B,
    catalog: &Catalog,
    model: &ModelInfo,
) -> Result<Option<TinyAutoencoder<B>>, Failure> {
    let open = || -> Result<_> {
        let Some(network) = find(catalog, model)? else { return Ok(None) };
        Ok(Some(TinyAutoencoder::load_decoder(b, &*network.weights, &from_config(&network.config)?)?))
    };
    open().map_err(|error| match error {
        RunError::Failed(failure) | RunError::Device(failure) => failure,
        RunError::Cancelled => Failure::machine("The preview decoder was not opened", "cancelled", "Try again."),
    })
}

fn find(catalog: &Catalog, model: &ModelInfo) -> Result<Option<Network>> {
    let tiny = |network: &Network| network.class == NetworkClass::AutoencoderTiny;
    let own = catalog.locate(&model.model)?.open()?.vae;
    if let Some(own) = own.filter(tiny) {
        return Ok(Some(own));
    }
    let family = catalog.tiny_decoder(model).map(|path| open_vae(&path)).transpose()?;
    Ok(family.filter(tiny))
}
