/// Philox 4×32-10 (Salmon et al. 2011) with the counter layout of PyTorch's CUDA generator: what AUTOMATIC1111 calls
/// the GPU noise of a seed, computed without a GPU (its `modules/rng_philox.py` is the reference).
///
/// Element i of call n uses counter `(n, 0, i, 0)`, so an element does not depend on the size of the tensor.
#[derive(Clone, Debug)]
pub(super) struct Philox {
    key: [u32; 2],
    calls: u32,
}

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

/// 2⁻³² and 2π·2⁻³² as CUDA's `curand` rounds them.
const TWO_POW_MINUS_32: f32 = 2.328_306_4e-10;
const TAU_POW_MINUS_32: f32 = (2.328_306_4e-10_f64 * 6.283_185_5) as f32;

impl Philox {
    pub(super) fn new(seed: u64) -> Self {
        Self { key: [(seed & 0xffff_ffff) as u32, (seed >> 32) as u32], calls: 0 }
    }

    pub(super) fn normal(&mut self, len: usize) -> Vec<f32> {
        let call = self.calls;
        self.calls = call.wrapping_add(1);
        (0..len as u32).map(|i| box_muller(philox(self.key, [call, 0, i, 0]))).collect()
    }
}

fn philox(mut key: [u32; 2], mut counter: [u32; 4]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let a = u64::from(counter[0]) * u64::from(MULTIPLIERS[0]);
        let b = u64::from(counter[2]) * u64::from(MULTIPLIERS[1]);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The first of the two normal numbers of a pair; the second and two of the four random words go unused.
fn box_muller([x, y, ..]: [u32; 4]) -> f32 {
    let scale = |word: u32, unit: f32| f64::from(word) * f64::from(unit) + f64::from(unit / 2.0);
    let radius = (-2.0 * scale(x, TWO_POW_MINUS_32).ln()).sqrt();
    (radius * scale(y, TAU_POW_MINUS_32).sin()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 library (`kat_vectors`, philox4x32 10).
    #[test]
    fn random123_vectors() {
        assert_eq!(philox([0; 2], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 2], [u32::MAX; 4]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0xa409_3822, 0x299f_31d0], [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }
}
