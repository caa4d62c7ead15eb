//! The blocks of encoder and decoder (diffusers `unet_2d_blocks.py`).

use super::config::EPS;
use crate::{
    params::Params,
    resnet::{ResnetBlock, ResnetSpec},
};
use fourstep_compute::{Backend, Epilogue, Mask, Result};

/// Residual blocks, and the convolution that changes the size behind them.
pub(super) struct Block<B: Backend> {
    resnets: Vec<ResnetBlock<B>>,
    pub(super) resample: Option<B::Conv2d>,
}

impl<B: Backend> Block<B> {
    pub(super) fn load(
        b: &B,
        p: &Params<'_>,
        [input, output]: [usize; 2],
        layers: usize,
        resample: Option<B::Conv2d>,
        spec: ResnetSpec,
    ) -> Result<Self> {
        let input = |i| if i == 0 { input } else { output };
        let resnet = |i| ResnetBlock::load(b, &p.sub("resnets").sub(i), input(i), output, spec);
        Ok(Self { resnets: (0..layers).map(resnet).collect::<Result<_>>()?, resample })
    }

    pub(super) fn resnets(&self, b: &B, x: B::Tensor) -> Result<B::Tensor> {
        self.resnets.iter().try_fold(x, |x, resnet| resnet.forward(b, &x, None))
    }
}

pub(super) struct MidBlock<B: Backend> {
    resnets: [ResnetBlock<B>; 2],
    attention: Option<Attention<B>>,
}

impl<B: Backend> MidBlock<B> {
    pub(super) fn load(b: &B, p: &Params<'_>, c: usize, attends: bool, spec: ResnetSpec) -> Result<Self> {
        let resnet = |i: usize| ResnetBlock::load(b, &p.sub("resnets").sub(i), c, c, spec);
        let attention = || Attention::load(b, &p.sub("attentions.0"), c, spec.groups);
        Ok(Self { resnets: [resnet(0)?, resnet(1)?], attention: attends.then(attention).transpose()? })
    }

    pub(super) fn forward(&self, b: &B, x: &B::Tensor) -> Result<B::Tensor> {
        let mut x = self.resnets[0].forward(b, x, None)?;
        if let Some(attention) = &self.attention {
            x = attention.forward(b, &x)?;
        }
        self.resnets[1].forward(b, &x, None)
    }
}

/// Self-attention with a single head, around a residual.
struct Attention<B: Backend> {
    group_norm: B::GroupNorm,
    to_q: B::Linear,
    to_k: B::Linear,
    to_v: B::Linear,
    to_out: B::Linear,
}

impl<B: Backend> Attention<B> {
    fn load(b: &B, p: &Params<'_>, c: usize, groups: usize) -> Result<Self> {
        let names = if p.has("query.weight") {
            ["query", "key", "value", "proj_attn"]
        } else {
            ["to_q", "to_k", "to_v", "to_out.0"]
        };
        let [to_q, to_k, to_v, to_out] = names.map(|name| p.linear(b, name, c, c));
        Ok(Self {
            group_norm: p.group_norm(b, "group_norm", c, groups, EPS)?,
            to_q: to_q?,
            to_k: to_k?,
            to_v: to_v?,
            to_out: to_out?,
        })
    }

    fn forward(&self, b: &B, x: &B::Tensor) -> Result<B::Tensor> {
        let tokens = b.image_to_tokens(x)?;
        let mut h = b.group_norm(&tokens, &self.group_norm, None)?;
        let q = b.linear(&h, &self.to_q, Epilogue::none())?;
        let k = b.linear(&h, &self.to_k, Epilogue::none())?;
        let v = b.linear(&h, &self.to_v, Epilogue::none())?;
        h = b.attention(&q, &k, &v, 1, Mask::None)?;
        h = b.linear(&h, &self.to_out, Epilogue::residual(&tokens))?;
        b.tokens_to_image(&h, b.image_size(x)?)
    }
}
