use super::{Candle, device, host, shapes, weights};
use crate::{
    Activation, Backend, BackendInfo, CancelToken, Conv2dSpec, Epilogue, HostTensor, Mask, Result,
    candle::fault::Outcome,
};
use candle_core::{DType, Tensor};
use shapes::{Picture, PictureLayout, Tokens};

impl Backend for Candle {
    type Tensor = Tensor;
    type Linear = weights::Linear;
    type Conv2d = weights::Conv2d;
    type GroupNorm = weights::GroupNorm;
    type LayerNorm = weights::LayerNorm;
    type Embedding = weights::Embedding;

    fn info(&self) -> BackendInfo {
        BackendInfo {
            backend: "candle",
            device: self.shared.name.clone(),
            precision: self.shared.dtype.as_str(),
            threads: if self.shared.device.is_cpu() { rayon::current_num_threads() } else { 0 },
        }
    }

    fn with_cancel(&self, token: CancelToken) -> Self {
        Self { shared: self.shared.clone(), cancel: token }
    }

    fn pack_linear(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<weights::Linear> {
        self.operation("pack_linear", || weights::linear(self, None, weight, bias))
    }

    fn repack_linear(
        &self,
        old: weights::Linear,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
    ) -> Result<weights::Linear> {
        self.operation("pack_linear", || weights::linear(self, Some(old), weight, bias))
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
            let shape = self.picture(x, "image")?;
            let values = download(x)?;
            let nchw = if self.on_host() { host::to_channels_first(&values, shape) } else { values };
            Ok((nchw, shape.dims(PictureLayout::ChannelsFirst)))
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
            let Tokens { n, l, c } = shapes::tokens(x, "tokens")?;
            Ok((download(x)?, [n, l, c]))
        })
    }

    fn embed(&self, table: &weights::Embedding, ids: &[u32], shape: [usize; 2]) -> Result<Tensor> {
        self.operation("embed", || {
            shapes::expect_len("embed ids", ids.len(), &shape)?;
            if let Some(id) = ids.iter().find(|id| **id as usize >= table.rows) {
                return Err(shapes::misfit("embed id", &format!("less than {}", table.rows), id).into());
            }
            if self.on_host() { host::embed(table, ids, shape) } else { device::embed(table, ids, shape) }
        })
    }

    fn linear(&self, x: &Tensor, w: &weights::Linear, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.operation("linear", || {
            let shape = shapes::tokens(x, "linear input")?;
            shapes::expect("linear input channels", shape.c, w.inputs)?;
            if let Some(t) = epilogue.residual {
                let output = Tokens { c: w.outputs, ..shape };
                shapes::expect("linear residual", shapes::tokens(t, "linear residual")?, output)?;
            }
            if let Some(t) = epilogue.add_channels {
                return Err(shapes::misfit("linear add_channels", "none", &t.dims()).into());
            }
            if !self.on_host() {
                return device::linear(x, shape, w, epilogue);
            }
            let finish = host::Finish::new(w.bias.as_ref(), None, epilogue.residual, epilogue.activation, w.outputs)?;
            host::linear(x, shape, w, &finish, &self.cancel)
        })
    }

    fn geglu(&self, x: &Tensor, w: &weights::Linear) -> Result<Tensor> {
        self.operation("geglu", || {
            let shape = shapes::tokens(x, "geglu input")?;
            shapes::expect("geglu input channels", shape.c, w.inputs)?;
            shapes::expect("geglu outputs beyond an even number", w.outputs % 2, 0)?;
            if self.on_host() { host::geglu(x, shape, w, &self.cancel) } else { device::geglu(x, shape, w) }
        })
    }

    fn conv2d(&self, x: &Tensor, w: &weights::Conv2d, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.operation("conv2d", || {
            let shape = self.picture(x, "conv2d input")?;
            self.convolve(x, [shape.h, shape.w], w, epilogue)
        })
    }

    fn upsample_nearest(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        self.operation("upsample_nearest", || {
            let shape = self.picture(x, "upsample_nearest input")?;
            expect_area(size)?;
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
        self.operation("upsample_conv2d", || {
            expect_area(size)?;
            self.convolve(x, size, w, epilogue)
        })
    }

    fn group_norm(&self, x: &Tensor, w: &weights::GroupNorm, activation: Option<Activation>) -> Result<Tensor> {
        self.operation("group_norm", || {
            let is_picture = x.rank() == 4;
            let (n, c) = if is_picture {
                self.picture(x, "group_norm input").map(|s| (s.n, s.c))?
            } else {
                shapes::tokens(x, "group_norm input").map(|s| (s.n, s.c))?
            };
            shapes::expect("group_norm input channels", c, w.channels)?;
            if self.on_host() { host::group_norm(x, n, w, activation) } else { device::group_norm(x, w, activation) }
        })
    }

    fn layer_norm(&self, x: &Tensor, w: &weights::LayerNorm) -> Result<Tensor> {
        self.operation("layer_norm", || {
            shapes::expect("layer_norm input channels", shapes::tokens(x, "layer_norm input")?.c, w.channels)?;
            if self.on_host() { host::layer_norm(x, w) } else { device::layer_norm(x, w) }
        })
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, mask: Mask) -> Result<Tensor> {
        self.operation("attention", || {
            let queries = shapes::tokens(q, "attention queries")?;
            let keys = shapes::tokens(k, "attention keys")?;
            shapes::expect("attention keys", keys, Tokens { l: keys.l, ..queries })?;
            shapes::expect("attention values", shapes::tokens(v, "attention values")?, keys)?;
            if heads == 0 || !queries.c.is_multiple_of(heads) {
                return Err(
                    shapes::misfit("attention channels", &format!("a multiple of {heads} heads"), &queries).into()
                );
            }
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
            shapes::expect("second operand of add", y.dims(), x.dims())?;
            if self.on_host() { host::add(x, y) } else { Ok(x.add(y)?) }
        })
    }

    fn concat_channels(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.operation("concat_channels", || {
            shapes::expect("second operand of concat_channels", y.rank(), x.rank())?;
            let what = "operand of concat_channels";
            if x.rank() == 4 {
                let (a, b) = (self.picture(x, what)?, self.picture(y, what)?);
                shapes::expect(what, Picture { c: a.c, ..b }, a)?;
            } else {
                let (a, b) = (shapes::tokens(x, what)?, shapes::tokens(y, what)?);
                shapes::expect(what, Tokens { c: a.c, ..b }, a)?;
            }
            if self.on_host() { host::concat_channels(x, y) } else { device::concat_channels(x, y) }
        })
    }

    fn image_to_tokens(&self, x: &Tensor) -> Result<Tensor> {
        self.operation("image_to_tokens", || {
            let Picture { n, h, w, c } = self.picture(x, "image_to_tokens input")?;
            let x = if self.on_host() { x } else { &x.permute((0, 2, 3, 1))?.contiguous()? };
            Ok(x.reshape((n, h * w, c))?)
        })
    }

    fn tokens_to_image(&self, x: &Tensor, [h, w]: [usize; 2]) -> Result<Tensor> {
        self.operation("tokens_to_image", || {
            let Tokens { n, l, c } = shapes::tokens(x, "tokens_to_image input")?;
            shapes::expect("tokens_to_image positions", Some(l), h.checked_mul(w))?;
            let x = x.reshape((n, h, w, c))?;
            Ok(if self.on_host() { x } else { x.permute((0, 3, 1, 2))?.contiguous()? })
        })
    }

    fn select_token(&self, x: &Tensor, indices: &[usize]) -> Result<Tensor> {
        self.operation("select_token", || {
            let Tokens { n, l, c } = shapes::tokens(x, "select_token input")?;
            shapes::expect("select_token indices", indices.len(), n)?;
            if let Some(i) = indices.iter().find(|i| **i >= l) {
                return Err(shapes::misfit("select_token index", &format!("less than {l}"), i).into());
            }
            if self.on_host() { host::select_token(x, l, c, indices) } else { device::select_token(x, l, c, indices) }
        })
    }

    fn image_size(&self, x: &Tensor) -> Result<[usize; 2]> {
        self.operation("image_size", || Ok(self.picture(x, "image_size input").map(|s| [s.h, s.w])?))
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

fn expect_area(size: [usize; 2]) -> Result<()> {
    if size.contains(&0) { Err(shapes::misfit("upsampled size", "at least 1 × 1", &size)) } else { Ok(()) }
}
