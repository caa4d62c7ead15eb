//! The Box–Muller transform with the rounding of PyTorch's AVX2 path.
//!
//! PyTorch takes logarithm, sine and cosine from `avx_mathfun.h` (Giovanni Garberoglio, after Julien Pommier's
//! `sse_mathfun.h`, zlib licence), which are Cephes' single precision polynomials. This is an altered version: scalar,
//! for the arguments that occur here, and with every multiply-add fused that the compiler of the PyTorch packages
//! fuses, so that the last bit is the same.

/// Values transformed together.
pub(super) const BLOCK: usize = 16;

/// Turns 16 uniform numbers of `[0, 1)` into normal ones: values j and j + 8 are the pair of one radius and angle.
pub(super) fn in_place(block: &mut [f32; BLOCK]) {
    let (first, second) = block.split_at_mut(BLOCK / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let radius = (-2.0 * ln(1.0 - *a)).sqrt();
        let (sin, cos) = sin_cos(std::f32::consts::TAU * *b);
        // PyTorch scales by std and adds the mean, which makes a positive zero of a negative one.
        *a = radius * cos + 0.0;
        *b = radius * sin + 0.0;
    }
}

/// `log256_ps` for one normal x of (0, 1].
fn ln(x: f32) -> f32 {
    const P: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_84e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_4e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let bits = x.to_bits();
    let mut exponent = (bits >> 23) as f32 - 126.0;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    let mut m = mantissa - 1.0;
    if mantissa < std::f32::consts::FRAC_1_SQRT_2 {
        exponent -= 1.0;
        m += mantissa;
    }
    let square = m * m;
    let polynomial = P[1..].iter().fold(P[0], |y, &p| y.mul_add(m, p)) * m;
    let y = polynomial.mul_add(square, exponent * -2.121_944_4e-4);
    let y = (-square).mul_add(0.5, y);
    exponent.mul_add(0.693_359_4, m + y)
}

/// `sincos256_ps` for one x ≥ 0.
fn sin_cos(x: f32) -> (f32, f32) {
    let octant = ((x * (4.0 / std::f32::consts::PI)) as u32 + 1) & !1;
    let n = octant as f32;
    // π/4 in three parts, so that the difference keeps its precision.
    let x = n.mul_add(-0.785_156_25, x);
    let x = n.mul_add(-2.418_756_5e-4, x);
    let x = n.mul_add(-3.774_895e-8, x);
    let z = x * x;

    let c = 2.443_315_7e-5_f32.mul_add(z, -1.388_731_6e-3).mul_add(z, 4.166_664_6e-2) * z;
    let cos_part = z.mul_add(c, -(z * 0.5)) + 1.0;
    let s = (-1.951_529_6e-4_f32).mul_add(z, 8.332_161e-3).mul_add(z, -1.666_665_5e-1) * z;
    let sin_part = x.mul_add(s, x);

    let (sin, cos) = if octant & 2 == 0 { (sin_part, cos_part) } else { (cos_part, sin_part) };
    let negate = |value: f32, yes: bool| if yes { -value } else { value };
    (negate(sin, octant & 4 != 0), negate(cos, (octant + 2) & 4 != 0))
}
