//! A matrix cut into panels of columns, and the product of rows with it: what the loops on the CPU are made of.

use pulp::{Arch, Simd, WithSimd, bytemuck};
use std::ops::Range;

/// Columns of a panel: one vector of sixteen, or two of eight.
pub const PANEL: usize = 16;
/// Rows of the highest tile. A tile is as high as its sums leave registers: 16 of 32 where a vector holds a panel's
/// row, else 12 of 16.
pub(crate) const TILE: usize = 16;
/// Values of a row multiplied at a time.
pub(crate) const DEPTH: usize = 1024;

/// Values in the panels of a `[k, n]` matrix.
pub fn panels_len(k: usize, n: usize) -> usize {
    n.div_ceil(PANEL) * PANEL * k
}

/// `out = a · panels` on this thread: `a` is `[m, k]`, `panels` `[⌈n / PANEL⌉, k, PANEL]`, `out` `[m, n]`.
pub fn multiply(a: &[f32], k: usize, panels: &[f32], n: usize, out: &mut [f32]) {
    Arch::new().dispatch(Multiply { a, k, panels, n, out, add: false });
}

/// `out += a · panels`, as [`multiply`].
pub fn add_product(a: &[f32], k: usize, panels: &[f32], n: usize, out: &mut [f32]) {
    Arch::new().dispatch(Multiply { a, k, panels, n, out, add: true });
}

struct Multiply<'a> {
    a: &'a [f32],
    k: usize,
    panels: &'a [f32],
    n: usize,
    out: &'a mut [f32],
    add: bool,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 1>(simd),
            8 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, PANEL>(simd),
        }
    }
}

impl Multiply<'_> {
    /// `V` vectors make a panel's row.
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { a, k, panels, n, out, add } = self;
        let height = if V == 1 { TILE } else { 6 };
        for depth in (0..k).step_by(DEPTH).map(|first| first..k.min(first + DEPTH)) {
            for (p, panel) in panels.chunks_exact(k * PANEL).enumerate() {
                let (panel, _) = S::as_simd_f32s(panel).0.as_chunks::<V>();
                let columns = p * PANEL..n.min((p + 1) * PANEL);
                let span = Span { k, depth: depth.clone(), n, columns, add: add || depth.start > 0 };
                for (a, out) in a.chunks(height * k).zip(out.chunks_mut(height * n)) {
                    tiles::<S, V>(simd, a, panel, out, &span);
                }
            }
        }
    }
}

/// Which part of a product a tile computes.
struct Span {
    k: usize,
    depth: Range<usize>,
    n: usize,
    columns: Range<usize>,
    /// Whether it adds to what is there.
    add: bool,
}

/// As many rows as the highest tile has, or fewer, in tiles as high as possible.
#[inline(always)]
fn tiles<S: Simd, const V: usize>(simd: S, mut a: &[f32], panel: &[[S::f32s; V]], mut out: &mut [f32], span: &Span) {
    while !out.is_empty() {
        let done = match out.len() / span.n {
            16.. if V == 1 => tile::<S, V, TILE>(simd, a, panel, out, span),
            12.. if V == 1 => tile::<S, V, 12>(simd, a, panel, out, span),
            6.. => tile::<S, V, 6>(simd, a, panel, out, span),
            5 => tile::<S, V, 5>(simd, a, panel, out, span),
            4 => tile::<S, V, 4>(simd, a, panel, out, span),
            3 => tile::<S, V, 3>(simd, a, panel, out, span),
            2 => tile::<S, V, 2>(simd, a, panel, out, span),
            _ => tile::<S, V, 1>(simd, a, panel, out, span),
        };
        (a, out) = (&a[done * span.k..], &mut out[done * span.n..]);
    }
}

/// `ROWS` rows of `a` times one panel; how many rows that were.
#[inline(always)]
fn tile<S: Simd, const V: usize, const ROWS: usize>(
    simd: S,
    a: &[f32],
    panel: &[[S::f32s; V]],
    out: &mut [f32],
    span: &Span,
) -> usize {
    let panel = &panel[span.depth.clone()];
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &a[r * span.k + span.depth.start..][..panel.len()]);
    let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
    for (i, b) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let a = simd.splat_f32s(row[i]);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_e_f32s(a, *b, *sum);
            }
        }
    }
    // A copy: sums whose address is taken would be stored at every step above.
    let finished = sums;
    for (out, sums) in out.chunks_mut(span.n).zip(&finished) {
        let (out, sums) = (&mut out[span.columns.clone()], bytemuck::cast_slice::<S::f32s, f32>(sums));
        if span.add {
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        } else {
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
    ROWS
}
