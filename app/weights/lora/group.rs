//! The tensors of a file by the module they belong to.

use super::{Delta, NAMINGS, Part, peft_config::PeftConfig};
use crate::{Checkpoint, Fault, KeyedSource};
use fourstep_compute::HostTensor;
use std::collections::BTreeMap;

/// The file's modules, the keys they are made of, and the keys that no naming knows.
pub(super) struct Groups {
    pub(super) groups: BTreeMap<(Part, String), Group>,
    pub(super) keys: Vec<String>,
    pub(super) unread: Vec<String>,
}

/// Where a key of a LoRA file belongs.
pub(super) struct Address {
    pub(super) part: Part,
    /// The key of the weight without `.weight`, with dots or `_`.
    pub(super) path: String,
    /// What the tensor is to its module, as kohya calls it: `lora_down.weight`, `alpha`, …
    pub(super) role: String,
}

/// Tensors of a module by role.
#[derive(Default)]
pub(super) struct Group {
    pub(super) tensors: BTreeMap<String, HostTensor>,
    /// From the file's configuration, for modules that have no tensor of it.
    pub(super) alpha: Option<Alpha>,
}

/// What scales a module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Alpha {
    pub(super) alpha: f32,
    /// The rank that was asked for, which modules without a low rank have no other trace of.
    pub(super) rank: Option<f32>,
    /// Divided by √rank instead of rank (arXiv 2312.03732).
    pub(super) by_root: bool,
}

/// A module's change, why it is damaged, or `None` where it is of another kind.
pub(super) type Reading = Option<Result<Box<dyn Delta>, String>>;

const ALPHA: &str = "alpha";

/// Roles that change the bias and not the weight.
const OF_BIAS: [&str; 2] = ["diff_b", "b_norm"];

/// Sorts a file's tensors. Values are not read.
pub(super) fn group(file: &Checkpoint, config: Option<&PeftConfig>) -> Result<Groups, Fault> {
    let mut all = Groups { groups: BTreeMap::new(), keys: Vec::new(), unread: Vec::new() };
    // A module whose alpha is in an unread format must not pass for one without alpha.
    for key in file.keys().chain(file.skipped_keys()) {
        let Some(Address { part, path, role }) = NAMINGS.iter().find_map(|address| address(key)) else {
            all.unread.push(key.to_owned());
            continue;
        };
        let tensor = file.view(key).map_err(|e| Fault::Module { module: path.clone(), why: e.to_string() })?;
        let target = if OF_BIAS.contains(&role.as_str()) { "bias" } else { "weight" };
        let group = all.groups.entry((part, format!("{}.{target}", path.replace('.', "_")))).or_default();
        group.alpha = group.alpha.or_else(|| config?.alpha(part, &path));
        if group.tensors.insert(role, tensor).is_some() {
            let why = format!("{key} is there a second time under another name");
            return Err(Fault::Module { module: path, why });
        }
        all.keys.push(key.to_owned());
    }
    Ok(all)
}

impl Group {
    /// Whether one of `mark` is there, and nothing beside `mark`, `rest` and alpha.
    pub(super) fn is(&self, mark: &[&str], rest: &[&str]) -> bool {
        let among = |roles: &[&str], role: &String| roles.contains(&role.as_str());
        self.tensors.keys().any(|role| among(mark, role))
            && self.tensors.keys().all(|role| among(mark, role) || among(rest, role) || role == ALPHA)
    }

    pub(super) fn tensor(&self, role: &str) -> Option<&HostTensor> {
        self.tensors.get(role)
    }

    /// The tensor of this role.
    ///
    /// # Errors
    /// That it is missing.
    pub(super) fn need(&self, role: &str) -> Result<HostTensor, String> {
        self.tensors.get(role).cloned().ok_or_else(|| format!("{role} is missing"))
    }

    /// alpha / rank; 1 where nothing is said of alpha. `rank` is that of the tensors, `None` where they are of none:
    /// such a module is scaled by PEFT only.
    ///
    /// # Errors
    /// Where alpha is not one number.
    pub(super) fn scale(&self, rank: Option<usize>) -> Result<f32, String> {
        let rank = rank.map(|rank| rank as f32);
        if let Some(tensor) = self.tensors.get(ALPHA) {
            // A damaged file may have gigabytes here: the shape is looked at first.
            let one = tensor.shape().iter().all(|side| *side == 1);
            return match (one.then(|| tensor.to_f32()).as_deref(), rank) {
                (Some([alpha]), Some(rank)) => Ok(alpha / rank),
                (Some([_]), None) => Ok(1.0),
                _ => Err(format!("{ALPHA} is {:?} instead of one number", tensor.shape())),
            };
        }
        let Some(Alpha { alpha, rank: asked, by_root }) = self.alpha else { return Ok(1.0) };
        let rank = rank.or(asked).filter(|rank| *rank > 0.0);
        Ok(rank.map_or(1.0, |rank| alpha / if by_root { rank.sqrt() } else { rank }))
    }

    /// For people: the roles that are there.
    pub(super) fn roles(&self) -> String {
        self.tensors.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
