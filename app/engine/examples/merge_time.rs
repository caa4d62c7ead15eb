#![allow(clippy::print_stdout, missing_docs)]
use fourstep_compute::candle::{Candle, Device, Precision};
use fourstep_nets::*;
use fourstep_weights::*;
use std::{path::Path, sync::Arc, time::Instant};
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let b = Candle::open(Device::Cpu, Precision::F32)?;
    let storage = Storage::Directory(args[1].clone().into());
    let unet = Arc::new(Checkpoint::open(&storage, "unet", VARIANTS)?);
    let text = Arc::new(Checkpoint::open(&storage, "text_encoder", VARIANTS)?);
    let (uc, tc): (UNetConfig, ClipTextConfig) =
        (storage.json("unet/config.json")?, storage.json("text_encoder/config.json")?);
    let lora = Arc::new(Lora::open(Path::new(&args[2]))?);
    let mut net = None;
    for weight in [0.0, 0.0, 0.0, 1.0, 0.5, 0.7] {
        drop(net.take());
        let clock = Instant::now();
        let stack = |w: f32| vec![(lora.clone(), w)];
        let u = UNet::load(&b, &Merged::new(unet.clone(), stack(weight), Part::UNet)?, &uc)?;
        let a = clock.elapsed().as_secs_f64();
        let t = ClipTextEncoder::load(&b, &Merged::new(text.clone(), stack(weight), Part::TextEncoder1)?, &tc)?;
        println!("weight {weight}: unet {a:.2} s, both {:.2} s", clock.elapsed().as_secs_f64());
        net = Some((u, t));
    }
    Ok(())
}
