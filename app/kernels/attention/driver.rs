//! How an attention is cut into tasks, and their memory.

use super::{
    Shape,
    block::Block,
    leaf::{Leaf, UseLeaf},
    pack::{Layout, Tokens, pack},
};
use crate::{Buffer, Cancelled, Context, Disjoint, Values, ValuesMut, values::Number};
use pulp::bytemuck;
use std::cell::Cell;

/// Memory for more than this is given back: only the largest pictures ask for it.
const KEPT_BYTES: usize = 1 << 24;

thread_local! {
    /// Keys and values of the attention before, for the next one.
    static PACKED: Cell<Buffer> = const { Cell::new(Buffer::empty()) };
    /// A thread's own.
    static BLOCK: Cell<Buffer> = const { Cell::new(Buffer::empty()) };
}

pub(super) struct Attention<'a> {
    pub(super) cx: Context<'a>,
    pub(super) q: Values<'a>,
    pub(super) k: Values<'a>,
    pub(super) v: Values<'a>,
    pub(super) shape: Shape,
    pub(super) out: ValuesMut<'a>,
}

impl UseLeaf for Attention<'_> {
    type Output = Result<(), Cancelled>;

    fn with<L: Leaf>(self, leaf: L) -> Result<(), Cancelled> {
        let Self { cx, q, k, v, shape, out } = self;
        let layout = Layout::new::<L>(shape);
        let head_words = layout.blocks() * layout.words;
        with_words(&PACKED, shape.n * shape.heads * head_words, |packed| {
            pack::<L>(cx, layout, [k, v], packed)?;
            match out {
                ValuesMut::F32(out) => attend(cx, leaf, layout, q, packed, out),
                ValuesMut::Bf16(out) => attend(cx, leaf, layout, q, packed, out),
            }
        })
    }
}

fn attend<L: Leaf, T: Number>(
    cx: Context<'_>,
    leaf: L,
    layout: Layout,
    q: Values<'_>,
    packed: &[u32],
    out: &mut [T],
) -> Result<(), Cancelled> {
    let Shape { n, heads, queries, .. } = layout.shape;
    let (blocks, head_words) = (queries.div_ceil(L::QUERIES), layout.blocks() * layout.words);
    let out = Disjoint::new(out);
    cx.run(n * heads * blocks, |task| {
        let (head, first) = (task / blocks, task % blocks * L::QUERIES);
        let range = first..queries.min(first + L::QUERIES);
        let tokens = Tokens { shape: layout.shape, count: queries, head, range };
        with_words(&BLOCK, Block::<L>::rows(&layout) * L::QUERIES, |memory| {
            let mut block = Block::new(cx, leaf, layout, tokens, q, memory);
            block.attend(&packed[head * head_words..][..head_words]);
            block.finish(&out);
        });
    })
}

/// `then` with so many words of this memory, with whatever is in them.
fn with_words<R>(
    memory: &'static std::thread::LocalKey<Cell<Buffer>>,
    words: usize,
    then: impl FnOnce(&mut [u32]) -> R,
) -> R {
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
