use crate::{Fault, KeyedSource, Lora, Part, Result};
use fourstep_compute::{Element, HostTensor, TensorSource};
use std::{collections::HashMap, sync::Arc};

/// A checkpoint with LoRAs added: `base + Σ weight · change`, in f32, for the keys a LoRA touches; every other
/// tensor is the base's own, byte for byte.
///
/// Nothing is merged before a key is asked for.
pub struct Merged {
    base: Arc<dyn KeyedSource>,
    changes: HashMap<String, Vec<Change>>,
    reports: Vec<MergeReport>,
}

/// One LoRA's change of one key.
struct Change {
    lora: Arc<Lora>,
    module: usize,
    weight: f32,
}

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

impl Merged {
    /// Finds out which keys the LoRAs change. Those of weight 0 are left out.
    ///
    /// # Errors
    /// [`Fault::NothingMatches`] where a LoRA has modules for this part and the base has none of their keys,
    /// [`Fault::LoraShape`] where it has one in another shape.
    pub fn new(base: Arc<dyn KeyedSource>, loras: Vec<(Arc<Lora>, f32)>, part: Part) -> Result<Self> {
        let by_path = keys_by_path(&*base);
        let mut changes: HashMap<String, Vec<Change>> = HashMap::new();
        let mut reports = Vec::new();
        for (lora, weight) in loras.into_iter().filter(|(_, weight)| *weight != 0.0) {
            let matches = matches(&*base, &by_path, &lora, part)?;
            reports.push(matches.report);
            for (key, module) in matches.found {
                changes.entry(key).or_default().push(Change { lora: lora.clone(), module, weight });
            }
        }
        Ok(Self { base, changes, reports })
    }

    /// What became of each LoRA, in the order given, without those of weight 0.
    pub fn reports(&self) -> &[MergeReport] {
        &self.reports
    }
}

impl TensorSource for Merged {
    fn tensor(&self, key: &str) -> fourstep_compute::Result<HostTensor> {
        let original = self.base.tensor(key)?;
        let Some(changes) = self.changes.get(key) else { return Ok(original) };
        let mut values = original.to_f32();
        for Change { lora, module, weight } in changes {
            lora.modules()[*module].delta.accumulate(*weight, &mut values);
        }
        let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        let len = bytes.len();
        let merged = HostTensor::view(key, original.shape().to_vec(), Element::F32, Arc::new(bytes), 0, len)?;
        crate::finite::finite(key, merged)
    }

    fn contains(&self, key: &str) -> bool {
        self.base.contains(key)
    }
}

impl KeyedSource for Merged {
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        self.base.keys()
    }

    fn shape(&self, key: &str) -> Option<&[usize]> {
        self.base.shape(key)
    }
}

/// The base's weights under the names LoRAs have for them: `.weight` dropped, `_` for every dot.
fn keys_by_path(base: &dyn KeyedSource) -> HashMap<String, &str> {
    base.keys().filter_map(|key| Some((key.strip_suffix(".weight")?.replace('.', "_"), key))).collect()
}

struct Matches {
    /// Key of the base, number of the module.
    found: Vec<(String, usize)>,
    report: MergeReport,
}

fn matches(base: &dyn KeyedSource, by_path: &HashMap<String, &str>, lora: &Lora, part: Part) -> Result<Matches> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, lora::tests::file};

    fn base() -> Arc<dyn KeyedSource> {
        let bytes = file(&[
            ("a.b.weight", &[2, 3], &[1.0; 6]),
            ("a.b.bias", &[2], &[1.0; 2]),
            ("conv.weight", &[2, 3, 1, 1], &[1.0; 6]),
        ]);
        Arc::new(Checkpoint::from_bytes("base", bytes).expect("base"))
    }

    fn lora(path: &str, rows: usize) -> Arc<Lora> {
        let (down, up) = (format!("{path}.lora_down.weight"), format!("{path}.lora_up.weight"));
        let bytes = file(&[(&down, &[1, 3], &[1.0; 3]), (&up, &[rows, 1], &vec![2.0; rows])]);
        Arc::new(Lora::from_bytes("style", bytes).expect("lora"))
    }

    #[test]
    fn weights_add_up_and_the_rest_is_untouched() {
        let loras = vec![(lora("lora_unet_a_b", 2), 1.0), (lora("lora_unet_a_b", 2), 0.5)];
        let merged = Merged::new(base(), loras, Part::UNet).expect("fits");
        assert_eq!(merged.tensor("a.b.weight").expect("merged").to_f32(), [4.0; 6]);
        assert_eq!(merged.tensor("a.b.bias").expect("original").to_f32(), [1.0; 2]);
        assert_eq!(merged.reports().len(), 2);
        assert_eq!((merged.reports()[0].matched, merged.reports()[0].total), (1, 1));
        assert!(merged.tensor("nothing").is_err());
    }

    #[test]
    fn a_matrix_fits_a_1x1_convolution_and_keeps_its_shape() {
        let merged = Merged::new(base(), vec![(lora("lora_unet_conv", 2), 1.0)], Part::UNet).expect("fits");
        let tensor = merged.tensor("conv.weight").expect("merged");
        assert_eq!((tensor.shape(), tensor.to_f32()), (&[2, 3, 1, 1][..], vec![3.0; 6]));
    }

    #[test]
    fn weight_zero_and_other_parts_change_nothing() {
        for (weight, part) in [(0.0, Part::UNet), (1.0, Part::TextEncoder1)] {
            let merged = Merged::new(base(), vec![(lora("lora_unet_a_b", 2), weight)], part).expect("fits");
            let (a, b) = (merged.tensor("a.b.weight").expect("there"), base().tensor("a.b.weight").expect("there"));
            assert_eq!((a.element(), a.bytes()), (b.element(), b.bytes()));
        }
    }

    #[test]
    fn a_lora_for_another_model_is_refused_with_names_and_shapes() {
        let e = Merged::new(base(), vec![(lora("lora_unet_other", 2), 1.0)], Part::UNet).map(|_| ());
        let text = e.expect_err("nothing matches").to_string();
        assert!(text.contains("style") && text.contains("other [2, 3]") && text.contains("a_b [2, 3]"), "{text}");
        let e = Merged::new(base(), vec![(lora("lora_unet_a_b", 5), 1.0)], Part::UNet).map(|_| ());
        let text = e.expect_err("shapes differ").to_string();
        assert!(text.contains("a.b.weight") && text.contains("[2, 3]") && text.contains("[5, 3]"), "{text}");
    }
}
