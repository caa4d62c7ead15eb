use crate::{ModelInfo, Request};
use serde::{Deserialize, Serialize};

/// The first steps of another run, which a request follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// The run that is followed: its prompts, seed, guidance and LoRAs. Everything else is ignored and taken from the
    /// request that holds the anchor, because both go the same way: see [`Request::followed`].
    pub request: Box<Request>,
    /// How many of its steps: at least 1, and fewer than the request has.
    pub steps: u32,
}

impl Request {
    /// The run that an anchor of this request stands for, as a request of its own.
    pub fn followed(&self, anchor: &Anchor) -> Self {
        let Self { model, vae, size, sampler, steps, noise, init, .. } = self.clone();
        Self { model, vae, size, sampler, steps, noise, init, ..(*anchor.request).clone() }
    }

    /// An anchor without what has no effect; `None` where it leads where the request goes `without` it.
    pub(crate) fn canonical_anchor(&self, anchor: &Anchor, without: &Self, model: &ModelInfo) -> Option<Anchor> {
        let followed = self.followed(anchor).canonical(model);
        (followed != without.canonical(model)).then(|| Anchor { request: Box::new(followed), steps: anchor.steps })
    }

    /// Both of its anchors.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = &Anchor> {
        self.fork.iter().chain(&self.composition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Guidance, Invalid, ModelRef, Recipe, Sampler, Size};

    fn model() -> ModelInfo {
        ModelInfo {
            model: ModelRef::new("sticker"),
            name: "Sticker".into(),
            detail: "LCM-LoRA".into(),
            family: crate::Family::Custom,
            guidance: Guidance::ClassifierFree,
            native_size: Size::new(128, 128),
            live: Recipe { loras: vec![], sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 },
            compare: None,
            few_step: None,
        }
    }

    fn forked(prompt: &str, from: Request, steps: u32) -> Request {
        let fork = Some(Anchor { request: Box::new(from), steps });
        Request { fork, ..Request::new(&model(), prompt) }
    }

    #[test]
    fn a_followed_run_goes_the_way_of_the_request() {
        let from = Request { size: Size::new(64, 64), steps: 8, seed: 7, ..Request::new(&model(), "a cat") };
        let request = forked("a dog", from, 2);
        let followed = request.followed(request.fork.as_ref().expect("a fork"));
        assert_eq!((followed.prompt.as_str(), followed.seed), ("a cat", 7));
        assert_eq!((followed.size, followed.steps), (request.size, request.steps));
    }

    #[test]
    fn a_fork_that_changes_nothing_is_no_fork() {
        let plain = Request::new(&model(), "a cat");
        assert_eq!(forked("a cat", plain.clone(), 2).canonical(&model()), plain);
        let other = Request { size: Size::new(64, 64), ..plain.clone() };
        assert_eq!(forked("a cat", other, 2).canonical(&model()), plain, "the size is not followed");
        assert_ne!(forked("a dog", plain, 2).canonical(&model()), Request::new(&model(), "a dog"));
    }

    #[test]
    fn an_anchor_leaves_at_least_one_step() {
        let plain = Request::new(&model(), "a cat");
        assert_eq!(forked("a dog", plain.clone(), 3).validate(&model()), Ok(()));
        for steps in [0, 4] {
            let wrong = Invalid::Anchor { steps, most: 3 };
            assert_eq!(forked("a dog", plain.clone(), steps).validate(&model()), Err(wrong));
        }
    }

    #[test]
    fn a_fork_of_a_fork_ends_before_it() {
        let inner = forked("a dog", Request::new(&model(), "a cat"), 2);
        assert!(forked("a car", inner.clone(), 3).validate(&model()).is_ok());
        assert!(forked("a car", inner, 2).validate(&model()).is_err());
    }
}
