use crate::{Anchor, Blended, LoraRef, Mask, ModelInfo, ModelRef, Noise, Picture, Recipe, Sampler, Typed};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// Everything that changes a pixel, in one value.
///
/// Equality of two [`canonical`](Request::canonical) requests is the dirty check of the live loop; the serialised
/// form is what a saved picture carries and what the command line runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The base model.
    pub model: ModelRef,
    /// An autoencoder instead of the model's own: an id of the catalog, or the path of a file or folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vae: Option<String>,
    /// LoRAs in the order of the stack; it changes no pixel.
    #[serde(default)]
    pub loras: Vec<LoraRef>,
    /// What to paint: words, and weights as AUTOMATIC1111 writes them.
    pub prompt: String,
    /// Prompts mixed into it; at most three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blend: Vec<Blended>,
    /// What to steer away from; has an effect only where an unconditional pass runs.
    #[serde(default)]
    pub negative_prompt: String,
    /// Seed of the initial noise and of every fresh noise after it.
    pub seed: u64,
    /// Which generator turns the seed into noise.
    #[serde(default)]
    pub noise: Noise,
    /// Size of the picture.
    pub size: Size,
    /// The rule that goes from noise to picture.
    pub sampler: Sampler,
    /// Denoising steps of a run from pure noise.
    pub steps: u32,
    /// Classifier-free guidance scale, or the trained guidance of a model with a guidance embedding.
    pub guidance_scale: f32,
    /// Start from a picture instead of pure noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<Init>,
    /// The first steps are those of another run: what is changed varies what that run had by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<Anchor>,
    /// In the first steps the low frequencies of what the picture is taken to be are those of another run: its
    /// composition stays while prompt, LoRAs or guidance change the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composition: Option<Anchor>,
    /// What was typed, where that is not what is painted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<Box<Typed>>,
}

/// The picture an image-to-image run starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Init {
    /// Scaled to the size of the request by the engine.
    pub picture: Picture,
    /// How much is repainted: 0 < strength ≤ 1, where 1 keeps next to nothing.
    pub strength: f32,
    /// Paint only this part anew; `None` is the whole picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
}

impl Init {
    /// A start from the whole picture.
    pub fn new(picture: Picture, strength: f32) -> Self {
        Self { picture, strength, mask: None }
    }

    /// Checks strength and mask.
    ///
    /// # Errors
    /// The first of them that does not fit.
    pub fn validate(&self) -> Result<(), Invalid> {
        if !(self.strength > 0.0 && self.strength <= 1.0) {
            return Err(Invalid::Strength(self.strength));
        }
        let Some(Mask { coverage, grow_px, feather_px }) = &self.mask else { return Ok(()) };
        let of = |width, height| Size { width, height };
        let (mask, picture) =
            (of(coverage.width(), coverage.height()), of(self.picture.width(), self.picture.height()));
        if mask != picture {
            return Err(Invalid::MaskSize { mask, picture });
        }
        if coverage.is_empty() {
            return Err(Invalid::MaskEmpty);
        }
        match [*grow_px, *feather_px].into_iter().find(|px| !Mask::MARGIN_PX.contains(px)) {
            Some(px) => Err(Invalid::MaskMargin(px)),
            None => Ok(()),
        }
    }
}

/// Size of a picture in px; both multiples of 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// In px.
    pub width: u32,
    /// In px.
    pub height: u32,
}

impl Size {
    /// The side lengths the program accepts, in px.
    pub const SIDE_PX: RangeInclusive<u32> = 64..=4096;

    /// A size in px; unchecked, [`Request::validate`] checks.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// The nearest size that can be painted: sides in [`SIDE_PX`](Self::SIDE_PX) that are multiples of 8.
    pub fn nearest(self) -> Self {
        let side = |px: u32| (px.clamp(*Self::SIDE_PX.start(), *Self::SIDE_PX.end()) + 4) / 8 * 8;
        Self::new(side(self.width), side(self.height))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        let (w, h) = s.split_once(['x', 'X', '×']).ok_or_else(|| Invalid::SizeText(s.into()))?;
        let side = |t: &str| t.trim().parse::<u32>().map_err(|_| Invalid::SizeText(s.into()));
        Ok(Self::new(side(w)?, side(h)?))
    }
}

/// Why a request cannot be run; each says what to give instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Invalid {
    #[error("`{0}` is not a size; write WIDTHxHEIGHT in pixels, for example 512x512")]
    SizeText(String),
    #[error("`{0}` is not a sampler; choose one of lcm, ddim, euler, euler-a, dpmpp-2m, dpmpp-2m-karras, unipc")]
    SamplerText(String),
    #[error("width and height must be multiples of 8 from 64 to 4096 pixels, not {0}; the nearest is {1}")]
    Size(Size, Size),
    #[error("{label} takes {min} to {max} steps, not {steps}", label = .sampler.label())]
    Steps { sampler: Sampler, min: u32, max: u32, steps: u32 },
    #[error("guidance must be from {min:.1} to {max:.1} here, not {guidance_scale}; {hint}")]
    Guidance { min: f32, max: f32, guidance_scale: f32, hint: &'static str },
    #[error("a LoRA's weight must be a number from -2 to 2, not {0}")]
    LoraWeight(f32),
    #[error("at most three prompts can be mixed into the first, with parts from 0 that add up to 1 at most")]
    Blend,
    #[error("strength must be above 0 and at most 1, not {0}")]
    Strength(f32),
    #[error("1 to {most} steps of another run can be followed here, not {steps}")]
    Anchor { steps: u32, most: u32 },
    #[error("the mask is {mask} and the picture {picture}; a mask has the size of its picture")]
    MaskSize { mask: Size, picture: Size },
    #[error("the mask is empty; paint white where the picture is to be painted anew")]
    MaskEmpty,
    #[error("a mask can be grown and feathered by 0 to 256 pixels, not {0}")]
    MaskMargin(u32),
}

impl Request {
    /// A request for `prompt` with everything else as the model's recipe has it, seed 0.
    pub fn new(model: &ModelInfo, prompt: impl Into<String>) -> Self {
        let mut request = Self {
            model: model.model.clone(),
            vae: None,
            loras: Vec::new(),
            prompt: prompt.into(),
            blend: Vec::new(),
            negative_prompt: String::new(),
            seed: 0,
            noise: Noise::Torch,
            size: model.native_size,
            sampler: model.live.sampler,
            steps: model.live.steps,
            guidance_scale: model.live.guidance_scale,
            init: None,
            fork: None,
            composition: None,
            typed: None,
        };
        request.apply(&model.live);
        request
    }

    /// Takes over a recipe: LoRAs, sampler, steps and guidance together.
    pub fn apply(&mut self, recipe: &Recipe) {
        self.loras.clone_from(&recipe.loras);
        self.sampler = recipe.sampler;
        self.steps = recipe.steps;
        self.guidance_scale = recipe.guidance_scale;
    }

    /// Changes the sampler, and with it the recipe where the sampler belongs to another one: a classic sampler with an
    /// LCM-LoRA, or with four steps, paints nothing good. LoRAs that are no recipe's stay.
    pub fn change_sampler(&mut self, sampler: Sampler, model: &ModelInfo) {
        let (from, to) = (model.recipe_for(self.sampler), model.recipe_for(sampler));
        if from != to {
            let mut loras = to.loras.clone();
            loras.extend(self.loras.drain(..).filter(|l| from.loras.iter().all(|known| known.source != l.source)));
            self.apply(&Recipe { loras, ..to.clone() });
        }
        self.sampler = sampler;
    }

    /// Checks every number against what the model can do.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn validate(&self, model: &ModelInfo) -> Result<(), Invalid> {
        if self.size != self.size.nearest() {
            return Err(Invalid::Size(self.size, self.size.nearest()));
        }
        let steps = self.sampler.steps();
        if !steps.contains(&self.steps) {
            let (min, max) = (*steps.start(), *steps.end());
            return Err(Invalid::Steps { sampler: self.sampler, min, max, steps: self.steps });
        }
        let range = model.guidance_range(self.sampler);
        if !range.contains(&self.guidance_scale) {
            return Err(Invalid::Guidance {
                min: *range.start(),
                max: *range.end(),
                guidance_scale: self.guidance_scale,
                hint: model.guidance_hint(self.sampler),
            });
        }
        if let Some(lora) = self.loras.iter().find(|l| !LoraRef::WEIGHTS.contains(&l.weight)) {
            return Err(Invalid::LoraWeight(lora.weight));
        }
        if !Blended::fit(&self.blend) {
            return Err(Invalid::Blend);
        }
        self.init.as_ref().map_or(Ok(()), Init::validate)?;
        self.anchors().try_for_each(|anchor| self.validate_anchor(anchor, model))
    }

    fn validate_anchor(&self, anchor: &Anchor, model: &ModelInfo) -> Result<(), Invalid> {
        let most = self.steps.saturating_sub(1);
        let within = |steps| (1..=most).contains(&steps);
        if !within(anchor.steps) {
            return Err(Invalid::Anchor { steps: anchor.steps, most });
        }
        // A fork within the steps that are followed; one beyond them would never be seen.
        if let Some(inner) = anchor.request.fork.as_ref().filter(|inner| inner.steps >= anchor.steps) {
            return Err(Invalid::Anchor { steps: inner.steps, most: anchor.steps.saturating_sub(1) });
        }
        self.followed(anchor).validate(model)
    }

    /// The same request without what has no effect on the picture, so that equal pictures have equal requests.
    pub fn canonical(&self, model: &ModelInfo) -> Self {
        let mut canonical = self.clone();
        canonical.typed = None;
        canonical.simplify_blend();
        if !model.runs_unconditional(self.guidance_scale) {
            canonical.negative_prompt.clear();
        }
        canonical.loras.retain(|l| l.weight != 0.0);
        // Their changes are added up, and a sum does not know its order.
        canonical.loras.sort_by(|a, b| a.source.cmp(&b.source).then(a.weight.total_cmp(&b.weight)));
        if let Some(fork) = &self.fork {
            let without = Self { fork: None, ..self.clone() };
            canonical.fork = self.canonical_anchor(fork, &without, model);
        }
        if let Some(composition) = &self.composition {
            let without = Self { composition: None, ..self.clone() };
            canonical.composition = self.canonical_anchor(composition, &without, model);
        }
        canonical
    }
}

#[cfg(test)]
mod tests;
