use fourstep_protocol::{Latents, ModelRef, Picture, RunId};
use fourstep_session::{PreviewPlace, Step};
use std::sync::Arc;

/// Decodes a run's latents with a small decoder, within its own budget of time.
pub trait Previews {
    /// Gets this model's decoder ready, so that its first preview does not wait for it.
    fn prepare(&self, model: &ModelRef);

    /// Offers the latents of a step; may be left undone where decoding would slow the run down.
    fn offer(&self, job: PreviewJob);

    /// Asks for these as well, at full size and none left out, when there is nothing newer to decode. What was asked for
    /// before is forgotten.
    fn develop(&self, jobs: Vec<PreviewJob>);

    /// The newest preview that was not handed out yet. Wakes the window when there is one.
    fn newest(&self) -> Option<PreviewPicture>;

    /// Does a slice of what the card that draws the window has to compute; whether there is more. Called once in a frame.
    fn take_turn(&self) -> bool {
        false
    }

    /// The picture of this run is there: its previews are of no use any more.
    fn finish(&self, run: RunId);
}

/// The latents of a step, to be made into a picture.
#[derive(Clone, Debug)]
pub struct PreviewJob {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// Decides the decoder.
    pub model: ModelRef,
    /// `[1, c, h, w]`.
    pub denoised: Arc<Latents>,
    /// What a step takes now, to measure the budget by; 0 where it is not known yet.
    pub step_secs: f64,
    /// What decodes it; what is to be read and not only drawn comes from the processor.
    pub place: PreviewPlace,
}

impl PreviewJob {
    /// What a step looks like, where nothing is known of how long it took.
    pub fn of(step: &Step) -> Self {
        let Step { run, step, denoised, model, .. } = step.clone();
        Self { run, step, model, denoised, step_secs: 0.0, place: PreviewPlace::Processor }
    }
}

/// A decoded preview; may be smaller than the picture.
#[derive(Clone, Debug)]
pub struct PreviewPicture {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// What it looks like.
    pub image: PreviewImage,
}

/// A preview where it lies.
#[derive(Clone, Debug)]
pub enum PreviewImage {
    /// In memory.
    Picture(Arc<Picture>),
    /// On the card that the window draws with.
    Texture(wgpu::Texture),
}
