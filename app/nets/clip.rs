//! CLIP's text encoder (arXiv 2103.00020; transformers `modeling_clip.py`): OpenAI's ViT-L and the OpenCLIP forms.

use crate::{
    config::{activation, unsupported},
    packs::Packs,
    params::Params,
};
use fourstep_compute::{Activation, Backend, ComputeError, Epilogue, Mask, Result, TensorSource};
use serde::Deserialize;
use std::cell::RefCell;

/// Causal transformer over tokens.
pub struct ClipTextEncoder<B: Backend> {
    config: ClipTextConfig,
    token_embedding: B::Embedding,
    position_embedding: B::Embedding,
    layers: Vec<EncoderLayer<B>>,
    final_layer_norm: B::LayerNorm,
    text_projection: Option<B::Linear>,
}

/// What a text encoder says about `n` prompts of `l` tokens.
pub struct TextEncoding<T> {
    /// After the final layer norm, `[n, l, hidden_size]`: the context of SD1.5 and SD2.
    pub last_hidden: T,
    /// transformers' `hidden_states[-2]`, the input of the last layer, `[n, l, hidden_size]`: the context of SDXL.
    pub penultimate: T,
    /// The projected vector at the end-of-text token, `[n, 1, projection_dim]`; only with a projection.
    pub pooled: Option<T>,
}

/// `text_encoder/config.json` (transformers `CLIPTextConfig`); absent fields have its defaults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names and meanings are those of CLIPTextConfig")]
pub struct ClipTextConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub projection_dim: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub max_position_embeddings: usize,
    pub hidden_act: String,
    pub layer_norm_eps: f32,
    pub eos_token_id: u32,
}

impl Default for ClipTextConfig {
    fn default() -> Self {
        Self {
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            projection_dim: 512,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: "quick_gelu".into(),
            layer_norm_eps: 1e-5,
            eos_token_id: 49407,
        }
    }
}

impl<B: Backend> ClipTextEncoder<B> {
    /// Reads `text_model.…` keys, or the same without that prefix, and `text_projection.weight` where there is one.
    ///
    /// # Errors
    /// `Missing` and `Shape` naming the key, `Unsupported` naming the option.
    pub fn load(b: &B, source: &dyn TensorSource, config: &ClipTextConfig) -> Result<Self> {
        Self::read(b, &Params::new(source), config)
    }

    /// [`load`](Self::load), taking from `packs` what was packed before from the same tensors. The encoder that was
    /// loaded before should be dropped by then.
    ///
    /// # Errors
    /// As [`load`](Self::load); `packs` stays of use.
    pub fn load_with(b: &B, source: &dyn TensorSource, config: &ClipTextConfig, packs: &mut Packs) -> Result<Self> {
        Self::read(b, &Params::with_packs(source, &RefCell::new(packs)), config)
    }

    fn read(b: &B, root: &Params<'_>, config: &ClipTextConfig) -> Result<Self> {
        let p = if root.has("embeddings.token_embedding.weight") { root.clone() } else { root.sub("text_model") };
        let (c, eps) = (config.hidden_size, config.layer_norm_eps);
        if !c.is_multiple_of(config.num_attention_heads) {
            return Err(unsupported("num_attention_heads", config.num_attention_heads));
        }
        if config.num_hidden_layers == 0 {
            return Err(unsupported("num_hidden_layers", 0));
        }
        let layer = |i| EncoderLayer::load(b, &p.sub("encoder.layers").sub(i), config);
        let projection = || root.linear_no_bias(b, "text_projection", c, config.projection_dim);
        Ok(Self {
            token_embedding: p.embedding(b, "embeddings.token_embedding", config.vocab_size, c)?,
            position_embedding: p.embedding(b, "embeddings.position_embedding", config.max_position_embeddings, c)?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_>>()?,
            final_layer_norm: p.layer_norm(b, "final_layer_norm", c, eps)?,
            text_projection: root.has("text_projection.weight").then(projection).transpose()?,
            config: config.clone(),
        })
    }

    /// Encodes `n` prompts of `l` tokens each; `ids` is `[n, l]`.
    ///
    /// # Errors
    /// `Shape` where there are more tokens than positions, or ids outside the vocabulary; those of the backend.
    pub fn encode(&self, b: &B, ids: &[u32], [n, l]: [usize; 2]) -> Result<TextEncoding<B::Tensor>> {
        self.check(ids, [n, l])?;
        let positions: Vec<u32> = (0..n).flat_map(|_| 0..l as u32).collect();
        let tokens = b.embed(&self.token_embedding, ids, [n, l])?;
        let mut x = b.add(&tokens, &b.embed(&self.position_embedding, &positions, [n, l])?)?;
        let mut penultimate = x.clone();
        for layer in &self.layers {
            penultimate = x;
            x = layer.forward(b, &penultimate)?;
        }
        let last_hidden = b.layer_norm(&x, &self.final_layer_norm)?;
        let pool = |projection| {
            let ends: Vec<usize> = ids.chunks(l).map(|prompt| self.end_of_text(prompt)).collect();
            b.linear(&b.select_token(&last_hidden, &ends)?, projection, Epilogue::none())
        };
        let pooled = self.text_projection.as_ref().map(pool).transpose()?;
        Ok(TextEncoding { last_hidden, penultimate, pooled })
    }

    /// What it was built from.
    pub fn config(&self) -> &ClipTextConfig {
        &self.config
    }

    /// Where the sentence's vector is read. Old configurations name token 2, which is not the end of text; there the
    /// highest id is meant, as in OpenAI's code.
    fn end_of_text(&self, ids: &[u32]) -> usize {
        let end = match self.config.eos_token_id {
            2 => ids.iter().max().copied().unwrap_or_default(),
            eos => eos,
        };
        ids.iter().position(|id| *id == end).unwrap_or(0)
    }

    fn check(&self, ids: &[u32], [n, l]: [usize; 2]) -> Result<()> {
        let shape = |expected: String, found: String| ComputeError::Shape { what: "token ids".into(), expected, found };
        let (positions, vocabulary) = (self.config.max_position_embeddings, self.config.vocab_size);
        if n == 0 || l == 0 || l > positions || ids.len() != n * l {
            return Err(shape(format!("[n, 1..={positions}]"), format!("{} ids for [{n}, {l}]", ids.len())));
        }
        match ids.iter().find(|id| **id as usize >= vocabulary) {
            Some(id) => Err(shape(format!("ids below {vocabulary}"), id.to_string())),
            None => Ok(()),
        }
    }
}

struct EncoderLayer<B: Backend> {
    layer_norm1: B::LayerNorm,
    q_proj: B::Linear,
    k_proj: B::Linear,
    v_proj: B::Linear,
    out_proj: B::Linear,
    layer_norm2: B::LayerNorm,
    fc1: B::Linear,
    fc2: B::Linear,
    heads: usize,
    hidden_act: Activation,
}

impl<B: Backend> EncoderLayer<B> {
    fn load(b: &B, p: &Params<'_>, config: &ClipTextConfig) -> Result<Self> {
        let (c, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        Ok(Self {
            layer_norm1: p.layer_norm(b, "layer_norm1", c, eps)?,
            q_proj: p.linear(b, "self_attn.q_proj", c, c)?,
            k_proj: p.linear(b, "self_attn.k_proj", c, c)?,
            v_proj: p.linear(b, "self_attn.v_proj", c, c)?,
            out_proj: p.linear(b, "self_attn.out_proj", c, c)?,
            layer_norm2: p.layer_norm(b, "layer_norm2", c, eps)?,
            fc1: p.linear(b, "mlp.fc1", c, inner)?,
            fc2: p.linear(b, "mlp.fc2", inner, c)?,
            heads: config.num_attention_heads,
            hidden_act: activation("hidden_act", &config.hidden_act)?,
        })
    }

    fn forward(&self, b: &B, x: &B::Tensor) -> Result<B::Tensor> {
        let h = b.layer_norm(x, &self.layer_norm1)?;
        let q = b.linear(&h, &self.q_proj, Epilogue::none())?;
        let k = b.linear(&h, &self.k_proj, Epilogue::none())?;
        let v = b.linear(&h, &self.v_proj, Epilogue::none())?;
        let h = b.attention(&q, &k, &v, self.heads, Mask::Causal)?;
        let x = b.linear(&h, &self.out_proj, Epilogue::residual(x))?;

        let h = b.layer_norm(&x, &self.layer_norm2)?;
        let h = b.linear(&h, &self.fc1, Epilogue::activation(self.hidden_act))?;
        b.linear(&h, &self.fc2, Epilogue::residual(&x))
    }
}
