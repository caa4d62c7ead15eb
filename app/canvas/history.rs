use crate::{Area, Page, tiles::Tiles};
use std::collections::VecDeque;

/// Undo and redo of what was drawn, bounded by the bytes that it takes.
#[derive(Debug)]
pub(crate) struct History {
    past: VecDeque<Change>,
    future: Vec<Change>,
    bytes: usize,
    limit_bytes: usize,
}

/// What a page looked like before (or, once taken back, after) something was done to it.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Parts of the sketch.
    Sketch(Tiles<4>),
    /// Parts of the mask.
    Mask(Tiles<1>),
    /// Everything.
    Page(Box<Page>),
}

impl Change {
    /// Exchanges what is remembered with what is there; gives what changed, of a page that may have another size then.
    fn swap(&mut self, page: &mut Page) -> Area {
        match self {
            Self::Sketch(tiles) => tiles.swap(&mut page.sketch),
            Self::Mask(tiles) => tiles.swap(&mut page.mask),
            Self::Page(other) => {
                std::mem::swap(&mut **other, page);
                page.area()
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Sketch(tiles) => tiles.bytes(),
            Self::Mask(tiles) => tiles.bytes(),
            Self::Page(page) => page.bytes(),
        }
    }
}

impl History {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { past: VecDeque::new(), future: Vec::new(), bytes: 0, limit_bytes }
    }

    /// Remembers what was before something was done. The oldest steps go where there is no room.
    pub(crate) fn record(&mut self, change: Change) {
        self.bytes -= self.future.drain(..).map(|change| change.bytes()).sum::<usize>();
        self.bytes += change.bytes();
        self.past.push_back(change);
        while self.bytes > self.limit_bytes
            && let Some(oldest) = self.past.pop_front()
        {
            self.bytes -= oldest.bytes();
        }
    }

    pub(crate) fn undo(&mut self, page: &mut Page) -> Option<Area> {
        let change = self.past.pop_back()?;
        let (area, change) = self.swapped(change, page);
        self.future.push(change);
        Some(area)
    }

    pub(crate) fn redo(&mut self, page: &mut Page) -> Option<Area> {
        let change = self.future.pop()?;
        let (area, change) = self.swapped(change, page);
        self.past.push_back(change);
        Some(area)
    }

    /// A page of another size takes another number of bytes.
    fn swapped(&mut self, mut change: Change, page: &mut Page) -> (Area, Change) {
        self.bytes -= change.bytes();
        let area = change.swap(page);
        self.bytes += change.bytes();
        (area, change)
    }

    pub(crate) fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub(crate) fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
