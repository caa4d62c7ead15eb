//! Golden files, and how far a network's output is from them.
#![allow(dead_code, clippy::print_stdout, reason = "each test binary uses its part; tests show their errors")]

use fourstep_compute::{
    Backend, ComputeError, Element, HostTensor, Precision, Result, TensorSource,
    candle::{Candle, Device},
    cpu::{Cpu, CpuOptions},
    gpu::{Gpu, GpuOptions},
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

/// Relative L2 error allowed in f32.
pub(crate) const TOLERANCE: f64 = 1e-4;
/// Relative L2 error allowed in f16.
const TOLERANCE_F16: f64 = 5e-3;

pub(crate) fn backend() -> Candle {
    Candle::open(Device::Cpu, Precision::F32).expect("the CPU opens")
}

pub(crate) fn cpu() -> Cpu {
    Cpu::open(CpuOptions { precision: Precision::F32, ..CpuOptions::default() }).expect("the CPU opens")
}

/// Mesa's software driver for graphics cards, or the card that `FOURSTEP_TEST_ADAPTER` names, in both of their
/// precisions, opened once for all tests.
pub(crate) fn gpus() -> [Gpu; 2] {
    static GPUS: LazyLock<[Gpu; 2]> = LazyLock::new(|| {
        let adapter = std::env::var("FOURSTEP_TEST_ADAPTER").unwrap_or_else(|_| "llvmpipe".into());
        [Precision::F32, Precision::F16].map(|precision| {
            let options = GpuOptions { adapter: Some(adapter.clone()), precision, ..GpuOptions::default() };
            Gpu::open(&options).unwrap_or_else(|e| panic!("{e}\nThese tests need it: install mesa-vulkan-drivers."))
        })
    });
    GPUS.clone()
}

/// The tensors of a safetensors file.
pub(crate) struct File(BTreeMap<String, HostTensor>);

impl File {
    pub(crate) fn open(path: &str) -> Self {
        let bytes = std::fs::read(repository().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        let owner = Arc::new(bytes.clone());
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let start =
            |view: &safetensors::tensor::TensorView<'_>| view.data().as_ptr() as usize - bytes.as_ptr() as usize;
        let tensor = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
            let element = match view.dtype() {
                safetensors::Dtype::F32 => Element::F32,
                safetensors::Dtype::F16 => Element::F16,
                other => panic!("{name} is {other:?}"),
            };
            let (shape, len) = (view.shape().to_vec(), view.data().len());
            let tensor = HostTensor::view(&name, shape, element, owner.clone(), start(&view), len);
            (name, tensor.expect("inside the file"))
        };
        Self(file.tensors().into_iter().map(tensor).collect())
    }

    pub(crate) fn values(&self, name: &str) -> Vec<f32> {
        self.0[name].to_f32()
    }

    pub(crate) fn shape<const N: usize>(&self, name: &str) -> [usize; N] {
        self.0[name].shape().try_into().expect("so many dimensions")
    }

    pub(crate) fn number(&self, name: &str) -> Option<f32> {
        self.0.get(name).map(|tensor| tensor.to_f32()[0])
    }

    pub(crate) fn image<B: Backend>(&self, b: &B, name: &str) -> B::Tensor {
        b.upload_image(&self.values(name), self.shape(name)).expect("uploads")
    }

    pub(crate) fn tokens<B: Backend>(&self, b: &B, name: &str) -> B::Tensor {
        b.upload_tokens(&self.values(name), self.shape(name)).expect("uploads")
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, HostTensor> {
        &self.0
    }

    /// The same file without some tensors.
    pub(crate) fn without(mut self, unwanted: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| !unwanted(name));
        self
    }

    /// The same file with one tensor replaced.
    pub(crate) fn with(mut self, name: &str, tensor: HostTensor) -> Self {
        self.0.insert(name.into(), tensor);
        self
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

/// A folder of `tests/golden/nets`: weights, and inputs and outputs.
pub(crate) fn case(name: &str) -> (File, File) {
    let file = |kind: &str| File::open(&format!("tests/golden/nets/{name}/{kind}.safetensors"));
    (file("model"), file("golden"))
}

pub(crate) fn config<C: serde::de::DeserializeOwned>(folder: &str) -> C {
    let json = std::fs::read_to_string(repository().join(folder).join("config.json")).expect("a config.json");
    fourstep_nets::config::parse(&json).expect("a configuration")
}

pub(crate) fn golden_config<C: serde::de::DeserializeOwned>(case: &str) -> C {
    config(&format!("tests/golden/nets/{case}"))
}

/// Fails where `found` is further from `expected` than this backend's numbers allow.
pub(crate) fn assert_close<B: Backend>(b: &B, what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let sum = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = sum(&mut found.iter().zip(expected).map(|(f, e)| f64::from(f - e)));
    let error = difference / sum(&mut expected.iter().map(|e| f64::from(*e)));
    let info = b.info();
    println!("{what:32} {} {}: relative L2 error {error:.1e}", info.backend, info.precision);
    let tolerance = if info.precision == "f16" { TOLERANCE_F16 } else { TOLERANCE };
    assert!(error <= tolerance, "{what} in {} on {}: relative L2 error {error:.2e}", info.precision, info.backend);
}

pub(crate) fn assert_image<B: Backend>(b: &B, what: &str, found: &B::Tensor, golden: &File, name: &str) {
    let (values, shape) = b.download_image(found).expect("downloads");
    assert_eq!(shape, golden.shape::<4>(name), "{what}: shape");
    assert_close(b, what, &values, &golden.values(name));
}

pub(crate) fn assert_tokens<B: Backend>(b: &B, what: &str, found: &B::Tensor, golden: &File, name: &str) {
    let (values, _) = b.download_tokens(found).expect("downloads");
    assert_close(b, what, &values, &golden.values(name));
}

fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
