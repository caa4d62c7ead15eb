use super::open;
use fourstep_compute::{Activation, Backend, Conv2dSpec, Epilogue, HostTensor, Precision, gpu::Gpu};
use std::ops::ControlFlow;

const SHAPE: [usize; 4] = [1, 3, 9, 7];

fn picture(seed: f32) -> Vec<f32> {
    (0..SHAPE.iter().product()).map(|i: usize| ((i as f32 * 0.37 + seed).sin() * 2.0 - 0.3).clamp(-1.5, 1.5)).collect()
}

/// Three operations, so that memory is used again among them.
fn work(gpu: &Gpu, x: &<Gpu as Backend>::Tensor) -> fourstep_compute::Result<<Gpu as Backend>::Tensor> {
    let values: Vec<f32> = (0..81).map(|i| (i as f32 * 1.7).cos() * 0.3).collect();
    let w = gpu.pack_conv2d(&HostTensor::from_f32([3, 3, 3, 3], &values), None, Conv2dSpec::padded(1))?;
    let y = gpu.conv2d(x, &w, Epilogue::activation(Activation::Silu))?;
    let y = gpu.conv2d(&y, &w, Epilogue::residual(x))?;
    gpu.conv2d(&y, &w, Epilogue::none())
}

#[test]
fn a_recording_computes_what_its_operations_do_for_other_inputs_too() {
    let gpu = open(Precision::F32);
    let (mut recording, (x, y)) = gpu
        .record(|gpu| {
            let x = gpu.upload_image(&picture(0.0), SHAPE)?;
            let y = work(gpu, &x)?;
            assert!(gpu.download_image(&y).is_err(), "nothing is computed yet");
            Ok((x, y))
        })
        .expect("records");
    assert_eq!(recording.dispatches().count(), 3);
    for seed in [1.0, 2.0] {
        recording.write_image(&x, &picture(seed)).expect("writes");
        let slices =
            1 + (0..).take_while(|_| recording.advance(1e-9).expect("goes on") == ControlFlow::Continue(())).count();
        assert_eq!(slices, 3, "each slice has one operation at least");
        let x = gpu.upload_image(&picture(seed), SHAPE).expect("uploads");
        let want = work(&gpu, &x).and_then(|y| gpu.download_image(&y)).expect("computes");
        assert_eq!(gpu.download_image(&y).expect("downloads"), want);
    }
    assert_eq!(recording.advance(1.0).expect("nothing is left"), ControlFlow::Break(()));
}
