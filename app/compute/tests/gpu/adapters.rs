use super::SOFTWARE;
use fourstep_compute::{
    ComputeError, Precision,
    gpu::{AdapterKind, Gpu, GpuOptions, adapters},
};

#[test]
fn adapters_are_told_the_best_first() {
    let all = adapters();
    all.iter().for_each(|adapter| println!("{adapter:?}"));
    assert!(all.is_sorted_by_key(|adapter| adapter.kind));
    let software = all.iter().find(|a| a.name.contains(SOFTWARE) && a.api == "Vulkan");
    let software = software.expect("no software driver for Vulkan: install mesa-vulkan-drivers");
    assert_eq!(software.kind, AdapterKind::Software);
    assert!(software.memory_bytes.is_some_and(|bytes| bytes > 1 << 28) && software.largest_binding_bytes > 1 << 20);
}

#[test]
fn software_is_not_taken_unless_it_is_named() {
    match Gpu::open(&GpuOptions::default()) {
        Ok(gpu) => assert_ne!(gpu.kind(), AdapterKind::Software),
        Err(e) => assert!(matches!(&e, ComputeError::Unsupported(why) if why.contains(SOFTWARE)), "{e}"),
    }
    let named = GpuOptions { adapter: Some(SOFTWARE.into()), ..GpuOptions::default() };
    assert_eq!(Gpu::open(&named).expect("install mesa-vulkan-drivers").kind(), AdapterKind::Software);
}

#[test]
fn what_cannot_be_opened_says_what_is_there() {
    let named = GpuOptions { adapter: Some("Voodoo 3".into()), ..GpuOptions::default() };
    let error = Gpu::open(&named).expect_err("nobody has it").to_string();
    assert!(error.contains("Voodoo 3") && error.contains(SOFTWARE), "{error}");
    let bf16 = GpuOptions { precision: Precision::Bf16, adapter: Some(SOFTWARE.into()), ..GpuOptions::default() };
    let error = Gpu::open(&bf16).expect_err("no bf16").to_string();
    assert!(error.contains("bf16") && error.contains("f16 or f32"), "{error}");
}
