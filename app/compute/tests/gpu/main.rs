//! The backend of graphics cards, on Mesa's software driver.
#![allow(clippy::print_stdout, reason = "tests show their errors and what they validated")]

mod adapters;
mod faults;
mod memory;
mod operations;
mod recordings;
mod shaders;

use fourstep_compute::{
    Precision,
    gpu::{Gpu, GpuOptions, Instead},
};

/// Mesa's driver that computes on the processor: enough to tell what is right, on every machine alike.
const SOFTWARE: &str = "llvmpipe";

/// The adapter that operations are tested on: that one, or whose label has in it what `FOURSTEP_TEST_ADAPTER` says.
fn adapter() -> String {
    std::env::var("FOURSTEP_TEST_ADAPTER").unwrap_or_else(|_| SOFTWARE.into())
}

fn open(precision: Precision) -> Gpu {
    open_with(precision, Instead::default())
}

/// Opens the driver as if it were another card.
fn open_with(precision: Precision, instead: Instead) -> Gpu {
    let options = GpuOptions { adapter: Some(adapter()), precision, instead, ..GpuOptions::default() };
    Gpu::open(&options).unwrap_or_else(|e| {
        panic!("{e}\nThese tests need Mesa's software driver for Vulkan, or a card that FOURSTEP_TEST_ADAPTER names: install mesa-vulkan-drivers.")
    })
}
