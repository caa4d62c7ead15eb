//! The command line. Without a subcommand it opens the window; with one it does the same without a window, through
//! the same engine.

mod adapters;
mod bench;
mod compare;
mod generate;
mod models;
mod out;
mod painter;
mod paths;
mod prompts;
mod reports;
mod request;
mod start;
mod stats;
mod upscale;

use crate::window;
use clap::{Args, Parser, Subcommand};
use fourstep_catalog::scratch_dir;
use fourstep_engine::{BackendChoice, DeviceOptions, EngineOptions, Isa, Precision};
use fourstep_protocol::{Failure, FailureKind};
use std::{process::ExitCode, time::Instant};

/// Paints while you type: Latent Consistency Models in four steps.
///
/// Without a command it opens the window.
#[derive(Parser)]
#[command(name = "fourstep", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Paint one picture
    Generate(generate::GenerateArgs),
    /// Paint the same prompt and seed quickly and slowly, side by side in one picture
    Compare(compare::CompareArgs),
    /// Paint a picture larger, tile by tile
    Upscale(upscale::UpscaleArgs),
    /// Measure how fast a model paints here
    Bench(bench::BenchArgs),
    /// List the graphics cards that can compute
    Adapters(adapters::AdaptersArgs),
    /// List, add, download and look into models and LoRAs
    Models(models::ModelsArgs),
}

/// What computes, and how.
#[derive(Args, Clone)]
struct DeviceArgs {
    /// What computes: auto, cpu, gpu, candle, candle-cpu, candle-cuda, candle-metal
    #[arg(long, global = true, value_name = "NAME", default_value = "auto")]
    backend: BackendChoice,
    /// Which graphics card computes: any part of a name that `fourstep adapters` lists
    #[arg(long, global = true, value_name = "NAME")]
    adapter: Option<String>,
    /// How wide the numbers are: auto, f32, f16, bf16, int8
    #[arg(long, global = true, value_name = "NAME", default_value = "auto")]
    precision: Precision,
    /// Which instructions the cpu backend uses: scalar, avx2, avx512, neon, …
    ///
    /// The best there are where it is not given; the environment variable `FOURSTEP_ISA` sets it too.
    #[arg(long, global = true, value_name = "NAME")]
    isa: Option<Isa>,
}

impl DeviceArgs {
    fn options(&self) -> DeviceOptions {
        let Self { backend, adapter, precision, isa } = self.clone();
        let shader_cache = scratch_dir().map(|folder| folder.join("shaders"));
        DeviceOptions { backend, adapter, precision, isa, shader_cache, profiler: None }
    }

    fn engine_options(&self) -> EngineOptions {
        EngineOptions { device: self.options(), ..EngineOptions::default() }
    }
}

/// Does what the arguments say. Exit code 2 means that other arguments would work, 1 that the machine failed.
/// `started` is when the program was.
pub(crate) fn run(started: Instant) -> ExitCode {
    let Cli { device, task } = Cli::parse();
    let done = match task {
        None => window::open(device.options()),
        Some(Task::Generate(args)) => generate::run(args, &device),
        Some(Task::Compare(args)) => compare::run(args, &device),
        Some(Task::Upscale(args)) => upscale::run(args, &device),
        Some(Task::Bench(args)) => bench::run(&args, &device, started),
        Some(Task::Adapters(args)) => adapters::run(&args),
        Some(Task::Models(args)) => models::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::error(&failure);
            exit_code(&failure)
        }
    }
}

fn exit_code(failure: &Failure) -> ExitCode {
    match failure.kind {
        FailureKind::Input => ExitCode::from(2),
        FailureKind::Machine => ExitCode::from(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn devices_can_be_named_before_and_after_the_command() {
        for line in
            ["fourstep --backend candle-cpu generate --prompt x", "fourstep generate --prompt x --backend candle-cpu"]
        {
            let cli = Cli::try_parse_from(line.split(' ')).expect("parses");
            assert_eq!(cli.device.backend, BackendChoice::CandleCpu);
        }
        for unknown in [["--precision", "f64"], ["--isa", "mmx"], ["--backend", "abacus"]] {
            assert!(Cli::try_parse_from([&["fourstep"], &unknown[..]].concat()).is_err());
        }
    }
}
