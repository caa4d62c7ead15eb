use super::number;

/// The key of the original TAESD's decoder or encoder (a list of layers, without prefix) in diffusers' terms. The
/// decoder's first layer bounds the latents and has no weights; diffusers does not count it.
pub(crate) fn diffusers(key: &str, decoder: bool) -> Option<String> {
    let (layer, rest) = number(key)?;
    match decoder {
        true => Some(format!("decoder.layers.{}.{rest}", layer.checked_sub(1)?)),
        false => Some(format!("encoder.layers.{layer}.{rest}")),
    }
}
