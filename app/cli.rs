//! The command line. Without a subcommand it opens the window; with one it does the same without a window, through
//! the same engine.

mod bench;
mod compare;
mod generate;
mod models;
mod out;
mod painter;
mod paths;
mod reports;
mod request;
mod stats;

use crate::window;
use clap::{Args, Parser, Subcommand};
use fourstep_engine::{BackendChoice, EngineOptions, Precision};
use fourstep_protocol::{Failure, FailureKind};
use std::process::ExitCode;

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
    /// Measure how fast a model paints here
    Bench(bench::BenchArgs),
    /// List, add, download and look into models and LoRAs
    Models(models::ModelsArgs),
}

/// What computes, and how.
#[derive(Args, Clone, Copy)]
struct DeviceArgs {
    /// What computes: auto, candle, candle-cpu, candle-cuda, candle-metal
    #[arg(long, global = true, value_name = "NAME", default_value = "auto")]
    backend: BackendChoice,
    /// How wide the numbers are: auto, f32, f16, bf16
    #[arg(long, global = true, value_name = "NAME", default_value = "auto", value_parser = precision)]
    precision: Precision,
}

impl DeviceArgs {
    fn engine_options(self) -> EngineOptions {
        EngineOptions { backend: self.backend, precision: self.precision, ..EngineOptions::default() }
    }
}

fn precision(name: &str) -> Result<Precision, String> {
    match name {
        "auto" => Ok(Precision::Auto),
        "f32" => Ok(Precision::F32),
        "f16" => Ok(Precision::F16),
        "bf16" => Ok(Precision::Bf16),
        _ => Err(format!("`{name}` is not a precision; choose one of auto, f32, f16, bf16")),
    }
}

/// Does what the arguments say. Exit code 2 means that other arguments would work, 1 that the machine failed.
pub(crate) fn run() -> ExitCode {
    let Cli { device, task } = Cli::parse();
    let done = match task {
        None => window::open(device.engine_options()),
        Some(Task::Generate(args)) => generate::run(args, device),
        Some(Task::Compare(args)) => compare::run(args, device),
        Some(Task::Bench(args)) => bench::run(&args, device),
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
        assert!(Cli::try_parse_from(["fourstep", "--precision", "f64"]).is_err());
    }
}
