use super::GroupNorm;
use crate::{
    Activation, Cancelled, Context, Isa, dispatch,
    elementwise::PART,
    math::{ABREAST, MOST, Pointwise, Vectors, Wide, compute},
    values::{Number, STAGE, Stage},
};
use pulp::{Simd, WithSimd};

/// Rows summed in f32 before the sums are added up in f64.
const BLOCK_ROWS: usize = 64;
/// Values of a cache line.
const LINE: usize = 16;

pub(super) fn group_norm<X: Number, O: Number>(
    cx: Context<'_>,
    x: &[X],
    n: usize,
    w: GroupNorm<'_>,
    activation: Option<Activation>,
    out: &mut [O],
) -> Result<(), Cancelled> {
    let sample = x.len() / n.max(1);
    if sample == 0 {
        return Ok(());
    }
    x.chunks(sample).zip(out.chunks_mut(sample)).try_for_each(|(x, out)| normalise(cx, x, w, activation, out))
}

/// One sample.
fn normalise<X: Number, O: Number>(
    cx: Context<'_>,
    x: &[X],
    w: GroupNorm<'_>,
    activation: Option<Activation>,
    out: &mut [O],
) -> Result<(), Cancelled> {
    let affine = Affine::new(&sums(cx, x, w)?, x.len() / w.groups, w);
    let c = w.scale.len();
    let part = (PART / c).max(1) * c;
    cx.run_parts(out, part, |i, out| {
        let x = &x[i * part..][..out.len()];
        dispatch(cx.isa, Apply { isa: cx.isa, x, affine: &affine, activation, out });
    })
}

/// A group's sum and sum of squares.
#[derive(Clone, Copy, Default)]
struct Sums {
    values: f64,
    squares: f64,
}

/// By group.
fn sums<X: Number>(cx: Context<'_>, x: &[X], w: GroupNorm<'_>) -> Result<Vec<Sums>, Cancelled> {
    let (c, groups) = (w.scale.len(), w.groups);
    let part = (2 * PART / c).max(1) * c;
    let mut by_part = vec![Sums::default(); x.len().div_ceil(part) * groups];
    cx.run_parts(&mut by_part, groups, |i, sums| {
        let x = &x[i * part..x.len().min((i + 1) * part)];
        dispatch(cx.isa, SumUp { x, c, sums });
    })?;
    let (sums, parts) = by_part.split_at_mut(groups);
    for part in parts.chunks(groups) {
        for (sum, part) in sums.iter_mut().zip(part) {
            sum.values += part.values;
            sum.squares += part.squares;
        }
    }
    by_part.truncate(groups);
    Ok(by_part)
}

/// What is summed of some rows.
struct SumUp<'a, X> {
    x: &'a [X],
    c: usize,
    /// By group.
    sums: &'a mut [Sums],
}

impl<X: Number> WithSimd for SumUp<'_, X> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut channel = 0;
        while channel < self.c {
            let rest = self.c - channel;
            channel += if rest >= ABREAST * S::F32_LANES {
                self.channels(Wide::<S, ABREAST>(simd), channel, ABREAST * S::F32_LANES)
            } else {
                self.channels(Wide::<S, 1>(simd), channel, rest.min(S::F32_LANES))
            };
        }
    }
}

impl<X: Number> SumUp<'_, X> {
    /// Adds what so many channels sum up to; how many these were.
    ///
    /// Of each block of rows, differences from its first are summed. That row is one of those summed, so its distance
    /// from their mean is at most the deviation times the square root of their number, and little is lost in the sum
    /// of squares.
    #[inline(always)]
    fn channels<S: Simd, const N: usize>(&mut self, w: Wide<S, N>, first: usize, count: usize) -> usize {
        let (mut values, mut squares) = ([0f64; MOST], [0f64; MOST]);
        let mut stage = Stage::new();
        for block in self.x.chunks(BLOCK_ROWS * self.c) {
            let base = w.load(X::widened(&block[first..][..count], &mut stage));
            let [mut sum, mut square] = [w.splat(0.0); 2];
            let rows = block.len() / self.c;
            for row in 0..rows {
                let row = &block[row * self.c + first..][..count];
                let difference = w.sub(w.load(X::widened(row, &mut stage)), base);
                sum = w.add(sum, difference);
                square = w.mul_add(difference, difference, square);
            }
            let (rows, base, sum, square) = (rows as f64, w.store(base), w.store(sum), w.store(square));
            for i in 0..MOST {
                let [base, sum, square] = [base[i], sum[i], square[i]].map(f64::from);
                values[i] += rows * base + sum;
                squares[i] += (rows * base + 2.0 * sum) * base + square;
            }
        }
        let per_group = self.c / self.sums.len();
        for group in first / per_group..(first + count).div_ceil(per_group) {
            let place = |channel: usize| channel.clamp(first, first + count) - first;
            let channels = place(group * per_group)..place((group + 1) * per_group);
            self.sums[group].values += values[channels.clone()].iter().sum::<f64>();
            self.sums[group].squares += squares[channels].iter().sum::<f64>();
        }
        count
    }
}

/// What makes each channel of a sample normal: `(x − mean) · factor + shift`.
struct Affine {
    /// The three of each channel.
    memory: Vec<f32>,
    c: usize,
    /// Where the first begins, and how far apart they are: at cache lines.
    start: usize,
    apart: usize,
}

impl Affine {
    /// Of sums over `count` values each.
    fn new(sums: &[Sums], count: usize, w: GroupNorm<'_>) -> Self {
        let c = w.scale.len();
        let apart = c.next_multiple_of(LINE);
        let memory = vec![0.0; 3 * apart + LINE];
        let start = memory.as_ptr().align_offset(LINE * size_of::<f32>());
        let mut affine = Self { memory, c, start, apart };
        let (means, rest) = affine.memory[start..].split_at_mut(apart);
        let (factors, shifts) = rest.split_at_mut(apart);
        for (group, sums) in sums.iter().enumerate() {
            let mean = sums.values / count as f64;
            let variance = sums.squares / count as f64 - mean * mean;
            // Not `max`, which would hide what is no number.
            let variance = if variance < 0.0 { 0.0 } else { variance };
            let inverse = (1.0 / (variance + f64::from(w.eps)).sqrt()) as f32;
            let rest = (mean - f64::from(mean as f32)) as f32;
            let channels = group * (c / w.groups)..(group + 1) * (c / w.groups);
            means[channels.clone()].fill(mean as f32);
            let (factors, shifts) = (&mut factors[channels.clone()], &mut shifts[channels.clone()]);
            let (scales, offsets) = (&w.scale[channels.clone()], &w.shift[channels]);
            for (((factor, shift), scale), offset) in factors.iter_mut().zip(shifts).zip(scales).zip(offsets) {
                *factor = scale * inverse;
                *shift = offset - rest * *factor;
            }
        }
        affine
    }

    /// `[mean, factor, shift]` from a channel on.
    fn from(&self, channel: usize) -> [&[f32]; 3] {
        let row = |i: usize| &self.memory[self.start + i * self.apart..][channel..self.c];
        [row(0), row(1), row(2)]
    }
}

struct Apply<'a, X, O> {
    isa: Isa,
    /// Whole rows.
    x: &'a [X],
    affine: &'a Affine,
    activation: Option<Activation>,
    out: &'a mut [O],
}

impl<X: Number, O: Number> WithSimd for Apply<'_, X, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { isa, x, affine, activation, out } = self;
        let normalise = Normalise(activation);
        let [wide, narrow] = &mut [Stage::new(); 2];
        // Several rows at a time where they are short.
        let group = (STAGE / affine.c).max(1) * affine.c;
        for (x, out) in x.chunks(group).zip(out.chunks_mut(group)) {
            for (part, (x, out)) in x.chunks(STAGE).zip(out.chunks_mut(STAGE)).enumerate() {
                let (x, room) = (X::widened(x, wide), O::room(out, narrow));
                let [mean, factor, shift] = affine.from(part * STAGE);
                for (x, out) in x.chunks(affine.c).zip(room.chunks_mut(affine.c)) {
                    compute(simd, &normalise, [x, mean, factor, shift], out);
                }
                O::settle(isa, out, narrow);
            }
        }
    }
}

/// `(x − mean) · factor + shift`, then the activation.
struct Normalise(Option<Activation>);

impl Pointwise<4> for Normalise {
    #[inline(always)]
    fn compute<S: Simd, const N: usize>(
        &self,
        w: Wide<S, N>,
        _: Vectors<S, N>,
        [x, mean, factor, shift]: [Vectors<S, N>; 4],
    ) -> Vectors<S, N> {
        let normal = w.mul_add(w.sub(x, mean), factor, shift);
        match self.0 {
            Some(activation) => activation.of(w, normal),
            None => normal,
        }
    }
}
