use super::{SOFTWARE, open_with};
use fourstep_compute::{
    Activation, Backend, CancelToken, Conv2dSpec, Epilogue, HostTensor, Precision, Result,
    gpu::{AdapterKind, Conv2d, Gpu, GpuOptions, Instead},
};

/// A network that gets larger, as a decoder does.
fn run(gpu: &Gpu, w: &Conv2d) -> Result<Vec<f32>> {
    let gpu = gpu.with_cancel(CancelToken::never());
    let mut x = gpu.upload_image(&[0.3; 8 * 8 * 8], [1, 8, 8, 8])?;
    for side in [16, 32, 64] {
        let h = gpu.upsample_conv2d(&x, [side, side], w, Epilogue::none())?;
        let y = gpu.conv2d(&h, w, Epilogue::activation(Activation::Silu))?;
        x = gpu.conv2d(&y, w, Epilogue::residual(&h))?;
    }
    Ok(gpu.download_image(&x)?.0)
}

#[test]
fn a_run_like_those_before_takes_no_memory_and_binds_nothing_anew() {
    // For a card nothing here is much: it is not cut into more or less as its speed becomes known.
    let gpu = open_with(Precision::F32, Instead { kind: Some(AdapterKind::Discrete), ..Instead::default() });
    let weight = HostTensor::from_f32([8, 8, 3, 3], &[0.01; 8 * 8 * 9]);
    let w = gpu.pack_conv2d(&weight, None, Conv2dSpec::padded(1)).expect("packs");
    // As in a model, weights take more than what is between the layers.
    let rest = gpu.pack_linear(&HostTensor::from_f32([512, 512], &[0.0; 512 * 512]), None).expect("packs");
    let first = run(&gpu, &w).expect("computes");
    run(&gpu, &w).expect("computes");
    let (memory, hits) = (gpu.memory(), gpu.hits());
    assert_eq!(run(&gpu, &w).expect("computes"), first);
    let made = gpu.hits().made - hits.made;
    println!("{memory:?}, {hits:?}, then {made} made");
    assert_eq!(made, 0);
    assert_eq!(gpu.memory().tensors.peak_held_bytes, memory.tensors.peak_held_bytes);
    let needed = memory.weight_bytes + memory.tensors.peak_live_bytes;
    assert!((memory.weight_bytes + memory.tensors.peak_held_bytes) as f64 <= 1.3 * needed as f64, "{memory:?}");
    assert_eq!(memory.tensors.live_bytes, 0);
    drop((w, rest));
    assert_eq!(gpu.memory().weight_bytes, 0);
}

#[test]
fn what_was_compiled_is_kept_for_the_next_time() {
    let folder = std::env::temp_dir().join(format!("fourstep-gpu-{}", std::process::id()));
    let options = GpuOptions { adapter: Some(SOFTWARE.into()), cache: Some(folder.clone()), ..GpuOptions::default() };
    let files =
        || std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let compute = || {
        let gpu = Gpu::open(&options).expect("opens");
        let x = gpu.upload_tokens(&[1.0; 8], [1, 2, 4]).expect("uploads");
        gpu.add(&x, &x).and_then(|y| gpu.download_tokens(&y)).expect("computes").0
    };
    assert_eq!(compute(), [2.0; 8]);
    let [file] = files().try_into().expect("one file");
    assert!(file.metadata().expect("readable").len() > 0);
    assert_eq!(compute(), [2.0; 8]);
    // What is no such file is made anew.
    std::fs::write(&file, b"nothing of use").expect("writable");
    assert_eq!(compute(), [2.0; 8]);
    assert!(file.metadata().expect("readable").len() > 14);
    std::fs::remove_dir_all(&folder).expect("removable");
}
