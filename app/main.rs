//! Fourstep: paints while you type.
//!
//! The composition root: the only place that knows all rooms. Without a subcommand it opens the window.

mod cli;
mod devices;
mod journal;
mod keeping;
mod library;
mod loader;
mod lora_hashes;
mod pages;
mod ports;
mod previews;
mod settings;
mod wildcards;
mod window;

use std::{process::ExitCode, time::Instant};

/// Pictures are megabytes that come and go at every operation; the system's allocator gives such blocks back to the
/// kernel each time and pays for their pages again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let started = Instant::now();
    // Our own warnings, and of the libraries only what is broken. That a desktop has no file dialogs is told in the window,
    // and what becomes of a download where it was asked for.
    let filter = "error,fourstep=warn,hf_hub=off,rfd=off";
    journal::install(env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(filter)).build());
    cli::run(started)
}
