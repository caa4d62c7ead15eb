use crate::{
    Action, Moment, Notice, Session,
    action::Edit,
    fit::fit,
    inspect::{Inspection, Then},
};
use fourstep_protocol::{Family, LoraRef, ModelInfo, ModelRef, Request};

impl Session {
    /// Does what the person asked for.
    pub fn act(&mut self, action: Action, now: Moment) {
        match action {
            Action::SetPrompt(text) => self.edit(Edit::Prompt, now, |r| r.prompt = text),
            Action::SetNegativePrompt(text) => self.edit(Edit::NegativePrompt, now, |r| r.negative_prompt = text),
            Action::SetBlend(blend) => self.edit(Edit::Blend, now, |r| r.blend = blend),
            Action::LeaveOut(place) => self.leave_out(place),
            Action::ApplyStyle(name) => self.apply_style(&name, now),
            Action::SaveStyle(name) => self.save_style(&name),
            Action::DeleteStyle(name) => self.delete_style(&name),
            Action::SetSeed(seed) => self.edit(Edit::Seed, now, |r| r.seed = seed),
            Action::NewSeed(seed) => self.edit(Edit::NewSeed, now, |r| r.seed = seed),
            Action::NudgeSeed(by) => self.edit(Edit::NudgeSeed, now, |r| r.seed = r.seed.saturating_add_signed(by)),
            Action::SetGuidance(scale) => self.edit(Edit::Guidance, now, |r| r.guidance_scale = scale),
            Action::SetSteps(steps) => self.set_steps(steps, now),
            Action::SetSize(size) => self.edit(Edit::Size, now, |r| r.size = size),
            Action::SetSampler(sampler) => self.set_sampler(sampler, now),
            Action::SetNoise(noise) => self.edit(Edit::Noise, now, |r| r.noise = noise),
            Action::SetLora { index, weight } => self.set_lora(index, weight, now),
            Action::AddLora(source) => self.add_lora(source, now),
            Action::RemoveLora(index) => self.remove_lora(index, now),
            Action::MoveLora { from, to } => self.move_lora(from, to, now),
            Action::EnableLora { index, on } => self.enable_lora(index, on, now),
            Action::SetFewStep(on) => self.set_few_step(on, now),
            Action::Follow { bond, steps } => self.follow(bond, steps, now),
            Action::SetVae(vae) => self.edit(Edit::Vae, now, |r| r.vae = vae),
            Action::ChooseModel(model) => self.choose_model(model, now),
            Action::SetCanvas(canvas) => self.set_canvas(canvas.map(|init| *init), now),
            Action::Upscale => self.begin_upscale(),
            Action::CancelUpscale => self.cancel_upscale(),
            Action::Restore(request) => self.restore(*request, now),
            Action::Grid(action) => self.act_on_grid(action),
            Action::Undo => self.travel(true, now),
            Action::Redo => self.travel(false, now),
            Action::LockSeed(locked) => self.settings.seed_locked = locked,
            Action::SetLatencyTarget(target) => self.settings.latency_target_ms = target,
            Action::SetLive(live) => self.set_live(live),
            Action::Paint { fresh_seed } => self.paint(fresh_seed, now),
            Action::Stop => self.stop(),
            Action::Retry => self.retry(now),
            Action::ChooseDevice(choice) => self.choose_device(choice, now),
            Action::DismissFailure => self.dismiss_failure(),
            Action::DismissNotice => self.notices.clear(),
        }
        self.reconcile(now);
    }

    /// At most as many as make sense for the model; settings that come back may have more.
    fn set_steps(&mut self, steps: u32, now: Moment) {
        let range = self.model.steps_range(self.settings.request.sampler);
        let steps = steps.clamp(*range.start(), *range.end());
        self.edit(Edit::Steps, now, |r| r.steps = steps);
    }

    pub(crate) fn edit(&mut self, edit: Edit, now: Moment, change: impl FnOnce(&mut Request)) {
        let (before, canonical) = (self.settings.request.clone(), self.canonical());
        change(&mut self.settings.request);
        self.finish_edit(before, &canonical, edit, now);
    }

    /// Fits the request to its model, remembers the step and starts the pacing where the picture will differ.
    fn finish_edit(&mut self, before: Request, canonical: &Request, edit: Edit, now: Moment) {
        self.notices = fit(&mut self.settings.request, &self.model);
        if self.settings.request == before {
            return;
        }
        if edit != Edit::History {
            self.history.record(before, &self.settings.request, edit, now);
        }
        self.note_difference(canonical, edit, now);
    }

    /// Starts the pacing where the picture will differ from what `canonical` asked for.
    pub(crate) fn note_difference(&mut self, canonical: &Request, edit: Edit, now: Moment) {
        if self.canonical() != *canonical {
            self.declined = false;
            self.trouble.take_if(|trouble| trouble.of_run);
            if self.settings.live {
                self.pace.note_change(edit, now);
            }
        }
    }

    /// Fits the request to its model without telling or remembering.
    pub(crate) fn refit(&mut self) {
        fit(&mut self.settings.request, &self.model);
    }

    fn find(&self, model: &ModelRef) -> Option<ModelInfo> {
        self.models.iter().find(|info| info.model == *model).cloned()
    }

    fn choose_model(&mut self, model: ModelRef, now: Moment) {
        self.trouble.take_if(|trouble| !trouble.of_run);
        match self.find(&model) {
            Some(info) => {
                self.inspections.forget();
                self.choose(info, now);
            }
            None => self.inspections.want(Inspection { model, then: Then::Choose }, &mut self.outbox),
        }
    }

    /// Takes over a model with its recipe; the prompt and the seed stay, and within a family the person's own LoRAs.
    pub(crate) fn choose(&mut self, info: ModelInfo, now: Moment) {
        let (before, canonical) = (self.settings.request.clone(), self.canonical());
        let kept = self.loras_for(&info);
        if self.model.family != info.family || info.family == Family::Custom {
            self.settings.request.vae = None;
        }
        self.settings.before_few_step = None;
        self.settings.note_recent(&info.model);
        let request = &mut self.settings.request;
        if request.size == self.model.native_size {
            request.size = info.native_size;
        }
        request.model = info.model.clone();
        request.apply(&info.live);
        request.loras.extend(kept);
        // Another model takes another way.
        (request.fork, request.composition) = (None, None);
        self.model = info;
        self.finish_edit(before, &canonical, Edit::Model, now);
    }

    /// The LoRAs that go along to another model: what the person stacked, as far as it was made for the same networks.
    pub(crate) fn loras_for(&self, info: &ModelInfo) -> Vec<LoraRef> {
        if self.model.family != info.family || info.family == Family::Custom {
            return Vec::new();
        }
        let of_recipes: Vec<String> = [&self.model, info]
            .iter()
            .flat_map(|m| [Some(&m.live), m.few_step.as_ref()])
            .flatten()
            .flat_map(|recipe| recipe.loras.iter().map(|l| l.source.clone()))
            .collect();
        let few_step = self.few_step_sources(&self.settings.request);
        let own = self.settings.request.loras.iter();
        own.filter(|l| !of_recipes.contains(&l.source) && !few_step.contains(&l.source)).cloned().collect()
    }

    /// Takes over the settings of a picture, without its model and LoRAs where the model is not known here.
    fn restore(&mut self, request: Request, now: Moment) {
        self.inspections.forget();
        let request = self.as_typed(request);
        let (before, canonical) = (self.settings.request.clone(), self.canonical());
        let known = self.find(&request.model);
        let missing = known.is_none().then(|| request.model.clone());
        match known {
            Some(info) => {
                self.model = info;
                self.settings.request = request;
            }
            None => {
                let (model, loras) = (before.model.clone(), before.loras.clone());
                self.settings.request = Request { model, loras, ..request };
            }
        }
        self.finish_edit(before, &canonical, Edit::Restore, now);
        if let Some(missing) = missing {
            self.notices.insert(0, Notice::UnknownModel { missing, used: self.model.name.clone() });
        }
    }

    fn travel(&mut self, back: bool, now: Moment) {
        let (before, canonical) = (self.settings.request.clone(), self.canonical());
        let found = if back { self.history.undo(before.clone()) } else { self.history.redo(before.clone()) };
        let Some(request) = found else { return };
        if let Some(info) = self.find(&request.model) {
            self.model = info;
            self.settings.request = request;
        }
        self.finish_edit(before, &canonical, Edit::History, now);
    }

    fn set_live(&mut self, live: bool) {
        if live && !self.settings.live {
            self.declined = false;
        }
        self.settings.live = live;
        if !live && !self.pace.is_forced() {
            self.pace.clear();
        }
    }

    fn paint(&mut self, fresh_seed: u64, now: Moment) {
        self.trouble.take_if(|trouble| trouble.of_run);
        self.declined = false;
        let wanted = self.canonical();
        let is_shown = self.shown.as_ref().is_some_and(|shown| shown.canonical == wanted);
        let is_painted = self.run.as_ref().is_some_and(|run| run.canonical == wanted);
        if is_shown && !is_painted && !self.settings.seed_locked {
            self.edit(Edit::NewSeed, now, |r| r.seed = fresh_seed);
        }
        // Where the picture is there or on its way, `reconcile` drops this again.
        self.pace.force(now);
    }

    fn stop(&mut self) {
        self.abandon();
        self.inspections.forget();
        self.pace.clear();
        self.declined = true;
    }

    /// The one that is told: another may come after it.
    fn dismiss_failure(&mut self) {
        if self.trouble.take().is_none() {
            self.device_failure = None;
        }
    }

    fn retry(&mut self, now: Moment) {
        let Some(trouble) = self.trouble.take() else {
            if self.device_failure.is_some() {
                self.open_device(now);
            }
            return;
        };
        if trouble.of_run {
            self.declined = false;
            self.pace.force(now);
        } else if let Some(inspection) = self.inspections.failed.take() {
            self.inspections.want(inspection, &mut self.outbox);
        }
    }
}
