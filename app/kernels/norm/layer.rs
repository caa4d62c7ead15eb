use super::LayerNorm;
use crate::{
    Cancelled, Context, Isa, dispatch,
    elementwise::PART,
    math::{ABREAST, Pointwise, Vectors, Wide, compute},
    values::{Number, STAGE, Stage},
};
use pulp::{Simd, WithSimd};

/// Rows whose sums are built one after the other.
const ROWS: usize = 16;
/// Values that tell where a row lies.
const HEAD: usize = 64;

pub(super) fn layer_norm<X: Number, O: Number>(
    cx: Context<'_>,
    x: &[X],
    w: LayerNorm<'_>,
    out: &mut [O],
) -> Result<(), Cancelled> {
    let c = w.scale.len();
    let part = (PART / c.max(1)).max(1) * c;
    cx.run_parts(out, part, |i, out| {
        dispatch(cx.isa, Rows { isa: cx.isa, x: &x[i * part..][..out.len()], w, out });
    })
}

struct Rows<'a, X, O> {
    isa: Isa,
    x: &'a [X],
    w: LayerNorm<'a>,
    out: &'a mut [O],
}

impl<X: Number, O: Number> WithSimd for Rows<'_, X, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { isa, x, w, out } = self;
        let c = w.scale.len();
        let [wide, narrow] = &mut [Stage::new(); 2];
        let mut normalise = [Normalise::default(); ROWS];
        // Several rows at a time where they are short: while one waits for its sums, the next can be read.
        let group = (STAGE / c).clamp(1, ROWS) * c;
        for (x, out) in x.chunks(group).zip(out.chunks_mut(group)) {
            for (normalise, x) in normalise.iter_mut().zip(x.chunks_exact(c)) {
                *normalise = Normalise::of(simd, x, w.eps, wide);
            }
            for (part, (x, out)) in x.chunks(STAGE).zip(out.chunks_mut(STAGE)).enumerate() {
                let (x, room, first) = (X::widened(x, wide), O::room(out, narrow), part * STAGE);
                for ((x, out), normalise) in x.chunks(c).zip(room.chunks_mut(c)).zip(&normalise) {
                    compute(simd, normalise, [x, &w.scale[first..], &w.shift[first..]], out);
                }
                O::settle(isa, out, narrow);
            }
        }
    }
}

/// `((x − near) · factor + rest) · scale + shift`; the mean is near what is called so.
#[derive(Clone, Copy, Default)]
struct Normalise {
    near: f32,
    factor: f32,
    rest: f32,
}

impl Normalise {
    /// What makes this row normal, in one read: sums are of differences from the mean of the row's first values, which
    /// is no farther from the row's mean than the deviation times the square root of `c / HEAD`.
    #[inline(always)]
    fn of<S: Simd, X: Number>(simd: S, x: &[X], eps: f32, stage: &mut Stage) -> Self {
        let head = x.len().min(HEAD);
        let near = sums(simd, &x[..head], 0.0, stage)[0] / head as f32;
        let [rest, square] = sums(simd, x, near, stage).map(|sum| sum / x.len() as f32);
        let variance = square - rest * rest;
        // Not `max`, which would hide what is no number.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        let factor = 1.0 / (variance + eps).sqrt();
        Self { near, factor, rest: -rest * factor }
    }
}

impl Pointwise<3> for Normalise {
    #[inline(always)]
    fn compute<S: Simd, const N: usize>(
        &self,
        w: Wide<S, N>,
        _: Vectors<S, N>,
        [x, scale, shift]: [Vectors<S, N>; 3],
    ) -> Vectors<S, N> {
        let normal = w.mul_add(w.sub(x, w.splat(self.near)), w.splat(self.factor), w.splat(self.rest));
        w.mul_add(normal, scale, shift)
    }
}

/// The sum of differences from a value, and that of their squares.
#[inline(always)]
fn sums<S: Simd, X: Number>(simd: S, x: &[X], near: f32, stage: &mut Stage) -> [f32; 2] {
    let w = Wide::<S, ABREAST>(simd);
    let (base, mut values, mut squares) = (w.splat(near), w.splat(0.0), w.splat(0.0));
    let (mut value, mut square) = (0.0, 0.0);
    for x in x.chunks(STAGE) {
        let x = X::widened(x, stage).chunks_exact(ABREAST * S::F32_LANES);
        for v in x.remainder() {
            let difference = v - near;
            value += difference;
            square += difference * difference;
        }
        for x in x {
            let difference = w.sub(w.load(x), base);
            values = w.add(values, difference);
            squares = w.mul_add(difference, difference, squares);
        }
    }
    [value + w.total(values), square + w.total(squares)]
}
