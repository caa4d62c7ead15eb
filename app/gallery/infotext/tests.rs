use super::*;
use fourstep_protocol::{Init, LoraRef, ModelRef, Picture, Sampler, Size};
use proptest::prelude::*;

fn request() -> Request {
    Request {
        model: ModelRef::new("/models/dream shaper.safetensors"),
        vae: None,
        loras: vec![LoraRef { source: "loras/lcm-lora-sdv1-5.safetensors".into(), weight: 0.8 }],
        prompt: "a blue apple".into(),
        negative_prompt: "blurry".into(),
        seed: 7,
        noise: Noise::Torch,
        size: Size::new(128, 64),
        sampler: Sampler::Lcm,
        steps: 4,
        guidance_scale: 1.5,
        init: None,
        fork: None,
        composition: None,
        blend: Vec::new(),
        typed: None,
    }
}

#[test]
fn a_request_reads_like_automatic1111() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        Infotext::of(&request(), &|_| None).to_string(),
        format!(
            "a blue apple <lora:lcm-lora-sdv1-5:0.8>\nNegative prompt: blurry\n\
             Steps: 4, Sampler: LCM, CFG scale: 1.5, Seed: 7, Size: 128x64, Model: dream shaper, RNG: CPU, \
             Version: fourstep {version}"
        )
    );
}

#[test]
fn loras_are_named_with_the_first_digits_of_their_hash() {
    let hash = |source: &str| source.starts_with("loras/").then(|| "0123456789abcdef".repeat(4));
    let text = Infotext::of(&request(), &hash).to_string();
    assert!(text.contains(r#", Lora hashes: "lcm-lora-sdv1-5: 0123456789ab", RNG"#), "{text}");
}

#[test]
fn strength_is_there_only_with_a_picture_to_start_from() {
    let picture = Picture::new(1, 1, vec![0; 3]).expect("three bytes");
    let with = Request { init: Some(Init::new(picture, 0.5)), ..request() };
    assert_eq!(Infotext::of(&with, &|_| None).get("Denoising strength"), Some("0.5"));
    assert_eq!(Infotext::of(&request(), &|_| None).get("Denoising strength"), None);
}

#[test]
fn values_with_commas_colons_and_breaks_are_quoted_as_json() {
    let text = "p\nSteps: 4, Seed: 1, Lora hashes: \"a: 1f, b: 2e\", Note: \"two\\nlines \\\"x\\\"\", Version: v1.9.4";
    let parsed = Infotext::parse(text);
    assert_eq!(parsed.get("Lora hashes"), Some("a: 1f, b: 2e"));
    assert_eq!(parsed.get("Note"), Some("two\nlines \"x\""));
    assert_eq!(parsed.get("Version"), Some("v1.9.4"));
    assert_eq!(parsed.to_string(), text);
}

#[test]
fn a_last_line_with_fewer_than_three_pairs_is_prompt() {
    let parsed = Infotext::parse("style: oil, mood: calm");
    assert_eq!(parsed, Infotext { prompt: "style: oil, mood: calm".into(), ..Infotext::default() });
    assert_eq!(Infotext::parse("style: oil, mood: calm, light: dim").fields.len(), 3);
}

#[test]
fn keys_are_found_as_the_regular_expression_finds_them() {
    let keys = |line| parse_pairs(line).into_iter().map(|(k, _)| k).collect::<Vec<_>>();
    assert_eq!(keys("Steps: 4, Hires-fix/x y: 2, Größe: 3"), ["Steps", "Hires-fix/x y", "Größe"]);
    assert_eq!(keys("(red:1.2), A: 1, - ok: 2"), ["red", "ok"], "one letter is no key");
    assert_eq!(keys("Open: \"never closed, Steps: 4"), ["Open", "Steps"]);
    assert_eq!(keys("Time: 12:30, Seed: 5"), ["Time", "Seed"]);
    assert!(keys(":::,,\"\"").is_empty());
}

#[test]
fn a_negative_prompt_may_span_lines() {
    let parsed = Infotext::parse("one\r\ntwo\nNegative prompt: three\nfour\nSteps: 1, Seed: 2, Size: 8x8\n");
    assert_eq!((parsed.prompt.as_str(), parsed.negative_prompt.as_str()), ("one\ntwo", "three\nfour"));
}

#[test]
fn file_stems_keep_versions() {
    assert_eq!(file_stem("/a/b/model-v1.5.safetensors"), "model-v1.5");
    assert_eq!(file_stem("C:\\m\\x.ckpt"), "x");
    assert_eq!(file_stem("/models/LCM_Dreamshaper_v7/"), "LCM_Dreamshaper_v7");
    assert_eq!(file_stem("sticker"), "sticker");
}

/// Text that infotext can carry: lines without blanks at their ends, the first and last not empty.
fn carried() -> impl Strategy<Value = String> {
    proptest::collection::vec("\\PC{0,20}", 0..4).prop_map(|lines| {
        let lines: Vec<_> = lines.iter().map(|l| l.trim()).filter(|l| !l.starts_with(NEGATIVE)).collect();
        lines.join("\n").trim().to_owned()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        prompt in carried(),
        negative in carried(),
        values in proptest::collection::vec("(?s).{0,16}", 3..6),
    ) {
        let fields = values.into_iter().enumerate().map(|(i, v)| (format!("Key {i}"), v)).collect();
        let written = Infotext { prompt, negative_prompt: negative, fields };
        prop_assert_eq!(Infotext::parse(&written.to_string()), written);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(?s).{0,200}") {
        let once = Infotext::parse(&text);
        prop_assert!(once.fields.is_empty() || once.fields.len() >= MIN_PAIRS);
    }
}
