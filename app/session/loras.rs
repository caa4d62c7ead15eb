//! The stack of LoRAs: what is in it, in which order, and which are off.
//!
//! The request holds the whole stack; one that is off is there with weight 0, which paints nothing. The weight it comes
//! back with is kept beside the request, so undo needs to know nothing of it.

use crate::{Moment, Notice, Session, action::Edit};
use fourstep_protocol::{Failure, Family, LibraryItem, LoraInfo, LoraRef, LoraReport, Request};

/// Weights of LoRAs that were switched off; older ones are forgotten.
const PARKED: usize = 64;
/// What a LoRA comes with that nobody gave a weight.
const AS_TRAINED: f32 = 1.0;

/// Something was made for other networks than those of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What it was made for.
    pub made_for: Family,
    /// What the model is.
    pub family: Family,
    /// What people call the model.
    pub model: String,
}

/// Why a LoRA has no place in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoraTrouble {
    /// It was made for other networks.
    Misfit(Misfit),
    /// What the engine said.
    Failed(Failure),
}

impl Session {
    pub(crate) fn set_lora(&mut self, index: usize, weight: f32, now: Moment) {
        if let Some(lora) = self.settings.request.loras.get(index) {
            let source = lora.source.clone();
            self.settings.parked.retain(|parked| parked.source != source);
        }
        self.edit(Edit::Lora(index), now, |r| {
            if let Some(lora) = r.loras.get_mut(index) {
                lora.weight = weight;
            }
        });
    }

    /// One of another family comes switched off, so that the picture stays and its row can say why.
    pub(crate) fn add_lora(&mut self, source: String, now: Moment) {
        if let Some(index) = self.settings.request.loras.iter().position(|l| l.source == source) {
            if self.lora_is_on(index) {
                self.notices = vec![Notice::LoraInStack { name: self.lora_name(&source).to_owned() }];
            } else {
                self.enable_lora(index, true, now);
            }
            return;
        }
        self.settings.parked.retain(|parked| parked.source != source);
        let fits = self.lora_misfit(&source).is_none();
        if !fits {
            self.park(LoraRef { source: source.clone(), weight: AS_TRAINED });
        }
        let weight = if fits { AS_TRAINED } else { 0.0 };
        self.edit_stack(now, |r| r.loras.push(LoraRef { source, weight }));
    }

    pub(crate) fn remove_lora(&mut self, index: usize, now: Moment) {
        self.edit_stack(now, |r| {
            if index < r.loras.len() {
                r.loras.remove(index);
            }
        });
    }

    pub(crate) fn move_lora(&mut self, from: usize, to: usize, now: Moment) {
        self.edit_stack(now, |r| {
            if from < r.loras.len() {
                let lora = r.loras.remove(from);
                r.loras.insert(to.min(r.loras.len()), lora);
            }
        });
    }

    pub(crate) fn enable_lora(&mut self, index: usize, on: bool, now: Moment) {
        let Some(lora) = self.settings.request.loras.get(index).cloned() else { return };
        if self.lora_is_on(index) == on {
            return;
        }
        let weight = if on { self.parked(&lora.source).unwrap_or(AS_TRAINED) } else { 0.0 };
        if !on {
            self.park(lora);
        }
        self.edit_stack(now, |r| r.loras[index].weight = weight);
    }

    /// Changes the stack, and with it the recipe where an LCM-LoRA comes or goes.
    pub(crate) fn edit_stack(&mut self, now: Moment, change: impl FnOnce(&mut Request)) {
        let few_step = self.few_step_in(&self.settings.request);
        let mut changed = self.settings.request.clone();
        change(&mut changed);
        self.follow_few_step(few_step, &mut changed);
        self.edit(Edit::Stack, now, |r| *r = changed);
    }

    pub(crate) fn park(&mut self, lora: LoraRef) {
        self.settings.parked.retain(|parked| parked.source != lora.source);
        self.settings.parked.push(lora);
        let excess = self.settings.parked.len().saturating_sub(PARKED);
        self.settings.parked.drain(..excess);
    }

    fn parked(&self, source: &str) -> Option<f32> {
        self.settings.parked.iter().find(|parked| parked.source == source).map(|parked| parked.weight)
    }

    /// Whether a LoRA of the request is switched on; a weight of 0 that was set by hand is on.
    pub fn lora_is_on(&self, index: usize) -> bool {
        let lora = self.settings.request.loras.get(index);
        lora.is_some_and(|l| l.weight != 0.0 || self.parked(&l.source).is_none())
    }

    /// The weight of a LoRA of the request; of one that is off, the weight it comes back with.
    pub fn lora_weight(&self, index: usize) -> f32 {
        let Some(lora) = self.settings.request.loras.get(index) else { return 0.0 };
        if self.lora_is_on(index) { lora.weight } else { self.parked(&lora.source).unwrap_or(lora.weight) }
    }

    /// What the last run with this model said of this LoRA.
    pub fn lora_report(&self, source: &str) -> Option<&LoraReport> {
        let (model, reports) = self.reports.as_ref()?;
        reports.iter().find(|r| r.source == source).filter(|_| *model == self.model.model)
    }

    /// What the library knows of this LoRA.
    pub fn lora_info(&self, source: &str) -> Option<&LoraInfo> {
        let named = |item: &&LibraryItem| item.lora.as_ref().is_some_and(|i| item.id == source || i.source == source);
        self.library.iter().find(named)?.lora.as_ref()
    }

    /// What people call it: what the library says, else the file name without its ending.
    pub fn lora_name<'a>(&'a self, source: &'a str) -> &'a str {
        let listed = self.library.iter().find(|item| item.id == source).map(|item| item.name.as_str());
        listed.or_else(|| self.lora_info(source).map(|info| info.name.as_str())).unwrap_or_else(|| short(source))
    }

    /// Why this LoRA has no place in this model: another family, or what the engine said.
    pub fn lora_trouble(&self, source: &str) -> Option<LoraTrouble> {
        let trouble = self.trouble.as_ref().filter(|trouble| trouble.of_run).map(|trouble| &trouble.failure);
        let named = |text: &str| text.contains(source) || text.contains(self.lora_name(source));
        let told = trouble.filter(|f| f.what.contains("LoRA") && (named(&f.what) || named(&f.why)));
        let misfit = self.lora_misfit(source).map(LoraTrouble::Misfit);
        misfit.or_else(|| told.map(|failure| LoraTrouble::Failed(failure.clone())))
    }

    /// Why what was made for these networks does not fit the model; `None` where it does, or where they are not known.
    pub fn misfit(&self, made_for: Option<Family>) -> Option<Misfit> {
        let (made_for, family) = (made_for?, self.model.family);
        (made_for != family).then(|| Misfit { made_for, family, model: self.model.name.clone() })
    }

    pub(crate) fn lora_misfit(&self, source: &str) -> Option<Misfit> {
        self.misfit(self.lora_info(source).and_then(|info| info.family))
    }

    pub(crate) fn note_reports(&mut self, reports: Vec<LoraReport>) {
        let model = self.model.model.clone();
        let (_, known) = match self.reports.take() {
            Some(kept) if kept.0 == model => self.reports.insert(kept),
            _ => self.reports.insert((model, Vec::new())),
        };
        known.retain(|old| reports.iter().all(|new| new.source != old.source));
        known.extend(reports);
    }
}

/// A path's last part without its ending; an id as it is.
fn short(source: &str) -> &str {
    let name = source.rsplit(['/', '\\']).next().unwrap_or(source);
    name.strip_suffix(".safetensors").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_are_shortened() {
        assert_eq!(super::short("/models/lora/ink.safetensors"), "ink");
        assert_eq!(super::short("sticker-lcm"), "sticker-lcm");
    }
}
