//! The networks of a model with LoRAs merged into them.

use crate::{
    base::Base,
    fault::Result,
    loading::{Loading, Watched},
    loras::AppliedLora,
};
use fourstep_compute::Backend;
use fourstep_nets::{ClipTextEncoder, UNet};
use fourstep_protocol::LoraReport;
use fourstep_weights::{KeyedSource, MergeReport, Merged, Part};
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
    /// Finds out which weights the LoRAs change, and what of it `kept` has already.
    pub(crate) fn new(base: &Base, loras: &[AppliedLora], kept: &[&Networks<B>]) -> Result<Self> {
        let mut reports: Vec<LoraReport> = loras.iter().map(empty_report).collect();
        let mut merge = |weights: &Arc<dyn KeyedSource>, part: Part| -> Result<_> {
            let stack = loras.iter().map(|lora| (lora.file.clone(), lora.weight)).collect();
            let source = Merged::new(weights.clone(), stack, part)?;
            reports.iter_mut().zip(source.reports()).for_each(|(sum, report)| add(sum, report));
            let changing = loras.iter().zip(source.reports()).filter(|(_, report)| report.matched > 0);
            let loras = changing.map(|(lora, _)| lora.clone()).collect::<Vec<_>>();
            Ok((source, loras))
        };
        let mut text_encoders = Vec::new();
        for (i, text) in base.text_encoders.iter().enumerate() {
            let merge = merge(&text.weights, text.part)?;
            text_encoders.push(Planned::new(merge, kept.iter().map(|networks| &networks.text_encoders[i])));
        }
        let unet = Planned::new(merge(&base.unet, Part::UNet)?, kept.iter().map(|networks| &networks.unet));
        Ok(Self { unet, text_encoders, reports })
    }

    /// Numbers that are yet to be read and packed.
    pub(crate) fn numbers(&self) -> u64 {
        self.text_encoders.iter().map(Planned::missing).sum::<u64>() + self.unet.missing()
    }

    /// Packs what is not there yet.
    pub(crate) fn build(self, b: &B, base: &Base, loading: &Loading<'_>) -> Result<Networks<B>> {
        let mut text_encoders = Vec::new();
        for (text, planned) in base.text_encoders.iter().zip(self.text_encoders) {
            let load = |source: &Merged| ClipTextEncoder::load(b, &Watched(source, loading), &text.config);
            text_encoders.push(planned.build(load)?);
        }
        let load = |source: &Merged| UNet::load(b, &Watched(source, loading), &base.unet_config);
        Ok(Networks { unet: self.unet.build(load)?, text_encoders })
    }
}

impl<N> Planned<N> {
    fn new<'a>((source, loras): (Merged, Vec<AppliedLora>), mut kept: impl Iterator<Item = &'a Merge<N>>) -> Self
    where
        N: 'a,
    {
        let found = kept.find(|merge| merge.loras == loras).map(|merge| merge.network.clone());
        Self { source, loras, found }
    }

    fn missing(&self) -> u64 {
        if self.found.is_some() { 0 } else { self.source.elements() }
    }

    fn build(self, load: impl FnOnce(&Merged) -> fourstep_compute::Result<N>) -> Result<Merge<N>> {
        let Self { source, loras, found } = self;
        let network = match found {
            Some(network) => network,
            None => Arc::new(load(&source)?),
        };
        Ok(Merge { network, loras, numbers: source.elements() })
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

    /// Numbers that would be given up with these networks: what is shared with others stays.
    pub(crate) fn own_numbers(&self) -> u64 {
        self.text_encoders.iter().map(Merge::own_numbers).sum::<u64>() + self.unet.own_numbers()
    }
}

impl<N> Merge<N> {
    fn own_numbers(&self) -> u64 {
        if Arc::strong_count(&self.network) > 1 { 0 } else { self.numbers }
    }
}

fn empty_report(lora: &AppliedLora) -> LoraReport {
    LoraReport { source: lora.source.clone(), matched: 0, total: 0, ignored: Vec::new() }
}

/// Sums over the parts of a model. Keys of a kind that is not read are named by each part.
fn add(sum: &mut LoraReport, part: &MergeReport) {
    sum.matched += part.matched;
    sum.total += part.total;
    for ignored in &part.ignored {
        if !sum.ignored.contains(ignored) {
            sum.ignored.push(ignored.clone());
        }
    }
}
