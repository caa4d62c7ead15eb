//! Times loading a model, changing the weight of a LoRA and taking it away again, and checks that what is left is the
//! original bit for bit.
//!
//! `cargo run --release -p fourstep-engine --example merge_time FOLDER LORA [LORA kept at weight 1]`
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use fourstep_compute::{
    Backend, ComputeError, Precision,
    candle::{Candle, Device},
};
use fourstep_nets::{ClipTextConfig, ClipTextEncoder, Packs, UNet, UNetConfig};
use fourstep_weights::{Checkpoint, Lora, Merged, Part, Storage, VARIANTS};
use std::{error::Error, path::Path, sync::Arc, time::Instant};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Weights that the LoRA is changed to, one after the other.
const WEIGHTS: [f32; 9] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, lora, kept @ ..] = &args[..] else { return Err("which folder, which LoRA?".into()) };
    let clock = Instant::now();
    let mut model = Model::open(&Storage::Directory(folder.into()))?;
    let lora = Arc::new(Lora::open(Path::new(lora))?);
    let below = kept.iter().map(|path| Ok((Arc::new(Lora::open(Path::new(path))?), 1.0)));
    let below: Vec<(Arc<Lora>, f32)> = below.collect::<Result<_>>()?;
    println!("opened in {:.3} s", clock.elapsed().as_secs_f64());
    let with = |weight: f32| [below.clone(), vec![(lora.clone(), weight)]].concat();

    println!("loaded in {}", model.load(&below)?);
    let original = model.fingerprint()?;

    let megabytes = std::fs::metadata(&args[1])?.len() as f64 / 1e6;
    let mut times = Vec::new();
    for weight in WEIGHTS {
        times.push(model.load(&with(weight))?);
    }
    summary("a weight is changed", &times, megabytes);
    let changed = model.fingerprint()?;

    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(model.load(&below)?);
        check("removed", &model.fingerprint()?, &original)?;
        model.load(&with(WEIGHTS[WEIGHTS.len() - 1]))?;
    }
    summary("it is removed", &times, megabytes);
    check("set again", &model.fingerprint()?, &changed)?;

    drop(model);
    let mut fresh = Model::open(&Storage::Directory(folder.into()))?;
    fresh.load(&with(WEIGHTS[WEIGHTS.len() - 1]))?;
    check("loaded afresh", &fresh.fingerprint()?, &changed)?;
    println!("outputs are the same bit for bit: removed, set again, loaded afresh");
    Ok(())
}

/// What LoRAs change of a model.
struct Model {
    b: Candle,
    configs: (UNetConfig, ClipTextConfig),
    files: (Arc<Checkpoint>, Arc<Checkpoint>),
    packs: (Packs, Packs),
    networks: Option<(UNet<Candle>, ClipTextEncoder<Candle>)>,
}

impl Model {
    fn open(storage: &Storage) -> Result<Self> {
        let open = |part| Checkpoint::open(storage, part, VARIANTS).map(Arc::new);
        Ok(Self {
            b: Candle::open(Device::Cpu, Precision::F32)?,
            configs: (storage.json("unet/config.json")?, storage.json("text_encoder/config.json")?),
            files: (open("unet")?, open("text_encoder")?),
            packs: (Packs::new(), Packs::new()),
            networks: None,
        })
    }

    fn load(&mut self, loras: &[(Arc<Lora>, f32)]) -> Result<Took> {
        let (clock, cpu) = (Instant::now(), cpu_secs());
        self.networks = None;
        let unet = Merged::new(self.files.0.clone(), loras.to_vec(), Part::UNet)?;
        let text = Merged::new(self.files.1.clone(), loras.to_vec(), Part::TextEncoder1)?;
        self.networks = Some((
            UNet::load_with(&self.b, &unet, &self.configs.0, &mut self.packs.0)?,
            ClipTextEncoder::load_with(&self.b, &text, &self.configs.1, &mut self.packs.1)?,
        ));
        Ok(Took { secs: clock.elapsed().as_secs_f64(), cpu_secs: cpu_secs() - cpu })
    }

    /// What the networks make of fixed inputs: another bit in any weight that counts is another output.
    fn fingerprint(&self) -> Result<Vec<u32>> {
        let (unet, text) = self.networks.as_ref().ok_or(ComputeError::Missing("networks".into()))?;
        let b = &self.b;
        let ids: Vec<u32> = (0..77).map(|i| i * 600).collect();
        let context = text.encode(b, &ids, [1, 77])?.last_hidden;
        let latents: Vec<f32> = (0..4 * 16 * 16).map(|i| (i as f32 * 0.37).sin()).collect();
        let time = unet.time(b, 500.0, Default::default())?;
        let out = unet.forward(b, &b.upload_image(&latents, [1, 4, 16, 16])?, &time, &unet.condition(b, &context)?)?;
        Ok(b.download_image(&out)?.0.into_iter().map(f32::to_bits).collect())
    }
}

fn check(what: &str, found: &[u32], expected: &[u32]) -> Result<()> {
    if found == expected { Ok(()) } else { Err(format!("{what}: outputs differ").into()) }
}

/// How long something took.
#[derive(Clone, Copy)]
struct Took {
    secs: f64,
    /// Of all threads. Other programs on the machine lengthen it less than the time on the clock.
    cpu_secs: f64,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} s ({:.2} s of CPU)", self.secs, self.cpu_secs)
    }
}

/// Seconds that the threads of this program ran, where the system tells it as Linux does, in hundredths.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn summary(what: &str, times: &[Took], megabytes: f64) {
    let of = |number: fn(&Took) -> f64| {
        let mut numbers: Vec<f64> = times.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        (numbers[0], numbers[numbers.len() / 2])
    };
    let (secs, cpu) = (of(|took| took.secs), of(|took| took.cpu_secs));
    let best = Took { secs: secs.0, cpu_secs: cpu.0 };
    let median = Took { secs: secs.1, cpu_secs: cpu.1 };
    let hundred = best.secs / megabytes * 100.0;
    println!("{what}: median {median}, best {best}; best for 100 MB of LoRA {hundred:.2} s");
}
