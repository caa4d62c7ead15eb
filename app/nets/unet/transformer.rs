//! Self-attention, cross-attention to the text and a gated feed-forward layer, over the pixels of a feature map
//! (arXiv 2112.10752 §3.3; diffusers `transformer_2d.py`, `attention.py` `BasicTransformerBlock`).

use super::config::AttentionSpec;
use crate::params::Params;
use fourstep_compute::{Backend, Epilogue, Mask, Result};

/// Keys and values of one cross-attention layer, both `[n, l, channels]`.
pub(super) struct KeysValues<T> {
    k: T,
    v: T,
}

/// Group norm, projection, transformer layers, projection, residual.
pub(super) struct Transformer2D<B: Backend> {
    norm: B::GroupNorm,
    proj_in: B::Linear,
    transformer_blocks: Vec<TransformerBlock<B>>,
    proj_out: B::Linear,
}

impl<B: Backend> Transformer2D<B> {
    /// `proj_in` and `proj_out` are linear layers or 1×1 convolutions, as `use_linear_projection` says; in a
    /// channels-last view both are the same product, so only their stored shapes differ.
    pub(super) fn load(
        b: &B,
        p: &Params<'_>,
        channels: usize,
        groups: usize,
        depth: usize,
        spec: &AttentionSpec,
    ) -> Result<Self> {
        let block = |i| TransformerBlock::load(b, &p.sub("transformer_blocks").sub(i), channels, spec);
        Ok(Self {
            norm: p.group_norm(b, "norm", channels, groups, 1e-6)?,
            proj_in: p.linear(b, "proj_in", channels, channels)?,
            transformer_blocks: (0..depth).map(block).collect::<Result<_>>()?,
            proj_out: p.linear(b, "proj_out", channels, channels)?,
        })
    }

    /// Keys and values of each layer.
    pub(super) fn condition(&self, b: &B, context: &B::Tensor) -> Result<Vec<KeysValues<B::Tensor>>> {
        self.transformer_blocks.iter().map(|block| block.attn2.keys_values(b, context)).collect()
    }

    pub(super) fn forward(&self, b: &B, x: &B::Tensor, context: &[KeysValues<B::Tensor>]) -> Result<B::Tensor> {
        let tokens = b.image_to_tokens(x)?;
        let h = b.group_norm(&tokens, &self.norm, None)?;
        let mut h = b.linear(&h, &self.proj_in, Epilogue::none())?;
        for (block, context) in self.transformer_blocks.iter().zip(context) {
            h = block.forward(b, &h, context)?;
        }
        let h = b.linear(&h, &self.proj_out, Epilogue::residual(&tokens))?;
        b.tokens_to_image(&h, b.image_size(x)?)
    }
}

struct TransformerBlock<B: Backend> {
    norm1: B::LayerNorm,
    attn1: Attention<B>,
    norm2: B::LayerNorm,
    attn2: Attention<B>,
    norm3: B::LayerNorm,
    /// `ff.net.0.proj`: values and gates.
    ff_in: B::Geglu,
    /// `ff.net.2`.
    ff_out: B::Linear,
}

impl<B: Backend> TransformerBlock<B> {
    fn load(b: &B, p: &Params<'_>, c: usize, spec: &AttentionSpec) -> Result<Self> {
        let norm = |name| p.layer_norm(b, name, c, 1e-5);
        Ok(Self {
            norm1: norm("norm1")?,
            attn1: Attention::load(b, b, &p.sub("attn1"), c, c, spec.heads)?,
            norm2: norm("norm2")?,
            attn2: Attention::load(b, &b.for_kept(), &p.sub("attn2"), c, spec.context_channels, spec.heads)?,
            norm3: norm("norm3")?,
            ff_in: p.geglu(b, "ff.net.0.proj", c, 4 * c)?,
            ff_out: p.linear(b, "ff.net.2", 4 * c, c)?,
        })
    }

    fn forward(&self, b: &B, x: &B::Tensor, context: &KeysValues<B::Tensor>) -> Result<B::Tensor> {
        let mut h = b.layer_norm(x, &self.norm1)?;
        let mut x = self.attn1.forward(b, &h, &self.attn1.keys_values(b, &h)?, x)?;
        h = b.layer_norm(&x, &self.norm2)?;
        x = self.attn2.forward(b, &h, context, &x)?;
        h = b.layer_norm(&x, &self.norm3)?;
        h = b.geglu(&h, &self.ff_in)?;
        b.linear(&h, &self.ff_out, Epilogue::residual(&x))
    }
}

struct Attention<B: Backend> {
    to_q: B::Linear,
    to_k: B::Linear,
    to_v: B::Linear,
    to_out: B::Linear,
    heads: usize,
}

impl<B: Backend> Attention<B> {
    /// `for_keys` packs what makes keys and values.
    fn load(b: &B, for_keys: &B, p: &Params<'_>, channels: usize, context: usize, heads: usize) -> Result<Self> {
        Ok(Self {
            to_q: p.linear_no_bias(b, "to_q", channels, channels)?,
            to_k: p.linear_no_bias(for_keys, "to_k", context, channels)?,
            to_v: p.linear_no_bias(for_keys, "to_v", context, channels)?,
            to_out: p.linear(b, "to_out.0", channels, channels)?,
            heads,
        })
    }

    fn keys_values(&self, b: &B, context: &B::Tensor) -> Result<KeysValues<B::Tensor>> {
        Ok(KeysValues {
            k: b.linear(context, &self.to_k, Epilogue::none())?,
            v: b.linear(context, &self.to_v, Epilogue::none())?,
        })
    }

    /// `residual + to_out(softmax(q·kᵀ/√d)·v)`.
    fn forward(
        &self,
        b: &B,
        x: &B::Tensor,
        context: &KeysValues<B::Tensor>,
        residual: &B::Tensor,
    ) -> Result<B::Tensor> {
        let q = b.linear(x, &self.to_q, Epilogue::none())?;
        let h = b.attention(&q, &context.k, &context.v, self.heads, Mask::None)?;
        b.linear(&h, &self.to_out, Epilogue::residual(residual))
    }
}
