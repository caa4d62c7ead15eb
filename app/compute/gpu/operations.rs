use super::{
    Conv2d, Embedding, Geglu, Gpu, GroupNorm, LayerNorm, Linear, MemoryUse, Tensor,
    product::{Patches, Product, Vectors},
    transfer,
};
use crate::{
    Activation, Backend, BackendInfo, CancelToken, Conv2dSpec, DeviceMemory, Epilogue, HostTensor, Mask, Padding,
    Result,
    shapes::{self, Added, Picture, Tokens},
};

impl Backend for Gpu {
    type Tensor = Tensor;
    type Linear = Linear;
    type Geglu = Geglu;
    type Conv2d = Conv2d;
    type GroupNorm = GroupNorm;
    type LayerNorm = LayerNorm;
    type Embedding = Embedding;

    fn info(&self) -> BackendInfo {
        BackendInfo {
            backend: "gpu",
            device: self.label().into(),
            precision: self.width.name(),
            threads: 0,
            on_host: self.kind() != super::AdapterKind::Discrete,
            weight_bits: self.width.bits(),
            value_bits: self.width.bits(),
        }
    }

    fn device_memory(&self) -> Option<DeviceMemory> {
        let total_bytes = self.shared.device.memory_bytes.filter(|_| !self.info().on_host)?;
        let MemoryUse { weight_bytes, tensors } = self.memory();
        let used = weight_bytes + tensors.held_bytes;
        Some(DeviceMemory { total_bytes, free_bytes: total_bytes.saturating_sub(used) })
    }

    fn with_cancel(&self, token: CancelToken) -> Self {
        self.memory.begin_run();
        self.shared.pipelines.keep();
        Self { cancel: token, ..self.clone() }
    }

    fn in_f32(&self) -> Result<Self> {
        Ok(self.widened())
    }

    fn pack_linear(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Linear> {
        self.linear_of(None, weight, bias)
    }

    fn repack_linear(&self, old: Linear, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Linear> {
        self.linear_of(Some(old), weight, bias)
    }

    fn pack_geglu(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Geglu> {
        self.geglu_of(None, weight, bias)
    }

    fn repack_geglu(&self, old: Geglu, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Geglu> {
        self.geglu_of(Some(old), weight, bias)
    }

    fn pack_conv2d(&self, weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Result<Conv2d> {
        self.conv2d_of(None, weight, bias, spec)
    }

    fn repack_conv2d(
        &self,
        old: Conv2d,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        spec: Conv2dSpec,
    ) -> Result<Conv2d> {
        self.conv2d_of(Some(old), weight, bias, spec)
    }

    fn pack_group_norm(&self, weight: &HostTensor, bias: &HostTensor, groups: usize, eps: f32) -> Result<GroupNorm> {
        self.group_norm_of(weight, bias, groups, eps)
    }

    fn pack_layer_norm(&self, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Result<LayerNorm> {
        self.layer_norm_of(weight, bias, eps)
    }

    fn pack_embedding(&self, table: &HostTensor) -> Result<Embedding> {
        self.cancel.check()?;
        Ok(Embedding { shape: shapes::table(table)?, table: table.clone() })
    }

    fn upload_image(&self, nchw: &[f32], [n, c, h, w]: [usize; 4]) -> Result<Tensor> {
        shapes::expect_len("image", nchw.len(), &[n, c, h, w])?;
        let picture = Picture { n, h, w, c };
        self.upload(picture, &transfer::channels_last(nchw, picture))
    }

    fn download_image(&self, x: &Tensor) -> Result<(Vec<f32>, [usize; 4])> {
        let picture = x.shape().picture("image")?;
        let Picture { n, h, w, c } = picture;
        Ok((transfer::channels_first(&self.download(x)?, picture), [n, c, h, w]))
    }

    fn upload_tokens(&self, values: &[f32], [n, l, c]: [usize; 3]) -> Result<Tensor> {
        shapes::expect_len("tokens", values.len(), &[n, l, c])?;
        self.upload(Tokens { n, l, c }, values)
    }

    fn download_tokens(&self, x: &Tensor) -> Result<(Vec<f32>, [usize; 3])> {
        let Tokens { n, l, c } = x.shape().tokens("tokens")?;
        Ok((self.download(x)?, [n, l, c]))
    }

    fn embed(&self, table: &Embedding, ids: &[u32], shape: [usize; 2]) -> Result<Tensor> {
        let shape = shapes::embed(table.shape, ids, shape)?;
        self.upload(shape, &transfer::looked_up(&table.table, ids, shape)?)
    }

    fn linear(&self, x: &Tensor, w: &Linear, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.own(&[x])?;
        let shape = shapes::linear(x.shape(), w.matrix, Added::of(&epilogue, |t| Ok(t.shape()))?)?;
        let y = self.tensor(shape)?;
        let Epilogue { residual, activation, .. } = epilogue;
        self.own(residual.as_slice())?;
        let (layer, operation) = (&*w.layer, "linear");
        self.product(&Product { operation, x, layer, y: &y, patches: None, vectors: None, residual, activation })?;
        Ok(y)
    }

    fn geglu(&self, x: &Tensor, w: &Geglu) -> Result<Tensor> {
        self.own(&[x])?;
        let y = self.tensor(shapes::geglu(x.shape(), w.matrix)?)?;
        self.product(&Product {
            operation: "geglu",
            x,
            layer: &w.layer,
            y: &y,
            patches: None,
            vectors: None,
            residual: None,
            activation: None,
        })?;
        Ok(y)
    }

    fn conv2d(&self, x: &Tensor, w: &Conv2d, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.convolve("conv2d", x, None, w, epilogue)
    }

    fn upsample_nearest(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        self.own(&[x])?;
        let [from, to] = shapes::upsample_nearest(x.shape(), size)?;
        let y = self.tensor(to)?;
        self.upsampled([x, &y], [from, to])?;
        Ok(y)
    }

    fn upsample_conv2d(
        &self,
        x: &Tensor,
        size: [usize; 2],
        w: &Conv2d,
        epilogue: Epilogue<'_, Tensor>,
    ) -> Result<Tensor> {
        self.convolve("upsample_conv2d", x, Some(size), w, epilogue)
    }

    fn group_norm(&self, x: &Tensor, w: &GroupNorm, activation: Option<Activation>) -> Result<Tensor> {
        self.own(&[x])?;
        shapes::group_norm(x.shape(), w.channels)?;
        let y = self.tensor(x.shape())?;
        self.normalise_groups(x, w, activation, &y)?;
        Ok(y)
    }

    fn layer_norm(&self, x: &Tensor, w: &LayerNorm) -> Result<Tensor> {
        self.own(&[x])?;
        shapes::layer_norm(x.shape(), w.channels)?;
        let y = self.tensor(x.shape())?;
        self.normalise_rows(x, w, &y)?;
        Ok(y)
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, mask: Mask) -> Result<Tensor> {
        self.own(&[q, k, v])?;
        let sides = shapes::attention(q.shape(), k.shape(), v.shape(), heads)?;
        let y = self.tensor(sides[0])?;
        self.attend([q, k, v, &y], sides, heads, mask)?;
        Ok(y)
    }

    fn activate(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.own(&[x])?;
        let y = self.tensor(x.shape())?;
        self.activated(x, activation, &y)?;
        Ok(y)
    }

    fn add(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.own(&[x, y])?;
        shapes::add(x.shape(), y.shape())?;
        let sum = self.tensor(x.shape())?;
        self.summed(x, y, &sum)?;
        Ok(sum)
    }

    fn concat_channels(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.own(&[x, y])?;
        let both = self.tensor(shapes::concat_channels(x.shape(), y.shape())?)?;
        self.concatenated(x, y, &both)?;
        Ok(both)
    }

    fn image_to_tokens(&self, x: &Tensor) -> Result<Tensor> {
        self.own(&[x])?;
        Ok(x.reshaped(shapes::image_to_tokens(x.shape())?))
    }

    fn tokens_to_image(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        self.own(&[x])?;
        Ok(x.reshaped(shapes::tokens_to_image(x.shape(), size)?))
    }

    fn select_token(&self, x: &Tensor, indices: &[usize]) -> Result<Tensor> {
        self.own(&[x])?;
        let Tokens { n, l, c } = shapes::select_token(x.shape(), indices)?;
        let y = self.tensor(Tokens { n, l: 1, c })?;
        self.selected(x, indices.iter().enumerate().map(|(sample, i)| sample * l + i), &y)?;
        Ok(y)
    }

    fn image_size(&self, x: &Tensor) -> Result<[usize; 2]> {
        x.shape().picture("image_size input").map(|picture| [picture.h, picture.w])
    }
}

impl Gpu {
    /// Convolution of a picture resized to `size`, where one is given.
    fn convolve(
        &self,
        operation: &'static str,
        x: &Tensor,
        size: Option<[usize; 2]>,
        w: &Conv2d,
        epilogue: Epilogue<'_, Tensor>,
    ) -> Result<Tensor> {
        self.own(&[x])?;
        let shape = shapes::conv2d(x.shape(), size, &w.kernels, Added::of(&epilogue, |t| Ok(t.shape()))?)?;
        self.own(epilogue.add_channels.as_slice())?;
        self.own(epilogue.residual.as_slice())?;
        let y = self.tensor(shape.output)?;
        let rows = shape.samples_sharing * shape.output.h * shape.output.w;
        let vectors = epilogue.add_channels.map(|values| Vectors { values, rows });
        // Where patches are single pixels, rows are read as they lie.
        let pointwise =
            w.kernels.size == [1, 1] && w.kernels.spec == Conv2dSpec { stride: 1, padding: Padding::Even(0) };
        let plain = pointwise && shape.resized == [shape.input.h, shape.input.w];
        let patches = (!plain).then_some(Patches { shape, kernels: &w.kernels });
        let Epilogue { residual, activation, .. } = epilogue;
        self.product(&Product { operation, x, layer: &w.layer, y: &y, patches, vectors, residual, activation })?;
        Ok(y)
    }
}
