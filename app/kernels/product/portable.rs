//! The leaf for every instruction set: rows and sums are f32, weights become f32 as they are loaded.

use super::leaf::{Leaf, Tile as Work};
use pulp::{Simd, WithSimd, bytemuck};

/// `V` vectors make a row of a panel; a tile is at most `H` rows high, as many as leave registers for its sums.
#[derive(Clone, Copy)]
pub(super) struct Portable<S, W, const V: usize, const H: usize> {
    simd: S,
    weights: W,
}

impl<S: Simd, W: Widen, const V: usize, const H: usize> Portable<S, W, V, H> {
    pub(super) fn new(simd: S, weights: W) -> Self {
        Self { simd, weights }
    }
}

/// How the 4 bytes of a group become values.
pub(super) trait Widen: Copy + Send + Sync {
    const GROUP: usize;
    /// Value `i` of each group.
    fn value<S: Simd>(self, simd: S, groups: S::u32s, i: usize) -> S::f32s;
}

#[derive(Clone, Copy)]
pub(super) struct F32;

impl Widen for F32 {
    const GROUP: usize = 1;

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, groups: S::u32s, _: usize) -> S::f32s {
        simd.transmute_f32s_u32s(groups)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Bf16;

impl Widen for Bf16 {
    const GROUP: usize = 2;

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, groups: S::u32s, i: usize) -> S::f32s {
        simd.transmute_f32s_u32s(match i {
            0 => simd.wrapping_dyn_shl_u32s(groups, simd.splat_u32s(16)),
            _ => simd.and_u32s(groups, simd.splat_u32s(0xFFFF_0000)),
        })
    }
}

#[derive(Clone, Copy)]
pub(super) struct Int8;

impl Widen for Int8 {
    const GROUP: usize = 4;

    /// A byte put into the low bits of 2²³ is that much more than 2²³; turning its sign bit makes it unsigned.
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, groups: S::u32s, i: usize) -> S::f32s {
        const MAGIC: u32 = 0x4B00_0000;
        let byte =
            simd.and_u32s(simd.wrapping_dyn_shr_u32s(groups, simd.splat_u32s(8 * i as u32)), simd.splat_u32s(0xFF));
        let raised = simd.transmute_f32s_u32s(simd.xor_u32s(byte, simd.splat_u32s(MAGIC | 0x80)));
        simd.sub_f32s(raised, simd.splat_f32s(8_388_608.0 + 128.0))
    }
}

impl<S: Simd, W: Widen, const V: usize, const H: usize> Leaf for Portable<S, W, V, H> {
    type Left = f32;
    const ROWS: usize = H;
    const COLUMNS: usize = V * S::F32_LANES;
    const DEPTH: usize = 256;

    fn tile(self, work: Work<'_, f32>) {
        let depth = work.panel.len() / Self::COLUMNS * W::GROUP;
        assert!((1..=H).contains(&work.rows) && work.left.len() >= (work.rows - 1) * work.apart + depth);
        self.simd.vectorize(Tile::<S, W, V, H> { leaf: self, work });
    }
}

struct Tile<'a, S, W, const V: usize, const H: usize> {
    leaf: Portable<S, W, V, H>,
    work: Work<'a, f32>,
}

impl<S: Simd, W: Widen, const V: usize, const H: usize> WithSimd for Tile<'_, S, W, V, H> {
    type Output = ();

    #[inline(always)]
    fn with_simd<T: Simd>(self, _: T) {
        match self.work.rows {
            12 if H >= 12 => self.rows::<12>(),
            11 if H >= 12 => self.rows::<11>(),
            10 if H >= 12 => self.rows::<10>(),
            9 if H >= 12 => self.rows::<9>(),
            8 if H >= 12 => self.rows::<8>(),
            7 if H >= 12 => self.rows::<7>(),
            6 if H >= 6 => self.rows::<6>(),
            5 if H >= 6 => self.rows::<5>(),
            4 => self.rows::<4>(),
            3 => self.rows::<3>(),
            2 => self.rows::<2>(),
            _ => self.rows::<1>(),
        }
    }
}

impl<S: Simd, W: Widen, const V: usize, const H: usize> Tile<'_, S, W, V, H> {
    #[inline(always)]
    fn rows<const R: usize>(self) {
        let Self { leaf: Portable { simd, weights }, work: Work { left, apart, panel, sums, stride, add, .. } } = self;
        let (panel, _) = S::as_simd_u32s(panel).0.as_chunks::<V>();
        let left = left.as_ptr();
        let mut tile = [[simd.splat_f32s(0.0); V]; R];
        for (g, groups) in panel.iter().enumerate() {
            for i in 0..W::GROUP {
                let values: [S::f32s; V] = std::array::from_fn(|v| weights.value(simd, groups[v], i));
                for (r, sums) in tile.iter_mut().enumerate() {
                    // SAFETY: `tile` of the leaf asserted that these values are there. With slices the bounds of
                    // every row would be checked at every step.
                    #[expect(unsafe_code, reason = "see above")]
                    let left = unsafe { *left.add(r * apart + g * W::GROUP + i) };
                    let left = simd.splat_f32s(left);
                    for (sum, value) in sums.iter_mut().zip(&values) {
                        *sum = simd.mul_add_e_f32s(left, *value, *sum);
                    }
                }
            }
        }
        // A copy: sums whose address is taken would be stored at every step above.
        let finished = tile;
        for (sums, tile) in sums.chunks_mut(stride).zip(&finished) {
            let tile = bytemuck::cast_slice::<S::f32s, f32>(tile);
            let sums = &mut sums[..tile.len()];
            if add {
                sums.iter_mut().zip(tile).for_each(|(sum, tile)| *sum += tile);
            } else {
                sums.copy_from_slice(tile);
            }
        }
    }
}
