//! The leaf for every instruction set: words are f32.

use super::{
    leaf::{Leaf, Panels},
    softmax::{Softmax, exp2},
    words::Single,
};
use pulp::{Simd, WithSimd, bytemuck};

/// `V` vectors of queries; a tile is at most `H` rows high, as many as leave registers for its sums.
#[derive(Clone, Copy)]
pub(super) struct Portable<S, const V: usize, const H: usize>(S);

impl<S: Simd, const V: usize, const H: usize> Portable<S, V, H> {
    pub(super) fn new(simd: S) -> Self {
        Self(simd)
    }
}

impl<S: Simd, const V: usize, const H: usize> Leaf for Portable<S, V, H> {
    type Words = Single;
    const ROWS: usize = H;
    const QUERIES: usize = V * S::F32_LANES;
    const KEYS: usize = 96;

    fn multiply(self, panels: Panels<'_>, columns: &[u32], sums: &mut [f32], add: bool) {
        self.0.vectorize(Multiply::<S, V, H> { simd: self.0, panels, columns, sums, add });
    }

    fn weigh(
        self,
        keys: Panels<'_>,
        queries: &[u32],
        softmax: &Softmax<'_>,
        hidden: isize,
        weights: &mut [u32],
        sums: &mut [f32],
    ) {
        let weights = bytemuck::cast_slice_mut(&mut weights[..keys.rows * Self::QUERIES]);
        self.multiply(keys, queries, weights, false);
        if hidden.saturating_add_unsigned(keys.rows) > 1 {
            for (key, scores) in weights.chunks_exact_mut(Self::QUERIES).enumerate() {
                let hidden = hidden.saturating_add_unsigned(key).clamp(0, Self::QUERIES as isize);
                scores[..hidden as usize].fill(f32::NEG_INFINITY);
            }
        }
        self.0.vectorize(Weigh::<S, V> { simd: self.0, softmax, weights, sums });
    }
}

struct Multiply<'a, S, const V: usize, const H: usize> {
    simd: S,
    panels: Panels<'a>,
    columns: &'a [u32],
    sums: &'a mut [f32],
    add: bool,
}

impl<S: Simd, const V: usize, const H: usize> WithSimd for Multiply<'_, S, V, H> {
    type Output = ();

    #[inline(always)]
    fn with_simd<T: Simd>(self, _: T) {
        let Self { simd, panels, columns, sums, add } = self;
        let (columns, _) = S::as_simd_f32s(bytemuck::cast_slice(columns)).0.as_chunks::<V>();
        let (sums, _) = S::as_mut_simd_f32s(sums).0.as_chunks_mut::<V>();
        for (rows, panel) in panels.tiles(H) {
            let (panel, _) = bytemuck::cast_slice::<u32, f32>(panel).as_chunks::<H>();
            let sums = &mut sums[rows];
            match sums.len() {
                6 if H >= 6 => tile::<S, V, H, 6>(simd, panel, columns, sums, add),
                5 if H >= 6 => tile::<S, V, H, 5>(simd, panel, columns, sums, add),
                4 => tile::<S, V, H, 4>(simd, panel, columns, sums, add),
                3 => tile::<S, V, H, 3>(simd, panel, columns, sums, add),
                2 => tile::<S, V, H, 2>(simd, panel, columns, sums, add),
                _ => tile::<S, V, H, 1>(simd, panel, columns, sums, add),
            }
        }
    }
}

#[inline(always)]
fn tile<S: Simd, const V: usize, const H: usize, const R: usize>(
    simd: S,
    panel: &[[f32; H]],
    columns: &[[S::f32s; V]],
    sums: &mut [[S::f32s; V]],
    add: bool,
) {
    let mut tile = [[simd.splat_f32s(0.0); V]; R];
    for (rows, columns) in panel.iter().zip(columns) {
        for (sums, row) in tile.iter_mut().zip(rows) {
            let row = simd.splat_f32s(*row);
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum = simd.mul_add_e_f32s(row, *column, *sum);
            }
        }
    }
    // A copy: sums whose address is taken would be stored at every step above.
    let finished = tile;
    for (sums, tile) in sums.iter_mut().zip(&finished) {
        for (sum, value) in sums.iter_mut().zip(tile) {
            *sum = if add { simd.add_f32s(*sum, *value) } else { *value };
        }
    }
}

struct Weigh<'a, S, const V: usize> {
    simd: S,
    softmax: &'a Softmax<'a>,
    weights: &'a mut [f32],
    sums: &'a mut [f32],
}

impl<S: Simd, const V: usize> WithSimd for Weigh<'_, S, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<T: Simd>(self, _: T) {
        let Self { simd, softmax, weights, sums } = self;
        let scale = simd.splat_f32s(softmax.scale);
        let (weights, _) = S::as_mut_simd_f32s(weights).0.as_chunks_mut::<V>();
        let (shifts, _) = S::as_simd_f32s(softmax.shifts);
        let (sums, _) = S::as_mut_simd_f32s(sums);
        for (v, (shift, sum)) in shifts[..V].iter().zip(sums).enumerate() {
            let shift = simd.neg_f32s(*shift);
            let mut total = simd.splat_f32s(0.0);
            for weights in &mut *weights {
                weights[v] = exp2(simd, simd.mul_add_e_f32s(weights[v], scale, shift));
                total = simd.add_f32s(total, weights[v]);
            }
            *sum = total;
        }
    }
}
