use super::{
    ACTIVATIONS, Checked, Suite,
    reference::{self, Array},
};
use crate::{Activation, Backend, Conv2dSpec, Epilogue, HostTensor, Padding};

const HALVING_BOTTOM_RIGHT: Conv2dSpec = Conv2dSpec { stride: 2, padding: Padding::BottomRight };

/// Input `[n, c, h, w]`, output channels, kernel, spec.
pub(super) type ConvCase = ([usize; 4], usize, [usize; 2], Conv2dSpec);

const CONVOLUTIONS: [ConvCase; 17] = [
    ([1, 3, 5, 7], 4, [3, 3], Conv2dSpec::padded(1)),
    ([2, 5, 6, 3], 7, [3, 3], Conv2dSpec::padded(0)),
    ([2, 4, 9, 8], 5, [3, 3], Conv2dSpec::halving(1)),
    ([1, 4, 8, 7], 3, [3, 3], HALVING_BOTTOM_RIGHT),
    ([2, 6, 7, 8], 9, [1, 1], Conv2dSpec::padded(0)),
    ([1, 6, 7, 5], 3, [1, 1], Conv2dSpec::halving(0)),
    ([1, 2, 4, 4], 3, [1, 1], Conv2dSpec::padded(1)),
    ([1, 3, 7, 9], 2, [5, 5], Conv2dSpec::padded(2)),
    ([1, 3, 4, 6], 2, [1, 3], Conv2dSpec::padded(1)),
    ([1, 1, 1, 1], 1, [3, 3], Conv2dSpec::padded(1)),
    ([1, 4, 2, 2], 48, [3, 3], Conv2dSpec::padded(2)),
    ([2, 48, 16, 16], 33, [3, 3], Conv2dSpec::padded(1)),
    // Large enough to be computed in pieces.
    ([2, 64, 39, 41], 5, [3, 3], Conv2dSpec::padded(1)),
    ([1, 130, 4, 4], 35, [3, 3], Conv2dSpec::padded(1)),
    ([2, 117, 9, 7], 18, [3, 3], Conv2dSpec::halving(1)),
    ([2, 68, 7, 9], 72, [3, 3], Conv2dSpec::padded(1)),
    ([1, 96, 6, 5], 64, [3, 3], Conv2dSpec::halving(1)),
];

pub(super) fn check<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    transfer(suite)?;
    convolutions(suite)?;
    epilogues(suite)?;
    upsampling(suite)?;
    group_norms(suite)?;
    rearranging(suite)?;
    elementwise(suite)
}

fn transfer<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for shape in [[1, 1, 1, 1], [2, 3, 5, 4], [1, 48, 33, 17]] {
        let (want, x) = suite.picture(shape)?;
        suite.same_picture("download_image", &shape, Ok(x.clone()), &want)?;
        let size = suite.backend.image_size(&x);
        if !matches!(size, Ok(found) if found == shape[2..]) {
            let what = format!("{size:?}");
            return Err(super::Failure { operation: "image_size", case: format!("{shape:?}"), what });
        }
    }
    Ok(())
}

fn convolutions<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for (case, with_bias) in CONVOLUTIONS.iter().flat_map(|c| [(*c, false), (*c, true)]) {
        convolution(suite, case, with_bias)?;
    }
    Ok(())
}

pub(super) fn convolution<B: Backend>(suite: &mut Suite<'_, B>, case: ConvCase, with_bias: bool) -> Checked {
    let (shape, outputs, [kh, kw], spec) = case;
    let (x, x_device) = suite.picture(shape)?;
    let (w, w_host) = suite.weight(&[outputs, shape[1], kh, kw]);
    let (bias, bias_host) = suite.weight(&[outputs]);
    let packed = suite.backend.pack_conv2d(&w_host, with_bias.then_some(&bias_host), spec);
    let found = packed.and_then(|w| suite.backend.conv2d(&x_device, &w, Epilogue::none()));
    let want = reference::conv2d(&x, &w, with_bias.then_some(&bias), spec);
    suite.same_picture("conv2d", &(case, with_bias), found, &want)?;
    let zeros = HostTensor::from_f32(w_host.shape(), &vec![0.0; w_host.len()]);
    let old = suite.backend.pack_conv2d(&zeros, None, spec);
    let packed = old.and_then(|old| suite.backend.repack_conv2d(old, &w_host, with_bias.then_some(&bias_host), spec));
    let found = packed.and_then(|w| suite.backend.conv2d(&x_device, &w, Epilogue::none()));
    suite.same_picture("repack_conv2d", &(case, with_bias), found, &want)
}

/// 3×3 and 1×1: a backend may take another way for each.
const EPILOGUE_KERNELS: [([usize; 2], Conv2dSpec); 2] =
    [([3, 3], Conv2dSpec::padded(1)), ([1, 1], Conv2dSpec::padded(0))];

fn epilogues<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for (kernel, activation) in EPILOGUE_KERNELS.iter().flat_map(|k| ACTIVATIONS.map(|a| (*k, a))) {
        for (vectors, with_residual) in [(2, false), (0, true), (2, true)] {
            epilogue(suite, kernel, vectors, with_residual, activation)?;
        }
    }
    Ok(())
}

/// One vector added to both samples of a batch alike.
pub(super) fn shared_vectors<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for (kernel, activation) in EPILOGUE_KERNELS.iter().flat_map(|k| ACTIVATIONS.map(|a| (*k, a))) {
        for with_residual in [false, true] {
            epilogue(suite, kernel, 1, with_residual, activation)?;
        }
    }
    Ok(())
}

/// A convolution of two samples with its epilogue; `vectors` of `add_channels`: none, one for both samples, or two.
fn epilogue<B: Backend>(
    suite: &mut Suite<'_, B>,
    (kernel, spec): ([usize; 2], Conv2dSpec),
    vectors: usize,
    with_residual: bool,
    activation: Option<Activation>,
) -> Checked {
    let (x, x_device) = suite.picture([2, 5, 4, 3])?;
    let (w, w_host) = suite.weight(&[6, 5, kernel[0], kernel[1]]);
    let (bias, bias_host) = suite.weight(&[6]);
    let (channels, channels_device) = suite.tokens([if vectors == 1 { 1 } else { 2 }, 1, 6])?;
    let (residual, residual_device) = suite.picture([2, 6, 4, 3])?;
    let epilogue = Epilogue {
        add_channels: (vectors > 0).then_some(&channels_device),
        residual: with_residual.then_some(&residual_device),
        activation,
    };
    let packed = suite.backend.pack_conv2d(&w_host, Some(&bias_host), spec);
    let found = packed.and_then(|w| suite.backend.conv2d(&x_device, &w, epilogue));

    let mut want = reference::conv2d(&x, &w, Some(&bias), spec);
    if vectors > 0 {
        let added = |n: usize, c: usize| channels.at([if vectors == 1 { 0 } else { n }, 0, c]);
        want = Array::from_fn(want.dims(), |[n, c, h, w]| want.at([n, c, h, w]) + added(n, c));
    }
    if with_residual {
        want = want.add(&residual);
    }
    let want = want.map(|v| reference::activate(v, activation));
    suite.same_picture("conv2d epilogue", &(kernel, vectors, with_residual, activation), found, &want)
}

fn upsampling<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for (shape, size) in
        [([2, 3, 4, 5], [8, 10]), ([1, 2, 3, 7], [7, 11]), ([1, 4, 5, 5], [5, 5]), ([1, 9, 3, 3], [9, 6])]
    {
        let (x, x_device) = suite.picture(shape)?;
        let want = reference::upsample_nearest(&x, size);
        let found = suite.backend.upsample_nearest(&x_device, size);
        suite.same_picture("upsample_nearest", &(shape, size), found, &want)?;

        let (w, w_host) = suite.weight(&[6, shape[1], 3, 3]);
        let (bias, bias_host) = suite.weight(&[6]);
        let (residual, residual_device) = suite.picture([shape[0], 6, size[0], size[1]])?;
        let spec = Conv2dSpec::padded(1);
        let want = reference::conv2d(&want, &w, Some(&bias), spec).add(&residual);
        let found = suite
            .backend
            .pack_conv2d(&w_host, Some(&bias_host), spec)
            .and_then(|w| suite.backend.upsample_conv2d(&x_device, size, &w, Epilogue::residual(&residual_device)));
        suite.same_picture("upsample_conv2d", &(shape, size), found, &want)?;
    }
    Ok(())
}

fn group_norms<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    let cases = [([2, 6, 3, 5], 3), ([1, 32, 4, 4], 32), ([2, 8, 7, 1], 1), ([1, 96, 17, 16], 32)];
    for ((shape, groups), activation) in cases.iter().flat_map(|c| ACTIVATIONS.map(|a| (*c, a))) {
        group_norm(suite, shape, groups, activation)?;
    }
    Ok(())
}

pub(super) fn group_norm<B: Backend>(
    suite: &mut Suite<'_, B>,
    shape: [usize; 4],
    groups: usize,
    activation: Option<Activation>,
) -> Checked {
    // Off centre, where a variance computed from squares loses digits.
    let x = suite.array(&shape).map(|v| v + 2.0);
    let x_device =
        suite.backend.upload_image(&x.to_f32(), shape).map_err(|e| super::failure("group_norm", &shape, &e))?;
    let (scale, scale_host) = suite.weight(&[shape[1]]);
    let (shift, shift_host) = suite.weight(&[shape[1]]);
    let flat = reference::reshape(&x, &[shape[0], shape[1], shape[2] * shape[3]]);
    let want = reference::group_norm(&flat, &scale, &shift, groups, f64::from(1e-5f32));
    let want = want.map(|v| reference::activate(v, activation));
    let packed = suite.backend.pack_group_norm(&scale_host, &shift_host, groups, 1e-5);
    let found = packed.and_then(|w| suite.backend.group_norm(&x_device, &w, activation));
    let case = (shape, groups, activation);
    suite.same_picture("group_norm", &case, found, &reference::reshape(&want, &shape))
}

fn rearranging<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for shape @ [n, c, h, w] in [[2, 3, 4, 5], [1, 7, 1, 3]] {
        let (x, x_device) = suite.picture(shape)?;
        let want = reference::swap_last(&reference::reshape(&x, &[n, c, h * w]));
        let found = suite.backend.image_to_tokens(&x_device);
        suite.same_tokens("image_to_tokens", &shape, found.clone_ok(), &want)?;
        let back = found.and_then(|t| suite.backend.tokens_to_image(&t, [h, w]));
        suite.same_picture("tokens_to_image", &shape, back, &x)?;

        let (y, y_device) = suite.picture([n, 4, h, w])?;
        let joined =
            Array::from_fn(
                [n, c + 4, h, w],
                |[n, at, h, w]| {
                    if at < c { x.at([n, at, h, w]) } else { y.at([n, at - c, h, w]) }
                },
            );
        let found = suite.backend.concat_channels(&x_device, &y_device);
        suite.same_picture("concat_channels", &shape, found, &joined)?;
    }
    Ok(())
}

fn elementwise<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    let shape = [2, 5, 31, 37];
    let (x, x_device) = suite.picture(shape)?;
    let (y, y_device) = suite.picture(shape)?;
    suite.same_picture("add", &shape, suite.backend.add(&x_device, &y_device), &x.add(&y))?;

    let wide = x.map(|v| v * 12.0);
    let wide_device = suite.backend.upload_image(&wide.to_f32(), shape);
    for activation in ACTIVATIONS.into_iter().flatten() {
        let found = wide_device.clone_ok().and_then(|x| suite.backend.activate(&x, activation));
        let want = wide.map(|v| reference::activate(v, Some(activation)));
        suite.same_picture(name(activation), &shape, found, &want)?;
    }
    Ok(())
}

fn name(activation: Activation) -> &'static str {
    match activation {
        Activation::Silu => "activate silu",
        Activation::Gelu => "activate gelu",
        Activation::QuickGelu => "activate quick_gelu",
        Activation::Relu => "activate relu",
        Activation::SoftClamp3 => "activate soft_clamp3",
    }
}

/// A result used twice: the value shared, an error told again in words.
trait CloneOk {
    fn clone_ok(&self) -> Self;
}

impl<T: Clone> CloneOk for crate::Result<T> {
    fn clone_ok(&self) -> Self {
        self.as_ref().cloned().map_err(|e| crate::ComputeError::Unsupported(e.to_string()))
    }
}
