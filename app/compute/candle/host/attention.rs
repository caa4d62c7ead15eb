use super::{Values, functions, panels::pack, tensor};
use crate::{CancelToken, Mask, candle::fault::Outcome, panels::multiply, shapes::Tokens};
use candle_core::Tensor;
use rayon::prelude::*;

/// Scores of a chunk of queries; they should stay in a thread's cache between the two products.
const CHUNK_SCORES: usize = 1 << 17;
/// Queries a product needs at least to be worth reading all keys for.
const CHUNK_QUERIES: usize = 48;
/// Multiplications below which one thread is faster than two.
const SERIAL_WORK: usize = 300_000;

/// Softmax attention, a chunk of queries of one head at a time, chunks in parallel.
pub(in crate::candle) fn attention(
    q: (&Tensor, Tokens),
    k: (&Tensor, Tokens),
    v: &Tensor,
    heads: usize,
    mask: Mask,
    cancel: &CancelToken,
) -> Outcome<Tensor> {
    let (queries, keys, c) = (q.1, k.1, q.1.c);
    let [q, k, v] = [Values::of(q.0)?, Values::of(k.0)?, Values::of(v)?];
    let (q, k, v, d) = (q.slice(), k.slice(), v.slice(), c / heads);
    let serial = queries.n * queries.l * keys.l * c < SERIAL_WORK;

    let pack_head = |at: usize| {
        let first = at / heads * keys.l * c + at % heads * d;
        Head {
            k: pack(d, keys.l, |e, key| k[first + key * c + e]),
            v: pack(keys.l, d, |key, e| v[first + key * c + e]),
            keys: keys.l,
            d,
        }
    };
    let by_head: Vec<Head> = each(serial, &(0..queries.n * heads).collect::<Vec<_>>(), |at| Ok(pack_head(*at)))?;

    let chunk = (CHUNK_SCORES / keys.l).max(CHUNK_QUERIES).min(queries.l);
    let tasks: Vec<(usize, usize)> =
        (0..queries.l).step_by(chunk).flat_map(|first| (0..queries.n * heads).map(move |at| (at, first))).collect();
    let start = |(at, first): (usize, usize)| (at / heads * queries.l + first) * c + at % heads * d;
    let parts = each(serial, &tasks, |&(at, first)| {
        cancel.check()?;
        let rows = chunk.min(queries.l - first);
        let q: Vec<f32> = (0..rows).flat_map(|row| &q[start((at, first)) + row * c..][..d]).copied().collect();
        Ok(by_head[at].attend(&q, (mask == Mask::Causal).then_some(first)))
    })?;

    let mut out = vec![0.0; queries.n * queries.l * c];
    for (task, part) in tasks.iter().zip(&parts) {
        for (row, part) in out[start(*task)..].chunks_mut(c).zip(part.chunks(d)) {
            row[..d].copy_from_slice(part);
        }
    }
    tensor(out, &[queries.n, queries.l, c])
}

/// `f` of every item, on all threads unless told otherwise.
fn each<I: Sync, T: Send>(serial: bool, items: &[I], f: impl Fn(&I) -> Outcome<T> + Sync) -> Outcome<Vec<T>> {
    if serial { items.iter().map(f).collect() } else { items.par_iter().map(&f).collect() }
}

/// Keys, transposed, and values of one head, packed.
struct Head {
    k: Vec<f32>,
    v: Vec<f32>,
    keys: usize,
    d: usize,
}

impl Head {
    /// Of queries `[n, d]` → `[n, d]`. `causal` is the position of the first query where later keys are hidden.
    fn attend(&self, q: &[f32], causal: Option<usize>) -> Vec<f32> {
        let (n, d, keys) = (q.len() / self.d, self.d, self.keys);
        let scale = 1.0 / (d as f32).sqrt();
        let mut scores = vec![0.0; n * keys];
        multiply(q, d, &self.k, keys, &mut scores);
        for (i, row) in scores.chunks_mut(keys).enumerate() {
            let seen = causal.map_or(keys, |first| (first + i + 1).min(keys));
            let (seen, hidden) = row.split_at_mut(seen);
            functions::softmax(seen, scale);
            hidden.fill(0.0);
        }
        let mut out = vec![0.0; n * d];
        multiply(&scores, keys, &self.v, d, &mut out);
        out
    }
}
