use super::{
    Call, Gpu,
    kernel::Kernel,
    parameters,
    parts::{Part, equal},
    product::MOST_GROUPS,
    stream::Cost,
    tensor::Tensor,
};
use crate::{Activation, Result, shapes::Picture};
use std::ops::Range;

/// Invocations of a workgroup, as `flat.wgsl` has it.
const FLAT: usize = 64;

/// Workgroups for so many invocations.
pub(super) fn flat_groups(count: usize) -> [u32; 3] {
    let groups = count.div_ceil(FLAT).max(1);
    [groups.min(MOST_GROUPS) as u32, groups.div_ceil(MOST_GROUPS) as u32, 1]
}

/// As `activation.wgsl` counts them.
pub(super) fn number(activation: Option<Activation>) -> u32 {
    match activation {
        None => 0,
        Some(Activation::Silu) => 1,
        Some(Activation::Gelu) => 2,
        Some(Activation::QuickGelu) => 3,
        Some(Activation::Relu) => 4,
        Some(Activation::SoftClamp3) => 5,
    }
}

impl Gpu {
    pub(super) fn activated(&self, x: &Tensor, activation: Activation, y: &Tensor) -> Result<()> {
        self.by_rows(Kernel::Activate, &[x, y], 4, |rows, [x_part, y_part], now| {
            parameters::Elementwise {
                first: (rows.start * x.quads() + now.start) as u32,
                count: now.len() as u32,
                x_start: x_part.start,
                y_start: y_part.start,
                activation: number(Some(activation)),
                ..parameters::Elementwise::default()
            }
            .words()
        })
    }

    pub(super) fn summed(&self, x: &Tensor, second: &Tensor, y: &Tensor) -> Result<()> {
        self.by_rows(Kernel::Add, &[x, second, y], 1, |rows, [x_part, second_part, y_part], now| {
            parameters::Elementwise {
                first: (rows.start * x.quads() + now.start) as u32,
                count: now.len() as u32,
                x_start: x_part.start,
                second_start: second_part.start,
                y_start: y_part.start,
                activation: 0,
            }
            .words()
        })
    }

    /// Values one by one, of tensors of one shape; the last is written. `parameters` are those of some quads of some rows.
    fn by_rows<const N: usize>(
        &self,
        kernel: Kernel,
        tensors: &[&Tensor; N],
        flops: u64,
        parameters: impl Fn(&Range<usize>, &[Part<'_>; N], Range<usize>) -> Vec<u32>,
    ) -> Result<()> {
        let [x, ..] = tensors.as_slice() else { return Ok(()) };
        let fits = |rows: Range<usize>| tensors.iter().all(|t| self.sees(t, rows.len()));
        for rows in self.parts(kernel.name(), x.rows(), fits)? {
            let parts = tensors.map(|t| self.part(t, rows.clone()));
            let bindings = parts.map(|part| part.binding);
            let bytes = x.bytes_of(rows.clone());
            let cost = Cost { flops: flops * bytes, read_bytes: bytes * (N as u64 - 1), written_bytes: bytes };
            let quads = rows.len() * x.quads();
            for now in equal(quads, self.shared.stream.cuts(cost)) {
                let (groups, cost) = (flat_groups(now.len()), cost.share(now.len(), quads));
                let parameters = parameters(&rows, &parts, now);
                self.dispatch(Call { kernel, bindings: &bindings, texture: None, parameters, groups, cost })?;
            }
        }
        Ok(())
    }

    pub(super) fn concatenated(&self, x: &Tensor, second: &Tensor, y: &Tensor) -> Result<()> {
        let fits = |rows: Range<usize>| [x, second, y].iter().all(|t| self.sees(t, rows.len()));
        for rows in self.parts("concat_channels", x.rows(), fits)? {
            let parts = [x, second, y].map(|t| self.part(t, rows.clone()));
            let bytes = y.bytes_of(rows.clone());
            let cost = Cost { flops: 0, read_bytes: bytes, written_bytes: bytes };
            for now in equal(rows.len(), self.shared.stream.cuts(cost)) {
                let p = parameters::ConcatChannels {
                    first_row: (rows.start + now.start) as u32,
                    rows: (rows.start + now.end) as u32,
                    x_channels: x.shape().sizes()[2] as u32,
                    x_quads: x.quads() as u32,
                    second_quads: second.quads() as u32,
                    quads: y.quads() as u32,
                    x_start: parts[0].start,
                    second_start: parts[1].start,
                    y_start: parts[2].start,
                };
                self.dispatch(Call {
                    kernel: Kernel::ConcatChannels,
                    bindings: &parts.map(|part| part.binding),
                    texture: None,
                    parameters: p.words(),
                    groups: flat_groups(now.len() * y.quads()),
                    cost: cost.share(now.len(), rows.len()),
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn upsampled(&self, [x, y]: [&Tensor; 2], [from, to]: [Picture; 2]) -> Result<()> {
        // Lines of x that lines of y are copies of.
        let source = |line: usize| line / to.h * from.h + line % to.h * from.h / to.h;
        let x_rows = |lines: &Range<usize>| source(lines.start) * from.w..(source(lines.end - 1) + 1) * from.w;
        let fits = |lines: Range<usize>| self.sees(y, lines.len() * to.w) && self.sees(x, x_rows(&lines).len());
        for lines in self.parts("upsample_nearest", to.n * to.h, fits)? {
            let (seen, written) = (self.part(x, x_rows(&lines)), self.part(y, lines.start * to.w..lines.end * to.w));
            let written_bytes = y.bytes_of(0..lines.len() * to.w);
            let cost = Cost { flops: 0, read_bytes: x.bytes_of(x_rows(&lines)), written_bytes };
            for now in equal(lines.len(), self.shared.stream.cuts(cost)) {
                let p = parameters::UpsampleNearest {
                    first_line: (lines.start + now.start) as u32,
                    lines: (lines.start + now.end) as u32,
                    height: from.h as u32,
                    width: from.w as u32,
                    out_height: to.h as u32,
                    out_width: to.w as u32,
                    quads: x.quads() as u32,
                    x_start: seen.start,
                    y_start: written.start,
                };
                self.dispatch(Call {
                    kernel: Kernel::UpsampleNearest,
                    bindings: &[seen.binding, written.binding],
                    texture: None,
                    parameters: p.words(),
                    groups: flat_groups(now.len() * to.w * x.quads()),
                    cost: cost.share(now.len(), lines.len()),
                })?;
            }
        }
        Ok(())
    }

    /// One token of each sample: `tokens` are their rows.
    pub(super) fn selected(&self, x: &Tensor, tokens: impl Iterator<Item = usize>, y: &Tensor) -> Result<()> {
        for (sample, row) in tokens.enumerate() {
            let [seen, written] = [self.part(x, row..row + 1), self.part(y, sample..sample + 1)];
            let bytes = x.bytes_of(row..row + 1);
            let p = parameters::Elementwise {
                first: (row * x.quads()) as u32,
                count: x.quads() as u32,
                x_start: seen.start,
                second_start: (sample * x.quads()) as u32,
                y_start: written.start,
                activation: 0,
            };
            self.dispatch(Call {
                kernel: Kernel::SelectToken,
                bindings: &[seen.binding, written.binding],
                texture: None,
                parameters: p.words(),
                groups: flat_groups(x.quads()),
                cost: Cost { flops: 0, read_bytes: bytes, written_bytes: bytes },
            })?;
        }
        Ok(())
    }
}
