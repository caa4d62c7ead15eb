//! LCM-LoRA in one click: it needs its own sampler, steps and guidance, and what was set before comes back after it.

use crate::{Moment, Session};
use fourstep_protocol::{Availability, Guidance, LoraRef, Recipe, Request, Sampler};

/// A model that paints in few steps with an LCM-LoRA.
#[derive(Clone, Debug, PartialEq)]
pub struct FewStep {
    /// What it sets.
    pub recipe: Recipe,
    /// How the LoRA is named.
    pub source: String,
    /// The LoRA is in the stack and on.
    pub is_on: bool,
    /// The file is here.
    pub is_here: bool,
    /// It is applied as soon as it is here.
    pub is_awaited: bool,
}

impl Session {
    /// What an LCM-LoRA would do for this model; `None` where it knows few steps by itself, or none fits.
    pub fn few_step(&self) -> Option<FewStep> {
        let recipe = self.model.few_step.clone()?;
        let source = recipe.loras.first()?.source.clone();
        let listed = self.library.iter().find(|item| item.id == source);
        let is_here = self.model.live.loras.iter().any(|l| l.source == source)
            || listed.is_some_and(|item| item.availability == Availability::Ready);
        let is_on = self.few_step_in(&self.settings.request);
        let is_awaited = self.few_step_awaited.as_ref() == Some(&self.model.model);
        Some(FewStep { recipe, source, is_on, is_here, is_awaited })
    }

    /// Where the LoRA is not here yet, it is applied when it comes, if the model is still this one.
    pub(crate) fn set_few_step(&mut self, on: bool, now: Moment) {
        self.few_step_awaited = None;
        let Some(few_step) = self.few_step() else { return };
        if on && !few_step.is_here {
            self.few_step_awaited = Some(self.model.model.clone());
        } else if on && !few_step.is_on {
            let loras = few_step.recipe.loras;
            self.edit_stack(now, |r| {
                r.loras.retain(|l| loras.iter().all(|wanted| wanted.source != l.source));
                r.loras.splice(0..0, loras);
            });
        } else if !on {
            let sources = self.few_step_sources(&self.settings.request);
            self.edit_stack(now, |r| r.loras.retain(|l| !sources.contains(&l.source)));
        }
    }

    /// What was awaited has come.
    pub(crate) fn apply_awaited(&mut self, now: Moment) {
        if self.few_step().is_some_and(|few_step| few_step.is_awaited && few_step.is_here) {
            self.set_few_step(true, now);
        }
    }

    /// What a LoRA wants set, where it is one that teaches few steps.
    fn few_step_recipe(&self, source: &str) -> Option<Recipe> {
        if self.model.guidance != Guidance::ClassifierFree {
            return None;
        }
        let with = |recipe: &&Recipe| recipe.sampler == Sampler::Lcm && recipe.loras.iter().any(|l| l.source == source);
        let known = self.model.few_step.iter().chain([&self.model.live]).find(with).cloned();
        known.or_else(|| {
            let loras = vec![LoraRef { source: source.into(), weight: 1.0 }];
            let recipe = Recipe { loras, sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 };
            self.lora_info(source).filter(|info| info.few_step).map(|_| recipe)
        })
    }

    /// The LoRAs that are on and teach few steps.
    pub(crate) fn few_step_sources(&self, request: &Request) -> Vec<String> {
        let on = request.loras.iter().filter(|l| l.weight != 0.0);
        on.filter(|l| self.few_step_recipe(&l.source).is_some()).map(|l| l.source.clone()).collect()
    }

    pub(crate) fn few_step_in(&self, request: &Request) -> bool {
        !self.few_step_sources(request).is_empty()
    }

    /// Sets what an LCM-LoRA needs where it came with this change, and what was before where it went.
    pub(crate) fn follow_few_step(&mut self, was_on: bool, changed: &mut Request) {
        let recipe = self.few_step_sources(changed).first().and_then(|source| self.few_step_recipe(source));
        match recipe {
            Some(recipe) if !was_on => {
                self.settings.before_few_step = Some(recipe_of(changed));
                set(changed, &recipe);
            }
            // A classic sampler that was chosen by hand stays with its steps.
            None if was_on && changed.sampler == Sampler::Lcm => {
                let live = Some(&self.model.live).filter(|live| live.loras.is_empty());
                let before = self.settings.before_few_step.as_ref().or(self.model.compare.as_ref()).or(live);
                if let Some(before) = before.cloned() {
                    set(changed, &before);
                }
            }
            _ => {}
        }
    }

    /// A classic sampler with an LCM-LoRA paints nothing good: where the sampler's own recipe leaves one on, it is switched
    /// off, and steps and guidance are what they were before it.
    pub(crate) fn set_sampler(&mut self, sampler: Sampler, now: Moment) {
        let model = self.model.clone();
        let mut changed = self.settings.request.clone();
        changed.change_sampler(sampler, &model);
        if sampler != Sampler::Lcm && self.settings.request.sampler == Sampler::Lcm {
            let sources = self.few_step_sources(&changed);
            for lora in changed.loras.iter_mut().filter(|l| sources.contains(&l.source)) {
                self.park(lora.clone());
                lora.weight = 0.0;
            }
            let before = self.settings.before_few_step.clone().filter(|_| !sources.is_empty());
            if let Some(before) = before {
                set(&mut changed, &Recipe { sampler, ..before });
            }
        }
        self.edit(crate::action::Edit::Sampler, now, |r| *r = changed);
    }
}

fn recipe_of(request: &Request) -> Recipe {
    let Request { sampler, steps, guidance_scale, .. } = *request;
    Recipe { loras: Vec::new(), sampler, steps, guidance_scale }
}

/// All but the LoRAs.
fn set(request: &mut Request, recipe: &Recipe) {
    request.sampler = recipe.sampler;
    request.steps = recipe.steps;
    request.guidance_scale = recipe.guidance_scale;
}
