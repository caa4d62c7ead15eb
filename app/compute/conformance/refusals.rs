use super::{Checked, Failure, Suite};
use crate::{Activation, Backend, CancelFloor, ComputeError, Conv2dSpec, Epilogue, HostTensor, Mask, Result};

pub(super) fn check<B: Backend>(suite: &mut Suite<'_, B>) -> Checked {
    let operands = Operands::new(suite.backend).map_err(|e| super::failure("pack", &"operands of the refusals", &e))?;
    let floor = CancelFloor::default();
    let cancelled = suite.backend.with_cancel(floor.token(1));
    expect_all(&every_operation(&cancelled, &operands), "a token still wanted", "ran", Result::is_ok)?;
    floor.raise(2);
    let is_cancelled = |r: &Result<()>| matches!(r, Err(ComputeError::Cancelled));
    expect_all(&every_operation(&cancelled, &operands), "a cancelled token", "was cancelled", is_cancelled)?;
    // The handle it came from is none of the cancelled run's business.
    expect_all(&every_operation(suite.backend, &operands), "a handle without the token", "ran", Result::is_ok)?;

    let is_misfit = |r: &Result<()>| matches!(r, Err(ComputeError::Shape { .. }));
    expect_all(&misfits(suite.backend, &operands), "operands that do not fit", "told the shape", is_misfit)?;
    expect_all(&bad_weights(suite.backend), "weights that do not fit", "told the shape", is_misfit)
}

type Outcomes = Vec<(&'static str, Result<()>)>;

fn expect_all(outcomes: &Outcomes, case: &str, wanted: &str, is_right: impl Fn(&Result<()>) -> bool) -> Checked {
    match outcomes.iter().find(|(_, outcome)| !is_right(outcome)) {
        None => Ok(()),
        Some((operation, outcome)) => {
            Err(Failure { operation, case: case.into(), what: format!("{outcome:?} instead of: {wanted}") })
        }
    }
}

/// A picture of 4 channels, 3 × 2 px; tokens of 4 channels, 6 of them; weights for both.
struct Operands<B: Backend> {
    picture: B::Tensor,
    other_picture: B::Tensor,
    tokens: B::Tensor,
    other_tokens: B::Tensor,
    linear: B::Linear,
    geglu: B::Geglu,
    conv2d: B::Conv2d,
    large_conv2d: B::Conv2d,
    group_norm: B::GroupNorm,
    layer_norm: B::LayerNorm,
    embedding: B::Embedding,
}

impl<B: Backend> Operands<B> {
    fn new(b: &B) -> Result<Self> {
        let four = weight(&[4]);
        Ok(Self {
            picture: b.upload_image(&[0.5; 24], [1, 4, 3, 2])?,
            other_picture: b.upload_image(&[0.5; 30], [1, 5, 2, 3])?,
            tokens: b.upload_tokens(&[0.5; 24], [1, 6, 4])?,
            other_tokens: b.upload_tokens(&[0.5; 35], [1, 7, 5])?,
            linear: b.pack_linear(&weight(&[4, 4]), None)?,
            geglu: b.pack_geglu(&weight(&[6, 4]), None)?,
            conv2d: b.pack_conv2d(&weight(&[4, 4, 3, 3]), None, Conv2dSpec::padded(1))?,
            large_conv2d: b.pack_conv2d(&weight(&[4, 4, 5, 5]), None, Conv2dSpec::padded(0))?,
            group_norm: b.pack_group_norm(&four, &four, 2, 1e-5)?,
            layer_norm: b.pack_layer_norm(&four, &four, 1e-5)?,
            embedding: b.pack_embedding(&weight(&[3, 4]))?,
        })
    }
}

fn weight(shape: &[usize]) -> HostTensor {
    HostTensor::from_f32(shape, &vec![0.25; shape.iter().product()])
}

fn every_operation<B: Backend>(b: &B, o: &Operands<B>) -> Outcomes {
    vec![
        ("embed", b.embed(&o.embedding, &[2, 1], [1, 2]).map(drop)),
        ("linear", b.linear(&o.tokens, &o.linear, Epilogue::none()).map(drop)),
        ("geglu", b.geglu(&o.tokens, &o.geglu).map(drop)),
        ("conv2d", b.conv2d(&o.picture, &o.conv2d, Epilogue::none()).map(drop)),
        ("upsample_nearest", b.upsample_nearest(&o.picture, [6, 4]).map(drop)),
        ("upsample_conv2d", b.upsample_conv2d(&o.picture, [6, 4], &o.conv2d, Epilogue::none()).map(drop)),
        ("group_norm", b.group_norm(&o.picture, &o.group_norm, Some(Activation::Silu)).map(drop)),
        ("layer_norm", b.layer_norm(&o.tokens, &o.layer_norm).map(drop)),
        ("attention", b.attention(&o.tokens, &o.tokens, &o.tokens, 2, Mask::None).map(drop)),
        ("activate", b.activate(&o.picture, Activation::Relu).map(drop)),
        ("add", b.add(&o.tokens, &o.tokens).map(drop)),
        ("concat_channels", b.concat_channels(&o.picture, &o.picture).map(drop)),
        ("image_to_tokens", b.image_to_tokens(&o.picture).map(drop)),
        ("tokens_to_image", b.tokens_to_image(&o.tokens, [3, 2]).map(drop)),
        ("select_token", b.select_token(&o.tokens, &[5]).map(drop)),
    ]
}

fn misfits<B: Backend>(b: &B, o: &Operands<B>) -> Outcomes {
    let none = Epilogue::none;
    vec![
        ("upload_image", b.upload_image(&[0.0; 5], [1, 2, 3, 4]).map(drop)),
        ("upload_image", b.upload_image(&[], [1, 0, 3, 4]).map(drop)),
        ("upload_tokens", b.upload_tokens(&[0.0; 5], [usize::MAX, 2, 3]).map(drop)),
        ("download_image", b.download_image(&o.tokens).map(drop)),
        ("download_tokens", b.download_tokens(&o.picture).map(drop)),
        ("embed", b.embed(&o.embedding, &[0, 3], [1, 2]).map(drop)),
        ("embed", b.embed(&o.embedding, &[0], [1, 2]).map(drop)),
        ("linear", b.linear(&o.other_tokens, &o.linear, none()).map(drop)),
        ("linear", b.linear(&o.picture, &o.linear, none()).map(drop)),
        ("linear", b.linear(&o.tokens, &o.linear, Epilogue::residual(&o.other_tokens)).map(drop)),
        ("geglu", b.geglu(&o.other_tokens, &o.geglu).map(drop)),
        ("geglu", b.geglu(&o.picture, &o.geglu).map(drop)),
        ("conv2d", b.conv2d(&o.tokens, &o.conv2d, none()).map(drop)),
        ("conv2d", b.conv2d(&o.other_picture, &o.conv2d, none()).map(drop)),
        ("conv2d", b.conv2d(&o.picture, &o.large_conv2d, none()).map(drop)),
        ("conv2d", b.conv2d(&o.picture, &o.conv2d, Epilogue::residual(&o.other_picture)).map(drop)),
        ("conv2d", b.conv2d(&o.picture, &o.conv2d, Epilogue::add_channels(&o.tokens)).map(drop)),
        ("upsample_nearest", b.upsample_nearest(&o.picture, [0, 4]).map(drop)),
        ("upsample_conv2d", b.upsample_conv2d(&o.other_picture, [4, 6], &o.conv2d, none()).map(drop)),
        ("group_norm", b.group_norm(&o.other_picture, &o.group_norm, None).map(drop)),
        ("layer_norm", b.layer_norm(&o.other_tokens, &o.layer_norm).map(drop)),
        ("attention", b.attention(&o.tokens, &o.tokens, &o.tokens, 3, Mask::None).map(drop)),
        ("attention", b.attention(&o.tokens, &o.tokens, &o.tokens, 0, Mask::None).map(drop)),
        ("attention", b.attention(&o.tokens, &o.other_tokens, &o.tokens, 1, Mask::None).map(drop)),
        ("add", b.add(&o.tokens, &o.other_tokens).map(drop)),
        ("concat_channels", b.concat_channels(&o.picture, &o.other_picture).map(drop)),
        ("concat_channels", b.concat_channels(&o.picture, &o.tokens).map(drop)),
        ("image_to_tokens", b.image_to_tokens(&o.tokens).map(drop)),
        ("tokens_to_image", b.tokens_to_image(&o.tokens, [2, 2]).map(drop)),
        ("select_token", b.select_token(&o.tokens, &[6]).map(drop)),
        ("select_token", b.select_token(&o.tokens, &[0, 0]).map(drop)),
        ("image_size", b.image_size(&o.tokens).map(drop)),
    ]
}

fn bad_weights<B: Backend>(b: &B) -> Outcomes {
    let (four, five) = (weight(&[4]), weight(&[5]));
    let spec = Conv2dSpec::padded(1);
    vec![
        ("pack_linear", b.pack_linear(&four, None).map(drop)),
        ("pack_linear", b.pack_linear(&weight(&[4, 3]), Some(&five)).map(drop)),
        ("pack_geglu", b.pack_geglu(&weight(&[3, 4]), None).map(drop)),
        ("pack_conv2d", b.pack_conv2d(&weight(&[4, 4]), None, spec).map(drop)),
        ("pack_conv2d", b.pack_conv2d(&weight(&[4, 4, 3, 3]), Some(&five), spec).map(drop)),
        ("pack_conv2d", b.pack_conv2d(&weight(&[4, 4, 3, 3]), None, Conv2dSpec { stride: 0, ..spec }).map(drop)),
        ("pack_group_norm", b.pack_group_norm(&four, &five, 2, 1e-5).map(drop)),
        ("pack_group_norm", b.pack_group_norm(&four, &four, 3, 1e-5).map(drop)),
        ("pack_group_norm", b.pack_group_norm(&four, &four, 0, 1e-5).map(drop)),
        ("pack_layer_norm", b.pack_layer_norm(&four, &five, 1e-5).map(drop)),
        ("pack_embedding", b.pack_embedding(&four).map(drop)),
    ]
}
