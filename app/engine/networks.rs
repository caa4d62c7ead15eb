//! The networks of a model with LoRAs merged into them.

use crate::{
    base::Base,
    fault::Result,
    loading::{Loading, Watched},
    loras::AppliedLora,
};
use fourstep_compute::Backend;
use fourstep_nets::{ClipTextEncoder, Packs, UNet};
use fourstep_protocol::LoraReport;
use fourstep_weights::{KeyedSource, MergeReport, Merged, Part, lora_report};
use std::sync::Arc;

/// The networks that LoRAs change, on the device.
pub(crate) struct Networks<B: Backend> {
    unet: Merge<UNet<B>>,
    text_encoders: Vec<Merge<ClipTextEncoder<B>>>,
}

/// A network, and the LoRAs that changed it.
struct Merge<N> {
    network: Arc<N>,
    loras: Vec<AppliedLora>,
}

/// What the networks of a model are packed into. It outlives them: with other LoRAs, what does not change is taken from
/// here and the rest is packed into the same memory; and a load that is cut off goes on where it ended.
#[derive(Default)]
pub(crate) struct PackedParts {
    unet: PackedPart,
    text_encoders: Vec<PackedPart>,
}

#[derive(Default)]
struct PackedPart {
    packs: Packs,
    /// How much of the network is there; of one that was cut off, at least so much.
    numbers: u64,
}

/// Networks that are yet to be packed: files and LoRAs were looked at and fit each other.
pub(crate) struct Plan<B: Backend> {
    unet: Planned<UNet<B>>,
    text_encoders: Vec<Planned<ClipTextEncoder<B>>>,
    pub(crate) reports: Vec<LoraReport>,
}

struct Planned<N> {
    source: Merged,
    loras: Vec<AppliedLora>,
    /// The same network with the same LoRAs, where there is one.
    found: Option<Arc<N>>,
}

impl<B: Backend> Plan<B> {
    /// Finds out which weights the LoRAs change, and what of it `others` have already.
    pub(crate) fn new(base: &Base, loras: &[AppliedLora], others: &[&Networks<B>]) -> Result<Self> {
        for lora in loras {
            lora.file.check_family(base.info.family)?;
        }
        let mut reports: Vec<Vec<MergeReport>> = vec![Vec::new(); loras.len()];
        let mut merge = |weights: &Arc<dyn KeyedSource>, part: Part| -> Result<_> {
            let stack = loras.iter().map(|lora| (lora.file.clone(), lora.weight)).collect();
            let source = Merged::new(weights.clone(), stack, part)?;
            reports.iter_mut().zip(source.reports()).for_each(|(all, report)| all.push(report.clone()));
            let changing = loras.iter().zip(source.reports()).filter(|(_, report)| report.matched > 0);
            let loras = changing.map(|(lora, _)| lora.clone()).collect::<Vec<_>>();
            Ok((source, loras))
        };
        let mut text_encoders = Vec::new();
        for (i, text) in base.text_encoders.iter().enumerate() {
            let merge = merge(&text.weights, text.part)?;
            text_encoders.push(Planned::new(merge, others.iter().map(|networks| &networks.text_encoders[i])));
        }
        let unet = Planned::new(merge(&base.unet.weights, Part::UNet)?, others.iter().map(|networks| &networks.unet));
        let reports = loras.iter().zip(&reports);
        let reports = reports.map(|(lora, reports)| lora_report(&lora.source, &lora.file, reports)).collect();
        Ok(Self { unet, text_encoders, reports })
    }

    /// Numbers that may have to be read and packed.
    pub(crate) fn numbers(&self) -> u64 {
        self.text_encoders.iter().map(Planned::numbers).sum::<u64>() + self.unet.numbers()
    }

    /// Numbers for which `packed` has no memory yet.
    pub(crate) fn new_numbers(&self, packed: &PackedParts) -> u64 {
        let texts = self.text_encoders.iter().enumerate();
        let texts =
            texts.map(|(i, text)| text.numbers().saturating_sub(packed.text_encoders.get(i).map_or(0, |p| p.numbers)));
        texts.sum::<u64>() + self.unet.numbers().saturating_sub(packed.unet.numbers)
    }

    /// Packs what is not there yet. The networks that were packed into `packed` before should be gone.
    pub(crate) fn build(
        self,
        b: &B,
        base: &Base,
        packed: &mut PackedParts,
        loading: &Loading<'_>,
    ) -> Result<Networks<B>> {
        packed.text_encoders.resize_with(base.text_encoders.len(), PackedPart::default);
        let mut text_encoders = Vec::new();
        for ((text, planned), packed) in
            base.text_encoders.iter().zip(self.text_encoders).zip(&mut packed.text_encoders)
        {
            text_encoders.push(
                planned.build(packed, loading, |source, packs| {
                    ClipTextEncoder::load_with(b, source, &text.config, packs)
                })?,
            );
        }
        let unet = self
            .unet
            .build(&mut packed.unet, loading, |source, packs| UNet::load_with(b, source, &base.unet_config, packs))?;
        Ok(Networks { unet, text_encoders })
    }
}

impl<N> Planned<N> {
    fn new<'a>((source, loras): (Merged, Vec<AppliedLora>), mut others: impl Iterator<Item = &'a Merge<N>>) -> Self
    where
        N: 'a,
    {
        let found = others.find(|merge| merge.loras == loras).map(|merge| merge.network.clone());
        Self { source, loras, found }
    }

    fn numbers(&self) -> u64 {
        if self.found.is_some() { 0 } else { self.source.elements() }
    }

    fn build(
        self,
        packed: &mut PackedPart,
        loading: &Loading<'_>,
        load: impl FnOnce(&Watched<'_>, &mut Packs) -> fourstep_compute::Result<N>,
    ) -> Result<Merge<N>> {
        let Self { source, loras, found } = self;
        if let Some(network) = found {
            // It is held by the networks it was found in: what is here is of no more use.
            *packed = PackedPart::default();
            return Ok(Merge { network, loras });
        }
        let watched = Watched::new(&source, loading);
        let loaded = load(&watched, &mut packed.packs);
        packed.numbers = if loaded.is_ok() { source.elements() } else { packed.numbers.max(watched.read()) };
        Ok(Merge { network: Arc::new(loaded?), loras })
    }
}

impl<B: Backend> Networks<B> {
    pub(crate) fn unet(&self) -> &UNet<B> {
        &self.unet.network
    }

    /// In the order of the base's.
    pub(crate) fn text_encoders(&self) -> impl Iterator<Item = &ClipTextEncoder<B>> {
        self.text_encoders.iter().map(|merge| &*merge.network)
    }
}

impl PackedParts {
    /// Numbers in them.
    pub(crate) fn numbers(&self) -> u64 {
        self.text_encoders.iter().map(|part| part.numbers).sum::<u64>() + self.unet.numbers
    }
}
