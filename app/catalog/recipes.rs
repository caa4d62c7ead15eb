//! What models of each kind want, by what they are and never by what they are called.

use fourstep_protocol::{Family, Guidance, LoraRef, Recipe, Sampler};
use fourstep_weights::FewStep;

/// Guidance scales that LCMs are trained with, and what their authors use (arXiv 2310.04378, `LCM_Dreamshaper_v7`).
const LCM_GUIDANCE: Guidance = Guidance::Embedded { min: 3.0, max: 13.0 };
const LCM_GUIDANCE_SCALE: f32 = 8.0;

/// What a model wants, whatever else is on the machine.
pub(crate) struct Wants {
    pub(crate) detail: &'static str,
    pub(crate) guidance: Guidance,
    /// How it paints by itself.
    pub(crate) own: Recipe,
}

impl Wants {
    pub(crate) fn of(few_step: FewStep, family: Family) -> Self {
        let (detail, guidance, own) = match few_step {
            FewStep::FullLcm => ("full LCM", LCM_GUIDANCE, recipe(Sampler::Lcm, 4, LCM_GUIDANCE_SCALE)),
            FewStep::MergedLcm => ("LCM", Guidance::ClassifierFree, recipe(Sampler::Lcm, 4, 1.0)),
            FewStep::Turbo => ("Turbo", Guidance::None, recipe(Sampler::EulerA, 4, 1.0)),
            FewStep::No => ("classic", Guidance::ClassifierFree, slow(family)),
        };
        Self { detail, guidance, own }
    }
}

/// A model that needs many steps.
fn slow(family: Family) -> Recipe {
    let guidance_scale = if family == Family::Sdxl { 6.0 } else { 7.0 };
    recipe(Sampler::DpmPp2mKarras, 25, guidance_scale)
}

/// A model with an LCM-LoRA (arXiv 2311.05556).
pub(crate) fn with_lcm_lora(source: &str) -> Recipe {
    Recipe { loras: vec![LoraRef { source: source.to_owned(), weight: 1.0 }], ..recipe(Sampler::Lcm, 4, 1.0) }
}

fn recipe(sampler: Sampler, steps: u32, guidance_scale: f32) -> Recipe {
    Recipe { loras: Vec::new(), sampler, steps, guidance_scale }
}
