use super::Shapes;
use crate::Fault;
use serde_json::{Value, json};

/// Width of a head in all CLIP text encoders.
const HEAD_WIDTH: usize = 64;

/// `text_encoder/config.json`. `open_clip`: it was trained by OpenCLIP, with another activation than OpenAI's.
pub(in crate::model) fn clip(shapes: Shapes<'_>, open_clip: bool) -> Result<Value, Fault> {
    let prefix = if shapes.has("embeddings.token_embedding.weight") { "" } else { "text_model." };
    let tokens = format!("{prefix}embeddings.token_embedding.weight");
    let (vocabulary, width) = (shapes.side(&tokens, 0)?, shapes.side(&tokens, 1)?);
    let layers = shapes.count(|layer| format!("{prefix}encoder.layers.{layer}.mlp.fc1.weight"));
    if layers == 0 || !width.is_multiple_of(HEAD_WIDTH) {
        let what = format!("its text encoder has {layers} layers of {width} channels, not of heads of {HEAD_WIDTH}");
        return Err(Fault::UnknownModel(what));
    }
    let projection = "text_projection.weight";
    Ok(json!({
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes.side(&format!("{prefix}encoder.layers.0.mlp.fc1.weight"), 0)?,
        "projection_dim": if shapes.has(projection) { shapes.side(projection, 0)? } else { width },
        "num_hidden_layers": layers,
        "num_attention_heads": width / HEAD_WIDTH,
        "max_position_embeddings": shapes.side(&format!("{prefix}embeddings.position_embedding.weight"), 0)?,
        "hidden_act": if open_clip { "gelu" } else { "quick_gelu" },
        // The end of text is the last of CLIP's vocabulary.
        "eos_token_id": vocabulary.saturating_sub(1),
    }))
}
