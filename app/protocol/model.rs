use crate::{Family, LoraRef, Sampler, Size};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive};

/// What a model is and wants, as far as the window and the command line need to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// How a [`Request`](crate::Request) names it.
    pub model: ModelRef,
    /// What people call it: `Sticker`.
    pub name: String,
    /// What kind it is, in a few words: `LCM-LoRA`, `full LCM`.
    pub detail: String,
    /// The networks it is made of.
    pub family: Family,
    /// How guidance reaches the network.
    pub guidance: Guidance,
    /// The size it was trained at.
    pub native_size: Size,
    /// How it paints live.
    pub live: Recipe,
    /// How the same model paints slowly, to compare with; `None` where it only knows few steps.
    pub compare: Option<Recipe>,
    /// How it would paint live with an LCM-LoRA of its family that is not here yet; the same as `live` where the LoRA
    /// is here, `None` for models that know few steps by themselves.
    pub few_step: Option<Recipe>,
}

/// Settings that belong together: they are set in one go when a model is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// LoRAs that the recipe needs.
    #[serde(default)]
    pub loras: Vec<LoraRef>,
    /// The sampler.
    pub sampler: Sampler,
    /// Number of steps.
    pub steps: u32,
    /// Guidance scale.
    pub guidance_scale: f32,
}

/// How guidance reaches the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guidance {
    /// A second, unconditional pass wherever the scale is above 1.
    ClassifierFree,
    /// Trained into the network through `time_embedding.cond_proj`: one pass, negatives have no effect.
    Embedded {
        /// Smallest trained scale.
        min: f32,
        /// Largest trained scale.
        max: f32,
    },
    /// Distilled away (turbo models): one pass, no scale.
    None,
}

impl ModelInfo {
    /// The guidance scales that make sense with this sampler.
    pub fn guidance_range(&self, sampler: Sampler) -> RangeInclusive<f32> {
        match (self.guidance, sampler) {
            (Guidance::ClassifierFree, Sampler::Lcm) => 1.0..=2.0,
            (Guidance::ClassifierFree, _) => 1.0..=15.0,
            (Guidance::Embedded { min, max }, _) => min..=max,
            (Guidance::None, _) => 1.0..=1.0,
        }
    }

    /// The numbers of steps that make sense with this sampler; distilled models get worse with more than four.
    pub fn steps_range(&self, sampler: Sampler) -> RangeInclusive<u32> {
        let takes = sampler.steps();
        match self.guidance {
            Guidance::None => *takes.start()..=(*takes.end()).min(4),
            Guidance::ClassifierFree | Guidance::Embedded { .. } => takes,
        }
    }

    /// Why [`guidance_range`](Self::guidance_range) is what it is, as the end of a sentence.
    pub fn guidance_hint(&self, sampler: Sampler) -> &'static str {
        match (self.guidance, sampler) {
            (Guidance::ClassifierFree, Sampler::Lcm) => {
                "few-step sampling burns out above 2 (a classic sampler such as ddim takes up to 15)"
            }
            (Guidance::ClassifierFree, _) => "1 means no guidance",
            (Guidance::Embedded { .. }, _) => "these are the scales the model was trained with",
            (Guidance::None, _) => "this model has no guidance",
        }
    }

    /// What this model wants, in a line: `LCM-LoRA: 2–8 steps, guidance 1–2, 512×512`.
    pub fn wants(&self) -> String {
        let Self { detail, live, native_size: Size { width, height }, .. } = self;
        let settings = match (self.guidance, live.sampler) {
            (Guidance::None, _) => "1–4 steps, no guidance".to_owned(),
            (Guidance::Embedded { min, max }, _) => format!("1–8 steps, guidance {min}–{max}, no negative prompt"),
            (Guidance::ClassifierFree, Sampler::Lcm) => "2–8 steps, guidance 1–2".to_owned(),
            (Guidance::ClassifierFree, _) => {
                format!("about {} steps, guidance {}, or an LCM-LoRA", live.steps, live.guidance_scale)
            }
        };
        format!("{detail}: {settings}, {width}×{height}")
    }

    /// The recipe that a sampler belongs to: the slow one for a classic sampler of a model that has one, else the live
    /// one.
    pub fn recipe_for(&self, sampler: Sampler) -> &Recipe {
        let slow = self.compare.as_ref().filter(|_| sampler != self.live.sampler);
        slow.unwrap_or(&self.live)
    }

    /// Whether a second, unconditional pass runs at this scale, which doubles the cost of a step.
    pub fn runs_unconditional(&self, guidance_scale: f32) -> bool {
        self.guidance == Guidance::ClassifierFree && guidance_scale > 1.0
    }
}

/// Names a model: an id of the catalog or the path of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelRef(String);

impl ModelRef {
    /// An id of the catalog, or a path.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_wants_fits_in_a_line() {
        let live = Recipe { loras: Vec::new(), sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 };
        let model = ModelInfo {
            model: ModelRef::new("x"),
            name: "X".into(),
            detail: "LCM-LoRA".into(),
            family: Family::Sd15,
            guidance: Guidance::ClassifierFree,
            native_size: Size::new(512, 512),
            live,
            compare: None,
            few_step: None,
        };
        assert_eq!(model.wants(), "LCM-LoRA: 2–8 steps, guidance 1–2, 512×512");
        let full = ModelInfo {
            guidance: Guidance::Embedded { min: 3.0, max: 13.0 },
            detail: "full LCM".into(),
            ..model.clone()
        };
        assert_eq!(full.wants(), "full LCM: 1–8 steps, guidance 3–13, no negative prompt, 512×512");
        let turbo = ModelInfo { guidance: Guidance::None, detail: "Turbo".into(), ..model.clone() };
        assert_eq!(turbo.wants(), "Turbo: 1–4 steps, no guidance, 512×512");
        assert_eq!((turbo.steps_range(Sampler::EulerA), turbo.steps_range(Sampler::Lcm)), (1..=4, 1..=4));
        assert_eq!(model.steps_range(Sampler::EulerA), Sampler::EulerA.steps());
        let slow = Recipe { sampler: Sampler::DpmPp2mKarras, steps: 25, guidance_scale: 7.0, ..model.live.clone() };
        let classic = ModelInfo { live: slow, detail: "classic".into(), ..model };
        assert_eq!(classic.wants(), "classic: about 25 steps, guidance 7, or an LCM-LoRA, 512×512");
    }
}
