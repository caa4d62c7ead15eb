//! The models that are kept on the device.

use crate::{
    base::Base,
    fault::{Result, RunError},
    loading::Loading,
    loras::{AppliedLora, LoraCache},
    memory::Memory,
    model::{ChosenVae, Loaded, Model, Place},
    network_set::NetworkSet,
    networks::Plan,
    pipeline::Run,
    vae::{OpenInF32, Vae, working_numbers},
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
    pub(crate) in_f32: OpenInF32<B>,
    pub(crate) catalog: Catalog,
    pub(crate) memory: Memory,
}

impl<B: Backend> Clone for Setup<B> {
    fn clone(&self) -> Self {
        let Self { backend, in_f32, catalog, memory } = self;
        Self { backend: backend.clone(), in_f32: in_f32.clone(), catalog: catalog.clone(), memory: memory.clone() }
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
            None => Model::new(Base::open(&setup.catalog, info)?),
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
        let missing = Missing::new(&setup.catalog, run, model, &loras)?;
        let replaced = self.make_room(setup, run, model, &loras, &missing)?;
        let numbers = missing.numbers();
        let Missing { vae, plan } = missing;
        if vae.is_some() || plan.is_some() {
            let tell =
                |fraction| (run.emit)(Event::Loading { run: run.id, what: model.base.info.name.clone(), fraction });
            let loading = Loading::new(run.cancel.clone(), numbers, &tell);
            if let Some(network) = vae {
                let vae = Vae::load(b, network, &loading)?;
                model.vae = Some(ChosenVae { asked: run.request.vae.clone(), vae });
            }
            if let Some(plan) = plan {
                let reports = plan.reports.clone();
                let networks = plan.build(b, &model.base, &loading)?;
                replaced.map(|at| model.sets.remove(at));
                model.sets.push(NetworkSet::new(loras.clone(), reports, networks));
                merged(run, model);
            }
        }
        if let Some(at) = model.sets.iter().position(|set| set.loras == loras).filter(|at| at + 1 < model.sets.len()) {
            let set = model.sets.remove(at);
            model.sets.push(set);
            merged(run, model);
        }
        Ok(())
    }

    /// Makes sure that what is missing and the picture fit into memory, and gives up for it what is not in use: other
    /// models, then networks with other LoRAs. Tells which set of networks goes once the new one is there.
    fn make_room(
        &mut self,
        setup: &Setup<B>,
        run: &Run<'_>,
        model: &mut Model<B>,
        loras: &[AppliedLora],
        missing: &Missing<B>,
    ) -> Result<Option<usize>> {
        let memory = &setup.memory;
        let decoding = missing.vae.as_ref().or_else(|| model.vae.as_ref().map(|chosen| chosen.vae.network()));
        let decoding = decoding.map_or(0, |vae| working_numbers(vae, run.request.size));
        let needed = memory.bytes_of(missing.numbers() + decoding.saturating_sub(model.proven_numbers));
        let place = missing.plan.as_ref().map(|_| model.place(loras, memory.has_plenty_for(needed)));
        let replaced = if let Some(Place::Instead(at)) = place { Some(at) } else { None };
        let own = replaced.map_or(0, |at| memory.bytes_of(model.sets[at].networks.own_numbers()));
        let others = self.kept.iter().map(|kept| memory.bytes_of(kept.numbers())).sum::<u64>();
        memory.require(&model.base.info.name, needed, own + others)?;
        model.proven_numbers = model.proven_numbers.max(decoding);

        let Some(mut free) = memory.available() else { return Ok(replaced) };
        while free < needed && !self.kept.is_empty() {
            free = free.saturating_add(memory.bytes_of(self.kept.remove(0).numbers()));
        }
        if free >= needed {
            return Ok(replaced);
        }
        replaced.map(|at| model.sets.remove(at));
        Ok(None)
    }
}

/// What of a model is not on the device yet.
struct Missing<B: Backend> {
    vae: Option<Network>,
    plan: Option<Plan<B>>,
}

impl<B: Backend> Missing<B> {
    fn new(catalog: &Catalog, run: &Run<'_>, model: &Model<B>, loras: &[AppliedLora]) -> Result<Self> {
        let vae = match &model.vae {
            Some(chosen) if chosen.asked == run.request.vae => None,
            _ => Some(model.base.vae(catalog, run.request.vae.as_deref())?),
        };
        let plan = match model.sets.iter().any(|set| set.loras == loras) {
            true => None,
            false => Some(Plan::new(&model.base, loras, &model.networks())?),
        };
        Ok(Self { vae, plan })
    }

    fn numbers(&self) -> u64 {
        self.plan.as_ref().map_or(0, Plan::numbers) + self.vae.as_ref().map_or(0, Network::elements)
    }
}

/// Tells what became of the LoRAs of the networks that are in use from now on.
fn merged<B: Backend>(run: &Run<'_>, model: &Model<B>) {
    let reports = model.sets.last().map_or(&[][..], |set| &set.reports);
    if !reports.is_empty() {
        (run.emit)(Event::Merged { run: run.id, reports: reports.to_vec() });
    }
}
