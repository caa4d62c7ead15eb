use half::bf16;

/// Numbers that a kernel reads.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// 4 bytes each.
    F32(&'a [f32]),
    /// 2 bytes each.
    Bf16(&'a [bf16]),
}

/// Numbers that a kernel writes.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    /// 4 bytes each.
    F32(&'a mut [f32]),
    /// 2 bytes each, rounded to nearest even.
    Bf16(&'a mut [bf16]),
}

impl Values<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ValuesMut<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A number that lies in memory in some format and is computed with in f32.
pub(crate) trait Number: Copy + Send + Sync + Default + 'static {
    fn widen(self) -> f32;
    fn narrow(value: f32) -> Self;
}

impl Number for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    fn narrow(value: f32) -> Self {
        value
    }
}

impl Number for bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    /// To nearest even, without a branch, so that loops over it become vector code. Of what is no number a bit is set
    /// that rounding cannot carry away.
    #[inline(always)]
    fn narrow(value: f32) -> Self {
        let bits = value.to_bits();
        let rounded = bits.wrapping_add(0x7FFF + ((bits >> 16) & 1));
        let bits = if value.is_nan() { bits | 0x0040_0000 } else { rounded };
        Self::from_bits((bits >> 16) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_rounds_as_half_does() {
        for bits in (0..u32::MAX).step_by(7919) {
            let value = f32::from_bits(bits);
            let (found, expected) = (bf16::narrow(value), bf16::from_f32(value));
            assert!(found.to_bits() == expected.to_bits() || value.is_nan() && found.is_nan(), "{value:e}");
        }
    }
}
