//! The models that are kept on the device.

use crate::{
    base::Base,
    fault::{Result, RunError},
    loading::Loading,
    loras::{AppliedLora, LoraCache},
    memory::{Memory, with_margin},
    model::{ChosenVae, Loaded, Model, Slot},
    network_set::NetworkSet,
    networks::Plan,
    pipeline::Run,
    vae::{Vae, working_numbers},
};
use fourstep_catalog::Catalog;
use fourstep_compute::Backend;
use fourstep_protocol::{Event, Failure, ModelInfo, ModelRef};
use fourstep_weights::Network;

/// Models kept, where memory allows. Two, so that comparing one with another does not load at each turn.
const MODELS_KEPT: usize = 2;

/// What a pipeline is set up with once.
pub(crate) struct Setup<B: Backend> {
    pub(crate) backend: B,
    pub(crate) catalog: Catalog,
    pub(crate) memory: Memory,
}

impl<B: Backend> Clone for Setup<B> {
    fn clone(&self) -> Self {
        let Self { backend, catalog, memory } = self;
        Self { backend: backend.clone(), catalog: catalog.clone(), memory: memory.clone() }
    }
}

/// The models on the device.
pub(crate) struct Models<B: Backend> {
    /// The most recently used last.
    kept: Vec<Model<B>>,
    loras: LoraCache,
}

impl<B: Backend> Models<B> {
    pub(crate) fn new() -> Self {
        Self { kept: Vec::new(), loras: LoraCache::default() }
    }

    /// What a model is. It stands in its files; those of an open model are not read again at every keystroke.
    pub(crate) fn info(&self, catalog: &Catalog, model: &ModelRef) -> Result<ModelInfo> {
        match self.kept.iter().find(|kept| kept.base.info.model == *model) {
            Some(kept) => Ok(kept.base.info.clone()),
            None => Ok(catalog.inspect(model)?),
        }
    }

    /// The model of a run, with its LoRAs and its autoencoder: what is not on the device yet is loaded. `b` carries
    /// the run's token.
    pub(crate) fn ready(&mut self, setup: &Setup<B>, b: &B, run: &Run<'_>, info: ModelInfo) -> Result<Loaded<'_, B>> {
        let model = match self.kept.iter().position(|kept| kept.base.info.model == info.model) {
            Some(at) => self.kept.remove(at),
            None => Model::new(Base::open(&setup.catalog, info, &run.cancel)?),
        };
        self.ready_with(setup, b, run, model)
    }

    /// As [`ready`](Self::ready), with this model.
    pub(crate) fn ready_with(
        &mut self,
        setup: &Setup<B>,
        b: &B,
        run: &Run<'_>,
        mut model: Model<B>,
    ) -> Result<Loaded<'_, B>> {
        let surplus = (self.kept.len() + 1).saturating_sub(MODELS_KEPT);
        self.kept.drain(..surplus);
        let done = self.load(setup, b, run, &mut model);
        // After a failure the files may be mended: what is incomplete is opened afresh.
        if matches!(done, Ok(()) | Err(RunError::Cancelled)) || model.loaded().is_some() {
            self.kept.push(model);
        }
        done?;
        let loaded = self.kept.last_mut().and_then(Model::loaded);
        loaded
            .ok_or_else(|| Failure::machine("The model was not loaded", "a part of it is missing", "Try again.").into())
    }

    fn load(&mut self, setup: &Setup<B>, b: &B, run: &Run<'_>, model: &mut Model<B>) -> Result<()> {
        let loras = self.loras.open(&setup.catalog, &run.request.loras)?;
        run.cancel.check()?;
        let vae = match run.request.vae.as_deref() {
            asked if model.use_vae(asked) => None,
            asked => Some(model.base.vae(&setup.catalog, asked)?),
        };
        let found = model.find(&loras);
        let (at, plan) = match found {
            Some(at) => (Some(at), None),
            None => {
                let (at, plan) = model.plan(&loras, &setup.memory)?;
                run.cancel.check()?;
                (at, Some(plan))
            }
        };
        let news = plan.is_some() || at.is_some_and(|at| at + 1 < model.slots.len());
        let mut slot = at.map_or_else(Slot::new, |at| model.slots.remove(at));
        let missing = Missing { vae, networks: plan.map(|plan| (plan, loras)) };
        let filled = self.fill(setup, b, run, model, &mut slot, missing);
        // The slot in use is the last; one that was not finished is not in use.
        let place = if filled.is_ok() { model.slots.len() } else { 0 };
        let reports = slot.set.as_ref().map_or(&[][..], |set| &set.reports);
        if filled.is_ok() && news && !reports.is_empty() {
            (run.emit)(Event::Merged { run: run.id, reports: reports.to_vec() });
        }
        if slot.packed.numbers() > 0 {
            model.slots.insert(place, slot);
        }
        filled
    }

    /// Loads what is missing: the autoencoder, and networks into this slot.
    fn fill(
        &mut self,
        setup: &Setup<B>,
        b: &B,
        run: &Run<'_>,
        model: &mut Model<B>,
        slot: &mut Slot<B>,
        missing: Missing<B>,
    ) -> Result<()> {
        let decoding = missing.vae.as_ref().or_else(|| model.vaes.last().map(|chosen| chosen.vae.network()));
        let decoding = decoding.map_or(0, |vae| working_numbers(vae, run.request.size));
        // A twentieth more than the weights: what runs keep besides them (0.27 GB beside SD1.5's 4.27 GB).
        let weights = missing.new_numbers(slot);
        let values = weights / 20 + decoding.saturating_sub(model.proven_numbers);
        let needed = setup.memory.bytes_of_weights(weights) + setup.memory.bytes_of_values(values);
        self.make_room(&setup.memory, model, needed)?;
        model.proven_numbers = model.proven_numbers.max(decoding);
        if missing.numbers() == 0 {
            return Ok(());
        }
        let what = model.base.info.name.clone();
        let tell = |fraction| (run.emit)(Event::Loading { run: run.id, what: what.clone(), fraction });
        let loading = Loading::new(run.cancel.clone(), missing.numbers(), &tell);
        if let Some(network) = missing.vae {
            let vae = Vae::load(b, network, &loading)?;
            model.add_vae(ChosenVae { asked: run.request.vae.clone(), vae });
        }
        if let Some((plan, loras)) = missing.networks {
            let reports = plan.reports.clone();
            // What the slot holds is packed over: nobody else may hold it.
            slot.set = None;
            slot.loras = loras;
            let networks = plan.build(b, &model.base, &mut slot.packed, &loading)?;
            slot.set = Some(NetworkSet::new(reports, networks));
        }
        loading.finish();
        Ok(())
    }

    /// Gives up what is not in use, as far as so many bytes need it with a margin: other models, then networks with
    /// other LoRAs.
    fn make_room(&mut self, memory: &Memory, model: &mut Model<B>, needed: u64) -> Result<()> {
        let (true, Some(mut free)) = (needed > 0, memory.available()) else { return Ok(()) };
        let models = self.kept.iter().map(Model::numbers).sum::<u64>();
        let slots = model.slots.iter().map(|slot| slot.packed.numbers()).sum::<u64>();
        memory.require(&model.base.info.name, needed, memory.bytes_of_weights(models + slots))?;
        while free < with_margin(needed) {
            free += match (self.kept.is_empty(), model.slots.is_empty()) {
                (false, _) => memory.bytes_of_weights(self.kept.remove(0).numbers()),
                (true, false) => memory.bytes_of_weights(model.slots.remove(0).packed.numbers()),
                (true, true) => break,
            };
        }
        Ok(())
    }
}

/// What of a model is not on the device yet.
struct Missing<B: Backend> {
    vae: Option<Network>,
    networks: Option<(Plan<B>, Vec<AppliedLora>)>,
}

impl<B: Backend> Missing<B> {
    fn numbers(&self) -> u64 {
        self.networks.as_ref().map_or(0, |(plan, _)| plan.numbers()) + self.vae.as_ref().map_or(0, Network::elements)
    }

    /// Numbers for which there is no memory in this slot.
    fn new_numbers(&self, slot: &Slot<B>) -> u64 {
        let networks = self.networks.as_ref().map_or(0, |(plan, _)| plan.new_numbers(&slot.packed));
        networks + self.vae.as_ref().map_or(0, Network::elements)
    }
}

#[cfg(test)]
mod tests;
