use crate::{
    KeyedSource, Lora, MergeReport, Part, Result,
    matching::{keys_by_path, matches},
};
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
        let base = original.to_f32();
        let mut values = base.clone();
        for Change { lora, module, weight } in changes {
            lora.modules()[*module].apply(*weight, &base, &mut values);
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
        assert!(
            text.contains("style") && text.contains("other.weight [2, 3]") && text.contains("a.b.weight [2, 3]"),
            "{text}"
        );
        let e = Merged::new(base(), vec![(lora("lora_unet_a_b", 5), 1.0)], Part::UNet).map(|_| ());
        let text = e.expect_err("shapes differ").to_string();
        assert!(text.contains("a.b.weight") && text.contains("[2, 3]") && text.contains("[5, 3]"), "{text}");
    }
}
