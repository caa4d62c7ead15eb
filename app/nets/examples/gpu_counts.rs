//! What the networks of a model take on a graphics card, on paper: dispatches, operations, bytes, memory, and the time in
//! which the processor asks for a step. Nothing is computed, so any driver will do. With `--time`, seconds too.
//!
//! `cargo run --release --workspace --example gpu_counts -- FOLDER [SIZE_PX] [ADAPTER] [f16|f32] [--time]`, where the folder has a
//! model as diffusers lays it out.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use fourstep_compute::{
    Backend, ComputeError, Element, HostTensor, Precision, Result, TensorSource,
    gpu::{AdapterKind, Cost, Gpu, GpuOptions, Instead, Recording, Tensor},
};
use fourstep_nets::{
    Autoencoder, AutoencoderConfig, TimeExtras, TinyAutoencoder, TinyAutoencoderConfig, UNet, UNetConfig, config,
};
use std::{collections::BTreeMap, env, error::Error, path::Path, sync::Arc, time::Instant};

/// Tokens of a prompt.
const PROMPT: usize = 77;
const REPEATS: u32 = 3;
/// Steps that are recorded.
const STEPS: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, words): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|word| word.starts_with("--"));
    let word = |i: usize| words.get(i).map(String::as_str);
    let folder = Path::new(word(0).ok_or("which folder has the model?")?);
    let side = word(1).unwrap_or("512").parse::<usize>()? / 8;
    let precision: Precision = word(3).unwrap_or("f16").parse()?;
    let adapter = word(2).map(String::from);
    let time = flags.iter().any(|flag| flag == "--time");
    // What is only counted is counted as a card would do it.
    let kind = (!time).then_some(AdapterKind::Discrete);
    let options =
        GpuOptions { adapter, precision, instead: Instead { kind, ..Instead::default() }, ..GpuOptions::default() };
    let gpu = Gpu::open(&options)?;
    println!("{gpu:?}, {} px", side * 8);

    unet(&gpu, &folder.join("unet"), side, time)?;
    for folder in ["vae", "taesd"].map(|name| folder.join(name)).iter().filter(|folder| folder.exists()) {
        println!("\nDecoder in {}:", folder.display());
        let text = std::fs::read_to_string(folder.join("config.json"))?;
        if text.contains("AutoencoderTiny") {
            let config: TinyAutoencoderConfig = config::parse(&text)?;
            let decoder = TinyAutoencoder::load_decoder(&gpu, &File::open(folder)?, &config)?;
            decoded(&gpu, side, time, |gpu, latents| decoder.decode(gpu, latents))?;
        } else {
            let config: AutoencoderConfig = config::parse(&text)?;
            let decoder = Autoencoder::load_decoder(&gpu, &File::open(folder)?, &config)?;
            decoded(&gpu, side, time, |gpu, latents| decoder.decode(gpu, latents))?;
        }
    }
    Ok(())
}

/// Records steps of a U-Net and prints what one takes.
fn unet(gpu: &Gpu, folder: &Path, side: usize, time: bool) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("config.json"))?;
    let config: UNetConfig = config::parse(&text)?;
    let network = UNet::load(gpu, &File::open(folder)?, &config)?;
    let width = config.cross_attention_dim.resolve("cross_attention_dim", config.block_out_channels.len())?[0];
    let context = gpu.upload_tokens(&vec![0.1; PROMPT * width], [1, PROMPT, width])?;
    let conditioning = network.condition(gpu, &context)?;
    let guidance_scale = config.time_cond_proj_dim.map(|_| 8.0);
    let time_embedding = network.time(gpu, 999.0, TimeExtras { guidance_scale, text_time: None })?;
    let kept = gpu.memory().tensors.live_bytes;
    let (mut warm, (mut found, mut made)) = (0.0, (0, 0));
    let (recording, _) = gpu.record(|gpu| {
        let step = || {
            let latents = gpu.upload_image(&vec![0.0; 4 * side * side], [1, 4, side, side])?;
            network.forward(gpu, &latents, &time_embedding, &conditioning)
        };
        // The first ones take new memory, and find which of it to take.
        for _ in 1..STEPS {
            drop(step()?);
        }
        let (start, before) = (Instant::now(), gpu.hits());
        let noise = step();
        warm = start.elapsed().as_secs_f64();
        made = gpu.hits().made - before.made;
        found = gpu.hits().found - before.found;
        noise
    })?;
    println!(
        "\nU-Net, a step like those before: {found} bindings found, {made} made; recorded in {:.2} ms",
        warm * 1e3
    );
    report(gpu, &recording, STEPS, kept);
    if time {
        seconds(gpu, recording, STEPS)?;
    }
    Ok(())
}

/// Records a decoder and prints what it takes.
fn decoded(gpu: &Gpu, side: usize, time: bool, decode: impl Fn(&Gpu, &Tensor) -> Result<Tensor>) -> Result<()> {
    let (recording, _) = gpu.record(|gpu| {
        let latents = gpu.upload_image(&vec![0.0; 4 * side * side], [1, 4, side, side])?;
        decode(gpu, &latents)
    })?;
    report(gpu, &recording, 1, 0);
    if time { seconds(gpu, recording, 1) } else { Ok(()) }
}

/// Prints what `times` runs took, for one.
fn report(gpu: &Gpu, recording: &Recording, times: u32, kept: u64) {
    let mut kernels = BTreeMap::<&str, (u64, Cost)>::new();
    for dispatch in recording.dispatches() {
        let (count, sum) = kernels.entry(dispatch.kernel).or_default();
        *count += 1;
        *sum = add(*sum, dispatch.cost);
    }
    println!("{:24}{:>10}{:>12}{:>12}{:>12}", "kernel", "dispatches", "GFLOP", "MB read", "MB written");
    let line = |name: &str, (count, cost): (u64, Cost)| {
        let mega = |bytes: u64| bytes as f64 / f64::from(times) / 1e6;
        let flops = mega(cost.flops) / 1e3;
        let (count, read, written) = (count / u64::from(times), mega(cost.read_bytes), mega(cost.written_bytes));
        println!("{name:24}{count:>10}{flops:>12.2}{read:>12.1}{written:>12.1}");
    };
    kernels.iter().for_each(|(name, counted)| line(name, *counted));
    let sum = kernels.values().fold((0, Cost::default()), |all, kernel| (all.0 + kernel.0, add(all.1, kernel.1)));
    line("all", sum);
    let (weights, tensors) = (gpu.memory().weight_bytes, recording.tensors());
    println!("at least, weights once and nothing but latents beside: {:.1} MB read", weights as f64 / 1e6);
    let least = weights + kept + tensors.peak_live_bytes;
    let held = weights + kept + tensors.peak_held_bytes;
    println!(
        "memory: weights {:.1} MB, kept {:.1} MB, largest live set {:.1} MB, held for it {:.1} MB: {:.3} of the least",
        weights as f64 / 1e6,
        kept as f64 / 1e6,
        tensors.peak_live_bytes as f64 / 1e6,
        tensors.peak_held_bytes as f64 / 1e6,
        held as f64 / least as f64
    );
}

/// Prints how long a run takes, and its kernels by themselves.
fn seconds(gpu: &Gpu, recording: Recording, times: u32) -> Result<()> {
    let kernels: BTreeMap<&str, u64> = recording.dispatches().fold(BTreeMap::new(), |mut all, dispatch| {
        *all.entry(dispatch.kernel).or_default() += dispatch.cost.flops;
        all
    });
    let parts = kernels.into_iter().map(|(kernel, flops)| (kernel, flops, recording.only(kernel))).collect::<Vec<_>>();
    let all = parts.iter().map(|(_, flops, _)| flops).sum();
    for (name, flops, mut part) in parts.into_iter().chain([("all", all, recording)]) {
        let mut run = || -> Result<()> {
            part.restart();
            // In pieces, so that no watchdog thinks that the card hangs.
            while part.advance(0.05)?.is_continue() {
                gpu.finish()?;
            }
            gpu.finish()
        };
        run()?;
        let start = Instant::now();
        (0..REPEATS).try_for_each(|_| run())?;
        let seconds = start.elapsed().as_secs_f64() / f64::from(REPEATS);
        println!(
            "{name:24}{:>12.3} ms {:>12.1} GFLOP/s",
            seconds * 1e3 / f64::from(times),
            flops as f64 / seconds / 1e9
        );
    }
    Ok(())
}

fn add(a: Cost, b: Cost) -> Cost {
    Cost {
        flops: a.flops + b.flops,
        read_bytes: a.read_bytes + b.read_bytes,
        written_bytes: a.written_bytes + b.written_bytes,
    }
}

/// The tensors of a network's folder.
struct File(BTreeMap<String, HostTensor>);

impl File {
    fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = Arc::new(std::fs::read(folder.join("diffusion_pytorch_model.safetensors"))?);
        let file = safetensors::SafeTensors::deserialize(&bytes)?;
        let tensors = file.tensors().into_iter().map(|(name, view)| {
            let element = match view.dtype() {
                safetensors::Dtype::F16 => Element::F16,
                safetensors::Dtype::BF16 => Element::Bf16,
                _ => Element::F32,
            };
            let start = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
            let tensor =
                HostTensor::view(&name, view.shape().to_vec(), element, bytes.clone(), start, view.data().len());
            Ok((name, tensor?))
        });
        Ok(Self(tensors.collect::<Result<_>>()?))
    }
}

impl TensorSource for File {
    fn tensor(&self, key: &str) -> Result<HostTensor> {
        self.0.get(key).cloned().ok_or_else(|| ComputeError::Missing(key.into()))
    }

    fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}
