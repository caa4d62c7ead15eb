use super::open;
use fourstep_compute::{Activation, Backend, CancelFloor, ComputeError, Precision};
use std::time::Instant;

#[test]
fn a_lost_device_is_told_by_the_next_operation_and_every_later_one() {
    let gpu = open(Precision::F32);
    let x = gpu.upload_tokens(&[1.0; 64], [1, 4, 16]).expect("nothing is wrong yet");
    gpu.add(&x, &x).and_then(|y| gpu.download_tokens(&y)).expect("nothing is wrong yet");
    gpu.lose();
    let is_lost = |error: ComputeError| match error {
        ComputeError::DeviceLost { device, .. } => assert_eq!(device, gpu.label()),
        other => panic!("{other}"),
    };
    for _ in 0..2 {
        is_lost(gpu.add(&x, &x).expect_err("it is gone"));
        is_lost(gpu.download_tokens(&x).expect_err("it is gone"));
        is_lost(gpu.upload_tokens(&[1.0], [1, 1, 1]).expect_err("it is gone"));
        is_lost(gpu.finish().expect_err("it is gone"));
    }
    // Another one can be opened at once.
    open(Precision::F32).finish().expect("a device of its own");
}

#[test]
fn a_device_lost_while_it_computes_ends_the_wait() {
    let gpu = open(Precision::F32);
    let mut x = gpu.upload_image(&vec![0.5; 64 * 64 * 64], [1, 64, 64, 64]).expect("uploads");
    let losing = {
        let gpu = gpu.clone();
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            gpu.lose();
        })
    };
    let error = loop {
        match gpu.activate(&x, Activation::Silu) {
            Ok(y) => x = y,
            Err(e) => break e,
        }
    };
    assert!(matches!(error, ComputeError::DeviceLost { .. }), "{error}");
    losing.join().expect("it was lost");
}

#[test]
fn a_cancelled_run_ends_soon_and_leaves_the_device_to_the_next() {
    let gpu = open(Precision::F32);
    let floor = CancelFloor::default();
    let run = gpu.with_cancel(floor.token(1));
    let x = run.upload_image(&vec![0.5; 64 * 128 * 128], [1, 64, 128, 128]).expect("uploads");
    let cancelling = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(150));
        floor.raise(2);
        Instant::now()
    });
    let error = loop {
        if let Err(e) = run.activate(&x, Activation::Silu) {
            break e;
        }
    };
    let ended = Instant::now();
    let late = ended - cancelling.join().expect("it was cancelled");
    assert!(matches!(error, ComputeError::Cancelled), "{error}");
    gpu.finish().expect("the device goes on");
    println!("ended after {late:?}, free after {:?}", ended.elapsed());
    // Far more than it takes, for machines that do much else.
    assert!(late.as_millis() < 200 && ended.elapsed().as_millis() < 500, "{late:?}");
}

#[test]
fn what_does_not_fit_is_told_and_the_device_goes_on() {
    let gpu = open(Precision::F32);
    let x = gpu.upload_image(&[1.0; 4], [1, 4, 1, 1]).expect("uploads");
    let error = gpu.upsample_nearest(&x, [200_000, 100_000]).expect_err("320 GB").to_string();
    assert!(error.contains("memory"), "{error}");
    assert_eq!(gpu.memory().tensors.live_bytes, 4 * 4);
    let y = gpu.add(&x, &x).and_then(|y| gpu.download_image(&y)).expect("goes on");
    assert_eq!(y.0, [2.0; 4]);
}
