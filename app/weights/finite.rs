use fourstep_compute::{ComputeError, Element, HostTensor, Result};
use rayon::prelude::*;

/// Bytes that a thread looks at at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// Passes a tensor on if all of its values are numbers. Looks at exponents only, so nothing is widened.
pub(crate) fn finite(key: &str, tensor: HostTensor) -> Result<HostTensor> {
    let bytes = tensor.bytes();
    let finite = bytes.par_chunks(BLOCK_BYTES).all(|bytes| match tensor.element() {
        Element::F32 => exponents_below_top(bytes, |b: [u8; 4]| u32::from_le_bytes(b) & 0x7f80_0000, 0x7f80_0000),
        Element::F16 => exponents_below_top(bytes, |b: [u8; 2]| u16::from_le_bytes(b) & 0x7c00, 0x7c00),
        Element::Bf16 => exponents_below_top(bytes, |b: [u8; 2]| u16::from_le_bytes(b) & 0x7f80, 0x7f80),
    });
    if finite { Ok(tensor) } else { Err(ComputeError::NotFinite(key.into())) }
}

/// Whether none of the values is NaN or infinite.
pub(crate) fn only_numbers(values: &[f32]) -> bool {
    let top = f32::INFINITY.to_bits();
    values.chunks(4096).all(|block| !block.iter().fold(false, |bad, v| bad | (v.to_bits() & top == top)))
}

/// Whether no value has the exponent that stands for NaN and infinity. In blocks without early exit, so that the
/// inner loop is vectorised.
fn exponents_below_top<const N: usize, T: PartialEq + Copy>(
    bytes: &[u8],
    exponent: impl Fn([u8; N]) -> T,
    top: T,
) -> bool {
    let (values, _) = bytes.as_chunks::<N>();
    values.chunks(4096).all(|block| !block.iter().fold(false, |bad, b| bad | (exponent(*b) == top)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::{bf16, f16};
    use std::sync::Arc;

    fn tensor(element: Element, values: &[f32]) -> HostTensor {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|v| match element {
                Element::F32 => v.to_le_bytes().to_vec(),
                Element::F16 => f16::from_f32(*v).to_le_bytes().to_vec(),
                Element::Bf16 => bf16::from_f32(*v).to_le_bytes().to_vec(),
            })
            .collect();
        let len = bytes.len();
        HostTensor::view("w", vec![values.len()], element, Arc::new(bytes), 0, len).expect("fits")
    }

    #[test]
    fn only_nan_and_infinity_are_refused_wherever_they_stand() {
        for element in [Element::F32, Element::F16, Element::Bf16] {
            let mut values = vec![60000.0; 10_000];
            values[1] = -60000.0;
            assert!(finite("w", tensor(element, &values)).is_ok());
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in [0, 4096, 9_999] {
                    let mut values = values.clone();
                    values[at] = bad;
                    let e = finite("w", tensor(element, &values)).expect_err("refused");
                    assert!(matches!(e, ComputeError::NotFinite(k) if k == "w"));
                }
            }
        }
    }
}
