//! Whole runs of the embedded models against diffusers (`tests/golden/pipeline/make.py`), through the engine as the
//! window uses it.

#[path = "support/exact.rs"]
mod exact;

use exact::exact_engines;
use fourstep_catalog::Catalog;
use fourstep_engine::Engine;
use fourstep_protocol::{
    Anchor, Client, Command, Event, Finished, Init, LoraRef, ModelRef, Picture, Request, RunId, Sampler, Size,
};
use std::{sync::Arc, time::Duration};

/// Latents within this relative L2 error of diffusers', f32 on both sides.
const BOUND: f64 = 1e-3;
const PROMPT: &str = "a blue apple on a yellow background";
/// Half of what the models were trained on: the same code, a quarter of the time.
const SIZE: Size = Size::new(128, 128);

#[test]
fn whole_runs_give_the_latents_of_diffusers() {
    let golden = Golden::open();
    let mut worst = Vec::new();
    for (backend, engine) in exact_engines(&Catalog::builtin()) {
        for (run, (name, request)) in cases().into_iter().enumerate() {
            let finished = paint(&engine, RunId(run as u64 + 1), request);
            let error = golden.relative_l2(name, &finished);
            println!("{name} on {backend}: relative L2 {error:.2e}");
            if error.is_nan() || error > BOUND {
                worst.push((name, backend, error));
            }
        }
    }
    assert!(worst.is_empty(), "beyond {BOUND}: {worst:?}");
}

fn cases() -> Vec<(&'static str, Request)> {
    let catalog = Catalog::builtin();
    let info = |id: &str| catalog.inspect(&ModelRef::new(id)).expect("embedded");
    let (sticker, lcm) = (info("sticker"), info("sticker-lcm"));
    let slow = sticker.compare.clone().expect("a 25-step recipe");
    let live = Request { seed: 7, size: SIZE, ..Request::new(&sticker, PROMPT) };
    assert_eq!(live.loras, [LoraRef { source: "sticker-lcm-lora".into(), weight: 1.0 }]);
    let mut teacher = live.clone();
    teacher.apply(&slow);
    let full = Request { seed: 7, size: SIZE, guidance_scale: 4.0, ..Request::new(&lcm, PROMPT) };
    let init = |strength| Some(Init::new(gradient(), strength));
    let karras = Request { sampler: Sampler::DpmPp2mKarras, steps: 12, guidance_scale: 3.0, ..teacher.clone() };
    let other = |of: &Request| Request { prompt: "a red car on a white background".into(), ..of.clone() };
    let anchor = |of: &Request, steps| Some(Anchor { request: Box::new(of.clone()), steps });
    vec![
        ("lcm_4", full.clone()),
        ("lcm_1", Request { seed: 1, steps: 1, guidance_scale: 2.0, ..full.clone() }),
        (
            "lcm_8_wide",
            Request {
                prompt: "a red fox on a white background".into(),
                seed: 123_456_789_012,
                size: Size::new(192, 64),
                steps: 8,
                guidance_scale: 8.0,
                ..full.clone()
            },
        ),
        ("lcm_4_odd", Request { prompt: String::new(), seed: 3, size: Size::new(136, 120), ..full.clone() }),
        ("lora_4_cfg1", live.clone()),
        ("lora_4_cfg1.5", Request { guidance_scale: 1.5, ..live.clone() }),
        ("lora_4_cfg2_negative", Request { guidance_scale: 2.0, negative_prompt: "a green background".into(), ..live }),
        ("teacher_25_ddim", teacher.clone()),
        ("teacher_12_dpmpp_2m_karras", karras.clone()),
        ("lcm_4_forked_2", Request { fork: anchor(&full, 2), ..other(&full) }),
        ("teacher_12_dpmpp_2m_karras_forked_5", Request { fork: anchor(&karras, 5), ..other(&karras) }),
        ("lcm_4_held_2", Request { composition: anchor(&full, 2), ..other(&full) }),
        ("lcm_4_init_half", Request { init: init(0.5), ..full }),
        ("teacher_10_ddim_init_half", Request { steps: 10, init: init(0.5), ..teacher }),
    ]
}

/// The picture that make.py starts from.
fn gradient() -> Picture {
    let pixel = |y: u32, x: u32| [(x * 2) as u8, (y * 2) as u8, (x + y) as u8];
    let rgb = (0..128).flat_map(|y| (0..128).flat_map(move |x| pixel(y, x))).collect();
    Picture::new(128, 128, rgb).expect("128×128×3")
}

fn paint(engine: &Engine, run: RunId, request: Request) -> Finished {
    engine.send(Command::Generate { run, request: Arc::new(request) }).expect("open");
    loop {
        match engine.next_event(Duration::from_secs(120)).expect("an answer") {
            Event::Finished(finished) if finished.run == run => return *finished,
            Event::Failed { failure, .. } => panic!("{failure}"),
            _ => {}
        }
    }
}

struct Golden(Vec<u8>);

impl Golden {
    fn open() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/pipeline/runs.safetensors");
        Self(std::fs::read(path).expect("tests/golden/pipeline/runs.safetensors"))
    }

    fn relative_l2(&self, name: &str, finished: &Finished) -> f64 {
        let file = safetensors::SafeTensors::deserialize(&self.0).expect("safetensors");
        let golden = file.tensor(name).expect("a golden run");
        assert_eq!(golden.shape(), finished.latents.shape());
        let golden = golden.data().as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b)));
        let (mut difference, mut norm) = (0.0, 0.0);
        for (golden, ours) in golden.zip(&finished.latents.data) {
            difference += (golden - f64::from(*ours)).powi(2);
            norm += golden.powi(2);
        }
        (difference / norm).sqrt()
    }
}
