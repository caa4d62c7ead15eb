use crate::{Activation, CancelToken, HostTensor, Result};

/// The operations a diffusion network is made of.
///
/// Two kinds of tensors go through a network, both opaque to it:
/// *pictures*, logically `[n, h, w, c]`, and *tokens*, logically `[n, l, c]` (a vector per sample is tokens with
/// l = 1). Shapes below are logical: how the numbers lie in memory, and how wide they are, is the backend's business.
///
/// Weights come as they lie in a checkpoint (PyTorch's shapes) and are packed once, at load. Cloning what they are packed
/// into shares it.
///
/// A backend is a cheap handle: cloning it shares device and buffers. The handle of a run carries the run's
/// [`CancelToken`]; every operation checks it first and ends with [`ComputeError::Cancelled`](crate::ComputeError).
/// Operations end with `Shape` where operands do not fit and with `Device` where the device fails. They never panic.
pub trait Backend: Clone + Send + Sync + 'static {
    /// Pictures and tokens. Cloning shares.
    type Tensor: Clone + Send + Sync + 'static;
    /// A packed `[out, in]` matrix and its bias.
    type Linear: Clone + Send + Sync + 'static;
    /// A packed `[2 · out, in]` matrix whose second half gates the first, and its bias.
    type Geglu: Clone + Send + Sync + 'static;
    /// A packed `[out, in, kh, kw]` kernel, its bias and its spec.
    type Conv2d: Clone + Send + Sync + 'static;
    /// Scale and shift of a group norm.
    type GroupNorm: Clone + Send + Sync + 'static;
    /// Scale and shift of a layer norm.
    type LayerNorm: Clone + Send + Sync + 'static;
    /// A packed table of rows.
    type Embedding: Clone + Send + Sync + 'static;

    /// What computes, and how.
    fn info(&self) -> BackendInfo;

    /// The memory that its weights and tensors lie in; `None` where that is the machine's own or the device does not tell.
    fn device_memory(&self) -> Option<DeviceMemory> {
        None
    }

    /// The same backend for a run with this token.
    fn with_cancel(&self, token: CancelToken) -> Self;

    /// The same device with numbers of 32 bits, for what overflows in fewer.
    ///
    /// # Errors
    /// Where the device cannot be opened once more.
    fn in_f32(&self) -> Result<Self>;

    /// The same backend for packing layers whose results are kept, by prompt or by timestep: they run so seldom that
    /// precision is worth more than speed there.
    fn for_kept(&self) -> Self {
        self.clone()
    }

    /// The same backend for packing layers that see pictures whose sides were halved so often: the most pixels, and with
    /// them the fastest way to convolve, depend on it.
    fn at_level(&self, halvings: usize) -> Self {
        let _ = halvings;
        self.clone()
    }

    /// `weight` is `[out, in]`, `bias` `[out]`.
    fn pack_linear(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Self::Linear>;

    /// `weight` is `[out, in, kh, kw]`, `bias` `[out]`.
    fn pack_conv2d(&self, weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Result<Self::Conv2d>;

    /// [`pack_linear`](Self::pack_linear), into the memory of a layer of the same shape where nobody else has it.
    fn repack_linear(&self, old: Self::Linear, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Self::Linear> {
        drop(old);
        self.pack_linear(weight, bias)
    }

    /// `weight` is `[2 · out, in]`, `bias` `[2 · out]`.
    fn pack_geglu(&self, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Self::Geglu>;

    /// [`pack_geglu`](Self::pack_geglu), into the memory of a layer of the same shape where nobody else has it.
    fn repack_geglu(&self, old: Self::Geglu, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Self::Geglu> {
        drop(old);
        self.pack_geglu(weight, bias)
    }

    /// [`pack_conv2d`](Self::pack_conv2d), into the memory of a layer of the same shape where nobody else has it.
    fn repack_conv2d(
        &self,
        old: Self::Conv2d,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        spec: Conv2dSpec,
    ) -> Result<Self::Conv2d> {
        drop(old);
        self.pack_conv2d(weight, bias, spec)
    }

    /// `weight` and `bias` are `[c]`; `groups` divides c.
    fn pack_group_norm(
        &self,
        weight: &HostTensor,
        bias: &HostTensor,
        groups: usize,
        eps: f32,
    ) -> Result<Self::GroupNorm>;

    /// `weight` and `bias` are `[c]`.
    fn pack_layer_norm(&self, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Result<Self::LayerNorm>;

    /// `table` is `[rows, c]`.
    fn pack_embedding(&self, table: &HostTensor) -> Result<Self::Embedding>;

    /// A picture from f32 values in `[n, c, h, w]` order, the order of latents everywhere outside a backend.
    fn upload_image(&self, nchw: &[f32], shape: [usize; 4]) -> Result<Self::Tensor>;

    /// A picture's values and shape in `[n, c, h, w]` order.
    fn download_image(&self, x: &Self::Tensor) -> Result<(Vec<f32>, [usize; 4])>;

    /// Tokens from f32 values, `[n, l, c]`.
    fn upload_tokens(&self, values: &[f32], shape: [usize; 3]) -> Result<Self::Tensor>;

    /// The tokens' values and shape, `[n, l, c]`.
    fn download_tokens(&self, x: &Self::Tensor) -> Result<(Vec<f32>, [usize; 3])>;

    /// Rows of the table: `ids` is `[n, l]` → tokens `[n, l, c]`.
    fn embed(&self, table: &Self::Embedding, ids: &[u32], shape: [usize; 2]) -> Result<Self::Tensor>;

    /// `x·Wᵀ + bias` on tokens, then the epilogue. `add_channels` of the epilogue is not used with tokens.
    fn linear(&self, x: &Self::Tensor, w: &Self::Linear, epilogue: Epilogue<'_, Self::Tensor>) -> Result<Self::Tensor>;

    /// `[a, g] = x·Wᵀ + bias`, then `a · gelu(g)` (erf form): tokens `[n, l, c]` → `[n, l, out]`
    /// (arXiv 2002.05202; diffusers `activations.py` GEGLU).
    fn geglu(&self, x: &Self::Tensor, w: &Self::Geglu) -> Result<Self::Tensor>;

    /// Convolution (cross-correlation, as in PyTorch) of a picture, then the epilogue.
    fn conv2d(&self, x: &Self::Tensor, w: &Self::Conv2d, epilogue: Epilogue<'_, Self::Tensor>) -> Result<Self::Tensor>;

    /// Nearest-neighbour upsampling of a picture to `[h, w]` px, PyTorch's `nearest` rule
    /// (source = floor(i · in / out)).
    fn upsample_nearest(&self, x: &Self::Tensor, size: [usize; 2]) -> Result<Self::Tensor>;

    /// [`upsample_nearest`](Self::upsample_nearest), then [`conv2d`](Self::conv2d); one operation so that a backend
    /// can fold the upsampling into how the convolution reads its input.
    fn upsample_conv2d(
        &self,
        x: &Self::Tensor,
        size: [usize; 2],
        w: &Self::Conv2d,
        epilogue: Epilogue<'_, Self::Tensor>,
    ) -> Result<Self::Tensor> {
        self.conv2d(&self.upsample_nearest(x, size)?, w, epilogue)
    }

    /// Group norm of a picture or of tokens (over all positions and the group's channels), then the activation.
    fn group_norm(&self, x: &Self::Tensor, w: &Self::GroupNorm, activation: Option<Activation>)
    -> Result<Self::Tensor>;

    /// Layer norm of tokens over their channels.
    fn layer_norm(&self, x: &Self::Tensor, w: &Self::LayerNorm) -> Result<Self::Tensor>;

    /// Softmax attention: `q` is `[n, lq, heads·d]`, `k` and `v` are `[n, lk, heads·d]`, scaled by 1/√d
    /// → `[n, lq, heads·d]`.
    fn attention(
        &self,
        q: &Self::Tensor,
        k: &Self::Tensor,
        v: &Self::Tensor,
        heads: usize,
        mask: Mask,
    ) -> Result<Self::Tensor>;

    /// An activation on its own, where nothing before it can take it as an epilogue.
    fn activate(&self, x: &Self::Tensor, activation: Activation) -> Result<Self::Tensor>;

    /// The sum of two tensors of one shape.
    fn add(&self, x: &Self::Tensor, y: &Self::Tensor) -> Result<Self::Tensor>;

    /// Channels of `x`, then channels of `y`; both pictures or both tokens.
    fn concat_channels(&self, x: &Self::Tensor, y: &Self::Tensor) -> Result<Self::Tensor>;

    /// Picture `[n, h, w, c]` → tokens `[n, h·w, c]`, rows first.
    fn image_to_tokens(&self, x: &Self::Tensor) -> Result<Self::Tensor>;

    /// Tokens `[n, h·w, c]` → picture `[n, h, w, c]`, the reverse.
    fn tokens_to_image(&self, x: &Self::Tensor, size: [usize; 2]) -> Result<Self::Tensor>;

    /// One token of each sample: tokens `[n, l, c]` → `[n, 1, c]`; `indices` has n entries.
    fn select_token(&self, x: &Self::Tensor, indices: &[usize]) -> Result<Self::Tensor>;

    /// Height and width of a picture.
    fn image_size(&self, x: &Self::Tensor) -> Result<[usize; 2]>;
}

/// What computes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendInfo {
    /// `candle`, `cpu`, later `gpu`.
    pub backend: &'static str,
    /// `CPU`, `CUDA 0`, `CPU avx2`, …
    pub device: String,
    /// `f32`, `f16`, …
    pub precision: &'static str,
    /// Threads used on a CPU; 0 elsewhere.
    pub threads: usize,
    /// Whether weights and tensors lie in the machine's own memory.
    pub on_host: bool,
    /// Bits a weight takes, on average.
    pub weight_bits: u32,
    /// Bits a number in a tensor takes, at most.
    pub value_bits: u32,
}

/// Memory of a device's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// All there is.
    pub total_bytes: u64,
    /// What this program can still have of it.
    pub free_bytes: u64,
}

/// Stride and padding of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dSpec {
    /// 1 or 2, both ways.
    pub stride: usize,
    /// Zeros around the picture.
    pub padding: Padding,
}

/// Zeros around a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// This many px on all four sides.
    Even(usize),
    /// One px at the bottom and one at the right (downsampling of `AutoencoderKL`'s encoder).
    BottomRight,
}

impl Conv2dSpec {
    /// Stride 1, `padding` px of zeros on all sides.
    pub const fn padded(padding: usize) -> Self {
        Self { stride: 1, padding: Padding::Even(padding) }
    }

    /// Stride 2, `padding` px of zeros on all sides.
    pub const fn halving(padding: usize) -> Self {
        Self { stride: 2, padding: Padding::Even(padding) }
    }
}

/// What is done to each value of a product before it is stored, in this order:
/// bias (part of the weights), [`add_channels`](Self::add_channels), [`residual`](Self::residual),
/// [`activation`](Self::activation).
pub struct Epilogue<'a, T> {
    /// Added to every position of a picture: tokens `[n, 1, c]`, or `[1, 1, c]` for all samples alike (the time
    /// embedding of a `ResNet` block).
    pub add_channels: Option<&'a T>,
    /// Added: the shape of the output.
    pub residual: Option<&'a T>,
    /// Applied last.
    pub activation: Option<Activation>,
}

impl<'a, T> Epilogue<'a, T> {
    /// Bias only.
    pub const fn none() -> Self {
        Self { add_channels: None, residual: None, activation: None }
    }

    /// Bias, then `x` on every position.
    pub const fn add_channels(x: &'a T) -> Self {
        Self { add_channels: Some(x), ..Self::none() }
    }

    /// Bias, then `x`.
    pub const fn residual(x: &'a T) -> Self {
        Self { residual: Some(x), ..Self::none() }
    }

    /// Bias, then the activation.
    pub const fn activation(activation: Activation) -> Self {
        Self { activation: Some(activation), ..Self::none() }
    }

    /// The same, with this activation last.
    pub const fn then(self, activation: Activation) -> Self {
        Self { activation: Some(activation), ..self }
    }
}

impl<T> Clone for Epilogue<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Epilogue<'_, T> {}

/// Which keys a query may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All.
    None,
    /// Those at or before the query's own position (text encoders).
    Causal,
}
