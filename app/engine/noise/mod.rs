//! Noise by seed: the same numbers as the generators that people already know.

mod box_muller;
mod mt19937;
mod philox;
mod torch;

use fourstep_protocol::Noise;
use philox::Philox;
use torch::TorchNormal;

/// A sequence of standard normal numbers that depends on nothing but the generator, the seed and the calls before.
///
/// A run draws its initial noise first and then, step by step, the fresh noise of its sampler, as diffusers does with
/// one `torch.Generator`.
#[derive(Clone, Debug)]
pub struct NoiseStream(Generator);

#[derive(Clone, Debug)]
enum Generator {
    Torch(Box<TorchNormal>),
    Philox(Philox),
}

impl NoiseStream {
    /// A stream at its beginning.
    pub fn new(kind: Noise, seed: u64) -> Self {
        Self(match kind {
            Noise::Torch => Generator::Torch(Box::new(TorchNormal::new(seed))),
            Noise::Philox => Generator::Philox(Philox::new(seed)),
        })
    }

    /// The next tensor of `len` values, row-major: `torch.randn(shape, generator=…)` with `len` = product of the shape.
    ///
    /// One call of 64 values is not the same as two calls of 32, with either generator.
    pub fn normal(&mut self, len: usize) -> Vec<f32> {
        match &mut self.0 {
            Generator::Torch(torch) => torch.normal(len),
            Generator::Philox(philox) => philox.normal(len),
        }
    }
}
