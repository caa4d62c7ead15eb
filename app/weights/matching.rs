use crate::{Fault, KeyedSource, Lora, Part, Result};
use std::collections::HashMap;

/// What became of a LoRA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeReport {
    /// The name of the LoRA.
    pub lora: String,
    /// Modules that change a weight of this part.
    pub matched: usize,
    /// Modules the LoRA has for this part.
    pub total: usize,
    /// What of the LoRA has no effect here: modules for this part that the base lacks, and whatever is of a kind
    /// this program does not read.
    pub ignored: Vec<String>,
}

/// The base's weights under the names LoRAs have for them: `.weight` dropped, `_` for every dot.
pub(crate) fn keys_by_path(base: &dyn KeyedSource) -> HashMap<String, &str> {
    base.keys().filter_map(|key| Some((key.strip_suffix(".weight")?.replace('.', "_"), key))).collect()
}

/// Which weights of a base a LoRA changes.
pub(crate) struct Matches {
    /// Key of the base, number of the module.
    pub(crate) found: Vec<(String, usize)>,
    /// What became of the LoRA.
    pub(crate) report: MergeReport,
}

/// The weights of `base` that `lora` changes.
///
/// # Errors
/// [`Fault::NothingMatches`] and [`Fault::LoraShape`].
pub(crate) fn matches(
    base: &dyn KeyedSource,
    by_path: &HashMap<String, &str>,
    lora: &Lora,
    part: Part,
) -> Result<Matches> {
    let (mut found, mut ignored) = (Vec::new(), Vec::new());
    let mut first = None;
    for (index, module) in lora.modules().iter().enumerate().filter(|(_, m)| m.part == part) {
        first.get_or_insert(module);
        let Some(key) = by_path.get(&module.path).copied() else {
            ignored.push(module.path.clone());
            continue;
        };
        let (shape, delta) = (base.shape(key).unwrap_or_default(), module.delta.shape());
        if !same_weight(shape, delta) {
            let fault = Fault::LoraShape { key: key.into(), base: shape.into(), lora: delta.into() };
            return Err(fault.of(lora.name()));
        }
        found.push((key.to_owned(), index));
    }
    let total = found.len() + ignored.len();
    if let (Some(module), true) = (first, found.is_empty()) {
        let example = by_path.iter().min().map_or("nothing".into(), |(path, key)| {
            format!("for example {path} {:?}", base.shape(key).unwrap_or_default())
        });
        let fault = Fault::NothingMatches {
            part: part.label(),
            total,
            lora: format!("for example {} {:?}", module.path, module.delta.shape()),
            base: example,
        };
        return Err(fault.of(lora.name()));
    }
    let matched = found.len();
    ignored.extend_from_slice(lora.unread());
    Ok(Matches { found, report: MergeReport { lora: lora.name().into(), matched, total, ignored } })
}

/// A 1×1 convolution and a matrix are the same weight: exporters write either.
fn same_weight(a: &[usize], b: &[usize]) -> bool {
    fn trimmed(shape: &[usize]) -> &[usize] {
        match shape {
            [matrix @ .., 1, 1] if matrix.len() == 2 => matrix,
            _ => shape,
        }
    }
    trimmed(a) == trimmed(b)
}
