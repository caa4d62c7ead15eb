//! How much of an operation a workgroup has, by the kind of device. Only the row for software was measured (Mesa's lavapipe
//! on two cores); the others are estimates from what is published about such devices: 32 KiB of workgroup memory, 64 sums
//! to an invocation before registers run out, some hundred workgroups before a card is busy.

use super::AdapterKind;

/// Rows and quads of columns of a product, to a workgroup and to each of its invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tile {
    pub(super) rows: u32,
    pub(super) quads: u32,
    own_rows: u32,
    own_quads: u32,
}

/// Tiles of a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    /// Large ones first: they read less, where there are enough of them.
    tiles: &'static [Tile],
    /// Workgroups that keep the device busy; where even small tiles are fewer, the inner dimension is split.
    busy: u32,
}

const LARGE: Tile = Tile { rows: 128, quads: 16, own_rows: 8, own_quads: 2 };
const MEDIUM: Tile = Tile { rows: 64, quads: 16, own_rows: 4, own_quads: 2 };
const SMALL: Tile = Tile { rows: 32, quads: 8, own_rows: 4, own_quads: 2 };
const SOFTWARE: Tile = Tile { rows: 32, quads: 8, own_rows: 8, own_quads: 2 };

impl Tiles {
    pub(super) fn of(kind: AdapterKind) -> Self {
        match kind {
            AdapterKind::Discrete | AdapterKind::Virtual => Self { tiles: &[LARGE, MEDIUM, SMALL], busy: 160 },
            AdapterKind::Integrated => Self { tiles: &[MEDIUM, SMALL], busy: 32 },
            AdapterKind::Software => Self { tiles: &[SOFTWARE], busy: 1 },
        }
    }

    /// The tile for a product of so many rows and quads of columns, and into how many parts its inner dimension is split.
    pub(super) fn choose(&self, rows: usize, quads: usize, slices: usize) -> (Tile, usize) {
        /// Slices of a part: fewer are not worth the sums that go through memory.
        const SLICES: usize = 16;
        const PARTS: usize = 16;
        let busy = self.busy as usize;
        if let Some(tile) = self.tiles.iter().find(|tile| tile.count(rows, quads) >= busy) {
            return (*tile, 1);
        }
        let smallest = self.tiles[self.tiles.len() - 1];
        let parts = busy.div_ceil(smallest.count(rows, quads)).min(slices / SLICES).clamp(1, PARTS);
        (smallest, parts)
    }
}

impl Tile {
    pub(super) fn all() -> [Self; 4] {
        [LARGE, MEDIUM, SMALL, SOFTWARE]
    }

    fn count(self, rows: usize, quads: usize) -> usize {
        rows.div_ceil(self.rows as usize) * quads.div_ceil(self.quads as usize)
    }

    pub(super) fn constants(self) -> [(&'static str, u32); 4] {
        [("TILE_ROWS", self.rows), ("TILE_QUADS", self.quads), ("ROWS", self.own_rows), ("QUADS", self.own_quads)]
    }
}

/// How a head of attention is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Head {
    quads: u32,
    lanes: u32,
    row_lanes: u32,
    keys_per_lane: u32,
    values: u32,
    slice: u32,
    /// Whether heads are no whole quads.
    pub(super) scalars: bool,
}

impl Head {
    pub(super) fn of(channels: usize) -> Self {
        let quads = channels.div_ceil(4) as u32;
        // Beyond 256 channels, fewer queries: their sums are what fills the registers.
        let (most_lanes, row_lanes, keys_per_lane) = if quads <= 64 { (16, 16, 2) } else { (32, 8, 1) };
        let values = quads.div_ceil(most_lanes);
        let lanes = quads.div_ceil(values).next_multiple_of(2).max(8);
        let slice = if quads.is_multiple_of(10) { 10 } else { quads.min(8) };
        Self { quads, lanes, row_lanes, keys_per_lane, values, slice, scalars: !channels.is_multiple_of(4) }
    }

    /// Of the networks there are, and an odd one.
    pub(super) fn all() -> Vec<Self> {
        [5, 40, 64, 80, 128, 160, 512].map(Self::of).to_vec()
    }

    /// Queries of a workgroup.
    pub(super) fn queries(self) -> usize {
        self.row_lanes as usize * 4
    }

    pub(super) fn constants(self) -> [(&'static str, u32); 6] {
        [
            ("HEAD", self.quads),
            ("LANES", self.lanes),
            ("ROW_LANES", self.row_lanes),
            ("KEYS_PER_LANE", self.keys_per_lane),
            ("VALUES", self.values),
            ("SLICE", self.slice),
        ]
    }
}
