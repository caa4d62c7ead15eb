use super::{
    Call, Gpu, GroupNorm, LayerNorm,
    bindings::Binding,
    elementwise::{flat_groups, number},
    kernel::Kernel,
    memory::Borrowed,
    parameters,
    parts::equal,
    product::MOST_GROUPS,
    stream::Cost,
    tensor::Tensor,
};
use crate::{Activation, Result};
use std::ops::Range;

/// Quads of channels that a workgroup of `group_norm_statistics.wgsl` looks at.
const STATISTICS_QUADS: usize = 8;

impl Gpu {
    /// Statistics of chunks of positions, factors of each group, and then the values.
    pub(super) fn normalise_groups(
        &self,
        x: &Tensor,
        w: &GroupNorm,
        activation: Option<Activation>,
        y: &Tensor,
    ) -> Result<()> {
        let [samples, positions, channels] = x.shape().sizes();
        // Enough chunks for every device to be busy, and few enough to be put together quickly.
        let chunk = positions.div_ceil(256).max(256);
        let chunks = positions.div_ceil(chunk);
        let p = parameters::GroupNorm {
            positions: positions as u32,
            chunk: chunk as u32,
            chunks: chunks as u32,
            channels: channels as u32,
            quads: x.quads() as u32,
            groups: w.groups as u32,
            epsilon: w.eps.to_bits(),
            activation: number(activation),
            ..parameters::GroupNorm::default()
        };
        let of_sample = (x.quads() * 2 * 16) as u64;
        let statistics = self.borrow((samples * chunks) as u64 * of_sample)?;
        self.statistics(x, p, samples * chunks, &statistics)?;

        let factors = self.borrow(samples as u64 * of_sample)?;
        let values = (samples * chunks * channels) as u64;
        let cost = Cost { flops: 8 * values, read_bytes: 8 * values, written_bytes: samples as u64 * of_sample };
        let bindings = [statistics.buffer(), &w.factors.buffer, factors.buffer()].map(Binding::whole);
        let groups = [w.groups as u32, samples as u32, 1];
        let kernel = Kernel::GroupNormFactors;
        self.dispatch(Call { kernel, bindings: &bindings, texture: None, parameters: p.words(), groups, cost })?;
        self.apply_factors(x, p, &factors, y)
    }

    fn statistics(&self, x: &Tensor, p: parameters::GroupNorm, chunks: usize, statistics: &Borrowed) -> Result<()> {
        let (positions, per_sample) = (p.positions as usize, p.chunks as usize);
        let begin =
            |chunk: usize| chunk / per_sample * positions + (chunk % per_sample * p.chunk as usize).min(positions);
        let rows_of = |chunks: &Range<usize>| begin(chunks.start)..begin(chunks.end);
        for part in self.parts("group_norm", chunks, |chunks| self.sees(x, rows_of(&chunks).len()))? {
            let rows = rows_of(&part);
            let seen = self.part(x, rows.clone());
            let bytes = x.bytes_of(rows);
            let cost = Cost { flops: bytes, read_bytes: bytes, written_bytes: 0 };
            let cuts = self.shared.stream.cuts(cost).max(part.len().div_ceil(MOST_GROUPS));
            for now in equal(part.len(), cuts) {
                let first_chunk = (part.start + now.start) as u32;
                let parameters = parameters::GroupNorm { first_chunk, x_start: seen.start, ..p }.words();
                self.dispatch(Call {
                    kernel: Kernel::GroupNormStatistics,
                    bindings: &[seen.binding, Binding::whole(statistics.buffer())],
                    texture: None,
                    parameters,
                    groups: [x.quads().div_ceil(STATISTICS_QUADS) as u32, now.len() as u32, 1],
                    cost: cost.share(now.len(), part.len()),
                })?;
            }
        }
        Ok(())
    }

    fn apply_factors(&self, x: &Tensor, p: parameters::GroupNorm, factors: &Borrowed, y: &Tensor) -> Result<()> {
        for rows in self.parts("group_norm", x.rows(), |rows| self.sees(x, rows.len()) && self.sees(y, rows.len()))? {
            let [seen, written] = [x, y].map(|t| self.part(t, rows.clone()));
            let bytes = x.bytes_of(rows.clone());
            let cost = Cost { flops: bytes * 4, read_bytes: bytes, written_bytes: bytes };
            let quads = rows.len() * x.quads();
            for now in equal(quads, self.shared.stream.cuts(cost)) {
                let p = parameters::GroupNorm {
                    first: (rows.start * x.quads() + now.start) as u32,
                    count: now.len() as u32,
                    x_start: seen.start,
                    y_start: written.start,
                    ..p
                };
                self.dispatch(Call {
                    kernel: Kernel::GroupNorm,
                    bindings: &[seen.binding, Binding::whole(factors.buffer()), written.binding],
                    texture: None,
                    parameters: p.words(),
                    groups: flat_groups(now.len()),
                    cost: cost.share(now.len(), quads),
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn normalise_rows(&self, x: &Tensor, w: &LayerNorm, y: &Tensor) -> Result<()> {
        for rows in self.parts("layer_norm", x.rows(), |rows| self.sees(x, rows.len()) && self.sees(y, rows.len()))? {
            let [seen, written] = [x, y].map(|t| self.part(t, rows.clone()));
            let bytes = x.bytes_of(rows.clone());
            let cost = Cost { flops: bytes * 2, read_bytes: bytes, written_bytes: bytes };
            let cuts = self.shared.stream.cuts(cost).max(rows.len().div_ceil(MOST_GROUPS));
            for now in equal(rows.len(), cuts) {
                let p = parameters::LayerNorm {
                    first_row: (rows.start + now.start) as u32,
                    channels: w.channels as u32,
                    quads: x.quads() as u32,
                    epsilon: w.eps.to_bits(),
                    x_start: seen.start,
                    y_start: written.start,
                };
                self.dispatch(Call {
                    kernel: Kernel::LayerNorm,
                    bindings: &[seen.binding, Binding::whole(&w.factors.buffer), written.binding],
                    texture: None,
                    parameters: p.words(),
                    groups: [now.len() as u32, 1, 1],
                    cost: cost.share(now.len(), rows.len()),
                })?;
            }
        }
        Ok(())
    }
}
