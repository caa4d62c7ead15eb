use crate::{Infotext, infotext::file_stem};
use fourstep_protocol::{LoraRef, Noise, Request, Sampler, Size};

/// Pairs that say nothing about how to paint, or that other pairs say too.
const SILENT: [&str; 13] = [
    "Steps",
    "CFG scale",
    "Seed",
    "Sampler",
    "Schedule type",
    "Size",
    "Model",
    "Model hash",
    "Lora hashes",
    "RNG",
    "Version",
    "VAE hash",
    "Denoising strength",
];

impl Infotext {
    /// Puts what this text knows into `request` and returns what could not be restored, a sentence each.
    ///
    /// Fields that the text does not mention stay as they are. LoRAs are found by file name among those of `request`.
    /// LoRAs that the text does not name go, except where both the request and the text use LCM sampling: there they
    /// are what makes the model paint in few steps.
    pub fn apply(&self, request: &mut Request) -> Vec<String> {
        let mut lost = Vec::new();
        let was_lcm = request.sampler == Sampler::Lcm;
        self.apply_sampling(request, &mut lost);
        self.apply_noise(request, &mut lost);
        self.apply_prompt(request, was_lcm && request.sampler == Sampler::Lcm, &mut lost);
        request.negative_prompt.clone_from(&self.negative_prompt);
        if let Some(size) = self.get("Size") {
            match size.parse::<Size>().ok().filter(|s| *s == s.nearest()) {
                Some(size) => request.size = size,
                None => lost.push(format!("Size {size}: sides must be multiples of 8 from 64 to 4096 pixels.")),
            }
        }
        if let Some(model) = self.get("Model").filter(|m| *m != file_stem(request.model.as_str())) {
            lost.push(format!("Model {model}: choose it yourself; {} is kept.", request.model));
        }
        if let Some(strength) = self.get("Denoising strength") {
            match (&mut request.init, strength.parse::<f32>()) {
                (Some(init), Ok(s)) if s > 0.0 && s <= 1.0 => init.strength = s,
                _ => {
                    lost.push(format!(
                        "Denoising strength {strength}: the picture it started from is not in the file."
                    ));
                }
            }
        }
        let unknown = self.fields.iter().filter(|(k, _)| !SILENT.contains(&k.as_str()));
        lost.extend(unknown.map(|(key, value)| format!("{key} {value}: not known here.")));
        lost
    }

    fn apply_sampling(&self, request: &mut Request, lost: &mut Vec<String>) {
        if let Some(name) = self.get("Sampler") {
            let schedule = self.get("Schedule type").filter(|s| !matches!(*s, "Automatic" | "Uniform"));
            let full = schedule.map_or_else(|| name.to_owned(), |schedule| format!("{name} {schedule}"));
            match full.parse() {
                Ok(sampler) => request.sampler = sampler,
                Err(_) => lost.push(format!("Sampler {full}: not known here, {} is kept.", request.sampler.label())),
            }
        }
        let range = request.sampler.steps();
        let steps = self.get("Steps").map(|text| (text, text.parse::<u32>().ok()));
        match steps {
            Some((_, Some(steps))) if range.contains(&steps) => request.steps = steps,
            Some((text, _)) => {
                request.steps = request.steps.clamp(*range.start(), *range.end());
                let (sampler, kept) = (request.sampler.label(), request.steps);
                lost.push(format!(
                    "Steps {text}: {sampler} takes {} to {}, {kept} is used.",
                    range.start(),
                    range.end()
                ));
            }
            None => request.steps = request.steps.clamp(*range.start(), *range.end()),
        }
        if let Some(text) = self.get("CFG scale") {
            match text.parse::<f32>() {
                Ok(scale) if scale.is_finite() && scale >= 0.0 => request.guidance_scale = scale,
                _ => lost.push(format!("CFG scale {text}: not a number.")),
            }
        }
    }

    fn apply_noise(&self, request: &mut Request, lost: &mut Vec<String>) {
        let Some(text) = self.get("Seed") else { return };
        match text.parse() {
            Ok(seed) => request.seed = seed,
            Err(_) => lost.push(format!("Seed {text}: not a whole number from 0.")),
        }
        // AUTOMATIC1111 names its generator only where it is not the default, the graphics card's.
        request.noise = if self.get("RNG") == Some("CPU") { Noise::Torch } else { Noise::Philox };
    }

    fn apply_prompt(&self, request: &mut Request, keep_unnamed: bool, lost: &mut Vec<String>) {
        let (prompt, tags) = split_lora_tags(&self.prompt);
        request.prompt = prompt;
        let known = std::mem::take(&mut request.loras);
        for (name, weight) in &tags {
            match known.iter().find(|l| file_stem(&l.source) == name) {
                Some(lora) => request.loras.push(LoraRef { weight: *weight, ..lora.clone() }),
                None => lost.push(format!("LoRA {name} (weight {weight}): add its file yourself.")),
            }
        }
        if keep_unnamed {
            request.loras.extend(known.into_iter().filter(|l| !tags.iter().any(|(n, _)| n == file_stem(&l.source))));
        }
    }
}

/// `a cat <lora:x:0.5>` → `a cat` and [(x, 0.5)]; the weight is 1 where none stands there.
fn split_lora_tags(prompt: &str) -> (String, Vec<(String, f32)>) {
    let (mut text, mut tags, mut rest) = (String::new(), Vec::new(), prompt);
    while let Some((before, tag, after)) = next_lora_tag(rest) {
        text.push_str(if after.is_empty() { before.trim_end() } else { before });
        tags.push(tag);
        // One space goes with the tag, so that taking it out of the middle leaves no double one.
        rest =
            if text.is_empty() || text.ends_with(char::is_whitespace) { after.trim_start_matches(' ') } else { after };
    }
    text.push_str(rest);
    (text.trim_end().to_owned(), tags)
}

fn next_lora_tag(text: &str) -> Option<(&str, (String, f32), &str)> {
    let start = text.find("<lora:")?;
    let inner = &text[start + "<lora:".len()..];
    let end = inner.find('>')?;
    let mut parts = inner[..end].split(':');
    let name = parts.next()?.to_owned();
    let weight = parts.next().and_then(|w| w.trim().parse().ok()).filter(|w: &f32| w.is_finite()).unwrap_or(1.0);
    Some((&text[..start], (name, weight), &inner[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::ModelRef;

    fn base() -> Request {
        Request {
            model: ModelRef::new("sticker"),
            vae: None,
            loras: vec![LoraRef { source: "/loras/lcm.safetensors".into(), weight: 1.0 }],
            prompt: "old".into(),
            negative_prompt: "old".into(),
            seed: 1,
            noise: Noise::Torch,
            size: Size::new(128, 128),
            sampler: Sampler::Lcm,
            steps: 4,
            guidance_scale: 1.0,
            init: None,
            fork: None,
            composition: None,
            blend: Vec::new(),
            typed: None,
        }
    }

    #[test]
    fn a_request_comes_back_whole_from_its_own_infotext() {
        let mut saved = base();
        saved.prompt = "a blue apple, (shiny:1.2)\non a table".into();
        saved.negative_prompt = "blurry: very".into();
        saved.seed = u64::MAX;
        saved.guidance_scale = 1.3;
        saved.loras[0].weight = 0.75;
        for noise in [Noise::Torch, Noise::Philox] {
            saved.noise = noise;
            let mut restored = base();
            let lost = Infotext::parse(&Infotext::of(&saved).to_string()).apply(&mut restored);
            assert_eq!((restored, lost), (saved.clone(), vec![]));
        }
    }

    #[test]
    fn a_picture_of_automatic1111_gives_what_it_can() {
        let text = "masterpiece, <lora:add_detail:0.6> portrait of a fox <lora:lcm:0.9>\nNegative prompt: lowres\n\
            Steps: 6, Sampler: LCM, Schedule type: Automatic, CFG scale: 1.5, Seed: 1234567890, Size: 512x768, \
            Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Clip skip: 2, Lora hashes: \"lcm: aa, add_detail: bb\", \
            Version: v1.9.4";
        let mut r = base();
        let lost = Infotext::parse(text).apply(&mut r);
        assert_eq!(r.prompt, "masterpiece, portrait of a fox");
        assert_eq!(r.loras, [LoraRef { source: "/loras/lcm.safetensors".into(), weight: 0.9 }]);
        assert_eq!((r.seed, r.noise, r.steps), (1_234_567_890, Noise::Philox, 6));
        assert_eq!(r.size, Size::new(512, 768));
        assert_eq!(r.model, ModelRef::new("sticker"));
        assert_eq!(lost.len(), 3, "{lost:?}");
        for (sentence, word) in lost.iter().zip(["add_detail", "v1-5-pruned-emaonly", "Clip skip 2"]) {
            assert!(sentence.contains(word), "{sentence}");
        }
    }

    #[test]
    fn a_classic_sampler_drops_the_lcm_lora_and_karras_is_found_in_its_own_field() {
        let mut r = base();
        let text = "x\nSteps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 3, Size: 512x512";
        assert_eq!(Infotext::parse(text).apply(&mut r), Vec::<String>::new());
        assert_eq!((r.sampler, r.steps, r.loras.len()), (Sampler::DpmPp2mKarras, 25, 0));
    }

    #[test]
    fn what_cannot_be_painted_is_said_and_never_applied() {
        let mut r = base();
        let text = "x\nSteps: 30, Sampler: DPM++ SDE, CFG scale: nan, Seed: -1, Size: 100x100, Denoising strength: 0.4";
        let lost = Infotext::parse(text).apply(&mut r);
        assert_eq!(lost.len(), 6, "{lost:?}");
        assert_eq!(Request { prompt: "x".into(), negative_prompt: String::new(), noise: Noise::Philox, ..base() }, r);
    }
}
