use super::*;
use crate::{Backend, ComputeError, Conv2dSpec, HostTensor, Precision, conformance};

fn open(isa: Isa, precision: Precision) -> Cpu {
    Cpu::open(CpuOptions { isa: Some(isa), precision, ..CpuOptions::default() }).expect("it is available")
}

fn check(precision: Precision, tolerance: conformance::Tolerance) {
    for isa in Isa::available() {
        let backend = open(isa, precision);
        match conformance::run(&backend, tolerance) {
            Ok(report) => println!("{backend:?}\n{report}"),
            Err(failure) => panic!("{backend:?}: {failure}"),
        }
    }
}

#[test]
fn every_instruction_set_conforms_in_f32() {
    check(Precision::F32, conformance::Tolerance::F32);
}

#[test]
fn every_instruction_set_conforms_in_bf16() {
    check(Precision::Bf16, conformance::Tolerance::BF16);
}

#[test]
fn every_instruction_set_conforms_in_int8() {
    check(Precision::Int8, conformance::Tolerance::INT8);
}

#[test]
fn a_glance_sees_what_computes_wrongly() {
    let backend = open(Isa::Scalar, Precision::F32);
    let report = conformance::glance(&backend, conformance::Tolerance::F32).expect("computes rightly");
    assert!(report.errors.len() >= 4 && report.errors.values().all(|error| *error > 0.0), "{report}");
    assert!(conformance::glance(&backend, conformance::Tolerance { relative: 0.0 }).is_err());
}

#[test]
fn automatic_precision_is_that_of_the_instructions() {
    for isa in Isa::available() {
        let info = open(isa, Precision::Auto).info();
        assert_eq!(info.precision, if isa.has_bf16() { "bf16" } else { "f32" });
        assert!(info.device.ends_with(isa.name()) && info.threads > 0);
    }
}

#[test]
fn the_trunk_of_a_large_decoder_is_narrow() {
    let of = |side, c| is_trunk(Picture { n: 1, h: side, w: side, c }.into());
    assert!(of(64, 320) && of(128, 64) && of(192, 320));
    assert!(!of(256, 64) && !of(512, 128));
}

#[test]
fn what_it_does_not_compute_in_is_named() {
    let options = CpuOptions { precision: Precision::F16, ..CpuOptions::default() };
    let error = Cpu::open(options).expect_err("no f16");
    assert!(matches!(&error, ComputeError::Unsupported(why) if why.contains("f16") && why.contains("bf16")), "{error}");
}

#[test]
fn weights_that_are_no_numbers_are_found_while_they_are_packed() {
    struct NoNumbers;
    impl crate::Blocks for NoNumbers {
        fn read(&self, _: std::ops::Range<usize>, _: std::ops::Range<usize>, _: &mut [f32]) -> Result<()> {
            Err(ComputeError::NotFinite("the layer".into()))
        }
    }
    let b = open(Isa::best(), Precision::F32);
    let made = |shape: &[usize]| HostTensor::made(shape, Arc::new(NoNumbers));
    let spec = Conv2dSpec::padded(1);
    let refusals = [
        b.pack_linear(&made(&[40, 20]), None).map(drop),
        b.pack_linear(&HostTensor::from_f32([1, 1], &[1.0]), Some(&made(&[1]))).map(drop),
        b.pack_geglu(&made(&[40, 20]), None).map(drop),
        b.pack_conv2d(&made(&[40, 20, 3, 3]), None, spec).map(drop),
        b.pack_layer_norm(&made(&[40]), &made(&[40]), 1e-5).map(drop),
        b.pack_embedding(&made(&[4, 4])).and_then(|table| b.embed(&table, &[0], [1, 1])).map(drop),
    ];
    for refusal in refusals {
        assert!(matches!(&refusal, Err(ComputeError::NotFinite(key)) if key == "the layer"), "{refusal:?}");
    }
}

#[test]
fn a_second_run_takes_no_memory() {
    let b = open(Isa::best(), Precision::Bf16);
    let weight = HostTensor::from_f32([96, 64, 3, 3], &vec![0.01; 96 * 64 * 9]);
    let conv = b.pack_conv2d(&weight, None, Conv2dSpec::padded(1)).expect("packs");
    let run = || {
        let b = b.with_cancel(CancelToken::never());
        let x = b.upload_image(&vec![0.5; 64 * 48 * 48], [1, 64, 48, 48]).expect("uploads");
        let x = b.conv2d(&x, &conv, Epilogue::none()).expect("runs");
        b.download_image(&x).expect("downloads");
        b.peak_tensor_bytes()
    };
    let first = run();
    assert!(first > 0 && (0..20).all(|_| run() == first));
}

#[test]
fn profiled_operations_are_written_down() {
    let profiler = Profiler::default();
    let b = Cpu::open(CpuOptions { profiler: Some(profiler.clone()), ..CpuOptions::default() }).expect("opens");
    let w = b.pack_linear(&HostTensor::from_f32([8, 4], &[1.0; 32]), None).expect("packs");
    profiler.mark();
    let x = b.upload_tokens(&[1.0; 12], [1, 3, 4]).expect("uploads");
    b.linear(&x, &w, Epilogue::none()).expect("runs");
    profiler.mark();
    let sections = profiler.sections();
    assert!(sections[0].iter().any(|operation| operation.name == "pack_linear"));
    let linear = sections[1].iter().find(|operation| operation.name == "linear").expect("it ran");
    assert_eq!((linear.calls, linear.flops), (1, 2.0 * 96.0));
    assert_eq!(profiler.layer_counts().iter().map(|count| count.layers).sum::<usize>(), 1);
    drop(w);
    assert!(profiler.layer_counts().is_empty());
}
