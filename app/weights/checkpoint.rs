use crate::{
    Fault, Result, Storage,
    finite::finite,
    safetensors_file::{Entry, SafetensorsFile},
    storage::{Bytes, map_file},
};
use fourstep_compute::{ComputeError, Element, HostTensor, TensorSource};
use safetensors::Dtype;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// Files as published first, half-precision ones where there are no others.
pub const VARIANTS: &[&str] = &["", "fp16"];

/// What the weights of a part are called, by diffusers and by transformers.
const STEMS: [&str; 2] = ["diffusion_pytorch_model", "model"];

/// The weights of one part of a model (`unet`, `vae`, `text_encoder`), in one file or in several.
///
/// Opening reads headers only; a tensor is a view of the file. Reading one checks that its values are numbers.
#[derive(Default)]
pub struct Checkpoint {
    files: Vec<Bytes>,
    tensors: BTreeMap<String, Place>,
    /// Tensors in a number format no network takes, such as the `position_ids` of old text encoders.
    skipped: BTreeMap<String, Dtype>,
    metadata: HashMap<String, String>,
}

struct Place {
    file: usize,
    element: Element,
    entry: Entry,
    /// Whether its values were looked at and are numbers: once is enough.
    sound: AtomicBool,
}

/// A source that knows which keys it has.
pub trait KeyedSource: TensorSource {
    /// Every key, sorted.
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_>;

    /// The shape of the tensor of this key.
    fn shape(&self, key: &str) -> Option<&[usize]>;

    /// Numbers in all tensors: a measure of how much memory packing takes, whatever they are stored as.
    fn elements(&self) -> u64 {
        let product = |shape: &[usize]| shape.iter().fold(1u64, |n, d| n.saturating_mul(*d as u64));
        self.keys().filter_map(|key| self.shape(key)).map(product).fold(0, u64::saturating_add)
    }
}

impl Checkpoint {
    /// Opens the weights in `folder` (empty: the storage itself). `variants` are tried in order; `""` is the plain
    /// name and [`VARIANTS`] what to give if nothing else is known.
    ///
    /// # Errors
    /// [`Fault::NoWeights`], [`Fault::Pickle`], and everything that can be wrong with a file.
    pub fn open(storage: &Storage, folder: &str, variants: &[&str]) -> Result<Self> {
        let path = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        for variant in variants {
            for stem in STEMS {
                let dotted = if variant.is_empty() { String::new() } else { format!(".{variant}") };
                let single = path(&format!("{stem}{dotted}.safetensors"));
                if storage.exists(&single) {
                    return Self::read(storage, &[single], None);
                }
                let index = path(&format!("{stem}.safetensors.index{dotted}.json"));
                if storage.exists(&index) {
                    return Self::open_sharded(storage, folder, &index);
                }
            }
        }
        Err(no_weights(storage, folder))
    }

    /// A checkpoint of one file that is not in a model's folder. `name` is for errors.
    ///
    /// # Errors
    /// Everything that can be wrong with a file.
    pub fn from_bytes(name: &str, bytes: Bytes) -> Result<Self> {
        let mut checkpoint = Self::default();
        checkpoint.add(SafetensorsFile::open(name, bytes)?);
        Ok(checkpoint)
    }

    /// A file on disk that is not in a model's folder.
    ///
    /// # Errors
    /// [`Fault::PickleFile`] for the endings of pickles, and everything that can be wrong with a file.
    pub fn open_file(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if is_pickle(&name) && path.is_file() {
            return Err(Fault::PickleFile.of(name));
        }
        Self::from_bytes(&name, map_file(path)?)
    }

    /// What the file's maker wrote into its header; of several files, all together.
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.metadata
    }

    /// Whether there is such a key, in whichever number format.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        self.tensors.contains_key(key) || self.skipped.contains_key(key)
    }

    /// A view of the file whose values nobody has looked at.
    ///
    /// # Errors
    /// [`ComputeError::Missing`], and [`ComputeError::Unsupported`] for a number format other than f32, f16 and bf16.
    pub(crate) fn view(&self, key: &str) -> fourstep_compute::Result<HostTensor> {
        if let Some(dtype) = self.skipped.get(key) {
            return Err(ComputeError::Unsupported(format!(
                "tensor {key} is stored as {dtype:?}; only F32, F16 and BF16 are read"
            )));
        }
        let Place { file, element, entry, .. } =
            self.tensors.get(key).ok_or_else(|| ComputeError::Missing(key.to_owned()))?;
        let owner = self.files[*file].clone();
        HostTensor::view(key, entry.shape.clone(), *element, owner, entry.range.start, entry.range.len())
    }

    /// Keys in a number format that is not read, sorted.
    pub(crate) fn skipped_keys(&self) -> impl Iterator<Item = &str> {
        self.skipped.keys().map(String::as_str)
    }

    /// The tensors in a number format that is not read.
    pub(crate) fn skipped(&self) -> &BTreeMap<String, Dtype> {
        &self.skipped
    }

    fn open_sharded(storage: &Storage, folder: &str, index: &str) -> Result<Self> {
        #[derive(serde::Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let Index { weight_map } = storage.json(index)?;
        let mut paths = Vec::new();
        for shard in weight_map.values().collect::<BTreeSet<_>>() {
            if shard.contains(['/', '\\']) || shard.starts_with('.') {
                return Err(Fault::ShardPath(shard.clone()).of(storage.describe(index)));
            }
            paths.push(if folder.is_empty() { shard.clone() } else { format!("{folder}/{shard}") });
        }
        Self::read(storage, &paths, Some(&weight_map))
    }

    fn read(storage: &Storage, paths: &[String], weight_map: Option<&BTreeMap<String, String>>) -> Result<Self> {
        let mut checkpoint = Self::default();
        for path in paths {
            checkpoint.add(SafetensorsFile::open(&storage.describe(path), storage.read(path)?)?);
        }
        for (key, shard) in weight_map.into_iter().flatten() {
            if !checkpoint.tensors.contains_key(key) && !checkpoint.skipped.contains_key(key) {
                return Err(Fault::ShardKey(key.clone()).of(shard));
            }
        }
        Ok(checkpoint)
    }

    fn add(&mut self, file: SafetensorsFile) {
        for entry in file.tensors {
            let element = match entry.dtype {
                Dtype::F32 => Element::F32,
                Dtype::F16 => Element::F16,
                Dtype::BF16 => Element::Bf16,
                other => {
                    log::debug!("{} is {other:?} and is skipped", entry.key);
                    self.skipped.insert(entry.key, other);
                    continue;
                }
            };
            self.tensors.insert(
                entry.key.clone(),
                Place { file: self.files.len(), element, entry, sound: AtomicBool::new(false) },
            );
        }
        self.files.push(file.bytes);
        self.metadata.extend(file.metadata);
    }
}

impl TensorSource for Checkpoint {
    /// A view of the file.
    ///
    /// # Errors
    /// Those of [`view`](Self::view), and [`ComputeError::NotFinite`].
    fn tensor(&self, key: &str) -> fourstep_compute::Result<HostTensor> {
        let tensor = self.view(key)?;
        let Some(Place { sound, .. }) = self.tensors.get(key) else { return Ok(tensor) };
        if sound.load(Ordering::Relaxed) {
            return Ok(tensor);
        }
        let tensor = finite(key, tensor)?;
        sound.store(true, Ordering::Relaxed);
        Ok(tensor)
    }

    fn contains(&self, key: &str) -> bool {
        self.tensors.contains_key(key)
    }

    /// Files do not change.
    fn version(&self, _: &str) -> Option<u64> {
        Some(0)
    }
}

impl KeyedSource for Checkpoint {
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.tensors.keys().map(String::as_str))
    }

    fn shape(&self, key: &str) -> Option<&[usize]> {
        self.tensors.get(key).map(|place| place.entry.shape.as_slice())
    }
}

fn is_pickle(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".bin", ".ckpt", ".pt", ".pth"].iter().any(|ending| name.ends_with(ending))
}

fn no_weights(storage: &Storage, folder: &str) -> crate::WeightsError {
    let names = storage.file_names(folder);
    let pickles: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_pickle(name)).collect();
    let fault = if pickles.is_empty() {
        Fault::NoWeights(STEMS.map(|stem| format!("{stem}.safetensors")).join(", "))
    } else {
        Fault::Pickle(pickles.join(", "))
    };
    fault.of(storage.describe(folder))
}
