//! LoRA files. Two things vary between the many formats, independently: how modules are named (a file each beside
//! `kohya`, listed in [`NAMINGS`]) and what arithmetic their tensors stand for (a file each beside `low_rank`, listed
//! in [`FORMS`]).

mod kohya;
mod low_rank;

use crate::product::Product;
use crate::{Bytes, Checkpoint, Fault, KeyedSource, Result, map_file};
use fourstep_compute::{HostTensor, TensorSource};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// A LoRA file, checked and understood; its tensors stay in the file until they are merged.
pub struct Lora {
    id: u64,
    name: String,
    modules: Vec<Module>,
    unread: Vec<String>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The change of one weight.
pub(crate) struct Module {
    pub(crate) part: Part,
    /// The key of the weight, without `.weight` and with `_` for every dot.
    pub(crate) path: String,
    pub(crate) delta: Box<dyn Delta>,
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
    /// The shape of the weight it is made for: `[out, in]` or `[out, in, kh, kw]`.
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
    /// The change as a product that is added, where it is one.
    pub(crate) fn product(&self, weight: f32) -> Option<Product> {
        self.delta.product(weight)
    }
}

/// Where a key of a LoRA file belongs.
struct Address {
    part: Part,
    path: String,
    /// What the tensor is to its module: `lora_down.weight`, `alpha`, …
    role: String,
}

/// Tensors of a module by role.
type Group = BTreeMap<String, HostTensor>;

/// Modules by part and path.
type Groups = BTreeMap<(Part, String), Group>;

/// A module's change, why it is damaged, or `None` where it is of another kind.
type Reading = Option<Result<Box<dyn Delta>, String>>;

/// Ways of naming modules: the address of a key, or `None` where the key is named otherwise.
const NAMINGS: [fn(&str) -> Option<Address>; 1] = [kohya::address];

/// Kinds of arithmetic.
const FORMS: [fn(&Group) -> Reading; 1] = [low_rank::read];

impl Lora {
    /// Opens a file.
    ///
    /// # Errors
    /// Everything that can be wrong with a file, [`Fault::NotLora`] and [`Fault::Module`].
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) && path.is_file() {
            return Err(Fault::NotLora("only .safetensors files are".into()).of(name));
        }
        Self::from_bytes(&name, map_file(path)?)
    }

    /// Reads a file that is in memory. `name` is for errors and reports.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(name: &str, bytes: Bytes) -> Result<Self> {
        let file = Checkpoint::from_bytes(name, bytes)?;
        let (groups, mut unread) = group(&file, name)?;
        let mut modules = Vec::new();
        for ((part, path), group) in groups {
            match FORMS.iter().find_map(|read| read(&group)) {
                Some(Ok(delta)) => modules.push(Module { part, path, delta }),
                Some(Err(why)) => return Err(Fault::Module { module: path, why }.of(name)),
                None => {
                    let roles: Vec<&str> = group.keys().map(String::as_str).collect();
                    unread.push(format!("{path} ({})", roles.join(", ")));
                }
            }
        }
        if modules.is_empty() {
            let seen = unread.first().map_or("it is empty".into(), |key| format!("it has, for example, {key}"));
            return Err(Fault::NotLora(seen).of(name));
        }
        Ok(Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), name: name.to_owned(), modules, unread })
    }

    /// Tells it from every other LoRA that was opened since the program started.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The name it was opened under.
    pub fn name(&self) -> &str {
        &self.name
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

/// The file's tensors by module, and the keys that no naming knows.
fn group(file: &Checkpoint, name: &str) -> Result<(Groups, Vec<String>)> {
    let mut groups = Groups::new();
    let mut unread = Vec::new();
    // A module whose alpha is in an unread format must not pass for one without alpha.
    for key in file.keys().chain(file.skipped_keys()) {
        let Some(Address { part, path, role }) = NAMINGS.iter().find_map(|address| address(key)) else {
            unread.push(key.to_owned());
            continue;
        };
        let damaged =
            |e: fourstep_compute::ComputeError| Fault::Module { module: path.clone(), why: e.to_string() }.of(name);
        let tensor = file.tensor(key).map_err(damaged)?;
        groups.entry((part, path)).or_default().insert(role, tensor);
    }
    Ok((groups, unread))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use safetensors::{Dtype, tensor::TensorView};
    use std::sync::Arc;

    /// A safetensors file of f32 tensors.
    pub(crate) fn file(tensors: &[(&str, &[usize], &[f32])]) -> Bytes {
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|(.., v)| v.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&bytes).map(|((key, shape, _), bytes)| {
            (*key, TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("the values fill the shape"))
        });
        Arc::new(safetensors::serialize(views, None).expect("serialise"))
    }

    #[test]
    fn other_files_are_not_a_lora() {
        let weights = file(&[("conv_in.weight", &[1], &[0.0])]);
        let e = Lora::from_bytes("x.safetensors", weights).expect_err("no LoRA");
        assert!(matches!(e.fault, Fault::NotLora(_)) && e.to_string().contains("conv_in.weight"), "{e}");
        let empty = Lora::from_bytes("x.safetensors", file(&[])).expect_err("empty");
        assert!(matches!(empty.fault, Fault::NotLora(_)), "{empty}");
    }

    #[test]
    fn a_file_under_another_ending_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("style.pt");
        std::fs::write(&path, b"PK\x03\x04").expect("write");
        assert!(matches!(Lora::open(&path).expect_err("pickle").fault, Fault::NotLora(_)));
        assert!(matches!(Lora::open(&dir.path().join("x.safetensors")).expect_err("none").fault, Fault::Missing));
    }

    #[test]
    fn half_a_module_and_nan_are_damage_and_unknown_kinds_are_listed() {
        let half = file(&[("lora_unet_a.lora_down.weight", &[1, 2], &[0.0; 2])]);
        let e = Lora::from_bytes("x", half).expect_err("half");
        assert!(matches!(e.fault, Fault::Module { .. }), "{e}");

        let nan = file(&[
            ("lora_unet_a.lora_down.weight", &[1, 2], &[0.0, f32::NAN]),
            ("lora_unet_a.lora_up.weight", &[2, 1], &[0.0; 2]),
        ]);
        let e = Lora::from_bytes("x", nan).expect_err("NaN");
        assert!(matches!(e.fault, Fault::Module { .. }) && e.to_string().contains("NaN"), "{e}");

        let alpha = 16f64.to_le_bytes();
        let views = [
            ("lora_unet_a.alpha", TensorView::new(Dtype::F64, vec![], &alpha).expect("one number")),
            ("lora_unet_a.lora_down.weight", TensorView::new(Dtype::F32, vec![1, 1], &[0; 4]).expect("one number")),
            ("lora_unet_a.lora_up.weight", TensorView::new(Dtype::F32, vec![1, 1], &[0; 4]).expect("one number")),
        ];
        let double = Arc::new(safetensors::serialize(views, None).expect("serialise"));
        let e = Lora::from_bytes("x", double).expect_err("alpha is not read");
        assert!(matches!(e.fault, Fault::Module { .. }) && e.to_string().contains("F64"), "{e}");

        let mixed = file(&[
            ("lora_unet_a.lora_down.weight", &[1, 2], &[0.0; 2]),
            ("lora_unet_a.lora_up.weight", &[2, 1], &[0.0; 2]),
            ("lora_unet_b.hada_w1_a", &[2, 1], &[0.0; 2]),
            ("bundle_emb.x", &[1], &[0.0]),
        ]);
        let lora = Lora::from_bytes("x", mixed).expect("one module is read");
        assert_eq!((lora.modules().len(), lora.unread().len()), (1, 2), "{:?}", lora.unread());
    }
}
