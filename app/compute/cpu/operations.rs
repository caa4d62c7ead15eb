use super::{
    Conv2d, Cpu, Embedding, Geglu, GroupNorm, LayerNorm, Linear,
    profile::Size,
    tensor::{Blank, Tensor, Width},
};
use crate::{
    Activation, Backend, BackendInfo, CancelToken, Conv2dSpec, Epilogue, HostTensor, Mask, Precision, Result,
    shapes::{self, Added, Picture, Shape, Tokens},
};
use fourstep_kernels::{ValuesMut, attention, elementwise, norm, product};

impl Backend for Cpu {
    type Tensor = Tensor;
    type Linear = Linear;
    type Geglu = Geglu;
    type Conv2d = Conv2d;
    type GroupNorm = GroupNorm;
    type LayerNorm = LayerNorm;
    type Embedding = Embedding;

    fn info(&self) -> BackendInfo {
        let shared = &self.shared;
        BackendInfo {
            backend: "cpu",
            device: shared.name.clone(),
            precision: shared.precision.name(),
            threads: shared.pool.threads(),
            on_host: true,
            weight_bits: match shared.weights {
                product::Precision::F32 => 32,
                product::Precision::Bf16 => 16,
                // A tenth or so of a model's weights are in bf16.
                product::Precision::Int8 => 9,
            },
            value_bits: 32,
        }
    }

    fn with_cancel(&self, token: CancelToken) -> Self {
        self.shared.memory.begin_run();
        Self { cancel: token, ..self.clone() }
    }

    fn in_f32(&self) -> Result<Self> {
        self.with_precision(Precision::F32)
    }

    fn at_level(&self, halvings: usize) -> Self {
        Self { level: halvings, ..self.clone() }
    }

    fn for_kept(&self) -> Self {
        Self { packs_kept: true, ..self.clone() }
    }

    fn pack_linear(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Linear> {
        self.packing("pack_linear", weight, || self.linear_of(None, weight, bias))
    }

    fn repack_linear(&self, old: Linear, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Linear> {
        self.packing("pack_linear", weight, || self.linear_of(Some(old), weight, bias))
    }

    fn pack_geglu(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Geglu> {
        self.packing("pack_geglu", weight, || self.geglu_of(None, weight, bias))
    }

    fn repack_geglu(&self, old: Geglu, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Geglu> {
        self.packing("pack_geglu", weight, || self.geglu_of(Some(old), weight, bias))
    }

    fn pack_conv2d(&self, weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Result<Conv2d> {
        self.packing("pack_conv2d", weight, || self.conv2d_of(None, weight, bias, spec))
    }

    fn repack_conv2d(
        &self,
        old: Conv2d,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        spec: Conv2dSpec,
    ) -> Result<Conv2d> {
        self.packing("pack_conv2d", weight, || self.conv2d_of(Some(old), weight, bias, spec))
    }

    fn pack_group_norm(&self, weight: &HostTensor, bias: &HostTensor, groups: usize, eps: f32) -> Result<GroupNorm> {
        self.packing("pack_norm", weight, || GroupNorm::of(weight, bias, groups, eps))
    }

    fn pack_layer_norm(&self, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Result<LayerNorm> {
        self.packing("pack_norm", weight, || LayerNorm::of(weight, bias, eps))
    }

    fn pack_embedding(&self, table: &HostTensor) -> Result<Embedding> {
        self.packing("pack_embedding", table, || Embedding::of(table))
    }

    fn upload_image(&self, nchw: &[f32], [n, c, h, w]: [usize; 4]) -> Result<Tensor> {
        shapes::expect_len("image", nchw.len(), &[n, c, h, w])?;
        self.upload("upload_image", Picture { n, h, w, c }, |out| exchange(nchw, c, h * w, out))
    }

    fn download_image(&self, x: &Tensor) -> Result<(Vec<f32>, [usize; 4])> {
        self.cancel.check()?;
        let Picture { n, h, w, c } = x.shape().picture("image")?;
        let mut nchw = vec![0.0; x.shape().len()];
        self.measure("download_image", values(x.shape()), || exchange(&x.to_f32(), h * w, c, &mut nchw));
        Ok((nchw, [n, c, h, w]))
    }

    fn upload_tokens(&self, values: &[f32], [n, l, c]: [usize; 3]) -> Result<Tensor> {
        shapes::expect_len("tokens", values.len(), &[n, l, c])?;
        self.upload("upload_tokens", Tokens { n, l, c }, |out| out.copy_from_slice(values))
    }

    fn download_tokens(&self, x: &Tensor) -> Result<(Vec<f32>, [usize; 3])> {
        self.cancel.check()?;
        let Tokens { n, l, c } = x.shape().tokens("tokens")?;
        Ok((self.measure("download_tokens", values(x.shape()), || x.to_f32()), [n, l, c]))
    }

    fn embed(&self, table: &Embedding, ids: &[u32], shape: [usize; 2]) -> Result<Tensor> {
        let shape = shapes::embed(table.shape, ids, shape)?;
        let mut read = Ok(());
        let embedded = self.upload("embed", shape, |out| {
            read = ids.iter().zip(out.chunks_mut(shape.c)).try_for_each(|(id, out)| {
                let row = *id as usize;
                table.table.read(row..row + 1, 0..shape.c, out)
            });
        })?;
        read.map(|()| embedded)
    }

    fn linear(&self, x: &Tensor, w: &Linear, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.cancel.check()?;
        let shape = shapes::linear(x.shape(), w.matrix, Added::of(&epilogue, |t| Ok(t.shape()))?)?;
        let Epilogue { residual, activation, .. } = epilogue;
        let finish = product::Finish { per_sample: None, residual: residual.map(Tensor::values), activation };
        let size = Size::Product { rows: shape.n * shape.l, inputs: w.matrix.inputs, outputs: w.matrix.outputs };
        self.tensor("linear", size, (shape, self.finished_width(shape, &epilogue)), |cx, out| {
            Ok(product::linear(cx, x.values(), &w.layer.packed, &finish, out.values_mut())?)
        })
    }

    fn geglu(&self, x: &Tensor, w: &Geglu) -> Result<Tensor> {
        self.cancel.check()?;
        let shape = shapes::geglu(x.shape(), w.matrix)?;
        let size = Size::Product { rows: shape.n * shape.l, inputs: w.matrix.inputs, outputs: w.matrix.outputs };
        self.tensor("geglu", size, (shape, self.width(shape)), |cx, out| {
            Ok(product::linear(cx, x.values(), &w.layer.packed, &product::Finish::default(), out.values_mut())?)
        })
    }

    fn conv2d(&self, x: &Tensor, w: &Conv2d, epilogue: Epilogue<'_, Tensor>) -> Result<Tensor> {
        self.convolve("conv2d", x, None, w, epilogue)
    }

    fn upsample_nearest(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        let [Picture { n, h, w, c }, output] = shapes::upsample_nearest(x.shape(), size)?;
        self.tensor("upsample_nearest", values(output.into()), (output, x.width()), |cx, out| {
            Ok(elementwise::upsample_nearest(cx, x.values(), [n, h, w, c], size, out.values_mut())?)
        })
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
        let n = shapes::group_norm(x.shape(), w.scale.len())?;
        let parameters = norm::GroupNorm { scale: &w.scale, shift: &w.shift, groups: w.groups, eps: w.eps };
        self.tensor("group_norm", values(x.shape()), (x.shape(), self.width(x.shape())), |cx, out| {
            Ok(norm::group_norm(cx, x.values(), n, parameters, activation, out.values_mut())?)
        })
    }

    fn layer_norm(&self, x: &Tensor, w: &LayerNorm) -> Result<Tensor> {
        shapes::layer_norm(x.shape(), w.scale.len())?;
        let parameters = norm::LayerNorm { scale: &w.scale, shift: &w.shift, eps: w.eps };
        self.tensor("layer_norm", values(x.shape()), (x.shape(), self.width(x.shape())), |cx, out| {
            Ok(norm::layer_norm(cx, x.values(), parameters, out.values_mut())?)
        })
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, mask: Mask) -> Result<Tensor> {
        let [queries, keys] = shapes::attention(q.shape(), k.shape(), v.shape(), heads)?;
        let (d, causal) = (queries.c / heads, mask == Mask::Causal);
        let shape = attention::Shape { n: queries.n, heads, d, queries: queries.l, keys: keys.l, causal };
        let size = Size::Attention { samples: queries.n, heads, d, queries: queries.l, keys: keys.l };
        self.tensor("attention", size, (queries, self.width(queries)), |cx, out| {
            Ok(attention::attention(cx, q.values(), k.values(), v.values(), shape, out.values_mut())?)
        })
    }

    fn activate(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.tensor("activate", values(x.shape()), (x.shape(), x.width()), |cx, out| {
            Ok(elementwise::activate(cx, x.values(), activation, out.values_mut())?)
        })
    }

    fn add(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        shapes::add(x.shape(), y.shape())?;
        self.tensor("add", values(x.shape()), (x.shape(), Width::F32), |cx, out| {
            Ok(elementwise::add(cx, x.values(), y.values(), out.values_mut())?)
        })
    }

    fn concat_channels(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        let shape = shapes::concat_channels(x.shape(), y.shape())?;
        let width = if x.width() == y.width() { x.width() } else { Width::F32 };
        let channels = [x, y].map(|t| t.shape().sizes()[2]);
        self.tensor("concat_channels", values(shape), (shape, width), |cx, out| {
            Ok(elementwise::concat(cx, x.values(), y.values(), channels, out.values_mut())?)
        })
    }

    fn image_to_tokens(&self, x: &Tensor) -> Result<Tensor> {
        self.cancel.check()?;
        Ok(x.reshaped(shapes::image_to_tokens(x.shape())?))
    }

    fn tokens_to_image(&self, x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        self.cancel.check()?;
        Ok(x.reshaped(shapes::tokens_to_image(x.shape(), size)?))
    }

    fn select_token(&self, x: &Tensor, indices: &[usize]) -> Result<Tensor> {
        self.cancel.check()?;
        x.rows(&self.shared.memory, shapes::select_token(x.shape(), indices)?, indices)
    }

    fn image_size(&self, x: &Tensor) -> Result<[usize; 2]> {
        x.shape().picture("image_size input").map(|picture| [picture.h, picture.w])
    }
}

impl Cpu {
    /// Packs a layer.
    fn packing<T>(&self, operation: &'static str, weight: &HostTensor, pack: impl FnOnce() -> Result<T>) -> Result<T> {
        self.cancel.check()?;
        let size = Size::Values { positions: weight.shape().first().copied().unwrap_or(0), channels: weight.width() };
        self.measure(operation, size, pack)
    }

    /// A tensor in f32 of values from outside.
    fn upload(
        &self,
        operation: &'static str,
        shape: impl Into<Shape>,
        write: impl FnOnce(&mut [f32]),
    ) -> Result<Tensor> {
        let shape = shape.into();
        self.tensor(operation, values(shape), (shape, Width::F32), |_, out: &mut Blank| {
            if let ValuesMut::F32(out) = out.values_mut() {
                write(out);
            }
            Ok(())
        })
    }
}

fn values(shape: Shape) -> Size {
    let [n, l, c] = shape.sizes();
    Size::Values { positions: n * l, channels: c }
}

/// `[n, rows, columns]` → `[n, columns, rows]`.
fn exchange(x: &[f32], rows: usize, columns: usize, out: &mut [f32]) {
    for (x, out) in x.chunks(rows * columns).zip(out.chunks_mut(rows * columns)) {
        for (column, out) in out.chunks_mut(rows).enumerate() {
            out.iter_mut().zip(x[column..].iter().step_by(columns)).for_each(|(out, x)| *out = *x);
        }
    }
}
