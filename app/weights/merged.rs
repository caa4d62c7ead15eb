use crate::{
    KeyedSource, Lora, MergeReport, Part, Result,
    finite::{finite, only_numbers},
    lora::Module,
    matching::{keys_by_path, matches},
    product::Product,
};
use fourstep_compute::{Blocks, ComputeError, HostTensor, TensorSource};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::Arc,
};

/// A checkpoint with LoRAs added: `base + Σ weight · change`, in f32, for the keys a LoRA touches; every other
/// tensor is the base's own, byte for byte.
///
/// Nothing is merged before a key is asked for, and then, where the change is a product, block by block as it is
/// packed. Another weight is a new `Merged` of the same opened LoRAs, which costs a look at their names; the
/// [version](TensorSource::version) of a key tells whether its tensor is another.
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
        let shape = original.shape().to_vec();
        let products = changes.iter().map(|change| change.module().product(change.weight));
        if let Some(products) = products.collect() {
            return Ok(HostTensor::made(shape, Arc::new(Sum { key: key.into(), original, products })));
        }
        let base = original.values();
        let mut values = base.to_vec();
        for change in changes {
            change.module().apply(change.weight, &base, &mut values);
        }
        finite(key, HostTensor::from_vec(shape, values))
    }

    fn contains(&self, key: &str) -> bool {
        self.base.contains(key)
    }

    /// By the LoRAs and weights that change the key.
    fn version(&self, key: &str) -> Option<u64> {
        let Some(changes) = self.changes.get(key) else { return Some(0) };
        let mut hasher = DefaultHasher::new();
        for Change { lora, module, weight } in changes {
            (lora.id(), module, weight.to_bits()).hash(&mut hasher);
        }
        Some(hasher.finish().max(1))
    }
}

impl Change {
    fn module(&self) -> &Module {
        &self.lora.modules()[self.module]
    }
}

/// A weight of the base and products that are added to it.
struct Sum {
    key: String,
    original: HostTensor,
    products: Vec<Product>,
}

impl Blocks for Sum {
    fn read(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) -> fourstep_compute::Result<()> {
        self.original.read(rows.clone(), columns.clone(), out)?;
        self.products.iter().for_each(|product| product.add(rows.clone(), columns.clone(), out));
        if only_numbers(out) { Ok(()) } else { Err(ComputeError::NotFinite(self.key.clone())) }
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
    fn versions_tell_what_changed() {
        let (first, second) = (lora("lora_unet_a_b", 2), lora("lora_unet_a_b", 2));
        let version = |loras: &[(&Arc<Lora>, f32)], key: &str| {
            let loras = loras.iter().map(|(lora, weight)| (Arc::clone(lora), *weight)).collect();
            Merged::new(base(), loras, Part::UNet).expect("fits").version(key).expect("known")
        };
        let key = "a.b.weight";
        let one = version(&[(&first, 1.0)], key);
        assert_eq!(one, version(&[(&first, 1.0)], key));
        for other in [vec![], vec![(&first, 0.5)], vec![(&second, 1.0)], vec![(&first, 1.0), (&second, 1.0)]] {
            assert_ne!(version(&other, key), one);
        }
        for untouched in [version(&[(&first, 1.0)], "conv.weight"), version(&[(&first, 0.0)], key)] {
            assert_eq!(untouched, 0);
        }
    }

    #[test]
    fn a_sum_that_is_no_number_is_refused_when_it_is_read() {
        let merged = Merged::new(base(), vec![(lora("lora_unet_a_b", 2), f32::MAX)], Part::UNet).expect("fits");
        let e = merged.tensor("a.b.weight").expect("not read yet").read(0..2, 0..3, &mut [0.0; 6]);
        assert!(matches!(e, Err(ComputeError::NotFinite(key)) if key == "a.b.weight"));
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
