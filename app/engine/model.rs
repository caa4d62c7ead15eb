use crate::{base::Base, loras::AppliedLora, network_set::NetworkSet, networks::Networks, vae::Vae};
use fourstep_compute::Backend;

/// A model on the device: its networks with the LoRAs of the last run and, where memory allows, with those of a run
/// before it, so that comparing with and without a LoRA does not merge at each turn.
pub(crate) struct Model<B: Backend> {
    pub(crate) base: Base,
    pub(crate) vae: Option<ChosenVae<B>>,
    /// The one in use is the last.
    pub(crate) sets: Vec<NetworkSet<B>>,
    /// What decoding kept at the same time so far, in numbers: memory that is known to be there.
    pub(crate) proven_numbers: u64,
}

/// An autoencoder on the device.
pub(crate) struct ChosenVae<B: Backend> {
    /// As the request names it; `None` is the model's own.
    pub(crate) asked: Option<String>,
    pub(crate) vae: Vae<B>,
}

/// The parts of a model that a run works with.
pub(crate) struct Loaded<'a, B: Backend> {
    pub(crate) base: &'a Base,
    pub(crate) vae: &'a mut Vae<B>,
    pub(crate) set: &'a mut NetworkSet<B>,
}

/// Where new networks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Beside the others.
    New,
    /// Instead of the set with this number.
    Instead(usize),
}

/// Sets kept of one model: with and without a LoRA.
const SETS_KEPT: usize = 2;

impl<B: Backend> Model<B> {
    pub(crate) fn new(base: Base) -> Self {
        Self { base, vae: None, sets: Vec::new(), proven_numbers: 0 }
    }

    /// `None` as long as something of it is not loaded.
    pub(crate) fn loaded(&mut self) -> Option<Loaded<'_, B>> {
        let Self { base, vae, sets, .. } = self;
        Some(Loaded { base, vae: &mut vae.as_mut()?.vae, set: sets.last_mut()? })
    }

    pub(crate) fn networks(&self) -> Vec<&Networks<B>> {
        self.sets.iter().map(|set| &set.networks).collect()
    }

    /// Where networks with these LoRAs go. Other weights for the same files are somebody at a slider, who does not
    /// come back to the weights before; other files may be a comparison, and get a place of their own where there is
    /// `room`.
    pub(crate) fn place(&self, loras: &[AppliedLora], room: bool) -> Place {
        let same_files = |set: &NetworkSet<B>| {
            set.loras.len() == loras.len() && set.loras.iter().zip(loras).all(|(a, b)| a.same_file(b))
        };
        match self.sets.iter().position(same_files) {
            Some(same) => Place::Instead(same),
            None if self.sets.is_empty() || (room && self.sets.len() < SETS_KEPT) => Place::New,
            None => Place::Instead(0),
        }
    }

    /// Numbers that giving up the whole model frees.
    pub(crate) fn numbers(&self) -> u64 {
        let vae = self.vae.as_ref().map_or(0, |chosen| chosen.vae.network().elements());
        // What two sets share counts for neither, so this is rather too little than too much.
        vae + self.sets.iter().map(|set| set.networks.own_numbers()).sum::<u64>()
    }
}
