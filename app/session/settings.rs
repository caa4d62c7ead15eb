use crate::Tab;
use fourstep_prompt::Style;
use fourstep_protocol::{Family, Guidance, LoraRef, ModelInfo, ModelRef, Recipe, Request, Sampler, Size};
use serde::{Deserialize, Serialize};

/// What is painted when the program starts for the first time.
pub const SAMPLE_PROMPT: &str = "a red apple on a blue background";

/// Models chosen that are remembered.
const RECENT: usize = 8;

/// What comes back at the next start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// What is to be painted.
    pub request: Request,
    /// Whether every change is painted by itself.
    #[serde(default = "yes")]
    pub live: bool,
    /// Whether Enter keeps the seed.
    #[serde(default)]
    pub seed_locked: bool,
    /// Weights that LoRAs come back with which are off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<LoraRef>,
    /// What an LCM-LoRA replaced: it comes back when the LoRA goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_few_step: Option<Recipe>,
    /// Models that were chosen, the last one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<ModelRef>,
    /// Words that the person keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<Style>,
    /// What the window keeps for itself.
    #[serde(default)]
    pub ui: UiSettings,
}

/// What the window keeps for itself; of it, the session looks only at the tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UiSettings {
    /// The negative prompt is unfolded.
    pub negative_open: bool,
    /// The advanced settings are unfolded.
    pub advanced_open: bool,
    /// The LoRAs are unfolded.
    pub loras_open: bool,
    /// The mix of prompts is unfolded.
    pub blend_open: bool,
    /// The picture is shown without the word under the pointer; else only while Alt is held.
    pub leave_out_words: bool,
    /// The light theme instead of the dark one.
    pub light_theme: bool,
    /// The timeline shows only its bar.
    pub timeline_folded: bool,
    /// How much of the disk the timeline may take, in MiB, where the person chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline_megabytes: Option<u32>,
    /// What the stage shows; the next start shows the picture. What is painted while idle depends on it.
    #[serde(skip)]
    pub tab: Tab,
    /// The language of the window.
    pub language: Language,
}

/// A language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// The system's, where there are texts in it; else English.
    #[default]
    System,
    /// English.
    English,
    /// 繁體中文.
    TraditionalChinese,
}

impl Settings {
    /// The first model and the sample prompt, painted live.
    pub fn sample(models: &[ModelInfo]) -> Self {
        let request = match models.first() {
            Some(model) => Request::new(model, SAMPLE_PROMPT),
            None => Request::new(&no_model(), SAMPLE_PROMPT),
        };
        let (parked, recent) = (Vec::new(), Vec::new());
        Self {
            request,
            live: true,
            seed_locked: false,
            parked,
            before_few_step: None,
            recent,
            styles: Vec::new(),
            ui: UiSettings::default(),
        }
    }

    /// A model was chosen.
    pub(crate) fn note_recent(&mut self, model: &ModelRef) {
        self.recent.retain(|known| known != model);
        self.recent.insert(0, model.clone());
        self.recent.truncate(RECENT);
    }
}

/// Stands in where no model is known at all; the engine's answer to it says what is missing.
pub(crate) fn no_model() -> ModelInfo {
    ModelInfo {
        model: ModelRef::new(""),
        name: "No model".into(),
        detail: String::new(),
        family: Family::Custom,
        guidance: Guidance::ClassifierFree,
        native_size: Size::new(512, 512),
        live: Recipe { loras: Vec::new(), sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 },
        compare: None,
        few_step: None,
    }
}

fn yes() -> bool {
    true
}
