//! LoRA files. Two things vary between the many formats, independently: how modules are named (a file each beside
//! `kohya`, listed in [`NAMINGS`]) and what arithmetic their tensors stand for (a file each beside `low_rank`, listed
//! in [`FORMS`]).

mod comfy;
mod diffusers;
mod dotted;
mod factor;
mod families;
mod foreign;
mod full;
mod group;
mod info;
mod kohya;
mod loha;
mod lokr;
mod low_rank;
mod lycoris;
mod magnitude;
mod peft;
mod peft_config;
#[cfg(test)]
pub(crate) mod tests;
mod trigger_words;
mod tucker;

use crate::{Bytes, Checkpoint, Fault, Result, map_file, product::Product};
use fourstep_compute::TensorSource;
use fourstep_protocol::Family;
use group::{Address, Group, Groups, Reading};
use magnitude::Magnitude;
use peft_config::PeftConfig;
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// A LoRA file, understood from its header; its tensors stay in the file until they are merged.
pub struct Lora {
    id: u64,
    name: String,
    modules: Vec<Module>,
    unread: Vec<String>,
    families: Vec<Family>,
    few_step: bool,
    metadata: HashMap<String, String>,
    size_bytes: u64,
    file: Checkpoint,
    /// The keys that the modules are made of.
    keys: Vec<String>,
    damage: OnceLock<Option<String>>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The change of one weight or bias.
pub(crate) struct Module {
    pub(crate) part: Part,
    /// The key of the weight with `_` for every dot but the last: `conv_in.weight`.
    pub(crate) path: String,
    pub(crate) delta: Box<dyn Delta>,
    /// DoRA's, where the change goes on to set the lengths of the rows or columns.
    magnitude: Option<Magnitude>,
}

/// The part of a model that a module changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The denoising network.
    UNet,
    /// The text encoder, or the first of two.
    TextEncoder1,
    /// The second text encoder of SDXL.
    TextEncoder2,
}

impl Part {
    /// As people say it.
    pub fn label(self) -> &'static str {
        match self {
            Self::UNet => "UNet",
            Self::TextEncoder1 => "text encoder",
            Self::TextEncoder2 => "second text encoder",
        }
    }
}

/// What a module adds to a weight.
pub(crate) trait Delta: Send + Sync {
    /// The shape of the weight it is made for: `[out, in]`, `[out, in, kh, kw]`, `[out]`, or `[out, in · kh · kw]` for
    /// a convolution that was flattened.
    fn shape(&self) -> &[usize];

    /// Adds `weight` times the change. `into` is the weight in f32, row-major, as long as [`shape`](Self::shape) says.
    fn accumulate(&self, weight: f32, into: &mut [f32]);

    /// `weight` times the change as a product, where it is one, so that it can be added a block at a time.
    fn product(&self, weight: f32) -> Option<Product> {
        let _ = weight;
        None
    }
}

impl Module {
    /// `weight` times the change as a product, where it is one, so that it can be added a block at a time.
    pub(crate) fn product(&self, weight: f32) -> Option<Product> {
        if self.magnitude.is_some() { None } else { self.delta.product(weight) }
    }

    /// Adds the change at `weight` to `into`. `base` is the unchanged weight, as long as `into`; only DoRA
    /// reads it.
    pub(crate) fn apply(&self, weight: f32, base: &[f32], into: &mut [f32]) {
        match &self.magnitude {
            None => self.delta.accumulate(weight, into),
            Some(magnitude) => magnitude.apply(&*self.delta, weight, base, into),
        }
    }
}

/// Ways of naming modules: the address of a key, or `None` where the key is named otherwise.
const NAMINGS: [fn(&str) -> Option<Address>; 5] =
    [kohya::address, lycoris::address, peft::address, diffusers::address, comfy::address];

/// Kinds of arithmetic.
const FORMS: [fn(&Group) -> Reading; 5] = [low_rank::read, tucker::read, loha::read, lokr::read, full::read];

impl Lora {
    /// Opens a file. Only its header is read.
    ///
    /// # Errors
    /// Everything that can be wrong with a file, [`Fault::PickleLora`], [`Fault::NotLora`], [`Fault::OtherFile`],
    /// [`Fault::LoraOfOther`] and [`Fault::Module`].
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) && path.is_file() {
            return Err(foreign::not_safetensors(path).of(name));
        }
        Self::read(&name, map_file(path)?, PeftConfig::beside(path))
    }

    /// Reads a file that is in memory. `name` is for errors and reports.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(name: &str, bytes: Bytes) -> Result<Self> {
        Self::read(name, bytes, None)
    }

    fn read(name: &str, bytes: Bytes, config: Option<PeftConfig>) -> Result<Self> {
        let size_bytes = (*bytes).as_ref().len() as u64;
        let file = Checkpoint::from_bytes(name, bytes)?;
        if let Some(fault) = foreign::recognise(&file) {
            return Err(fault.of(name));
        }
        let config = config.or_else(|| PeftConfig::of_metadata(file.metadata()));
        let Groups { groups, keys, mut unread } =
            group::group(&file, config.as_ref()).map_err(|fault| fault.of(name))?;
        let mut modules = Vec::new();
        let mut structure = info::Structure::default();
        for ((part, path), mut group) in groups {
            let damaged = |why| Fault::Module { module: path.clone(), why }.of(name);
            let magnitude = Magnitude::take(&mut group);
            let Some(read) = FORMS.iter().find_map(|read| read(&group)) else {
                unread.push(format!("{path} ({})", group.roles()));
                continue;
            };
            let delta = read.map_err(damaged)?;
            let magnitude = magnitude.map(|m| m.of(delta.shape())).transpose().map_err(damaged)?;
            structure.see(part, &path, &group);
            modules.push(Module { part, path, delta, magnitude });
        }
        if modules.is_empty() {
            let seen = unread.first().map_or("it is empty".into(), |key| format!("it has, for example, {key}"));
            return Err(Fault::NotLora(seen).of(name));
        }
        let families = families::of(&modules);
        let few_step = structure.is_lcm_lora();
        let metadata = file.metadata().clone();
        let damage = OnceLock::new();
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            id,
            name: name.into(),
            modules,
            unread,
            families,
            few_step,
            metadata,
            size_bytes,
            file,
            keys,
            damage,
        })
    }

    /// Tells it from every other LoRA that was opened since the program started.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The name it was opened under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The networks it was made for, from the shapes of its tensors; `None` where they fit several or none that is
    /// known.
    pub fn family(&self) -> Option<Family> {
        families::one(&self.families)
    }

    /// Refuses a model of another family. Sizes of one's own are left to the shapes of the weights.
    ///
    /// # Errors
    /// [`Fault::LoraFamily`].
    pub fn check_family(&self, model: Family) -> Result<()> {
        if model == Family::Custom || self.families.is_empty() || self.families.contains(&model) {
            return Ok(());
        }
        let lora = self.family().unwrap_or(self.families[0]);
        Err(Fault::LoraFamily { lora, model }.of(&self.name))
    }

    /// Reads every tensor once, to see that its values are numbers.
    ///
    /// # Errors
    /// [`Fault::Module`].
    pub(crate) fn check_values(&self) -> Result<()> {
        let damaged = |key: &String| self.file.tensor(key).err().map(|_| key.clone());
        match self.damage.get_or_init(|| self.keys.iter().find_map(damaged)) {
            None => Ok(()),
            Some(key) => {
                let why = "it holds NaN or infinity".into();
                Err(Fault::Module { module: key.clone(), why }.of(&self.name))
            }
        }
    }

    /// Keys and modules of the file that are of a kind this program does not read.
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    pub(crate) fn modules(&self) -> &[Module] {
        &self.modules
    }
}

impl std::fmt::Debug for Lora {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lora({}, {} modules, {} unread)", self.name, self.modules.len(), self.unread.len())
    }
}
