use super::{number, renamed};
use crate::mapped::View;

const OUTER: &[(&str, &str)] = &[
    ("token_embedding", "text_model.embeddings.token_embedding"),
    ("positional_embedding", "text_model.embeddings.position_embedding.weight"),
    ("ln_final", "text_model.final_layer_norm"),
];

const LAYER: &[(&str, &str)] = &[
    ("ln_1", "layer_norm1"),
    ("ln_2", "layer_norm2"),
    ("mlp.c_fc", "mlp.fc1"),
    ("mlp.c_proj", "mlp.fc2"),
    ("attn.out_proj", "self_attn.out_proj"),
];

/// What the tensor of an OpenCLIP key (without its prefix) is called by transformers. Queries, keys and values are one
/// matrix there and three here; none where the network has no such tensor.
pub(crate) fn transformers(key: &str) -> Vec<(String, View)> {
    if key == "text_projection" {
        return vec![("text_projection.weight".into(), View::Transposed)];
    }
    if let Some(key) = renamed(key, OUTER) {
        return vec![(key, View::Whole)];
    }
    let Some((layer, rest)) = key.strip_prefix("transformer.resblocks.").and_then(number) else { return Vec::new() };
    let prefix = format!("text_model.encoder.layers.{layer}");
    match rest.strip_prefix("attn.in_proj_") {
        Some(parameter) => ["q", "k", "v"]
            .into_iter()
            .enumerate()
            .map(|(index, name)| (format!("{prefix}.self_attn.{name}_proj.{parameter}"), View::Third(index)))
            .collect(),
        None => renamed(rest, LAYER).map(|rest| (format!("{prefix}.{rest}"), View::Whole)).into_iter().collect(),
    }
}
