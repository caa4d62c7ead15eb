use super::{open, open_with};
use fourstep_compute::{
    Activation, Backend, Conv2dSpec, Epilogue, HostTensor, Mask, Precision,
    conformance::{self, Tolerance},
    gpu::{AdapterKind, Gpu, Instead},
};

fn check(gpu: &Gpu, tolerance: Tolerance) {
    match conformance::run(gpu, tolerance) {
        Ok(report) => println!("{gpu:?}\n{report}"),
        Err(failure) => panic!("{gpu:?}: {failure}"),
    }
}

#[test]
fn operations_conform_in_f32() {
    check(&open(Precision::F32), Tolerance::F32);
}

#[test]
fn operations_conform_in_f16() {
    check(&open(Precision::F16), Tolerance::F16);
}

#[test]
fn a_glance_at_a_card_that_computes_rightly_lets_it_pass() {
    for (precision, tolerance) in [(Precision::F32, Tolerance::F32), (Precision::F16, Tolerance::F16)] {
        conformance::glance(&open(precision), tolerance).expect("computes rightly");
    }
}

#[test]
fn operations_conform_without_subgroups() {
    check(&open_with(Precision::F32, Instead { without_subgroups: true, ..Instead::default() }), Tolerance::F32);
}

#[test]
fn operations_conform_with_the_tiles_of_every_kind_of_card() {
    let as_kind = |kind| Instead { kind: Some(kind), ..Instead::default() };
    check(&open_with(Precision::F32, as_kind(AdapterKind::Discrete)), Tolerance::F32);
    check(&open_with(Precision::F32, as_kind(AdapterKind::Integrated)), Tolerance::F32);
    check(&open_with(Precision::F16, as_kind(AdapterKind::Discrete)), Tolerance::F16);
}

#[test]
fn operations_conform_where_little_can_be_seen_at_once() {
    // A panel of the suite's deepest convolution, and not its pictures.
    let instead = Instead { largest_binding_bytes: Some(160 << 10), ..Instead::default() };
    check(&open_with(Precision::F32, instead), Tolerance::F32);
}

#[test]
fn parts_are_the_same_bit_for_bit_as_the_whole() {
    let [software, discrete] = [AdapterKind::Software, AdapterKind::Discrete];
    // A panel of weights or two, as the tiles of such a device are wide.
    for (precision, kind, seen) in [
        (Precision::F32, software, 12 << 10),
        (Precision::F16, software, 12 << 10),
        (Precision::F32, discrete, 24 << 10),
    ] {
        let instead = Instead { kind: Some(kind), ..Instead::default() };
        let less = Instead { largest_binding_bytes: Some(seen), ..instead };
        let [whole, parts] = [instead, less].map(|instead| every_operation(&open_with(precision, instead)));
        for ((operation, whole), (_, parts)) in whole.expect("computes").into_iter().zip(parts.expect("computes")) {
            assert!(whole == parts, "{operation} in {precision} as on a {kind} card");
        }
    }
}

/// Every operation on tensors of 15 KiB and more, with weights of 10 KiB and more.
fn every_operation(b: &Gpu) -> fourstep_compute::Result<Vec<(&'static str, Vec<f32>)>> {
    let values = |n: usize, seed: usize| -> Vec<f32> {
        (0..n).map(|i| ((i * 2_654_435_761 + seed * 40_503) % 65_537) as f32 / 32_768.5 - 1.0).collect()
    };
    let weight = |shape: &[usize]| HostTensor::from_vec(shape, values(shape.iter().product(), shape.len()));
    let x = b.upload_image(&values(2 * 8 * 24 * 20, 1), [2, 8, 24, 20])?;
    let wide = b.upload_image(&values(2 * 40 * 24 * 20, 2), [2, 40, 24, 20])?;
    let vectors = b.upload_tokens(&values(2 * 40, 3), [2, 1, 40])?;
    let tokens = b.upload_tokens(&values(2 * 200 * 32, 4), [2, 200, 32])?;
    let keys = b.upload_tokens(&values(2 * 90 * 32, 5), [2, 90, 32])?;

    let conv = b.pack_conv2d(&weight(&[40, 8, 3, 3]), Some(&weight(&[40])), Conv2dSpec::padded(1))?;
    let halving = b.pack_conv2d(&weight(&[40, 8, 3, 3]), None, Conv2dSpec::halving(1))?;
    let pointwise = b.pack_conv2d(&weight(&[8, 40, 1, 1]), Some(&weight(&[8])), Conv2dSpec::padded(0))?;
    let linear = b.pack_linear(&weight(&[120, 32]), Some(&weight(&[120])))?;
    let geglu = b.pack_geglu(&weight(&[160, 32]), Some(&weight(&[160])))?;
    let groups = b.pack_group_norm(&weight(&[8]), &weight(&[8]), 4, 1e-5)?;
    let layer = b.pack_layer_norm(&weight(&[32]), &weight(&[32]), 1e-5)?;
    let all = Epilogue { add_channels: Some(&vectors), residual: Some(&wide), activation: Some(Activation::Silu) };

    let pictures = [
        ("conv2d", b.conv2d(&x, &conv, all)?),
        ("conv2d, stride 2", b.conv2d(&x, &halving, Epilogue::none())?),
        ("conv2d 1×1", b.conv2d(&wide, &pointwise, Epilogue::residual(&x))?),
        ("upsample_conv2d", b.upsample_conv2d(&x, [47, 30], &conv, Epilogue::none())?),
        ("upsample_nearest", b.upsample_nearest(&x, [47, 30])?),
        ("group_norm", b.group_norm(&x, &groups, Some(Activation::Silu))?),
        ("activate", b.activate(&x, Activation::Gelu)?),
        ("add", b.add(&wide, &wide)?),
        ("concat_channels", b.concat_channels(&x, &wide)?),
    ];
    let tokens = [
        ("linear", b.linear(&tokens, &linear, Epilogue::none())?),
        ("geglu", b.geglu(&tokens, &geglu)?),
        ("layer_norm", b.layer_norm(&tokens, &layer)?),
        ("attention", b.attention(&tokens, &keys, &keys, 4, Mask::None)?),
        ("causal attention", b.attention(&tokens, &keys, &keys, 1, Mask::Causal)?),
        ("select_token", b.select_token(&tokens, &[199, 77])?),
    ];
    let pictures = pictures.into_iter().map(|(name, y)| Ok((name, b.download_image(&y)?.0)));
    pictures.chain(tokens.into_iter().map(|(name, y)| Ok((name, b.download_tokens(&y)?.0)))).collect()
}
