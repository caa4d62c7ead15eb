use super::{box_muller, mt19937::Mt19937};
use std::f64::consts::PI;

/// `torch.randn` in f32 on PyTorch's CPU generator, bit for bit as on an x86-64 machine with AVX2
/// (`ATen/native/cpu/DistributionTemplates.h`, `ATen/core/DistributionsHelper.h`).
#[derive(Clone, Debug)]
pub(super) struct TorchNormal {
    engine: Mt19937,
    /// The second number of the last pair drawn one by one; it waits for the next small call, whatever comes between.
    cached: Option<f64>,
}

const BLOCK: usize = box_muller::BLOCK;

impl TorchNormal {
    pub(super) fn new(seed: u64) -> Self {
        Self { engine: Mt19937::new(seed), cached: None }
    }

    pub(super) fn normal(&mut self, len: usize) -> Vec<f32> {
        if len < BLOCK { (0..len).map(|_| self.single() as f32).collect() } else { self.blocks(len) }
    }

    /// 16 or more values: uniform numbers first, then blocks of 16 turned into normal ones in place.
    fn blocks(&mut self, len: usize) -> Vec<f32> {
        let mut values: Vec<f32> = (0..len).map(|_| self.engine.uniform_f32()).collect();
        let (blocks, rest) = values.as_chunks_mut::<BLOCK>();
        blocks.iter_mut().for_each(box_muller::in_place);
        // What does not fill a block is not transformed alone: the last 16 values are drawn anew.
        if !rest.is_empty()
            && let Some(tail) = values.last_chunk_mut::<BLOCK>()
        {
            tail.fill_with(|| self.engine.uniform_f32());
            box_muller::in_place(tail);
        }
        values
    }

    /// Fewer than 16 values: one at a time in f64, made in pairs.
    fn single(&mut self) -> f64 {
        if let Some(cached) = self.cached.take() {
            return cached;
        }
        let u1 = self.engine.uniform_f64();
        let u2 = self.engine.uniform_f64();
        let radius = (-2.0 * (-u2).ln_1p()).sqrt();
        let (sin, cos) = (2.0 * PI * u1).sin_cos();
        self.cached = Some(radius * sin);
        radius * cos
    }
}
