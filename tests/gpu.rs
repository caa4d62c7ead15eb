//! Graphics cards on the command line, by Mesa's driver that computes on the processor: what it paints is what the
//! processor paints.

use std::{path::Path, process::Command};

const SOFTWARE: &str = "llvmpipe";

fn run(folder: &Path, arguments: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fourstep"))
        .args(arguments.split(' '))
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_CACHE_HOME", folder)
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Pixels and latents of a small picture, and what `--json` says of the device.
fn paint(folder: &Path, device: &str) -> (Vec<u8>, Vec<f32>, serde_json::Value) {
    let request = "generate --prompt apple --seed 5 --size 64x64 --json --out a.png --save-latents a.safetensors";
    let (code, printed, said) = run(folder, &format!("{request} {device}"));
    assert_eq!(code, 0, "{said}\nThis test needs Mesa's software driver: install mesa-vulkan-drivers.");
    let picture = fourstep_gallery::open(&folder.join("a.png")).expect("a picture").picture;
    let file = std::fs::read(folder.join("a.safetensors")).expect("latents");
    let file = safetensors::SafeTensors::deserialize(&file).expect("safetensors");
    let values = file.tensor("latents").expect("key latents").data().as_chunks::<4>().0.to_vec();
    let latents = values.into_iter().map(f32::from_le_bytes).collect();
    let printed: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    (picture.rgb().to_vec(), latents, printed["device"].clone())
}

fn relative_l2(a: &[f32], b: &[f32]) -> f32 {
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    (square(&mut a.iter().zip(b).map(|(a, b)| a - b)) / square(&mut b.iter().copied())).sqrt()
}

#[test]
fn a_card_paints_what_the_processor_paints() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (expected, latents, device) = paint(folder.path(), "--backend cpu --precision f32");
    assert_eq!(device["backend"], "cpu");
    for (precision, most_apart, tolerance) in [("f32", 1, 1e-4), ("f16", 6, 5e-3)] {
        let device = format!("--backend gpu --adapter {SOFTWARE} --precision {precision}");
        let (picture, painted, device) = paint(folder.path(), &device);
        assert_eq!((&device["backend"], &device["precision"]), (&"gpu".into(), &precision.into()));
        assert!(device["device"].as_str().expect("a name").contains(SOFTWARE), "{device}");
        let apart = relative_l2(&painted, &latents);
        assert!(apart <= tolerance, "{precision}: latents are {apart} apart");
        let apart = picture.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().expect("pixels");
        assert!(apart <= most_apart, "{precision}: pixels are {apart} apart");
    }
}

#[test]
fn cards_are_listed_with_what_they_offer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (code, printed, _) = run(folder.path(), "adapters --json");
    let listed: Vec<serde_json::Value> = serde_json::from_str(&printed).expect("a list");
    let software = listed.iter().find(|adapter| adapter["name"].as_str().is_some_and(|name| name.contains(SOFTWARE)));
    let software = software.expect("no software driver for Vulkan: install mesa-vulkan-drivers");
    assert_eq!((code, &software["kind"], &software["auto"]), (0, &"software".into(), &false.into()));
    assert!(software["driver"].as_str().is_some_and(|driver| !driver.is_empty()));
    for field in ["api", "memory_bytes", "f16", "subgroups", "cooperative_matrices", "largest_binding_bytes"] {
        assert!(software.get(field).is_some(), "{field} is missing: {software}");
    }
    let (code, printed, _) = run(folder.path(), "adapters");
    assert!(code == 0 && printed.contains(SOFTWARE) && printed.contains("software · "), "{printed}");
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cases = [
        ("generate --prompt x --backend gpu --adapter Voodoo", vec!["Voodoo", SOFTWARE, "fourstep adapters"]),
        ("generate --prompt x --adapter Voodoo", vec!["Voodoo", SOFTWARE]),
        ("bench --backend cpu --adapter llvmpipe", vec!["only the gpu backend", SOFTWARE]),
        ("bench --backend gpu --adapter llvmpipe --precision int8", vec!["int8", "f16 or f32"]),
        ("bench --backend gpu --adapter llvmpipe --isa scalar", vec!["only the cpu backend", "scalar"]),
    ];
    for (arguments, words) in cases {
        let (code, _, said) = run(folder.path(), arguments);
        assert_eq!(code, 2, "{arguments} said {said}");
        for word in words {
            assert!(said.contains(word), "{arguments} should say {word:?}, said {said}");
        }
    }
}
