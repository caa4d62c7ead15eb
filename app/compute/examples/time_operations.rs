//! Times the operations a step is made of, at the sizes of the embedded model, the tiny decoder and SD 1.5.
//!
//! `cargo run --release -p fourstep-compute --example time_operations [filter]`
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use fourstep_compute::candle::{Candle, Device};
use fourstep_compute::{Activation, Backend, Conv2dSpec, Epilogue, HostTensor, Mask, Precision, Result};
use std::time::{Duration, Instant};

/// As in the program itself: the system's allocator returns large buffers to the system after every operation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let b = Candle::open(Device::Auto, Precision::Auto)?;
    println!("{:?}", b.info());
    for (name, channels, outputs, side) in [
        ("embedded", 48, 48, 16),
        ("embedded", 96, 96, 16),
        ("embedded", 96, 96, 8),
        ("embedded", 160, 160, 8),
        ("embedded", 320, 160, 8),
        ("embedded", 160, 160, 4),
        ("tiny decoder", 32, 32, 128),
        ("tiny decoder", 64, 64, 128),
        ("tiny decoder", 64, 64, 512),
        ("SD 1.5", 320, 320, 64),
        ("SD 1.5", 1280, 1280, 16),
        ("SD 1.5", 1280, 1280, 8),
    ] {
        convolution(&b, name, channels, outputs, side)?;
    }
    for (name, l, inputs, outputs) in
        [("embedded", 256, 128, 128), ("embedded", 1, 192, 96), ("embedded", 77, 128, 128), ("SD 1.5", 4096, 320, 320)]
    {
        linear(&b, name, l, inputs, outputs)?;
    }
    for (name, lq, lk, heads, d) in [
        ("embedded", 256, 256, 4, 12),
        ("embedded", 256, 256, 4, 24),
        ("embedded", 64, 64, 4, 40),
        ("embedded", 256, 77, 4, 24),
        ("SD 1.5", 4096, 4096, 8, 40),
    ] {
        attention(&b, name, (lq, lk), heads, d)?;
    }
    for (name, channels, side) in
        [("embedded", 96, 16), ("embedded", 160, 8), ("tiny decoder", 64, 128), ("SD 1.5", 320, 64)]
    {
        pointwise(&b, name, channels, side)?;
    }
    Ok(())
}

fn convolution(b: &Candle, name: &str, channels: usize, outputs: usize, side: usize) -> Result<()> {
    let x = picture(b, channels, side)?;
    let residual = picture(b, outputs, side)?;
    let w = b.pack_conv2d(&weight(&[outputs, channels, 3, 3]), Some(&weight(&[outputs])), Conv2dSpec::padded(1))?;
    let flops = 2.0 * (side * side * channels * outputs * 9) as f64;
    let what = format!("conv 3×3 {channels}→{outputs} at {side}×{side}, residual");
    time(name, &what, flops, || b.conv2d(&x, &w, Epilogue::residual(&residual)))
}

fn linear(b: &Candle, name: &str, l: usize, inputs: usize, outputs: usize) -> Result<()> {
    let x = tokens(b, l, inputs)?;
    let w = b.pack_linear(&weight(&[outputs, inputs]), Some(&weight(&[outputs])))?;
    let flops = 2.0 * (l * inputs * outputs) as f64;
    time(name, &format!("linear {l} × {inputs}→{outputs}"), flops, || b.linear(&x, &w, Epilogue::none()))?;
    let w = b.pack_geglu(&weight(&[8 * inputs, inputs]), Some(&weight(&[8 * inputs])))?;
    let flops = 2.0 * (l * inputs * 8 * inputs) as f64;
    time(name, &format!("geglu {l} × {inputs}→{}", 4 * inputs), flops, || b.geglu(&x, &w))
}

fn attention(b: &Candle, name: &str, (lq, lk): (usize, usize), heads: usize, d: usize) -> Result<()> {
    let (q, k) = (tokens(b, lq, heads * d)?, tokens(b, lk, heads * d)?);
    let flops = 4.0 * (lq * lk * heads * d) as f64;
    let what = format!("attention {lq} × {lk}, {heads} heads of {d}");
    time(name, &what, flops, || b.attention(&q, &k, &k, heads, Mask::None))
}

fn pointwise(b: &Candle, name: &str, channels: usize, side: usize) -> Result<()> {
    let x = picture(b, channels, side)?;
    let t = b.image_to_tokens(&x)?;
    let scale = weight(&[channels]);
    let values = (channels * side * side) as f64;
    let size = format!("{channels} at {side}×{side}");
    let w = b.pack_group_norm(&scale, &scale, 32.min(channels / 2), 1e-5)?;
    time(name, &format!("group norm, silu {size}"), values, || b.group_norm(&x, &w, Some(Activation::Silu)))?;
    let w = b.pack_layer_norm(&scale, &scale, 1e-5)?;
    time(name, &format!("layer norm {size}"), values, || b.layer_norm(&t, &w))?;
    time(name, &format!("add {size}"), values, || b.add(&x, &x))?;
    time(name, &format!("concat {size}"), values, || b.concat_channels(&x, &x))
}

/// The fastest and the mean of as many calls as fit into half a second. `work` is operations (or values) of a call.
fn time<T>(name: &str, what: &str, work: f64, mut call: impl FnMut() -> Result<T>) -> Result<()> {
    if std::env::args().nth(1).is_some_and(|filter| !format!("{name} {what}").contains(&filter)) {
        return Ok(());
    }
    call()?;
    let begin = Instant::now();
    let (mut fastest, mut calls) = (Duration::MAX, 0);
    while begin.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        call()?;
        fastest = fastest.min(start.elapsed());
        calls += 1;
    }
    let mean = begin.elapsed().as_secs_f64() / f64::from(calls);
    let (fastest, rate) = (fastest.as_secs_f64(), work / fastest.as_secs_f64() / 1e9);
    println!("{name:13} {what:44} {:9.3} ms  mean {:9.3} ms  {rate:7.1} G/s", fastest * 1e3, mean * 1e3);
    Ok(())
}

fn picture(b: &Candle, channels: usize, side: usize) -> Result<<Candle as Backend>::Tensor> {
    b.upload_image(&values(channels * side * side), [1, channels, side, side])
}

fn tokens(b: &Candle, l: usize, c: usize) -> Result<<Candle as Backend>::Tensor> {
    b.upload_tokens(&values(l * c), [1, l, c])
}

fn weight(shape: &[usize]) -> HostTensor {
    HostTensor::from_f32(shape, &values(shape.iter().product()))
}

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0).collect()
}
