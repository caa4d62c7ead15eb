use crate::{
    base::Base,
    fault::Result,
    loras::AppliedLora,
    memory::Memory,
    network_set::NetworkSet,
    networks::{Networks, PackedParts, Plan},
    vae::Vae,
};
use fourstep_compute::Backend;

/// A model on the device: its networks with the LoRAs of the last run and, where memory allows, with those of a run
/// before it, so that comparing with and without a LoRA does not merge at each turn.
pub(crate) struct Model<B: Backend> {
    pub(crate) base: Base,
    /// The one in use is the last: drafts decode with a tiny one, and the picture itself with the model's own.
    pub(crate) vaes: Vec<ChosenVae<B>>,
    /// The one in use is the last.
    pub(crate) slots: Vec<Slot<B>>,
    /// What decoding kept at the same time so far, in numbers: memory that is known to be there.
    pub(crate) proven_numbers: u64,
}

/// An autoencoder on the device.
pub(crate) struct ChosenVae<B: Backend> {
    /// As the request names it; `None` is the model's own.
    pub(crate) asked: Option<String>,
    pub(crate) vae: Vae<B>,
}

/// Room for the networks of a model with one stack of LoRAs.
pub(crate) struct Slot<B: Backend> {
    /// The LoRAs that it was last packed with, or was to be.
    pub(crate) loras: Vec<AppliedLora>,
    pub(crate) packed: PackedParts,
    /// `None` while it is packed anew, and where that was cut off.
    pub(crate) set: Option<NetworkSet<B>>,
}

/// The parts of a model that a run works with.
pub(crate) struct Loaded<'a, B: Backend> {
    pub(crate) base: &'a Base,
    pub(crate) vae: &'a mut Vae<B>,
    pub(crate) set: &'a mut NetworkSet<B>,
}

/// Slots of one model: with and without a LoRA.
const SLOTS: usize = 2;
/// Autoencoders of one model.
const VAES: usize = 2;

impl<B: Backend> Model<B> {
    pub(crate) fn new(base: Base) -> Self {
        Self { base, vaes: Vec::new(), slots: Vec::new(), proven_numbers: 0 }
    }

    /// `None` as long as something of it is not loaded.
    pub(crate) fn loaded(&mut self) -> Option<Loaded<'_, B>> {
        let Self { base, vaes, slots, .. } = self;
        Some(Loaded { base, vae: &mut vaes.last_mut()?.vae, set: slots.last_mut()?.set.as_mut()? })
    }

    /// Whether the autoencoder that is asked for is on the device; it is the one in use from now on.
    pub(crate) fn use_vae(&mut self, asked: Option<&str>) -> bool {
        let Some(at) = self.vaes.iter().position(|chosen| chosen.asked.as_deref() == asked) else { return false };
        self.vaes[at..].rotate_left(1);
        true
    }

    /// Another autoencoder to use.
    pub(crate) fn add_vae(&mut self, chosen: ChosenVae<B>) {
        let surplus = (self.vaes.len() + 1).saturating_sub(VAES);
        self.vaes.drain(..surplus);
        self.vaes.push(chosen);
    }

    /// The slot whose networks have these LoRAs.
    pub(crate) fn find(&self, loras: &[AppliedLora]) -> Option<usize> {
        self.slots.iter().position(|slot| slot.set.is_some() && slot.loras == loras)
    }

    /// How to come to networks with these LoRAs, and the slot to pack them into; `None` is a new one. Other weights for
    /// the same files are somebody at a slider, who does not come back to the weights before; other files may be a
    /// comparison, and get a slot of their own where there is room.
    pub(crate) fn plan(&self, loras: &[AppliedLora], memory: &Memory) -> Result<(Option<usize>, Plan<B>)> {
        let same_files = |slot: &Slot<B>| {
            slot.loras.len() == loras.len() && slot.loras.iter().zip(loras).all(|(a, b)| a.same_file(b))
        };
        let unfinished = |slot: &Slot<B>| slot.set.is_none();
        let mut at = self.slots.iter().position(same_files).or_else(|| self.slots.iter().position(unfinished));
        if at.is_none() && self.slots.len() < SLOTS {
            let plan = Plan::new(&self.base, loras, &self.networks_beside(None))?;
            if self.slots.is_empty() || memory.has_plenty_for(memory.bytes_of_weights(plan.numbers())) {
                return Ok((None, plan));
            }
        }
        let at = *at.get_or_insert(0);
        Ok((Some(at), Plan::new(&self.base, loras, &self.networks_beside(Some(at)))?))
    }

    /// The networks of every slot but this one.
    fn networks_beside(&self, slot: Option<usize>) -> Vec<&Networks<B>> {
        let others = self.slots.iter().enumerate().filter(|(at, _)| Some(*at) != slot);
        others.filter_map(|(_, slot)| Some(&slot.set.as_ref()?.networks)).collect()
    }

    /// Numbers that giving up the whole model frees.
    pub(crate) fn numbers(&self) -> u64 {
        let vaes = self.vaes.iter().map(|chosen| chosen.vae.network().elements()).sum::<u64>();
        vaes + self.slots.iter().map(|slot| slot.packed.numbers()).sum::<u64>()
    }
}

impl<B: Backend> Slot<B> {
    pub(crate) fn new() -> Self {
        Self { loras: Vec::new(), packed: PackedParts::default(), set: None }
    }
}
