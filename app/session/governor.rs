//! Keeps pictures coming within a time while things move: a draft by a tiny decoder, in fewer steps, or smaller, first;
//! what was asked for after a pause.

use crate::Session;
use fourstep_protocol::{Availability, ItemKind, LibraryItem, Request, Size};

/// The times that are offered, in milliseconds from a change to its picture.
pub const LATENCY_TARGETS_MS: [u32; 5] = [100, 200, 300, 500, 1000];

/// What a picture was painted with instead of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Steps it took.
    pub steps: u32,
    /// Its size.
    pub size: Size,
    /// A tiny decoder made the picture of its latents.
    pub is_decoded_quickly: bool,
}

/// Fewer steps than this show nothing that the whole run would become; long runs are cut to a third at most.
const FEWEST_STEPS: u32 = 2;
const SHORTEST_SHARE: u32 = 3;
/// Shares of each side that a draft may have, in quarters; another size has other noise, so fewer steps come first.
const QUARTERS: [u32; 2] = [3, 2];
/// On a shorter side no model paints anything that could be recognised, except one made for such sizes: that is quick.
const SHORTEST_SIDE_PX: u32 = 256;

/// The smallest change of `request` that is foretold to take no longer than `target_secs`, or the quickest there is;
/// `None` where the request itself is quick enough, or nothing is foretold. A tiny decoder, where there is one, comes
/// before fewer steps.
pub(crate) fn draft(
    request: &Request,
    tiny_decoder: Option<&str>,
    target_secs: f64,
    forecast_secs: impl Fn(&Request) -> Option<f64>,
) -> Option<Request> {
    // What starts from a picture, or follows another run, would not fit another size or number of steps.
    let is_bound = request.init.is_some() || request.fork.is_some() || request.composition.is_some();
    if is_bound || forecast_secs(request)? <= target_secs {
        return None;
    }
    let whole = request;
    let request = &Request { vae: tiny_decoder.map(str::to_owned).or_else(|| whole.vae.clone()), ..whole.clone() };
    let fewest = request.steps.div_ceil(SHORTEST_SHARE).max(FEWEST_STEPS).min(request.steps);
    let shorter = (fewest..request.steps).rev().map(|steps| Request { steps, ..request.clone() });
    let smaller = QUARTERS.iter().filter_map(|quarters| {
        let Size { width, height } = request.size;
        let size = Size::new(width * quarters / 4, height * quarters / 4).nearest();
        let is_seen = size.width.min(size.height) >= SHORTEST_SIDE_PX;
        is_seen.then(|| Request { steps: fewest, size, ..request.clone() })
    });
    let candidates = std::iter::once(request.clone()).chain(shorter).chain(smaller);
    let mut candidates = candidates.filter(|candidate| candidate != whole).peekable();
    let mut chosen = None;
    while let Some(candidate) = candidates.next() {
        let fits = forecast_secs(&candidate).is_some_and(|secs| secs <= target_secs);
        if fits || candidates.peek().is_none() {
            chosen = Some(candidate);
            break;
        }
    }
    chosen
}

impl Session {
    /// What is sent instead of `request` now, where a time is to be kept.
    pub(crate) fn draft_of(&self, request: &Request) -> Option<Request> {
        let target = f64::from(self.settings.latency_target_ms?) / 1e3;
        if !self.settings.live || self.pace.is_forced() || self.pace.is_refining() {
            return None;
        }
        draft(request, self.tiny_decoder(request), target, |candidate| self.meter.run_secs(candidate, &self.model))
    }

    /// What decodes this model's latents more quickly than what is asked for.
    fn tiny_decoder(&self, request: &Request) -> Option<&str> {
        let secs = |vae: Option<&String>| self.meter.decode_secs(vae);
        let is_quicker = |id| secs(Some(id)).unwrap_or(0.0) < secs(request.vae.as_ref()).unwrap_or(0.0);
        let fits = |item: &&LibraryItem| {
            item.kind == ItemKind::TinyDecoder
                && item.family == Some(self.model.family)
                && item.availability == Availability::Ready
        };
        let id = &self.library.iter().find(fits)?.id;
        (request.vae.as_ref() != Some(id) && is_quicker(id)).then_some(id)
    }

    /// Where the picture on the stage is a draft of what is wanted: what it was painted with.
    pub fn draft(&self) -> Option<Draft> {
        let shown = self.shown.as_ref().filter(|shown| shown.draft_of.is_some())?;
        let asked = shown.draft_of.as_ref().and_then(|asked| asked.vae.as_ref());
        let is_decoded_quickly = shown.canonical.vae.as_ref() != asked;
        Some(Draft { steps: shown.canonical.steps, size: shown.canonical.size, is_decoded_quickly })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn request(steps: u32) -> Request {
        Request { steps, size: Size::new(512, 512), ..Settings::sample(&[]).request }
    }

    /// A tenth of a second for a step at 512×512.
    fn forecast(request: &Request) -> Option<f64> {
        Some(0.1 * f64::from(request.steps) * f64::from(request.size.width * request.size.height) / 262_144.0)
    }

    #[test]
    fn the_first_change_that_keeps_the_time_is_taken_and_steps_go_before_size() {
        let chosen = |steps, target| draft(&request(steps), None, target, forecast).map(|r| (r.steps, r.size.width));
        assert_eq!(chosen(4, 0.5), None);
        assert_eq!(chosen(4, 0.4), None);
        assert_eq!(chosen(4, 0.31), Some((3, 512)));
        assert_eq!(chosen(4, 0.25), Some((2, 512)));
        assert_eq!(chosen(4, 0.15), Some((2, 384)));
        assert_eq!(chosen(4, 0.01), Some((2, 256)), "the quickest there is");
        assert_eq!(chosen(25, 1.0), Some((10, 512)));
        assert_eq!(chosen(25, 0.6), Some((9, 384)), "a third of a long run at least");
        assert_eq!(chosen(1, 0.01), Some((1, 256)), "one step stays one");
        let small = Request { size: Size::new(128, 128), ..request(4) };
        let drafted = draft(&small, None, 0.001, forecast).map(|r| (r.steps, r.size.width));
        assert_eq!(drafted, Some((2, 128)), "nothing can be recognised in a smaller one");
    }

    #[test]
    fn a_tiny_decoder_comes_before_fewer_steps() {
        let decoding = |request: &Request| if request.vae.is_some() { 0.02 } else { 0.5 };
        let forecast = |request: &Request| Some(forecast(request)? + decoding(request));
        let chosen = |target| draft(&request(4), Some("tiny"), target, forecast).map(|r| (r.vae, r.steps));
        assert_eq!(chosen(0.9), None);
        assert_eq!(chosen(0.5), Some((Some("tiny".into()), 4)));
        assert_eq!(chosen(0.35), Some((Some("tiny".into()), 3)));
    }

    #[test]
    fn nothing_foretold_and_nothing_bound_is_changed() {
        assert_eq!(draft(&request(4), None, 0.1, |_| None), None);
        let picture = fourstep_protocol::Picture::new(1, 1, vec![0; 3]).expect("a picture");
        let bound = Request { init: Some(fourstep_protocol::Init::new(picture, 0.5)), ..request(4) };
        assert_eq!(draft(&bound, Some("tiny"), 0.1, forecast), None);
    }
}
