use crate::noise::NoiseStream;
use fourstep_protocol::Noise;
use std::sync::Arc;

/// The noise of one seed, written down as it is drawn.
///
/// A run draws noise in a fixed order: the initial latents, then one draw for each step that needs fresh noise. While
/// somebody types, the seed stays and every run wants the same draws again.
pub(crate) struct NoiseTape {
    stream: NoiseStream,
    len: usize,
    draws: Vec<Arc<[f32]>>,
}

/// What decides a tape's content.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct TapeKey {
    pub(crate) noise: Noise,
    pub(crate) seed: u64,
    /// `[c, h, w]` of the latents. The product alone would do for `torch`, which fills in order.
    pub(crate) shape: [usize; 3],
}

impl NoiseTape {
    pub(crate) fn new(key: TapeKey) -> Self {
        Self { stream: NoiseStream::new(key.noise, key.seed), len: key.shape.iter().product(), draws: Vec::new() }
    }

    /// The draw with this number, counted from 0.
    pub(crate) fn draw(&mut self, number: usize) -> Arc<[f32]> {
        while self.draws.len() <= number {
            self.draws.push(self.stream.normal(self.len).into());
        }
        self.draws[number].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_replays_what_the_stream_gave() {
        let key = TapeKey { noise: Noise::Torch, seed: 7, shape: [4, 2, 3] };
        let mut stream = NoiseStream::new(Noise::Torch, 7);
        let (first, second) = (stream.normal(24), stream.normal(24));
        let mut tape = NoiseTape::new(key);
        assert_eq!(*tape.draw(1), *second);
        assert_eq!(*tape.draw(0), *first);
        assert_eq!(*tape.draw(1), *second);
    }
}
