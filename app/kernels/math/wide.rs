use pulp::{Simd, bytemuck::cast};

/// Computes with `N` vectors side by side: while one waits for its last result, the others go on.
#[derive(Clone, Copy)]
pub(crate) struct Wide<S, const N: usize>(pub(crate) S);

pub(crate) type Vectors<S, const N: usize> = [<S as Simd>::f32s; N];

/// Operations of two values; loops, since closures are not sure to be compiled for the instruction set.
macro_rules! operations {
    ($($name:ident = $operation:ident;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name(self, mut a: Vectors<S, N>, b: Vectors<S, N>) -> Vectors<S, N> {
            for i in 0..N {
                a[i] = self.0.$operation(a[i], b[i]);
            }
            a
        }
    )*};
}

impl<S: Simd, const N: usize> Wide<S, N> {
    operations! {
        add = add_f32s;
        sub = sub_f32s;
        mul = mul_f32s;
        div = div_f32s;
    }

    /// Values that fill the vectors, or fewer than fill one, with zeros behind them.
    #[inline(always)]
    pub(crate) fn load(self, values: &[f32]) -> Vectors<S, N> {
        let mut out = self.splat(0.0);
        if values.len() == N * S::F32_LANES {
            out.copy_from_slice(S::as_simd_f32s(values).0);
        } else {
            out[0] = self.0.partial_load_f32s(values);
        }
        out
    }

    /// The values, with zeros behind them.
    #[inline(always)]
    pub(crate) fn store(self, vectors: Vectors<S, N>) -> [f32; MOST] {
        let mut out = [0.0; MOST];
        S::as_mut_simd_f32s(&mut out[..N * S::F32_LANES]).0.copy_from_slice(&vectors);
        out
    }

    /// The sum of all values.
    #[inline(always)]
    pub(crate) fn total(self, vectors: Vectors<S, N>) -> f32 {
        let mut sum = vectors[0];
        for vector in &vectors[1..] {
            sum = self.0.add_f32s(sum, *vector);
        }
        self.0.reduce_sum_f32s(sum)
    }

    #[inline(always)]
    pub(crate) fn splat(self, value: f32) -> Vectors<S, N> {
        [self.0.splat_f32s(value); N]
    }

    /// `a · b + c`, rounded once where that is one instruction.
    #[inline(always)]
    pub(crate) fn mul_add(self, mut a: Vectors<S, N>, b: Vectors<S, N>, c: Vectors<S, N>) -> Vectors<S, N> {
        for i in 0..N {
            a[i] = self.0.mul_add_e_f32s(a[i], b[i], c[i]);
        }
        a
    }

    /// `low` where a value is less; what is no number stays so.
    #[inline(always)]
    pub(crate) fn at_least(self, mut x: Vectors<S, N>, low: f32) -> Vectors<S, N> {
        let low = self.0.splat_f32s(low);
        for x in &mut x {
            *x = if S::IS_SCALAR {
                self.0.select_f32s(self.0.less_than_f32s(*x, low), low, *x)
            } else {
                // x86 takes the second where one is no number, ARM what is no number.
                self.0.max_f32s(low, *x)
            };
        }
        x
    }

    /// `high` where a value is greater; what is no number stays so.
    #[inline(always)]
    pub(crate) fn at_most(self, mut x: Vectors<S, N>, high: f32) -> Vectors<S, N> {
        let high = self.0.splat_f32s(high);
        for x in &mut x {
            *x = if S::IS_SCALAR {
                self.0.select_f32s(self.0.less_than_f32s(high, *x), high, *x)
            } else {
                self.0.min_f32s(high, *x)
            };
        }
        x
    }

    #[inline(always)]
    pub(crate) fn abs(self, mut x: Vectors<S, N>) -> Vectors<S, N> {
        for x in &mut x {
            *x = self.0.abs_f32s(*x);
        }
        x
    }

    /// The numbers whose exponents are the lowest bits of these numbers.
    #[inline(always)]
    pub(crate) fn exponents(self, mut x: Vectors<S, N>) -> Vectors<S, N> {
        for x in &mut x {
            *x = cast(self.0.wrapping_dyn_shl_u32s(cast(*x), self.0.splat_u32s(f32::MANTISSA_DIGITS - 1)));
        }
        x
    }

    /// The polynomial with these coefficients, the highest first.
    #[inline(always)]
    pub(crate) fn polynomial<const M: usize>(self, x: Vectors<S, N>, coefficients: [f32; M]) -> Vectors<S, N> {
        let mut sum = self.splat(coefficients[0]);
        for coefficient in &coefficients[1..] {
            sum = self.mul_add(sum, x, self.splat(*coefficient));
        }
        sum
    }
}

/// What is done to values at the same place of an output and of `K` inputs.
pub(crate) trait Pointwise<const K: usize> {
    /// What becomes of `out`.
    fn compute<S: Simd, const N: usize>(
        &self,
        w: Wide<S, N>,
        out: Vectors<S, N>,
        inputs: [Vectors<S, N>; K],
    ) -> Vectors<S, N>;
}

/// Vectors that are computed side by side.
pub(crate) const ABREAST: usize = 4;
/// Values of as many vectors of the widest instruction set.
pub(crate) const MOST: usize = ABREAST * 16;

/// Computes every value of `out`; the inputs are as long, or longer.
#[inline(always)]
pub(crate) fn compute<S: Simd, const K: usize>(
    simd: S,
    pointwise: &impl Pointwise<K>,
    inputs: [&[f32]; K],
    out: &mut [f32],
) {
    let mut done = 0;
    let fours = ABREAST * S::F32_LANES;
    while out.len() - done >= fours {
        part(Wide::<S, ABREAST>(simd), pointwise, inputs, done, &mut out[done..][..fours]);
        done += fours;
    }
    while out.len() > done {
        let len = S::F32_LANES.min(out.len() - done);
        part(Wide::<S, 1>(simd), pointwise, inputs, done, &mut out[done..][..len]);
        done += len;
    }
}

/// Computes values from `first` on that fill the vectors, or fewer than fill one.
#[inline(always)]
fn part<S: Simd, const N: usize, const K: usize>(
    w: Wide<S, N>,
    pointwise: &impl Pointwise<K>,
    inputs: [&[f32]; K],
    first: usize,
    out: &mut [f32],
) {
    let before = w.load(out);
    let mut values = [before; K];
    for (values, input) in values.iter_mut().zip(inputs) {
        *values = w.load(&input[first..][..out.len()]);
    }
    let after = pointwise.compute(w, before, values);
    if out.len() == N * S::F32_LANES {
        S::as_mut_simd_f32s(out).0.copy_from_slice(&after);
    } else {
        w.0.partial_store_f32s(out, after[0]);
    }
}
