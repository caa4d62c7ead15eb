use crate::{Fault, KeyedSource, Lora, Part, Result, ldm_paths};
use fourstep_protocol::LoraReport;
use std::collections::{BTreeSet, HashMap};

/// What became of a LoRA in one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeReport {
    /// The name of the LoRA.
    pub lora: String,
    /// The part of the model.
    pub part: Part,
    /// Modules that change a weight of this part.
    pub matched: usize,
    /// Modules the LoRA has for this part.
    pub total: usize,
    /// What of the LoRA has no effect here: modules for this part that the base lacks.
    pub ignored: Vec<String>,
}

/// Which weights of a base a LoRA changes.
pub(crate) struct Matches {
    /// Key of the base, number of the module.
    pub(crate) found: Vec<(String, usize)>,
    /// What became of the LoRA.
    pub(crate) report: MergeReport,
}

/// What became of a LoRA in a model, from what became of it in each of its networks. `source` is how requests name it.
pub fn lora_report(source: &str, lora: &Lora, networks: &[MergeReport]) -> LoraReport {
    let parts: BTreeSet<Part> = networks.iter().map(|report| report.part).collect();
    let without = lora.modules().iter().filter(|module| !parts.contains(&module.part));
    let without = without.map(|module| format!("{} (the model has no {})", module.path, module.part.label()));
    let missing = networks.iter().flat_map(|report| report.ignored.iter().cloned());
    LoraReport {
        source: source.to_owned(),
        matched: networks.iter().map(|report| report.matched).sum(),
        total: lora.modules().len(),
        ignored: missing.chain(without).chain(lora.unread().iter().cloned()).collect(),
    }
}

/// The base's weights and biases under the names that LoRAs have for them: `_` for every dot but the last, by
/// diffusers' and by ldm's names, and with or without transformers' `text_model` before them.
pub(crate) fn keys_by_path(base: &dyn KeyedSource) -> HashMap<String, &str> {
    const TEXT_MODEL: &str = "text_model_";
    const BARE: [&str; 3] = ["encoder_layers_", "embeddings_", "final_layer_norm."];
    let mut paths = HashMap::new();
    for key in base.keys() {
        let Some((stem, last @ ("weight" | "bias"))) = key.rsplit_once('.') else { continue };
        paths.insert(format!("{}.{last}", stem.replace('.', "_")), key);
    }
    let text_model = paths.iter().filter_map(|(path, key)| {
        let alias = match path.strip_prefix(TEXT_MODEL) {
            Some(bare) => bare.to_owned(),
            None if BARE.iter().any(|start| path.starts_with(start)) => format!("{TEXT_MODEL}{path}"),
            None => return None,
        };
        Some((alias, *key))
    });
    let aliases: Vec<(String, &str)> = text_model.chain(ldm_paths::of(base)).collect();
    for (path, key) in aliases {
        paths.entry(path).or_insert(key);
    }
    paths
}

/// The weights of `base` that `lora` changes.
///
/// # Errors
/// [`Fault::NothingMatches`], [`Fault::LoraShape`], and [`Fault::Module`] where the LoRA's values are no numbers.
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
        let example = base
            .keys()
            .find(|key| key.ends_with(".weight"))
            .map_or("nothing".into(), |key| format!("for example {key} {:?}", base.shape(key).unwrap_or_default()));
        let fault = Fault::NothingMatches {
            part: part.label(),
            total,
            lora: format!("for example {} {:?}", module.path, module.delta.shape()),
            base: example,
        };
        return Err(fault.of(lora.name()));
    }
    if !found.is_empty() {
        lora.check_values()?;
    }
    let matched = found.len();
    Ok(Matches { found, report: MergeReport { lora: lora.name().into(), part, matched, total, ignored } })
}

/// Whether a change fits a weight. A 1×1 convolution and a matrix are the same weight, exporters write either; and some
/// write a convolution as a matrix, `[out, in · kh · kw]`.
fn same_weight(base: &[usize], delta: &[usize]) -> bool {
    fn trimmed(shape: &[usize]) -> &[usize] {
        match shape {
            [matrix @ .., 1, 1] if matrix.len() == 2 => matrix,
            _ => shape,
        }
    }
    match (trimmed(base), trimmed(delta)) {
        (&[out, ref rest @ ..], &[delta_out, flat]) if rest.len() == 3 => {
            out == delta_out && rest.iter().product::<usize>() == flat
        }
        (base, delta) => base == delta,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flattened_convolution_is_the_same_weight() {
        for (base, delta, same) in [
            (&[4, 2, 3, 3][..], &[4, 18][..], true),
            (&[4, 2, 3, 3], &[4, 2, 3, 3], true),
            (&[4, 2, 1, 1], &[4, 2], true),
            (&[4, 2], &[4, 2, 1, 1], true),
            (&[4, 2, 3, 3], &[4, 2], false),
            (&[4, 2, 3, 3], &[18, 4], false),
            (&[4], &[4], true),
            (&[4], &[5], false),
        ] {
            assert_eq!(same_weight(base, delta), same, "{base:?} {delta:?}");
        }
    }
}
