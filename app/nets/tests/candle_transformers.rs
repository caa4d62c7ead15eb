//! The second oracle: candle-transformers' U-Net with the same random weights. It knows no guidance embedding, no
//! `text_time` and no depths per layer, and it leaves its residual blocks at 32 groups whatever its configuration says,
//! so SD1.5's and SD2's forms are compared, at 32 groups. Its GELU is the tanh form, up to 4e-4 off the exact one, so
//! gates are kept small, where both agree.

mod support;

use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::stable_diffusion::unet_2d::{
    BlockConfig, UNet2DConditionModel, UNet2DConditionModelConfig,
};
use fourstep_compute::{Backend, ComputeError, HostTensor, Result, TensorSource};
use fourstep_nets::{TimeExtras, UNet, UNetConfig, config::parse};
use serde_json::json;
use support::{assert_close, backend};

const LATENTS: [usize; 4] = [2, 4, 10, 13];
const CONTEXT: [usize; 3] = [2, 5, 24];
const TIMESTEP: f32 = 759.0;

#[test]
fn unet_equals_candle_transformers() {
    for (use_linear_projection, depth) in [(false, 1), (true, 2)] {
        let mut numbers = Numbers(7);
        let (latents, context) = (numbers.take(LATENTS.iter().product()), numbers.take(CONTEXT.iter().product()));
        let weights = Weights(VarMap::new());
        let oracle = oracle(&weights, &mut numbers, use_linear_projection, depth, &latents, &context);
        let ours = ours(&weights, use_linear_projection, depth, &latents, &context);
        let what = format!("candle-transformers, depth {depth}");
        assert_close(&backend(), &what, &ours.expect("ours runs"), &oracle.expect("candle-transformers runs"));
    }
}

fn ours(
    weights: &Weights,
    use_linear_projection: bool,
    depth: usize,
    latents: &[f32],
    context: &[f32],
) -> Result<Vec<f32>> {
    let (cross_down, cross_up) = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D");
    let config = json!({
        "block_out_channels": [32, 64, 64],
        "down_block_types": [cross_down, cross_down, "DownBlock2D"],
        "up_block_types": ["UpBlock2D", cross_up, cross_up],
        "transformer_layers_per_block": [depth, depth, 1],
        "attention_head_dim": 4,
        "cross_attention_dim": CONTEXT[2],
        "use_linear_projection": use_linear_projection,
    });
    let config: UNetConfig = parse(&config.to_string())?;
    let b = backend();
    let unet = UNet::load(&b, weights, &config)?;
    let time = unet.time(&b, TIMESTEP, TimeExtras::default())?;
    let conditioning = unet.condition(&b, &b.upload_tokens(context, CONTEXT)?)?;
    let out = unet.forward(&b, &b.upload_image(latents, LATENTS)?, &time, &conditioning)?;
    Ok(b.download_image(&out)?.0)
}

/// Fills `weights` with random values and runs candle-transformers on them.
fn oracle(
    weights: &Weights,
    numbers: &mut Numbers,
    use_linear_projection: bool,
    depth: usize,
    latents: &[f32],
    context: &[f32],
) -> candle_core::Result<Vec<f32>> {
    let block = |out_channels, use_cross_attn| BlockConfig { out_channels, use_cross_attn, attention_head_dim: 4 };
    let config = UNet2DConditionModelConfig {
        blocks: vec![block(32, Some(depth)), block(64, Some(depth)), block(64, None)],
        cross_attention_dim: CONTEXT[2],
        use_linear_projection,
        ..UNet2DConditionModelConfig::default()
    };
    let vs = VarBuilder::from_varmap(&weights.0, DType::F32, &Device::Cpu);
    // Built once to learn which tensors there are, then again from their new values.
    UNet2DConditionModel::new(vs.clone(), 4, 4, false, config.clone())?;
    weights.randomise(numbers)?;
    let unet = UNet2DConditionModel::new(vs, 4, 4, false, config)?;
    let latents = Tensor::from_slice(latents, &LATENTS, &Device::Cpu)?;
    let context = Tensor::from_slice(context, &CONTEXT, &Device::Cpu)?;
    unet.forward(&latents, f64::from(TIMESTEP), &context)?.flatten_all()?.to_vec1()
}

/// The tensors candle-transformers asked for.
struct Weights(VarMap);

impl Weights {
    /// Values that keep activations near one, but gates near zero; those of norms lie around one.
    fn randomise(&self, numbers: &mut Numbers) -> candle_core::Result<()> {
        let variables = self.0.data().lock().expect("no other thread");
        let mut names: Vec<&String> = variables.keys().collect();
        names.sort();
        for name in names {
            let dims = variables[name].dims().to_vec();
            let (offset, scale) = match (dims.len(), name.ends_with("weight")) {
                (1, false) if name.contains("ff.net.0") => (0.0, 0.01),
                (1, true) => (1.0, 0.3),
                (1, false) => (0.0, 0.3),
                _ if name.contains("ff.net.0") => (0.0, 0.01),
                _ => (0.0, 1.0 / (dims[1..].iter().product::<usize>() as f32).sqrt()),
            };
            let values = numbers.take(dims.iter().product()).iter().map(|v| offset + v * scale).collect();
            variables[name].set(&Tensor::from_vec(values, dims, &Device::Cpu)?)?;
        }
        Ok(())
    }
}

impl TensorSource for Weights {
    fn tensor(&self, key: &str) -> Result<HostTensor> {
        let variables = self.0.data().lock().expect("no other thread");
        let tensor = variables.get(key).ok_or_else(|| ComputeError::Missing(key.into()))?;
        let values: Vec<f32> = tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("f32 on the CPU");
        Ok(HostTensor::from_f32(tensor.dims(), &values))
    }

    fn contains(&self, key: &str) -> bool {
        self.0.data().lock().expect("no other thread").contains_key(key)
    }
}

/// Uniform numbers of mean 0 and variance 1 (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn take(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32;
        (2.0 * unit - 1.0) * 3f32.sqrt()
    }
}
