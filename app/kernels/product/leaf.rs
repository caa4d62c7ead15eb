//! The innermost loops: a tile of rows times a panel of weights.

use super::{pack::Precision, rows::Left, winograd::Transform};
use crate::{Isa, dispatch};

/// One way to multiply a few rows by one panel of weights.
///
/// A panel is `COLUMNS` columns, cut into groups of [`Precision::group`] values that lie together in 4 bytes: one group
/// of each column, then the next group of each. Sums are f32, or i32 in the same 4 bytes where `Left` is a byte.
pub(super) trait Leaf: Copy + Send + Sync {
    type Left: Left;
    /// Rows of the highest tile.
    const ROWS: usize;
    const COLUMNS: usize;
    /// Most values of a row that are multiplied by a panel, and how far apart gathered rows lie.
    const DEPTH: usize;

    /// `sums (+)= left · panel`.
    fn tile(self, tile: Tile<'_, Self::Left>);

    /// Transforms patches, if it has no way of its own then as any instruction set does.
    fn transform(self, isa: Isa, of: Transform<'_, Self::Left>) {
        dispatch(isa, of);
    }
}

/// A few rows, a panel, and where their products go.
pub(super) struct Tile<'a, T> {
    /// At most [`Leaf::ROWS`].
    pub(super) rows: usize,
    /// As many values of each row as the groups of the panel have.
    pub(super) left: &'a [T],
    /// Values from a row to the next.
    pub(super) apart: usize,
    pub(super) panel: &'a [u32],
    pub(super) sums: &'a mut [f32],
    /// Sums from a row to the next.
    pub(super) stride: usize,
    /// Whether to add to what the sums are.
    pub(super) add: bool,
    pub(super) ahead: Ahead,
}

/// What comes next: leaves that can bring it closer meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    /// A tile's share of the next panel.
    pub(super) panel: *const u8,
    /// Bytes of it for each group of the tile's panel, times [`Ahead::FINE`].
    pub(super) step: usize,
    pub(super) rows: *const u8,
    /// Bytes of a row.
    pub(super) row: usize,
    /// Bytes from a row to the next.
    pub(super) apart: usize,
}

impl Ahead {
    pub(super) const FINE: usize = 256;
}

/// What is done with the leaf for an instruction set and a precision.
pub(super) trait UseLeaf {
    type Output;
    fn with<L: Leaf>(self, leaf: L) -> Self::Output;
}

/// Columns of a panel for this instruction set: two vectors, so that a value of a row is used twice.
pub(super) fn columns(isa: Isa) -> usize {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni => 16,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16 => 32,
        _ => 8,
    }
}

/// Whether rows are multiplied as bytes: then they are quantised first, and sums are whole numbers.
pub(super) fn multiplies_bytes(isa: Isa, precision: Precision) -> bool {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::AvxVnni | Isa::Avx512Vnni | Isa::Avx512Bf16 => precision == Precision::Int8,
        _ => false,
    }
}

/// `then` with the leaf for this instruction set and precision.
pub(super) fn with_leaf<U: UseLeaf>(isa: Isa, precision: Precision, then: U) -> U::Output {
    #[cfg(target_arch = "x86_64")]
    match (isa, precision) {
        (Isa::Avx512Bf16, Precision::F32) => return then.with(super::x86::F32),
        (Isa::Avx512Bf16, Precision::Bf16) => return then.with(super::x86::Bf16),
        (Isa::Avx512Bf16 | Isa::Avx512Vnni, Precision::Int8) => return then.with(super::x86::Bytes512),
        (Isa::AvxVnni, Precision::Int8) => return then.with(super::x86::Bytes256),
        _ => {}
    }
    match precision {
        Precision::F32 => portable(isa, super::portable::F32, then),
        Precision::Bf16 => portable(isa, super::portable::Bf16, then),
        Precision::Int8 => portable(isa, super::portable::Int8, then),
    }
}

fn portable<W: super::portable::Widen, U: UseLeaf>(isa: Isa, weights: W, then: U) -> U::Output {
    use super::portable::Portable;
    const ABSENT: &str = "an instruction set is checked before it is used";
    match isa {
        Isa::Scalar => then.with(Portable::<_, _, 8, 4>::new(pulp::Scalar::new(), weights)),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni => {
            then.with(Portable::<_, _, 2, 6>::new(pulp::x86::V3::try_new().expect(ABSENT), weights))
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16 => {
            then.with(Portable::<_, _, 2, 12>::new(pulp::x86::V4::try_new().expect(ABSENT), weights))
        }
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => then.with(Portable::<_, _, 2, 12>::new(pulp::aarch64::Neon::try_new().expect(ABSENT), weights)),
    }
}
