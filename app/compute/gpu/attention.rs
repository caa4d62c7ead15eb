use super::{
    Call, Gpu, kernel::Kernel, parameters, parts::equal, product::MOST_GROUPS, stream::Cost, tensor::Tensor,
    tiles::Head,
};
use crate::{Mask, Result, shapes::Tokens};
use std::f32::consts::LOG2_E;

impl Gpu {
    /// One sample after the other, queries in as many parts as can be seen; keys and values of a sample are seen whole.
    pub(super) fn attend(
        &self,
        [q, k, v, y]: [&Tensor; 4],
        [queries, keys]: [Tokens; 2],
        heads: usize,
        mask: Mask,
    ) -> Result<()> {
        let head = Head::of(queries.c / heads);
        let blocks = queries.l.div_ceil(head.queries());
        let rows_of = |blocks: usize| (blocks * head.queries()).min(queries.l);
        let parts = self.parts("attention", blocks, |blocks| {
            let rows = rows_of(blocks.len());
            self.sees(q, rows) && self.sees(y, rows) && self.sees(k, keys.l) && self.sees(v, keys.l)
        })?;
        for (sample, blocks) in (0..queries.n).flat_map(|sample| parts.iter().map(move |blocks| (sample, blocks))) {
            let first = sample * queries.l + blocks.start * head.queries();
            let rows = first..sample * queries.l + rows_of(blocks.end);
            let [q, y] = [q, y].map(|t| self.part(t, rows.clone()));
            let [k, v] = [k, v].map(|t| self.part(t, sample * keys.l..(sample + 1) * keys.l));
            let p = parameters::Attention {
                sample: sample as u32,
                blocks: blocks.len() as u32,
                first_block: blocks.start as u32,
                q_start: q.start,
                k_start: k.start,
                v_start: v.start,
                y_start: y.start,
                ..common(queries, keys, heads, mask)
            };
            let cost = self.attention_cost(rows.len(), queries, keys, mask);
            let bindings = [q.binding, k.binding, v.binding, y.binding];
            let items = heads * blocks.len();
            let cuts = self.shared.stream.cuts(cost).max(items.div_ceil(MOST_GROUPS));
            for now in equal(items, cuts) {
                let parameters = parameters::Attention { first_item: now.start as u32, ..p }.words();
                let (groups, cost) = ([now.len() as u32, 1, 1], cost.share(now.len(), items));
                let kernel = Kernel::Attention(head);
                self.dispatch(Call { kernel, bindings: &bindings, texture: None, parameters, groups, cost })?;
            }
        }
        Ok(())
    }

    fn attention_cost(&self, rows: usize, queries: Tokens, keys: Tokens, mask: Mask) -> Cost {
        let row = queries.c.div_ceil(4) as u64 * self.width.quad_bytes();
        let flops = 4 * (rows * keys.l * queries.c) as u64;
        Cost {
            flops: if mask == Mask::Causal { flops / 2 } else { flops },
            read_bytes: (rows + 2 * keys.l) as u64 * row,
            written_bytes: rows as u64 * row,
        }
    }
}

/// What all dispatches of an attention are told alike.
fn common(queries: Tokens, keys: Tokens, heads: usize, mask: Mask) -> parameters::Attention {
    let channels = queries.c / heads;
    parameters::Attention {
        queries: queries.l as u32,
        keys: keys.l as u32,
        channels: channels as u32,
        quads: queries.c.div_ceil(4) as u32,
        heads: heads as u32,
        causal: u32::from(mask == Mask::Causal),
        scale: (LOG2_E / (channels as f32).sqrt()).to_bits(),
        ..parameters::Attention::default()
    }
}
