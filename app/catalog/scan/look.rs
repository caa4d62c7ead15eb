//! What was read from headers, kept as long as the files do not change.

use crate::{Location, inspect::unreadable};
use fourstep_protocol::{Failure, ItemKind, LoraInfo};
use fourstep_weights::{Identity, Lora, ModelSource, NetworkClass, open_vae};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

pub(crate) const NO_LORA: &str = "The LoRA could not be opened";

/// Length and time of the last change.
type Stamp = (u64, Option<SystemTime>);
/// Few-step LoRAs with where they are.
type FewStep = Vec<(LoraInfo, PathBuf)>;

/// What was found out, and the state of the file it is true for.
type Answer<T> = (Stamp, Result<T, Failure>);

/// Answers about files, each with the state of the file it is true for.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    models: Answers<Identity>,
    loras: Answers<LoraInfo>,
    vaes: Answers<ItemKind>,
    few_step: Mutex<Option<(Instant, FewStep)>>,
}

#[derive(Debug)]
struct Answers<T>(Mutex<HashMap<PathBuf, Answer<T>>>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Answers<T> {
    fn get(&self, path: &Path, ask: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let stamp = std::fs::metadata(path).map_or((0, None), |file| (file.len(), file.modified().ok()));
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some((_, answer)) = known.filter(|(then, _)| *then == stamp) {
            return answer;
        }
        let answer = ask();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf(), (stamp, answer.clone()));
        answer
    }
}

impl Kept {
    /// What kind of model it is. Folders are read each time, their parts change without them; and so is what is put
    /// together of several files.
    pub(crate) fn model(&self, what: &str, location: &Location) -> Result<Identity, Failure> {
        let open = || location.open().map(|files| files.identity).map_err(|e| unreadable(what, &e));
        match location {
            Location { source: ModelSource::File(path), unet: None, vae: None } => self.models.get(path, open),
            _ => open(),
        }
    }

    pub(crate) fn lora(&self, path: &Path) -> Result<LoraInfo, Failure> {
        self.loras.get(path, || {
            super::walk::refuse_pickle(NO_LORA, path)?;
            let source = path.to_string_lossy();
            Lora::open(path).map(|lora| lora.info(&source)).map_err(|e| unreadable(NO_LORA, &e))
        })
    }

    /// Whether it is an autoencoder or a tiny decoder.
    pub(crate) fn vae(&self, path: &Path) -> Result<ItemKind, Failure> {
        const WHAT: &str = "The autoencoder could not be opened";
        self.vaes.get(path, || {
            super::walk::refuse_pickle(WHAT, path)?;
            let network = open_vae(path).map_err(|e| unreadable(WHAT, &e))?;
            Ok(if network.class == NetworkClass::AutoencoderTiny { ItemKind::TinyDecoder } else { ItemKind::Vae })
        })
    }

    /// The few-step LoRAs that `find` found at most `fresh` ago.
    pub(crate) fn few_step(&self, fresh: Duration, find: impl FnOnce() -> FewStep) -> FewStep {
        let mut known = self.few_step.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((then, loras)) if then.elapsed() < fresh => loras.clone(),
            _ => known.insert((Instant::now(), find())).1.clone(),
        }
    }
}
