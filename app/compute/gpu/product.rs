use super::{
    Call, Gpu,
    bindings::Binding,
    kernel::Kernel,
    memory::Borrowed,
    pack::{PANEL, SLICE},
    parameters,
    parts::equal,
    stream::Cost,
    tensor::Tensor,
    tiles::Tile,
    weights::Layer,
};
use crate::{
    Activation, Result,
    shapes::{Convolution, Kernels},
};
use std::ops::Range;

/// The most workgroups in one direction that every device takes, as a power of two.
pub(super) const MOST_GROUPS: usize = 1 << 15;

/// A product of rows of `x`, or of patches of it, with a layer's weights.
pub(super) struct Product<'a> {
    pub(super) operation: &'static str,
    pub(super) x: &'a Tensor,
    pub(super) layer: &'a Layer,
    pub(super) y: &'a Tensor,
    /// Where rows are patches.
    pub(super) patches: Option<Patches<'a>>,
    pub(super) vectors: Option<Vectors<'a>>,
    pub(super) residual: Option<&'a Tensor>,
    pub(super) activation: Option<Activation>,
}

/// A convolution's geometry.
pub(super) struct Patches<'a> {
    pub(super) shape: Convolution,
    pub(super) kernels: &'a Kernels,
}

/// Vectors that are added, each to so many rows.
pub(super) struct Vectors<'a> {
    pub(super) values: &'a Tensor,
    pub(super) rows: usize,
}

/// Rows and panels that a kernel sees at once.
struct Seen {
    rows: Range<usize>,
    panels: Range<usize>,
}

impl Gpu {
    pub(super) fn product(&self, product: &Product<'_>) -> Result<()> {
        let (rows, layout) = (product.y.rows(), product.layer.layout);
        let parts = self.parts(product.operation, product.units(), |units| self.sees_all(product, &units))?;
        let quads = if layout.gated { 2 * product.y.quads() } else { product.y.quads() };
        let (tile, splits) = self.shared.tiles.choose(rows, quads, layout.depth() / SLICE);
        let panels = self.panel_parts(product, tile)?;
        let whole = parts.len() == 1 && panels.len() == 1 && !layout.gated;
        let sums = if whole && splits > 1 { self.sums(product, splits)? } else { None };
        for units in &parts {
            let rows = units.start * product.unit()..units.end * product.unit();
            for panels in &panels {
                let seen = Seen { rows: rows.clone(), panels: panels.clone() };
                match &sums {
                    Some(sums) => self.product_in_splits(product, &seen, tile, (sums, splits))?,
                    None => self.product_seen(product, &seen, tile)?,
                }
            }
        }
        Ok(())
    }

    /// Whether everything that these units need can be seen at once.
    fn sees_all(&self, product: &Product<'_>, units: &Range<usize>) -> bool {
        let rows = units.len() * product.unit();
        let residual = product.residual.is_none_or(|residual| self.sees(residual, rows));
        residual && self.sees(product.y, rows) && self.sees(product.x, product.x_rows(units).len())
    }

    fn panel_parts(&self, product: &Product<'_>, tile: Tile) -> Result<Vec<Range<usize>>> {
        let (layout, bytes) = (product.layer.layout, product.layer.layout.panel_bytes(self.width));
        let of_tile = tile.quads as usize * 4 / PANEL;
        let fits = |tiles: Range<usize>| {
            layout.bytes(self.width) <= self.shared.largest_binding
                || (tiles.len() * of_tile) as u64 * bytes + self.shared.alignment <= self.shared.largest_binding
        };
        let parts = self.parts(product.operation, layout.panels().div_ceil(of_tile), fits)?;
        Ok(parts.into_iter().map(|p| p.start * of_tile..(p.end * of_tile).min(layout.panels())).collect())
    }

    /// Memory for the sums of each split, where that can be seen at once.
    fn sums(&self, product: &Product<'_>, splits: usize) -> Result<Option<Borrowed>> {
        let bytes = (splits * product.y.rows() * product.y.quads() * 16) as u64;
        if bytes > self.shared.largest_binding { Ok(None) } else { self.borrow(bytes).map(Some) }
    }

    /// In as many dispatches as keep each of them short.
    fn product_seen(&self, product: &Product<'_>, seen: &Seen, tile: Tile) -> Result<()> {
        let (cost, tile_rows) = (product.cost(self, seen), tile.rows as usize);
        let row_tiles = seen.rows.len().div_ceil(tile_rows);
        let column_tiles = seen.panels.len().div_ceil(tile.quads as usize * 4 / PANEL);
        let cuts = self.shared.stream.cuts(cost).max(row_tiles.div_ceil(MOST_GROUPS));
        for row_tiles_now in equal(row_tiles, cuts) {
            for columns in equal(column_tiles, cuts.div_ceil(row_tiles)) {
                let mut p = product.parameters(self, seen);
                p.first_row = (seen.rows.start + row_tiles_now.start * tile_rows) as u32;
                p.rows = (seen.rows.start + row_tiles_now.end * tile_rows).min(seen.rows.end) as u32;
                p.first_panel = (columns.start * tile.quads as usize * 4 / PANEL) as u32;
                let tiles = row_tiles_now.len() * columns.len();
                let groups = [columns.len() as u32, row_tiles_now.len() as u32, 1];
                let cost = cost.share(tiles, row_tiles * column_tiles);
                self.product_call(product, seen, product.kernel(tile, false), (p, groups, cost), None)?;
            }
        }
        Ok(())
    }

    /// The inner dimension in splits that are computed side by side, and the sums of those.
    fn product_in_splits(
        &self,
        product: &Product<'_>,
        seen: &Seen,
        tile: Tile,
        (sums, splits): (&Borrowed, usize),
    ) -> Result<()> {
        let (cost, tile_rows) = (product.cost(self, seen), tile.rows as usize);
        let row_tiles = seen.rows.len().div_ceil(tile_rows);
        let columns = seen.panels.len().div_ceil(tile.quads as usize * 4 / PANEL) as u32;
        for now in equal(row_tiles, self.shared.stream.cuts(cost)) {
            let mut p = product.parameters(self, seen);
            p.first_row = (seen.rows.start + now.start * tile_rows) as u32;
            p.rows = (seen.rows.start + now.end * tile_rows).min(seen.rows.end) as u32;
            p.slices_per_split = p.slices.div_ceil(splits as u32);
            p.splits = p.slices.div_ceil(p.slices_per_split);
            let values = u64::from(p.rows - p.first_row) * u64::from(p.quads);
            let moved = values * u64::from(p.splits) * 16;
            let share = cost.share(now.len(), row_tiles);
            let computed = Cost { written_bytes: moved, ..share };
            let groups = [columns, now.len() as u32, p.splits];
            self.product_call(product, seen, product.kernel(tile, true), (p, groups, computed), Some(sums))?;
            let flops = values * u64::from(p.splits) * 4;
            let summed = Cost { flops, read_bytes: moved, written_bytes: share.written_bytes };
            let groups = super::elementwise::flat_groups(values as usize);
            self.product_call(product, seen, Kernel::SumSplits, (p, groups, summed), Some(sums))?;
        }
        Ok(())
    }

    fn product_call(
        &self,
        product: &Product<'_>,
        seen: &Seen,
        kernel: Kernel,
        (p, groups, cost): (parameters::Product, [u32; 3], Cost),
        sums: Option<&Borrowed>,
    ) -> Result<()> {
        let units = seen.rows.start / product.unit()..seen.rows.end.div_ceil(product.unit());
        let nothing = Binding::whole(&self.shared.nothing);
        let x = self.part(product.x, product.x_rows(&units)).binding;
        let weights = &product.layer.weights.buffer;
        let w = if seen.panels.len() == product.layer.layout.panels() {
            Binding::whole(weights)
        } else {
            let bytes = product.layer.layout.panel_bytes(self.width);
            let size = seen.panels.len() as u64 * bytes;
            Binding { buffer: weights, offset: seen.panels.start as u64 * bytes, size }
        };
        let bias = Binding::whole(&product.layer.bias.buffer);
        let vectors = product.vectors.as_ref().map_or(nothing, |v| self.part(v.values, 0..v.values.rows()).binding);
        let residual = product.residual.map_or(nothing, |r| self.part(r, seen.rows.clone()).binding);
        let y = self.part(product.y, seen.rows.clone()).binding;
        let sums = sums.map(|sums| Binding::whole(sums.buffer()));
        let bindings = match (kernel, sums) {
            (Kernel::SumSplits, Some(sums)) => [sums, nothing, bias, vectors, residual, y],
            (_, Some(sums)) => [x, w, nothing, nothing, nothing, sums],
            (_, None) => [x, w, bias, vectors, residual, y],
        };
        self.dispatch(Call { kernel, bindings: &bindings, texture: None, parameters: p.words(), groups, cost })
    }
}

impl Product<'_> {
    /// What rows are counted in where they are seen in parts: lines of a picture, whose patches reach into others.
    fn unit(&self) -> usize {
        self.patches.as_ref().map_or(1, |patches| patches.shape.output.w)
    }

    fn units(&self) -> usize {
        self.y.rows() / self.unit()
    }

    /// The rows of `x` that these units are computed from.
    fn x_rows(&self, units: &Range<usize>) -> Range<usize> {
        let Some(Patches { shape, kernels }) = &self.patches else { return units.clone() };
        let (input, [height, _]) = (shape.input, shape.resized);
        let source = |line: usize| line.min(height - 1) * input.h / height;
        let line = |unit: usize, tap: usize| {
            let (sample, at) = (unit / shape.output.h, unit % shape.output.h);
            sample * input.h + source((at * kernels.spec.stride + tap).saturating_sub(kernels.padding()[0]))
        };
        let last = units.end.max(units.start + 1) - 1;
        line(units.start, 0) * input.w..(line(last, kernels.size[0] - 1) + 1) * input.w
    }

    fn kernel(&self, tile: Tile, split: bool) -> Kernel {
        match &self.patches {
            Some(Patches { shape, .. }) => {
                let resized = shape.resized != [shape.input.h, shape.input.w];
                Kernel::Conv2d { tile, split, resized }
            }
            None if self.layer.layout.gated => Kernel::Geglu { tile },
            None => Kernel::Linear { tile, split },
        }
    }

    fn parameters(&self, gpu: &Gpu, seen: &Seen) -> parameters::Product {
        const HAS_VECTORS: u32 = 1;
        const HAS_RESIDUAL: u32 = 2;
        let units = seen.rows.start / self.unit()..seen.rows.end.div_ceil(self.unit());
        let slices = (self.layer.layout.depth() / SLICE) as u32;
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let mut p = parameters::Product {
            inner: self.x.quads() as u32,
            slices,
            slices_per_split: slices,
            panels: seen.panels.len() as u32,
            first_quad: (seen.panels.start * PANEL / 4) as u32,
            quads: self.y.quads() as u32,
            x_start: gpu.part(self.x, self.x_rows(&units)).start,
            y_start: gpu.part(self.y, seen.rows.clone()).start,
            residual_start: self.residual.map_or(0, |r| gpu.part(r, seen.rows.clone()).start),
            flags: flag(self.vectors.is_some(), HAS_VECTORS) | flag(self.residual.is_some(), HAS_RESIDUAL),
            rows_per_vector: self.vectors.as_ref().map_or(1, |v| v.rows as u32),
            activation: super::elementwise::number(self.activation),
            ..parameters::Product::default()
        };
        if let Some(Patches { shape, kernels }) = &self.patches {
            (p.height, p.width) = (shape.input.h as u32, shape.input.w as u32);
            [p.resized_height, p.resized_width] = shape.resized.map(|side| side as u32);
            (p.out_height, p.out_width) = (shape.output.h as u32, shape.output.w as u32);
            (p.kernel_width, p.taps) = (kernels.size[1] as u32, (kernels.size[0] * kernels.size[1]) as u32);
            (p.stride, p.padding) = (kernels.spec.stride as u32, kernels.padding()[0] as u32);
        }
        p
    }

    /// What the rows and panels of a part take.
    fn cost(&self, gpu: &Gpu, seen: &Seen) -> Cost {
        let layout = self.layer.layout;
        let rows = seen.rows.len();
        let units = seen.rows.start / self.unit()..seen.rows.end.div_ceil(self.unit());
        let columns = layout.outputs * seen.panels.len() / layout.panels();
        let weights = seen.panels.len() as u64 * layout.panel_bytes(gpu.width);
        let residual = self.residual.map_or(0, |r| r.bytes_of(0..rows));
        Cost {
            flops: 2 * (rows * columns * layout.inputs * layout.taps) as u64,
            read_bytes: self.x.bytes_of(self.x_rows(&units)) + weights + residual,
            written_bytes: self.y.bytes_of(0..rows),
        }
    }
}
