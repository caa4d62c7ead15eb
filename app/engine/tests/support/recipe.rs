//! Weights that are stored as a rule (`tests/golden/models/weights.py`): a value follows from the tensor's name and the
//! value's index, so that models of every family cost no more than the names of their tensors.

use half::f16;
use safetensors::{Dtype, tensor::TensorView};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const RECIPE: &str = "recipe";

/// Golden files, of which some are recipes. What is asked for is written to a temporary folder where it is one.
pub(crate) struct GoldenFiles {
    root: PathBuf,
    written: TempDir,
}

impl GoldenFiles {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, written: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.root.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A model's folder, its single file or a LoRA.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let (stored, written) = (self.root.join(name), self.written.path().join(name));
        if !by_recipe(&stored) {
            return stored;
        }
        if !written.exists() {
            self.put(name, &written);
        }
        written
    }

    /// Writes a file, or a folder with what is in it, to a place of its own.
    pub(crate) fn put(&self, name: &str, to: &Path) {
        let from = self.root.join(name);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        if from.with_added_extension(RECIPE).is_file() {
            self.cook(name, to);
        } else if from.is_file() {
            fs::copy(from, to).expect("copied");
        } else {
            for entry in entries(&from) {
                let entry = if is_recipe(&entry) { entry.with_extension("") } else { entry };
                let file = entry.file_name().expect("a name").to_string_lossy();
                self.put(&format!("{name}/{file}"), &to.join(&*file));
            }
        }
    }

    /// The text of a recipe, or of the one it is like.
    fn recipe(&self, name: &str) -> String {
        let text = fs::read_to_string(self.root.join(format!("{name}.{RECIPE}"))).expect("a recipe");
        match text.strip_prefix("like ") {
            Some(other) => self.recipe(other.trim_end()),
            None => text,
        }
    }

    fn cook(&self, name: &str, to: &Path) {
        let recipe = self.recipe(name);
        let (head, lines) = recipe.split_once('\n').expect("a first line");
        let mut metadata = HashMap::from([(String::from("format"), String::from("pt"))]);
        let tensors: Vec<Tensor> = match head.split_once(' ').expect("two words") {
            ("seed", seed) => lines.lines().map(|line| Tensor::by_rule(seed, line)).collect(),
            ("of", model) => {
                let known = self.tensors_of(model);
                let (about, lines): (Vec<_>, Vec<_>) = lines.lines().partition(|line| line.starts_with("metadata "));
                for line in about {
                    let [_, key, value] = words(line)[..] else { panic!("{line}") };
                    metadata.insert(key.into(), value.into());
                }
                lines.into_iter().map(|line| Tensor::from_others(&known, line)).collect()
            }
            _ => panic!("{head}"),
        };
        let views: Vec<_> = tensors.iter().map(Tensor::view).collect();
        safetensors::serialize_to_file(views, Some(metadata), to).expect("written");
    }

    /// Every tensor of a model's folder, by `PART:NAME`.
    fn tensors_of(&self, model: &str) -> HashMap<String, Tensor> {
        let mut tensors = HashMap::new();
        for part in entries(&self.root.join(model)).filter(|entry| entry.is_dir()) {
            for recipe in entries(&part).filter(|entry| is_recipe(entry)) {
                let path = recipe.strip_prefix(&self.root).expect("within").with_extension("");
                let text = self.recipe(&path.to_string_lossy());
                let (seed, lines) = text.strip_prefix("seed ").and_then(|t| t.split_once('\n')).expect("a seed");
                let part = part.file_name().expect("a name").to_string_lossy();
                let named = lines.lines().map(|line| Tensor::by_rule(seed, line));
                tensors.extend(named.map(|tensor| (format!("{part}:{}", tensor.name), tensor)));
            }
        }
        tensors
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path())
}

fn is_recipe(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == RECIPE)
}

/// Whether some of it is a recipe.
fn by_recipe(path: &Path) -> bool {
    is_recipe(path)
        || path.with_added_extension(RECIPE).is_file()
        || path.is_dir() && entries(path).any(|entry| by_recipe(&entry))
}

struct Tensor {
    name: String,
    shape: Vec<usize>,
    /// f16
    bytes: Vec<u8>,
}

impl Tensor {
    /// `NAME SHAPE OFFSET SCALE`
    fn by_rule(seed: &str, line: &str) -> Self {
        let [name, dims, offset, scale] = words(line)[..] else { panic!("{line}") };
        let (shape, state) = (shape(dims), fnv1a(&format!("{seed}/{name}")));
        let (offset, scale): (f32, f32) = (offset.parse().expect("a number"), scale.parse().expect("a number"));
        let mut bytes = Vec::with_capacity(2 * shape.iter().product::<usize>());
        for i in 1..=shape.iter().product::<usize>() as u64 {
            bytes.extend(f16::from_f32(offset + scale * uniform(state, i)).to_le_bytes());
        }
        Self { name: name.into(), shape, bytes }
    }

    /// `NAME SHAPE < [T] SOURCE…`
    fn from_others(known: &HashMap<String, Self>, line: &str) -> Self {
        let words = words(line);
        let [name, dims, "<", ref sources @ ..] = words[..] else { panic!("{line}") };
        let source = |source: &str| known.get(source).unwrap_or_else(|| panic!("no {source}"));
        let bytes = match sources {
            ["T", only] => source(only).transposed(),
            several => several.iter().flat_map(|name| source(name).bytes.iter().copied()).collect(),
        };
        Self { name: name.into(), shape: shape(dims), bytes }
    }

    fn view(&self) -> (String, TensorView<'_>) {
        let view = TensorView::new(Dtype::F16, self.shape.clone(), &self.bytes);
        (self.name.clone(), view.expect("as many bytes as the shape says"))
    }

    fn transposed(&self) -> Vec<u8> {
        let [rows, columns] = self.shape[..] else { panic!("{} is no matrix", self.name) };
        let at = |row, column| 2 * (row * columns + column);
        let places = (0..columns).flat_map(|column| (0..rows).map(move |row| at(row, column)));
        places.flat_map(|i| self.bytes[i..i + 2].iter().copied()).collect()
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn shape(dims: &str) -> Vec<usize> {
    match dims {
        "scalar" => Vec::new(),
        dims => dims.split('x').map(|side| side.parse().expect("a number")).collect(),
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// In [−1, 1): the top 24 bits of the `i`th number of `SplitMix64`.
fn uniform(state: u64, i: u64) -> f32 {
    let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(state);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = (z ^ (z >> 31)) >> 40;
    (bits as i32 - (1 << 23)) as f32 / (1 << 23) as f32
}
