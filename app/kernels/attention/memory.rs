//! Memory that an attention leaves to the next one.

use crate::Buffer;
use pulp::bytemuck;
use std::{cell::Cell, thread::LocalKey};

/// Memory for more than this is given back: only the largest pictures ask for it.
const KEPT_BYTES: usize = 1 << 24;

thread_local! {
    static SHARED: Cell<Buffer> = const { Cell::new(Buffer::empty()) };
    static OWN: Cell<Buffer> = const { Cell::new(Buffer::empty()) };
}

/// `then` with so many words for all tasks, whatever is in them.
pub(super) fn with_shared_words<R>(words: usize, then: impl FnOnce(&mut [u32]) -> R) -> R {
    with(&SHARED, words, then)
}

/// `then` with so many words for one task, whatever is in them.
pub(super) fn with_words<R>(words: usize, then: impl FnOnce(&mut [u32]) -> R) -> R {
    with(&OWN, words, then)
}

fn with<R>(memory: &'static LocalKey<Cell<Buffer>>, words: usize, then: impl FnOnce(&mut [u32]) -> R) -> R {
    let mut buffer = memory.replace(Buffer::empty());
    let bytes = words * size_of::<u32>();
    if buffer.len() < bytes {
        buffer = Buffer::new(bytes).expect("memory for an attention");
    }
    let result = then(bytemuck::cast_slice_mut(&mut buffer[..bytes]));
    if buffer.len() <= KEPT_BYTES {
        memory.set(buffer);
    }
    result
}
