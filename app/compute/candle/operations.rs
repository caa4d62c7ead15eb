use super::{Candle, PictureLayout, device, fault::Outcome, host, weights};
use crate::{
    Activation, Backend, BackendInfo, CancelToken, Conv2dSpec, Epilogue, HostTensor, Mask, Result,
    shapes::{self, Added, Matrix, Picture, Tokens},
};
use candle_core::{DType, Tensor};

impl Backend for Candle {
    type Tensor = Tensor;
    type Linear = weights::Linear;
    type Geglu = weights::Linear;
    type Conv2d = weights::Conv2d;
    type GroupNorm = weights::GroupNorm;
    type LayerNorm = weights::LayerNorm;
    type Embedding = weights::Embedding;

    fn info(&self) -> BackendInfo {
        let bits = 8 * self.shared.dtype.size_in_bytes() as u32;
        BackendInfo {
            backend: "candle",
            device: self.shared.name.clone(),
            precision: self.shared.dtype.as_str(),
            threads: if self.shared.device.is_cpu() { rayon::current_num_threads() } else { 0 },
            on_host: self.shared.device.is_cpu(),
            weight_bits: bits,
            value_bits: bits,
        }
    }

    fn in_f32(&self) -> Result<Self> {
        Ok(self.widened())
    }

    fn with_cancel(&self, token: CancelToken) -> Self {
        Self { shared: self.shared.clone(), cancel: token }
    }

    fn pack_linear(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<weights::Linear> {
        self.operation("pack_linear", || weights::linear(self, None, weight, bias, Matrix::of(weight, bias)?))
    }

    fn repack_linear(
        &self,
        old: weights::Linear,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
    ) -> Result<weights::Linear> {
        self.operation("pack_linear", || weights::linear(self, Some(old), weight, bias, Matrix::of(weight, bias)?))
    }

    fn pack_geglu(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<weights::Linear> {
        self.operation("pack_geglu", || weights::linear(self, None, weight, bias, Matrix::of_gated(weight, bias)?))
    }

    fn repack_geglu(
        &self,
        old: weights::Linear,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
    ) -> Result<weights::Linear> {
        self.operation("pack_geglu", || weights::linear(self, Some(old), weight, bias, Matrix::of_gated(weight, bias)?))
    }

    fn pack_conv2d(&self, weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Result<weights::Conv2d> {
        self.operation("pack_conv2d", || weights::conv2d(self, None, weight, bias, spec))
    }

    fn repack_conv2d(
        &self,
        old: weights::Conv2d,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        spec: Conv2dSpec,
    ) -> Result<weights::Conv2d> {
        self.operation("pack_conv2d", || weights::conv2d(self, Some(old), weight, bias, spec))
    }

    fn pack_group_norm(
        &self,
        weight: &HostTensor,
        bias: &HostTensor,
        groups: usize,
        eps: f32,
    ) -> Result<weights::GroupNorm> {
        self.operation("pack_group_norm", || weights::group_norm(self, weight, bias, groups, eps))
    }

    fn pack_layer_norm(&self, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Result<weights::LayerNorm> {
        self.operation("pack_layer_norm", || weights::layer_norm(self, weight, bias, eps))
    }

    fn pack_embedding(&self, table: &HostTensor) -> Result<weights::Embedding> {
        self.operation("pack_embedding", || weights::embedding(self, table))
    }

    fn upload_image(&self, nchw: &[f32], [n, c, h, w]: [usize; 4]) -> Result<Tensor> {
        self.operation("upload_image", || {
            shapes::expect_len("image", nchw.len(), &[n, c, h, w])?;
            match self.shared.layout {
                PictureLayout::ChannelsLast => {
                    host::tensor(host::to_channels_last(nchw, Picture { n, h, w, c }), &[n, h, w, c])
                }
                PictureLayout::ChannelsFirst => self.upload(nchw, &[n, c, h, w]),
            }
        })
    }

    fn download_image(&self, x: &Tensor) -> Result<(Vec<f32>, [usize; 4])> {
        self.operation("download_image", || {
            let shape @ Picture { n, h, w, c } = self.shape(x)?.picture("image")?;
            let values = download(x)?;
            let nchw = if self.on_host() { host::to_channels_first(&values, shape) } else { values };
            Ok((nchw, [n, c, h, w]))
        })
    }

    fn upload_tokens(&self, values: &[f32], shape: [usize; 3]) -> Result<Tensor> {
        self.operation("upload_tokens", || {
            shapes::expect_len("tokens", values.len(), &shape)?;
            self.upload(values, &shape)
        })
    }

    fn download_tokens(&self, x: &Tensor) -> Result<(Vec<f32>, [usize; 3])> {
        self.operation("download_tokens", || {
            let Tokens { n, l, c } = self.shape(x)?.tokens("tokens")?;
            Ok((download(x)?, [n, l, c]))
        })
    }

    fn embed(&self, table: &weights::Embedding, ids: &[u32], shape: [usize; 2]) -> Result<Tensor> {
        self.operation("embed", || {
            shapes::embed(table.shape, ids, shape)?;
            if self.on_host() { host::embed(table, ids, shape) } else { device::embed(table, ids, shape) }
        })
    }

    fn linear(&self, x: &Tensor, w: &weights::Linear, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.operation("linear", || {
            let shape = shapes::linear(self.shape(x)?, w.matrix, Added::of(&epilogue, |t| self.shape(t))?)?;
            if !self.on_host() {
                return device::linear(x, shape, w, epilogue);
            }
            let Epilogue { residual, activation, .. } = epilogue;
            let finish = host::Finish::new(w.bias.as_ref(), None, residual, activation, shape.c)?;
            host::linear(x, shape, w, &finish, &self.cancel)
        })
    }

    fn geglu(&self, x: &Tensor, w: &weights::Linear) -> Result<Tensor> {
        self.operation("geglu", || {
            let shape = shapes::geglu(self.shape(x)?, w.matrix)?;
            if self.on_host() { host::geglu(x, shape, w, &self.cancel) } else { device::geglu(x, shape, w) }
        })
    }

    fn conv2d(&self, x: &Tensor, w: &weights::Conv2d, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.operation("conv2d", || self.convolve(x, None, w, epilogue))
    }

    fn upsample_nearest(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        self.operation("upsample_nearest", || {
            let [shape, _] = shapes::upsample_nearest(self.shape(x)?, size)?;
            if self.on_host() {
                host::upsample_nearest(x, shape, size)
            } else {
                device::upsample_nearest(x, shape, size)
            }
        })
    }

    fn upsample_conv2d(
        &self,
        x: &Tensor,
        size: [usize; 2],
        w: &weights::Conv2d,
        epilogue: Epilogue<'_, Tensor>,
    ) -> Result<Tensor> {
        self.operation("upsample_conv2d", || self.convolve(x, Some(size), w, epilogue))
    }

    fn group_norm(&self, x: &Tensor, w: &weights::GroupNorm, activation: Option<Activation>) -> Result<Tensor> {
        self.operation("group_norm", || {
            let n = shapes::group_norm(self.shape(x)?, w.channels)?;
            if self.on_host() { host::group_norm(x, n, w, activation) } else { device::group_norm(x, w, activation) }
        })
    }

    fn layer_norm(&self, x: &Tensor, w: &weights::LayerNorm) -> Result<Tensor> {
        self.operation("layer_norm", || {
            shapes::layer_norm(self.shape(x)?, w.channels)?;
            if self.on_host() { host::layer_norm(x, w) } else { device::layer_norm(x, w) }
        })
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, mask: Mask) -> Result<Tensor> {
        self.operation("attention", || {
            let [queries, keys] = shapes::attention(self.shape(q)?, self.shape(k)?, self.shape(v)?, heads)?;
            let attend = if self.on_host() { host::attention } else { device::attention };
            attend((q, queries), (k, keys), v, heads, mask, &self.cancel)
        })
    }

    fn activate(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.operation("activate", || {
            if self.on_host() { host::activate(x, activation) } else { device::activate(x, activation) }
        })
    }

    fn add(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.operation("add", || {
            shapes::add(self.shape(x)?, self.shape(y)?)?;
            if self.on_host() { host::add(x, y) } else { Ok(x.add(y)?) }
        })
    }

    fn concat_channels(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.operation("concat_channels", || {
            shapes::concat_channels(self.shape(x)?, self.shape(y)?)?;
            if self.on_host() { host::concat_channels(x, y) } else { device::concat_channels(x, y) }
        })
    }

    fn image_to_tokens(&self, x: &Tensor) -> Result<Tensor> {
        self.operation("image_to_tokens", || {
            let Tokens { n, l, c } = shapes::image_to_tokens(self.shape(x)?)?;
            let x = if self.on_host() { x } else { &x.permute((0, 2, 3, 1))?.contiguous()? };
            Ok(x.reshape((n, l, c))?)
        })
    }

    fn tokens_to_image(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        self.operation("tokens_to_image", || {
            let Picture { n, h, w, c } = shapes::tokens_to_image(self.shape(x)?, size)?;
            let x = x.reshape((n, h, w, c))?;
            Ok(if self.on_host() { x } else { x.permute((0, 3, 1, 2))?.contiguous()? })
        })
    }

    fn select_token(&self, x: &Tensor, indices: &[usize]) -> Result<Tensor> {
        self.operation("select_token", || {
            let Tokens { l, c, .. } = shapes::select_token(self.shape(x)?, indices)?;
            if self.on_host() { host::select_token(x, l, c, indices) } else { device::select_token(x, l, c, indices) }
        })
    }

    fn image_size(&self, x: &Tensor) -> Result<[usize; 2]> {
        self.operation("image_size", || Ok(self.shape(x)?.picture("image_size input").map(|s| [s.h, s.w])?))
    }
}

impl Candle {
    fn upload(&self, values: &[f32], dims: &[usize]) -> Outcome<Tensor> {
        Ok(Tensor::from_slice(values, dims, &self.shared.device)?.to_dtype(self.shared.dtype)?)
    }
}

fn download(x: &Tensor) -> Outcome<Vec<f32>> {
    Ok(x.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}
