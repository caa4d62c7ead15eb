//! How an attention is cut into tasks.

use super::{
    Shape,
    block::Block,
    leaf::{Leaf, UseLeaf},
    memory::{with_shared_words, with_words},
    pack::{Layout, Tokens, pack},
    words::{Pair, Single, Words},
};
use crate::{Cancelled, Context, Disjoint, Values, ValuesMut};
use pulp::bytemuck::Pod;

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
        with_shared_words(shape.n * shape.heads * head_words, |packed| {
            pack::<L>(cx, layout, [k, v], packed)?;
            match out {
                ValuesMut::F32(out) => attend::<_, Single, _>(cx, leaf, layout, q, packed, out),
                ValuesMut::Bf16(out) => attend::<_, Pair, _>(cx, leaf, layout, q, packed, out),
            }
        })
    }
}

/// The output's values are the words' `W`.
fn attend<L: Leaf, W: Words, T: Pod + Send>(
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
        with_words(Block::<L>::rows(&layout) * L::QUERIES, |memory| {
            let mut block = Block::new(cx, leaf, layout, tokens, q, memory);
            block.attend(&packed[head * head_words..][..head_words]);
            block.finish::<W, _>(&out);
        });
    })
}
