use super::{driver::with_scratch, leaf::columns, panel::Panel, winograd};
use crate::{Buffer, Cancelled, Context, Disjoint, Isa, dispatch};
use pulp::bytemuck;
use std::ops::Range;

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
    /// Kernels `[n, c, taps]`, k = c · taps, of so few outputs that most columns of a panel would be empty: every pixel is
    /// multiplied by all places of all of them, and the products are added up where the kernels lie.
    Places {
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
    /// Of products that are added up: it comes once.
    pub(super) bias_of_sums: Vec<f32>,
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
            Layout::Places { taps } => [shape[0] * taps, shape[1] / taps, 1],
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
            bias_of_sums: Vec::new(),
        };
        if let Layout::Places { .. } = layout {
            packed.bias_of_sums = bias.map_or_else(|| vec![0.0; shape[0]], <[f32]>::to_vec);
        }
        let bias = bias.filter(|_| packed.bias_of_sums.is_empty());
        for column in 0..panels * width {
            if let (Some(row), Some(bias)) = (packed.row_of(column), bias) {
                packed.bias[column] = bias[row];
            }
        }
        packed.fill(cx, source)?;
        Ok(packed)
    }

    /// Outputs of a product: of gated weights, half of their rows; of places, those of every place.
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
        let (width, len) = (self.width(), self.groups() * self.width());
        // Of rows with zeros to whole groups.
        let k = self.groups() * self.precision.group();
        let count = self.bias.len() / width;
        let mut memory = std::mem::replace(&mut self.panels, Buffer::empty());
        let (mut scales, mut offsets) = (std::mem::take(&mut self.scales), std::mem::take(&mut self.offsets));
        let result = {
            let panels = Disjoint::new(bytemuck::cast_slice_mut::<u8, u32>(&mut memory));
            let (scales, offsets) = (Disjoint::new(&mut scales), Disjoint::new(&mut offsets));
            cx.run(count, |p| {
                let columns = p * width..(p + 1) * width;
                with_scratch::<f32>(self.positions * width * k, width * k, |rows, words| {
                    self.read_panel(source, columns.clone(), rows);
                    for (position, rows) in rows.chunks(width * k.max(1)).enumerate() {
                        let at = (position * count + p) * len;
                        // SAFETY: a panel and its columns are written by the one task of their number.
                        #[expect(unsafe_code, reason = "see above")]
                        let (panel, scales, offsets) = unsafe {
                            (panels.part(at..at + len), scales.part(columns.clone()), offsets.part(columns.clone()))
                        };
                        let (precision, words) = (self.precision, &mut *words);
                        dispatch(self.isa, Panel { precision, rows, k, words, panel, scales, offsets });
                    }
                });
            })
        };
        (self.panels, self.scales, self.offsets) = (memory, scales, offsets);
        result
    }

    /// The rows of a panel's columns, in the order in which a product reads them: those of one matrix, then those of
    /// the next.
    fn read_panel(&self, source: WeightSource<'_>, columns: Range<usize>, rows: &mut [f32]) {
        let k = self.groups() * self.precision.group();
        let apart = columns.len() * k;
        rows.fill(0.0);
        let taps = match self.layout {
            Layout::Winograd => 9,
            Layout::Places { taps } => taps,
            _ => 1,
        };
        let mut stored = vec![0.0; taps * self.depth()];
        for (place, column) in columns.enumerate() {
            if let Some(row) = self.row_of(column) {
                self.read(source, row, &mut rows[place * k..], apart, &mut stored);
            }
        }
    }

    /// One row; those of further matrices `apart` values on.
    fn read(&self, source: WeightSource<'_>, row: usize, out: &mut [f32], apart: usize, stored: &mut [f32]) {
        let k = self.depth();
        let (taps, channels) = match self.layout {
            Layout::Plain | Layout::Gated => return source(row..row + 1, 0..k, &mut out[..k]),
            Layout::Kernel { taps } => (taps, k / taps),
            Layout::Places { taps } => (taps, k),
            Layout::Winograd => (9, k),
        };
        // Of places, the rows of one after those of the other.
        let (row, place) = match self.layout {
            Layout::Places { .. } => (row % self.bias_of_sums.len(), Some(row / self.bias_of_sums.len())),
            _ => (row, None),
        };
        let stored = &mut stored[..taps * channels];
        source(row..row + 1, 0..taps * channels, stored);
        if self.layout == Layout::Winograd {
            return winograd::transform_kernels(stored, out, apart);
        }
        if let Some(place) = place {
            return out.iter_mut().zip(stored.chunks(taps)).for_each(|(out, kernel)| *out = kernel[place]);
        }
        for (tap, out) in out[..k].chunks_mut(channels).enumerate() {
            for (out, kernel) in out.iter_mut().zip(stored.chunks(taps)) {
                *out = kernel[tap];
            }
        }
    }
}
