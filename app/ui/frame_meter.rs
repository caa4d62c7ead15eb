use std::collections::VecDeque;

/// Frames that are looked back on: about a minute of continuous painting.
const KEPT: usize = 4096;

/// How long the window takes for its frames, to know that painting never makes it stutter.
#[derive(Default)]
pub(crate) struct FrameMeter {
    secs: VecDeque<f32>,
}

impl FrameMeter {
    /// A frame took so long: from input to what is handed to the graphics card.
    pub(crate) fn note(&mut self, secs: f32) {
        if self.secs.len() == KEPT {
            self.secs.pop_front();
        }
        self.secs.push_back(secs);
    }

    /// `4096 frames, median 1.2 ms, 99 % within 3.4 ms, longest 20.1 ms`; `None` before the first frame.
    pub(crate) fn summary(&self) -> Option<String> {
        let mut sorted: Vec<f32> = self.secs.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        let ms = |share: f32| sorted.get(((sorted.len() - 1) as f32 * share).round() as usize).map(|s| s * 1e3);
        let longest = sorted.last()? * 1e3;
        let (median, most) = (ms(0.5)?, ms(0.99)?);
        let frames = sorted.len();
        Some(format!("{frames} frames, median {median:.1} ms, 99 % within {most:.1} ms, longest {longest:.1} ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_tells_what_most_frames_took_and_forgets_old_ones() {
        let mut meter = FrameMeter::default();
        assert_eq!(meter.summary(), None);
        meter.note(9.0);
        (0..KEPT).for_each(|i| meter.note(if i % 50 == 0 { 0.02 } else { 0.001 }));
        let told = meter.summary().expect("frames");
        assert_eq!(told, "4096 frames, median 1.0 ms, 99 % within 20.0 ms, longest 20.0 ms");
    }
}
