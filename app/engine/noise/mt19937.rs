/// Mersenne Twister MT19937 (Matsumoto, Nishimura 1998), seeded and read like PyTorch's CPU generator
/// (`ATen/core/MT19937RNGEngine.h`).
#[derive(Clone, Debug)]
pub(super) struct Mt19937 {
    state: [u32; N],
    next: usize,
}

const N: usize = 624;
const M: usize = 397;

impl Mt19937 {
    /// Only the low 32 bits of the seed count, as in PyTorch.
    pub(super) fn new(seed: u64) -> Self {
        let mut state = [0; N];
        state[0] = (seed & 0xffff_ffff) as u32;
        for (j, previous) in (1..N).zip(0..) {
            let before: u32 = state[previous];
            state[j] = (before ^ (before >> 30)).wrapping_mul(1_812_433_253).wrapping_add(j as u32);
        }
        Self { state, next: N }
    }

    /// Uniform in `[0, 1)` with 24 random bits.
    pub(super) fn uniform_f32(&mut self) -> f32 {
        (self.next_u32() & 0x00ff_ffff) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `[0, 1)` with 53 random bits.
    pub(super) fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.next_u32());
        let low = u64::from(self.next_u32());
        (((high << 32) | low) & ((1 << 53) - 1)) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for j in 0..N {
            let mixed = (self.state[j] & 0x8000_0000) | (self.state[(j + 1) % N] & 0x7fff_ffff);
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[j] = self.state[(j + M) % N] ^ (mixed >> 1) ^ odd;
        }
        self.next = 0;
    }
}
