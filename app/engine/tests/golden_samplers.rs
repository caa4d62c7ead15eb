//! Whole runs against the schedulers of diffusers; `tests/golden/samplers/make.py` wrote the data and says how.

use fourstep_engine::{
    noise::NoiseStream,
    samplers::{self, NoiseSchedule, SamplerError, SamplerRun},
};
use fourstep_protocol::{Noise, Sampler};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Relative L2 error allowed for each step's `next` and `denoised`.
const TOLERANCE: f64 = 2e-6;

/// The same for Euler from zero terminal SNR: its first step goes from σ = 4096 to 18 in f32 in diffusers, which is off by
/// 1.04e-5 itself when compared with the step in f64.
const TOLERANCE_FROM_SIGMA_4096: f64 = 2e-5;

#[derive(Deserialize)]
struct Golden {
    seed: u64,
    values: usize,
    config: Map<String, Value>,
    runs: Vec<Case>,
    grids: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    sampler: Sampler,
    steps: u32,
    strength: Option<f32>,
    config: Map<String, Value>,
    init_noise_sigma: Option<f32>,
    timesteps: Vec<f32>,
}

impl Case {
    fn name(&self) -> String {
        format!("{} {} steps, strength {:?}, {:?}", self.sampler.label(), self.steps, self.strength, self.config)
    }

    fn schedule(&self, base: &Map<String, Value>) -> NoiseSchedule {
        let mut config = base.clone();
        config.extend(self.config.clone());
        config.retain(|key, value| key == "trained_betas" || !value.is_null());
        NoiseSchedule::from_json(&Value::Object(config).to_string()).expect("a schedule")
    }

    fn start(&self, base: &Map<String, Value>) -> Box<dyn SamplerRun> {
        samplers::start(self.sampler, &self.schedule(base), self.steps, self.strength).expect("a run")
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/samplers").join(name)
}

fn golden() -> Golden {
    serde_json::from_slice(&fs::read(path("runs.json")).expect("golden data")).expect("golden format")
}

fn relative_l2(actual: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = square(&mut actual.iter().zip(expected).map(|(&a, &e)| f64::from(a) - f64::from(e)));
    (difference / square(&mut expected.iter().map(|&e| f64::from(e)))).sqrt()
}

/// The toy network of the script.
fn toy_network(input: &[f32], timestep: f32) -> Vec<f32> {
    let factor = (0.3 * (f64::from(timestep) / 300.0).cos()) as f32;
    let bias = |i: usize| (0.1 * (7.0 * i as f64).sin()) as f32;
    input.iter().enumerate().map(|(i, x)| factor * x + bias(i)).collect()
}

/// The first `x` of a run, and the noise that follows.
fn first_x(run: &dyn SamplerRun, strength: Option<f32>, seed: u64, len: usize) -> (Vec<f32>, NoiseStream) {
    let mut stream = NoiseStream::new(Noise::Torch, seed);
    let noise = stream.normal(len);
    let x = if strength.is_some() {
        let picture: Vec<f32> = (0..len).map(|i| (0.5 * (3.0 * i as f64).cos()) as f32).collect();
        run.add_noise(0, &picture, &noise).expect("equal lengths")
    } else {
        noise.iter().map(|n| n * run.init_noise_sigma()).collect()
    };
    (x, stream)
}

#[test]
fn whole_runs_equal_diffusers() {
    let golden = golden();
    let bytes = fs::read(path("runs.f32")).expect("golden data");
    let floats: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let mut expected = floats.chunks_exact(golden.values);
    let mut worst: BTreeMap<(&str, bool), f64> = BTreeMap::new();
    for case in &golden.runs {
        let mut run = case.start(&golden.config);
        let name = case.name();
        assert_eq!(run.timesteps(), case.timesteps, "{name}");
        let sigma = case.init_noise_sigma.expect("runs have it");
        assert!((run.init_noise_sigma() / sigma - 1.0).abs() < 1e-6, "{name}: {} {sigma}", run.init_noise_sigma());

        let from_sigma_4096 = run.init_noise_sigma() > 4000.0;
        let tolerance = if from_sigma_4096 { TOLERANCE_FROM_SIGMA_4096 } else { TOLERANCE };
        let mut check = |what: &str, actual: &[f32]| {
            let error = relative_l2(actual, expected.next().expect("enough golden data"));
            assert!(error <= tolerance, "{name}: {what} is off by {error:.1e}");
            let worst = worst.entry((case.sampler.label(), from_sigma_4096)).or_default();
            *worst = worst.max(error);
        };
        let (mut x, mut stream) = first_x(run.as_ref(), case.strength, golden.seed, golden.values);
        check("the first x", &x);
        for (i, t) in run.timesteps().to_vec().into_iter().enumerate() {
            let output = toy_network(&run.scale_model_input(i, &x), t);
            let step = run.step(i, &x, &output, &mut |len| stream.normal(len)).expect("a step");
            check(&format!("x after step {i}"), &step.next);
            check(&format!("denoised at step {i}"), &step.denoised);
            x = step.next;
        }
    }
    assert!(expected.next().is_none(), "golden data left over");
    assert_eq!(worst.len(), Sampler::ALL.len() + 2);
    for ((sampler, from_sigma_4096), error) in worst {
        println!("{sampler}, from sigma 4096: {from_sigma_4096}: worst relative L2 {error:.1e}");
    }
}

#[test]
fn timesteps_equal_diffusers() {
    let golden = golden();
    assert!(golden.grids.len() > 100);
    for case in &golden.grids {
        let run = case.start(&golden.config);
        let name = case.name();
        assert_eq!(run.timesteps().len(), case.timesteps.len(), "{name}");
        for (ours, theirs) in run.timesteps().iter().zip(&case.timesteps) {
            assert!((ours - theirs).abs() < 1e-3, "{name}: {ours} {theirs}");
        }
    }
}

#[test]
fn lcm_timesteps_are_those_of_the_paper() {
    let schedule = NoiseSchedule::from_json("{}").expect("the defaults");
    let timesteps = |steps, strength| {
        samplers::start(Sampler::Lcm, &schedule, steps, strength).expect("a run").timesteps().to_vec()
    };
    assert_eq!(timesteps(1, None), [999.0]);
    assert_eq!(timesteps(2, None), [999.0, 499.0]);
    assert_eq!(timesteps(3, None), [999.0, 679.0, 339.0]);
    assert_eq!(timesteps(4, None), [999.0, 759.0, 499.0, 259.0]);
    assert_eq!(timesteps(8, None), [999.0, 879.0, 759.0, 639.0, 499.0, 379.0, 259.0, 139.0]);
    assert_eq!(timesteps(4, Some(0.5)), [499.0, 379.0, 259.0, 139.0]);
}

#[test]
fn wrong_settings_are_errors_that_say_what_to_change() {
    let schedule = NoiseSchedule::from_json("{}").expect("the defaults");
    let error = |kind, steps, strength| samplers::start(kind, &schedule, steps, strength).err().map(|e| e.to_string());
    for kind in Sampler::ALL {
        assert_eq!(error(kind, 0, None).as_deref(), Some("a run needs at least 1 step, not 0"));
        for strength in [0.0, -0.5, 1.01, f32::NAN] {
            assert!(error(kind, 4, Some(strength)).is_some_and(|e| e.starts_with("strength must be above 0")));
        }
        assert!(error(kind, 1_000_000, None).is_some_and(|e| e.contains("take at most")));
        assert_eq!(error(kind, 50, Some(1.0)), None);
    }
    let weak = error(Sampler::Ddim, 4, Some(0.2)).expect("nothing left to do");
    assert!(weak.ends_with("raise the strength to at least 0.25 or the steps to at least 5"), "{weak}");
    assert_eq!(error(Sampler::Ddim, 5, Some(0.2)), None);
    assert_eq!(error(Sampler::Ddim, 4, Some(0.25)), None);
    let room = error(Sampler::Lcm, 4, Some(0.06)).expect("no room");
    assert!(room.contains("room for 3 steps, not for 4; raise the strength to at least 0.08"), "{room}");
    assert_eq!(error(Sampler::Lcm, 4, Some(0.08)), None);
}

#[test]
fn a_schedule_names_what_it_does_not_support() {
    let error = |json: Value| NoiseSchedule::from_json(&json.to_string()).err().map(|e| e.to_string());
    for (field, value) in [
        ("beta_schedule", json!("squaredcos_cap_v2")),
        ("prediction_type", json!("flow_prediction")),
        ("timestep_spacing", json!("karras")),
        ("trained_betas", json!([0.1, 0.2])),
        ("clip_sample", json!(true)),
        ("thresholding", json!(true)),
        ("beta_end", json!(1.5)),
        ("num_train_timesteps", json!(1)),
        ("steps_offset", json!(7)),
        ("final_sigmas_type", json!("sigma_min")),
    ] {
        let message = error(json!({ field: value }));
        assert!(message.as_ref().is_some_and(|m| m.contains(&format!("`{field}`"))), "{field}: {message:?}");
    }
    assert_eq!(error(json!({ "_class_name": "PNDMScheduler", "skip_prk_steps": true })), None);
    assert!(matches!(NoiseSchedule::from_json("no json"), Err(SamplerError::Config(_))));
    assert!(serde_json::from_str::<NoiseSchedule>(r#"{"beta_schedule":"sigmoid"}"#).is_err());
}

#[test]
fn steps_out_of_order_and_unequal_lengths_are_errors() {
    let schedule = NoiseSchedule::from_json("{}").expect("the defaults");
    for kind in Sampler::ALL {
        let mut run = samplers::start(kind, &schedule, 2, None).expect("a run");
        let mut noise = |len| vec![0.0; len];
        let x = [0.5; 4];
        assert!(matches!(run.step(1, &x, &x, &mut noise), Err(SamplerError::Order { expected: 0, actual: 1, .. })));
        assert!(matches!(run.step(0, &x, &x[1..], &mut noise), Err(SamplerError::Length { .. })));
        assert!(matches!(run.add_noise(0, &x, &x[1..]), Err(SamplerError::Length { .. })));
        run.step(0, &x, &x, &mut noise).expect("the first step");
        run.step(1, &x, &x, &mut noise).expect("the second step");
        assert!(matches!(run.step(2, &x, &x, &mut noise), Err(SamplerError::Order { .. })));
    }
}

#[test]
fn every_step_count_runs_with_every_spacing() {
    for spacing in ["leading", "linspace", "trailing"] {
        let config = json!({ "timestep_spacing": spacing, "steps_offset": 1 });
        let schedule = NoiseSchedule::from_json(&config.to_string()).expect("a schedule");
        for (kind, steps) in Sampler::ALL.into_iter().flat_map(|k| k.steps().map(move |steps| (k, steps))) {
            let mut run = samplers::start(kind, &schedule, steps, None).expect("a run");
            let (mut x, mut stream) = first_x(run.as_ref(), None, 0, 4);
            let timesteps = run.timesteps().to_vec();
            assert!(timesteps.iter().all(|t| (0.0..1000.0).contains(t)), "{kind:?} {spacing} {steps}: {timesteps:?}");
            for (i, t) in timesteps.into_iter().enumerate() {
                let output = toy_network(&run.scale_model_input(i, &x), t);
                x = run.step(i, &x, &output, &mut |len| stream.normal(len)).expect("a step").next;
            }
            assert!(x.iter().all(|v| v.is_finite()), "{kind:?} {spacing} {steps}");
        }
    }
}
