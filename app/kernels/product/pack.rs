use super::{leaf::columns, winograd};
use crate::{Buffer, Cancelled, Context, Disjoint, Isa, values::Number};
use half::bf16;
use pulp::bytemuck;
use std::ops::Range;

/// Groups of a panel written for all columns before the next ones: they should stay in the first cache.
const STRIP: usize = 64;

/// How wide packed weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 4 bytes.
    F32,
    /// 2 bytes; rows are rounded to bf16 too where the processor multiplies them.
    Bf16,
    /// 1 byte and a scale per output; rows are quantised too where the processor multiplies bytes.
    Int8,
}

impl Precision {
    /// Values of a column that lie together, in 4 bytes.
    pub(super) fn group(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => 2,
            Self::Int8 => 4,
        }
    }
}

/// In which order weights are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A matrix `[n, k]`.
    Plain,
    /// A matrix `[n, k]` whose first n / 2 rows are multiplied by what GELU makes of the others.
    Gated,
    /// Kernels `[n, c, taps]`, k = c · taps.
    Kernel {
        /// Places of the kernel.
        taps: usize,
    },
    /// Kernels `[n, c, 9]`, k = 9 c, of stride 1, multiplied at the 16 places of a transformed patch; not for
    /// bytes.
    Winograd,
}

/// Where weights are read from: writes a block of rows and columns of the matrix `[n, k]` in which they are stored.
pub type WeightSource<'a> = &'a (dyn Fn(Range<usize>, Range<usize>, &mut [f32]) + Sync);

/// Weights as a product reads them.
#[derive(Debug)]
pub struct Packed {
    pub(super) isa: Isa,
    pub(super) precision: Precision,
    pub(super) layout: Layout,
    /// Outputs, and values of a row.
    shape: [usize; 2],
    /// Matrices, one after the other: one, or one for each place.
    positions: usize,
    panels: Buffer,
    /// Of each column of a matrix: bias, and for bytes the scale and 128 times the sum of the weights.
    pub(super) bias: Vec<f32>,
    pub(super) scales: Vec<f32>,
    pub(super) offsets: Vec<i32>,
}

/// Why weights were not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Nobody wants them any more.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The system has no memory left.
    #[error("no memory for weights: {0}")]
    Memory(#[from] std::io::Error),
}

impl Packed {
    /// Packs weights `[n, k]`, into the memory of `old` where that has the same size.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn new(
        cx: Context<'_>,
        precision: Precision,
        shape: [usize; 2],
        layout: Layout,
        source: WeightSource<'_>,
        bias: Option<&[f32]>,
        old: Option<Self>,
    ) -> Result<Self, PackError> {
        let [n, k, positions] = match layout {
            Layout::Winograd => [shape[0], shape[1] / 9, winograd::PLACES],
            _ => [shape[0], shape[1], 1],
        };
        let (width, groups) = (columns(cx.isa), k.div_ceil(precision.group()));
        let panels = n.div_ceil(width);
        let bytes = positions * panels * width * groups * 4;
        let panels_memory = match old {
            Some(old) if old.panels.len() == bytes => old.panels,
            _ => Buffer::new(bytes)?,
        };
        let mut packed = Self {
            isa: cx.isa,
            precision,
            layout,
            shape: [n, k],
            positions,
            panels: panels_memory,
            bias: vec![0.0; panels * width],
            scales: vec![1.0; panels * width],
            offsets: vec![0; panels * width],
        };
        for column in 0..panels * width {
            if let (Some(row), Some(bias)) = (packed.row_of(column), bias) {
                packed.bias[column] = bias[row];
            }
        }
        packed.fill(cx, source)?;
        Ok(packed)
    }

    /// Outputs of a product: of gated weights, half of their rows.
    pub fn outputs(&self) -> usize {
        if self.layout == Layout::Gated { self.shape[0] / 2 } else { self.shape[0] }
    }

    /// Values of a row.
    pub fn depth(&self) -> usize {
        self.shape[1]
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.panels.len() + 4 * (self.bias.len() + self.scales.len() + self.offsets.len())
    }

    /// In which order they were read.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// How wide the weights are.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Panels of a matrix.
    pub(super) fn panels(&self) -> usize {
        self.bias.len() / self.width()
    }

    /// Columns of a panel.
    pub(super) fn width(&self) -> usize {
        columns(self.isa)
    }

    /// Groups of each column.
    pub(super) fn groups(&self) -> usize {
        self.depth().div_ceil(self.precision.group())
    }

    /// Groups `range` of each column of a panel.
    pub(super) fn panel(&self, panel: usize, range: Range<usize>) -> &[u32] {
        let len = self.groups() * self.width();
        let panels: &[u32] = bytemuck::cast_slice(&self.panels);
        &panels[panel * len..][range.start * self.width()..range.end * self.width()]
    }

    /// Which row of the weights a column is.
    fn row_of(&self, column: usize) -> Option<usize> {
        let (n, width) = (self.shape[0], self.width());
        let row = match self.layout {
            Layout::Gated => {
                let (panel, place, half) = (column / width, column % width, width / 2);
                let row = panel * half + place % half;
                (row < n / 2).then_some(if place < half { row } else { n / 2 + row })
            }
            _ => Some(column),
        };
        row.filter(|row| *row < n)
    }

    fn fill(&mut self, cx: Context<'_>, source: WeightSource<'_>) -> Result<(), Cancelled> {
        let (width, len, k) = (self.width(), self.groups() * self.width(), self.depth());
        let count = self.bias.len() / width;
        let mut memory = std::mem::replace(&mut self.panels, Buffer::empty());
        let (mut scales, mut offsets) = (std::mem::take(&mut self.scales), std::mem::take(&mut self.offsets));
        let result = {
            let panels = Disjoint::new(bytemuck::cast_slice_mut::<u8, u32>(&mut memory));
            let (scales, offsets) = (Disjoint::new(&mut scales), Disjoint::new(&mut offsets));
            cx.run(count, |p| {
                let columns = p * width..(p + 1) * width;
                // The rows of one matrix, then those of the next.
                let mut rows = vec![0.0; self.positions * width * k];
                let mut stored = Vec::new();
                for (place, column) in columns.clone().enumerate() {
                    if let Some(row) = self.row_of(column) {
                        self.read(source, row, &mut rows[place * k..], &mut stored);
                    }
                }
                for (position, rows) in rows.chunks(width * k.max(1)).enumerate() {
                    let at = (position * count + p) * len;
                    // SAFETY: a panel and its columns are written by the one task of their number.
                    #[expect(unsafe_code, reason = "see above")]
                    let (panel, scales, offsets) = unsafe {
                        (panels.part(at..at + len), scales.part(columns.clone()), offsets.part(columns.clone()))
                    };
                    self.write(rows, panel, scales, offsets);
                }
            })
        };
        (self.panels, self.scales, self.offsets) = (memory, scales, offsets);
        result
    }

    /// One row of the weights, in the order in which a product reads it; those of further matrices each `width` rows
    /// on.
    fn read(&self, source: WeightSource<'_>, row: usize, out: &mut [f32], stored: &mut Vec<f32>) {
        let k = self.depth();
        let (taps, channels) = match self.layout {
            Layout::Plain | Layout::Gated => return source(row..row + 1, 0..k, &mut out[..k]),
            Layout::Kernel { taps } => (taps, k / taps),
            Layout::Winograd => (9, k),
        };
        stored.resize(taps * channels, 0.0);
        source(row..row + 1, 0..taps * channels, stored);
        if self.layout == Layout::Winograd {
            return winograd::transform_kernels(stored, out, self.width() * k);
        }
        for (tap, out) in out[..k].chunks_mut(channels).enumerate() {
            for (out, kernel) in out.iter_mut().zip(stored.chunks(taps)) {
                *out = kernel[tap];
            }
        }
    }

    /// One panel from its columns' rows.
    fn write(&self, rows: &[f32], panel: &mut [u32], scales: &mut [f32], offsets: &mut [i32]) {
        let (width, k, group) = (self.width(), self.depth(), self.precision.group());
        if self.precision == Precision::Int8 {
            for ((row, scale), offset) in rows.chunks(k).zip(scales.iter_mut()).zip(offsets) {
                let top = row.iter().fold(0f32, |top, v| top.max(v.abs()));
                *scale = if top > 0.0 { top / 127.0 } else { 1.0 };
                *offset = 128 * row.iter().map(|v| i32::from(byte(*v, *scale))).sum::<i32>();
            }
        }
        for (strip, panel) in panel.chunks_mut(STRIP * width).enumerate() {
            for (column, row) in rows.chunks(k).enumerate() {
                let scale = scales[column];
                let values = row[strip * STRIP * group..].chunks(group);
                for (values, out) in values.zip(panel.chunks_mut(width)) {
                    out[column] = pack(self.precision, values, scale);
                }
            }
        }
    }
}

/// A weight as a multiple of its scale.
#[inline(always)]
fn byte(value: f32, scale: f32) -> i8 {
    (value / scale).round_ties_even() as i8
}

/// The values of a group, or fewer at a row's end, in 4 bytes.
#[inline(always)]
fn pack(precision: Precision, values: &[f32], scale: f32) -> u32 {
    let value = |i: usize| values.get(i).copied().unwrap_or(0.0);
    match precision {
        Precision::F32 => value(0).to_bits(),
        Precision::Bf16 => {
            let bits = |i| u32::from(bf16::narrow(value(i)).to_bits());
            bits(0) | bits(1) << 16
        }
        Precision::Int8 => u32::from_le_bytes([0, 1, 2, 3].map(|i| byte(value(i), scale) as u8)),
    }
}
