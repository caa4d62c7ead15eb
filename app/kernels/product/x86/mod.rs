//! Leaves for instructions that only some processors have.
#![expect(unsafe_code, reason = "leaves read and write by pointer, and their instructions are checked at run time")]

mod finish;
mod row;
mod tile;
mod transform;

pub(super) use finish::{transform_back, write};

use super::{
    leaf::{Leaf, Tile},
    winograd::Transform,
};
use crate::Isa;
use half::bf16;
use tile::{bytes_256, tile_512};

/// f32 in 512 bits.
#[derive(Clone, Copy)]
pub(super) struct F32;

/// Pairs of bf16 in 512 bits (`vdpbf16ps`).
#[derive(Clone, Copy)]
pub(super) struct Bf16;

/// Fours of bytes in 512 bits (AVX-512 `vpdpbusd`).
#[derive(Clone, Copy)]
pub(super) struct Bytes512;

/// Fours of bytes in 256 bits (AVX `vpdpbusd`).
#[derive(Clone, Copy)]
pub(super) struct Bytes256;

/// What a leaf reads and writes has to be there; `group` values are 4 bytes.
fn check<L: Leaf>(tile: &Tile<'_, L::Left>, group: usize) {
    let depth = tile.panel.len() / L::COLUMNS * group;
    assert!(
        (1..=L::ROWS).contains(&tile.rows)
            && tile.apart.is_multiple_of(group)
            && tile.left.len() >= (tile.rows - 1) * tile.apart + depth
            && tile.sums.len() >= (tile.rows - 1) * tile.stride + L::COLUMNS,
        "a tile lies inside its block"
    );
}

/// `$call`, with `$name` for as many rows as there are.
macro_rules! by_rows {
    ($rows:expr, $name:ident => $call:expr, $($count:literal)*) => {
        match $rows {
            $($count => {
                const $name: usize = $count;
                $call
            })*
            rows => unreachable!("a tile has no {rows} rows"),
        }
    };
}

impl Leaf for F32 {
    type Left = f32;
    const ROWS: usize = 12;
    const COLUMNS: usize = 32;
    const DEPTH: usize = 192;

    fn tile(self, mut tile: Tile<'_, f32>) {
        check::<Self>(&tile, 1);
        // SAFETY: `check` holds what is read and written inside the slices; this leaf is chosen only where the
        // processor has its instructions.
        unsafe { by_rows!(tile.rows, R => tile_512::<tile::F32, R>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12) }
    }

    fn transform(self, isa: Isa, of: Transform<'_, f32>) {
        transform::transform(isa, of);
    }
}

impl Leaf for Bf16 {
    type Left = bf16;
    const ROWS: usize = 12;
    const COLUMNS: usize = 32;
    const DEPTH: usize = 512;

    fn tile(self, mut tile: Tile<'_, bf16>) {
        check::<Self>(&tile, 2);
        // SAFETY: as in `F32`.
        unsafe { by_rows!(tile.rows, R => tile_512::<tile::Bf16, R>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12) }
    }

    fn transform(self, isa: Isa, of: Transform<'_, bf16>) {
        transform::transform(isa, of);
    }
}

impl Leaf for Bytes512 {
    type Left = u8;
    const ROWS: usize = 12;
    const COLUMNS: usize = 32;
    const DEPTH: usize = 1024;

    fn tile(self, mut tile: Tile<'_, u8>) {
        check::<Self>(&tile, 4);
        // SAFETY: as in `F32`.
        unsafe { by_rows!(tile.rows, R => tile_512::<tile::Bytes, R>(&mut tile), 1 2 3 4 5 6 7 8 9 10 11 12) }
    }
}

impl Leaf for Bytes256 {
    type Left = u8;
    const ROWS: usize = 6;
    const COLUMNS: usize = 16;
    const DEPTH: usize = 1024;

    fn tile(self, mut tile: Tile<'_, u8>) {
        check::<Self>(&tile, 4);
        // SAFETY: as in `F32`.
        unsafe { by_rows!(tile.rows, R => bytes_256::<R>(&mut tile), 1 2 3 4 5 6) }
    }
}
