//! The innermost loops: rows in panels times columns of queries, and scores that become weights.

use super::{softmax::Softmax, words::Words};
use crate::Isa;
use std::ops::Range;

/// One way to multiply.
///
/// Everything multiplied is made of words of 4 bytes, each of `Words::GROUP` values that are multiplied together.
/// Columns are `[depth, QUERIES]` words, of queries or of weights; sums are `[rows, QUERIES]`.
pub(super) trait Leaf: Copy + Send + Sync {
    type Words: Words;
    /// Rows of a panel; a multiple of the values of a word, so that a panel's weights fill words.
    const ROWS: usize;
    /// Queries of a block: the lanes of a few vectors.
    const QUERIES: usize;
    /// Most keys of a block, a multiple of `ROWS`: as many as let its weights and queries stay in the first cache.
    const KEYS: usize;

    /// `sums (+)= panels · columns`.
    fn multiply(self, panels: Panels<'_>, columns: &[u32], sums: &mut [f32], add: bool);

    /// Weights of these keys, as columns, and `sums`, `[QUERIES]`, of them.
    ///
    /// Query `i` does not see key `j` where `i < hidden + j`.
    fn weigh(
        self,
        keys: Panels<'_>,
        queries: &[u32],
        softmax: &Softmax<'_>,
        hidden: isize,
        weights: &mut [u32],
        sums: &mut [f32],
    );
}

/// Rows of keys, or of channels of values, `ROWS` of them to a panel of `[depth, ROWS]` words.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub(super) words: &'a [u32],
    /// From a panel to the next.
    pub(super) stride: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
}

impl<'a> Panels<'a> {
    /// The panels and the rows they have, all `height` but in the last one.
    #[inline(always)]
    pub(super) fn tiles(self, height: usize) -> impl Iterator<Item = (Range<usize>, &'a [u32])> {
        let rows = (0..self.rows).step_by(height).map(move |first| first..self.rows.min(first + height));
        rows.map(move |rows| {
            let panel = &self.words[rows.start / height * self.stride..][..self.depth * height];
            (rows, panel)
        })
    }
}

/// What is done with the leaf for an instruction set.
pub(super) trait UseLeaf {
    type Output;
    fn with<L: Leaf>(self, leaf: L) -> Self::Output;
}

/// `then` with the leaf for this instruction set; `narrow` where all that is multiplied is bf16.
pub(super) fn with_leaf<U: UseLeaf>(isa: Isa, narrow: bool, then: U) -> U::Output {
    use super::portable::Portable;
    const ABSENT: &str = "an instruction set is checked before it is used";
    // Not all architectures have such instructions.
    let _ = narrow;
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Bf16 if narrow => then.with(super::x86::Bf16),
        Isa::Scalar => then.with(Portable::<_, 8, 4>::new(pulp::Scalar::new())),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni => then.with(Portable::<_, 2, 6>::new(pulp::x86::V3::try_new().expect(ABSENT))),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16 => {
            then.with(Portable::<_, 4, 6>::new(pulp::x86::V4::try_new().expect(ABSENT)))
        }
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => then.with(Portable::<_, 4, 6>::new(pulp::aarch64::Neon::try_new().expect(ABSENT))),
    }
}
