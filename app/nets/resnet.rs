//! The residual block of the U-Net and of `AutoencoderKL` (diffusers `resnet.py` `ResnetBlock2D`).

use crate::params::Params;
use fourstep_compute::{Activation, Backend, Conv2dSpec, Epilogue, Result};

/// Two 3×3 convolutions, each behind a group norm, around a shortcut.
pub(crate) struct ResnetBlock<B: Backend> {
    norm1: B::GroupNorm,
    conv1: B::Conv2d,
    /// Projection of the time embedding; none in an autoencoder.
    time_emb_proj: Option<B::Linear>,
    norm2: B::GroupNorm,
    conv2: B::Conv2d,
    conv_shortcut: Option<B::Conv2d>,
    activation: Activation,
}

/// What all residual blocks of a network have in common.
#[derive(Clone, Copy)]
pub(crate) struct ResnetSpec {
    pub(crate) groups: usize,
    pub(crate) eps: f32,
    pub(crate) activation: Activation,
    /// Channels of the time embedding.
    pub(crate) time_channels: Option<usize>,
}

impl<B: Backend> ResnetBlock<B> {
    pub(crate) fn load(b: &B, p: &Params<'_>, input: usize, output: usize, spec: ResnetSpec) -> Result<Self> {
        let pad = Conv2dSpec::padded;
        let project = |channels| p.linear(&b.for_kept(), "time_emb_proj", channels, output);
        let shortcut = || p.conv2d(b, "conv_shortcut", [input, output, 1], pad(0));
        Ok(Self {
            norm1: p.group_norm(b, "norm1", input, spec.groups, spec.eps)?,
            conv1: p.conv2d(b, "conv1", [input, output, 3], pad(1))?,
            time_emb_proj: spec.time_channels.map(project).transpose()?,
            norm2: p.group_norm(b, "norm2", output, spec.groups, spec.eps)?,
            conv2: p.conv2d(b, "conv2", [output, output, 3], pad(1))?,
            conv_shortcut: (input != output).then(shortcut).transpose()?,
            activation: spec.activation,
        })
    }

    /// This block's share of the activated time embedding, `[n, 1, output]`, the `time` of
    /// [`forward`](Self::forward).
    pub(crate) fn project_time(&self, b: &B, activated: &B::Tensor) -> Result<Option<B::Tensor>> {
        self.time_emb_proj.as_ref().map(|w| b.linear(activated, w, Epilogue::none())).transpose()
    }

    pub(crate) fn forward(&self, b: &B, x: &B::Tensor, time: Option<&B::Tensor>) -> Result<B::Tensor> {
        // One name, so that each is gone when the next is there: in a decoder each is as large as what all else takes.
        let mut h = b.group_norm(x, &self.norm1, Some(self.activation))?;
        h = b.conv2d(&h, &self.conv1, Epilogue { add_channels: time, ..Epilogue::none() })?;
        h = b.group_norm(&h, &self.norm2, Some(self.activation))?;
        match &self.conv_shortcut {
            None => b.conv2d(&h, &self.conv2, Epilogue::residual(x)),
            Some(shortcut) => {
                let x = b.conv2d(x, shortcut, Epilogue::none())?;
                b.conv2d(&h, &self.conv2, Epilogue::residual(&x))
            }
        }
    }
}
