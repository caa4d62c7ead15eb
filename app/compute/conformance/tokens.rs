use super::{
    ACTIVATIONS, Checked, Suite,
    reference::{self, Array},
};
use crate::{Backend, Epilogue, HostTensor, Mask};

pub(super) fn check<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    linears(suite)?;
    geglus(suite)?;
    norms(suite)?;
    attentions(suite)?;
    lookups(suite)
}

fn linears<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for (shape @ [n, l, inputs], outputs) in
        [([1, 1, 1], 1), ([2, 5, 7], 3), ([2, 1, 33], 65), ([1, 77, 64], 130), ([2, 21, 320], 72)]
    {
        let (x, x_device) = suite.tokens(shape)?;
        let (w, w_host) = suite.weight(&[outputs, inputs]);
        let (bias, bias_host) = suite.weight(&[outputs]);
        let (residual, residual_device) = suite.tokens([n, l, outputs])?;
        for (with_bias, with_residual) in [(false, false), (true, false), (false, true), (true, true)] {
            let packed = suite.backend.pack_linear(&w_host, with_bias.then_some(&bias_host));
            let packed = packed.map_err(|e| super::failure("pack_linear", &shape, &e))?;
            let product = reference::linear(&x, &w, with_bias.then_some(&bias));
            repacked(suite, &x_device, [&w_host, &bias_host], with_bias, &product)?;
            let product = if with_residual { product.add(&residual) } else { product };
            for activation in ACTIVATIONS {
                let residual = with_residual.then_some(&residual_device);
                let found =
                    suite.backend.linear(&x_device, &packed, Epilogue { add_channels: None, residual, activation });
                let want = product.map(|v| reference::activate(v, activation));
                let case = (shape, outputs, with_bias, with_residual, activation);
                suite.same_tokens("linear", &case, found, &want)?;
            }
        }
    }
    Ok(())
}

fn geglus<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for (shape, half) in [([1, 1, 3], 1), ([2, 9, 12], 17), ([1, 70, 48], 192), ([2, 19, 80], 96)] {
        geglu(suite, shape, half, false)?;
        geglu(suite, shape, half, true)?;
    }
    Ok(())
}

pub(super) fn geglu<B: Backend>(suite: &mut Suite<'_, B>, shape: [usize; 3], half: usize, with_bias: bool) -> Checked {
    let [n, l, inputs] = shape;
    let (x, x_device) = suite.tokens(shape)?;
    let (w, w_host) = suite.weight(&[2 * half, inputs]);
    let (bias, bias_host) = suite.weight(&[2 * half]);
    let both = reference::linear(&x, &w, with_bias.then_some(&bias));
    let want =
        Array::from_fn([n, l, half], |[n, l, c]| both.at([n, l, c]) * reference::gelu(both.at([n, l, half + c])));
    let b = suite.backend;
    let bias = with_bias.then_some(&bias_host);
    let found = b.pack_geglu(&w_host, bias).and_then(|w| b.geglu(&x_device, &w));
    suite.same_tokens("geglu", &(shape, half, with_bias), found, &want)?;
    let zeros = HostTensor::from_f32(w_host.shape(), &vec![0.0; w_host.len()]);
    let packed = b.pack_geglu(&zeros, None).and_then(|old| b.repack_geglu(old, &w_host, bias));
    let found = packed.and_then(|w| b.geglu(&x_device, &w));
    suite.same_tokens("repack_geglu", &(shape, half, with_bias), found, &want)
}

/// A layer in the memory of another, and that another handle of the other layer keeps its weights.
fn repacked<B: Backend>(
    suite: &mut Suite<'_, B>,
    x: &B::Tensor,
    [weight, bias]: [&HostTensor; 2],
    with_bias: bool,
    want: &Array,
) -> Checked {
    let b = suite.backend;
    let (bias, case) = (with_bias.then_some(bias), weight.shape().to_vec());
    let zeros = HostTensor::from_f32(weight.shape(), &vec![0.0; weight.len()]);
    let old = b.pack_linear(weight, bias).map_err(|e| super::failure("repack_linear", &case, &e))?;
    let zeroed = b.repack_linear(old.clone(), &zeros, None);
    suite.same_tokens("repack_linear", &case, b.linear(x, &old, Epilogue::none()), want)?;
    drop(old);
    let found = zeroed.and_then(|zeroed| b.repack_linear(zeroed, weight, bias));
    suite.same_tokens("repack_linear", &case, found.and_then(|w| b.linear(x, &w, Epilogue::none())), want)
}

fn norms<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    for shape @ [n, l, c] in [[1, 3, 12], [2, 77, 64], [2, 1, 100], [1, 130, 90]] {
        let x = suite.array(&shape).map(|v| v + 1.5);
        let x_device = suite.backend.upload_tokens(&x.to_f32(), [n, l, c]);
        let x_device = x_device.map_err(|e| super::failure("layer_norm", &shape, &e))?;
        let (scale, scale_host) = suite.weight(&[c]);
        let (shift, shift_host) = suite.weight(&[c]);

        let packed = suite.backend.pack_layer_norm(&scale_host, &shift_host, 1e-5);
        let found = packed.and_then(|w| suite.backend.layer_norm(&x_device, &w));
        let want = reference::layer_norm(&x, &scale, &shift, f64::from(1e-5f32));
        suite.same_tokens("layer_norm", &shape, found, &want)?;

        let packed = suite.backend.pack_group_norm(&scale_host, &shift_host, 2, 1e-6);
        let found = packed.and_then(|w| suite.backend.group_norm(&x_device, &w, None));
        let by_channel = reference::swap_last(&x);
        let want = reference::group_norm(&by_channel, &scale, &shift, 2, f64::from(1e-6f32));
        suite.same_tokens("group_norm of tokens", &shape, found, &reference::swap_last(&want))?;
    }
    Ok(())
}

fn attentions<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    let cases = [
        (1, 1, 1, 1, 1),
        (2, 5, 7, 3, 4),
        (1, 77, 77, 2, 8),
        (2, 64, 9, 4, 12),
        (1, 33, 33, 1, 5),
        // Large enough to be computed in pieces.
        (1, 101, 3001, 2, 3),
    ];
    for (case, mask) in cases.iter().flat_map(|c| [(*c, Mask::None), (*c, Mask::Causal)]) {
        attention(suite, case, mask)?;
    }
    Ok(())
}

/// Samples, queries, keys, heads and channels of a head.
pub(super) fn attention<B: Backend>(
    suite: &mut Suite<'_, B>,
    case: (usize, usize, usize, usize, usize),
    mask: Mask,
) -> Checked {
    let (n, lq, lk, heads, d) = case;
    let (q, q_device) = suite.tokens([n, lq, heads * d])?;
    let (k, k_device) = suite.tokens([n, lk, heads * d])?;
    let (v, v_device) = suite.tokens([n, lk, heads * d])?;
    let found = suite.backend.attention(&q_device, &k_device, &v_device, heads, mask);
    let want = reference::attention(&q, &k, &v, heads, mask == Mask::Causal);
    suite.same_tokens("attention", &(case, mask), found, &want)
}

fn lookups<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    let (table, table_host) = suite.weight(&[11, 6]);
    let ids = [10, 0, 3, 3, 7, 1];
    for shape @ [n, l] in [[1, 6], [2, 3], [6, 1]] {
        let packed = suite.backend.pack_embedding(&table_host);
        let found = packed.and_then(|t| suite.backend.embed(&t, &ids, shape));
        let want = Array::from_fn([n, l, 6], |[n, at, c]| table.at([ids[n * l + at] as usize, c]));
        suite.same_tokens("embed", &shape, found, &want)?;
    }

    let (x, x_device) = suite.tokens([3, 4, 5])?;
    let indices = [3, 0, 2];
    let want = Array::from_fn([3, 1, 5], |[n, _, c]| x.at([n, indices[n], c]));
    let found = suite.backend.select_token(&x_device, &indices);
    suite.same_tokens("select_token", &indices, found, &want)?;

    let (y, y_device) = suite.tokens([3, 4, 2])?;
    let want = Array::from_fn([3, 4, 7], |[n, l, c]| if c < 5 { x.at([n, l, c]) } else { y.at([n, l, c - 5]) });
    let found = suite.backend.concat_channels(&x_device, &y_device);
    suite.same_tokens("concat_channels", &"tokens", found, &want)?;

    let found = suite.backend.add(&x_device, &x_device);
    suite.same_tokens("add", &"tokens", found, &x.add(&x))
}
