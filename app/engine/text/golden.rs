//! What text encoders make of prompts, against the rule in torch (`tests/golden/prompt/encode.py`).

use super::*;
use crate::{
    memory::Memory,
    models::{Models, Setup},
    pipeline::Run,
};
use fourstep_catalog::Catalog;
use fourstep_compute::{
    CancelFloor, Precision,
    cpu::{Cpu, CpuOptions},
};
use fourstep_protocol::{ModelRef, Request, RunId};
use safetensors::SafeTensors;
use serde::Deserialize;
use std::{path::Path, sync::Arc};

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    prompts: Vec<(String, f32)>,
    negative: String,
    guidance: f32,
    chunks: usize,
}

/// Largest difference in any number; they are about 1.
const BOUND: f32 = 2e-5;

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/prompt");
    std::fs::read(folder.join(name)).expect("golden data")
}

#[test]
fn contexts_are_those_of_the_rule() {
    let cases: Vec<Case> = serde_json::from_slice(&golden("encoding.json")).expect("JSON");
    let tensors = golden("encoding.safetensors");
    let tensors = SafeTensors::deserialize(&tensors).expect("safetensors");
    for model in ["sd", "sdxl"] {
        let cases: Vec<_> = cases.iter().filter(|case| case.model == model).collect();
        assert_eq!(cases.len(), 10);
        with_model(model, |b, base, networks| {
            for case in &cases {
                check(b, base, networks, case, &tensors);
            }
        });
    }
}

fn check(b: &Cpu, base: &Base, networks: &Networks<Cpu>, case: &Case, tensors: &SafeTensors<'_>) {
    let tokenized: Vec<_> = case.prompts.iter().map(|(text, _)| Tokenized::new(base, text).expect("tokens")).collect();
    let negative = Tokenized::new(base, &case.negative).expect("tokens");
    let guided = (case.guidance > 1.0).then_some(&negative);
    let chunks = tokenized.iter().chain(guided).map(Tokenized::chunks).max().expect("a prompt");
    assert_eq!(chunks, case.chunks, "{}", case.name);
    let encode = |text: &Tokenized| context(b, base, networks, text, chunks).expect("encoded");
    let encoded: Vec<_> = tokenized.iter().map(encode).collect();
    let parts: Vec<_> = encoded.iter().zip(&case.prompts).map(|(context, (_, weight))| (context, *weight)).collect();
    let mixed = if parts.len() == 1 { encode(&tokenized[0]) } else { mean(b, &parts).expect("mixed") };
    compare(b, &mixed.hidden, &format!("{}.context", case.name), tensors);
    if let Some(pooled) = &mixed.pooled {
        compare(b, pooled, &format!("{}.pooled", case.name), tensors);
    }
    if let Some(negative) = guided {
        let context = encode(negative);
        let zeros = base.zero_empty_negative && case.negative.is_empty();
        let context = if zeros { context.zeros(b).expect("zeros") } else { context };
        compare(b, &context.hidden, &format!("{}.negative", case.name), tensors);
    }
}

fn compare(b: &Cpu, found: &<Cpu as Backend>::Tensor, name: &str, tensors: &SafeTensors<'_>) {
    let expected = tensors.tensor(name).expect(name);
    let (values, [_, l, c]) = b.download_tokens(found).expect("values");
    let shape = expected.shape();
    assert_eq!(l * c, shape.iter().product::<usize>(), "{name}");
    let expected = expected.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let off = values.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < BOUND, "{name} is off by {off}");
}

fn with_model(name: &str, work: impl FnOnce(&Cpu, &Base, &Networks<Cpu>)) {
    let backend = Cpu::open(CpuOptions { precision: Precision::F32, ..CpuOptions::default() }).expect("a processor");
    let memory = Memory::new(&backend, Arc::new(|| None));
    let setup = Setup { backend: backend.clone(), catalog: Catalog::builtin(), memory };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline").join(name);
    let info = setup.catalog.inspect(&ModelRef::new(folder.to_string_lossy())).expect("a model");
    let request = Arc::new(Request::new(&info, ""));
    let run = Run { id: RunId(1), request: &request, cancel: CancelFloor::default().token(1), emit: &|_| () };
    let mut models = Models::new();
    let loaded = models.ready(&setup, &backend, &run, info).expect("loaded");
    work(&backend, loaded.base, &loaded.set.networks);
}
