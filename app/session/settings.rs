use crate::Tab;
use fourstep_prompt::Style;
use fourstep_protocol::{DeviceChoice, Family, Guidance, LoraRef, ModelInfo, ModelRef, Recipe, Request, Sampler, Size};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What is painted when the program starts for the first time.
pub const SAMPLE_PROMPT: &str = "a red apple on a blue background";

/// Models chosen that are remembered.
const RECENT: usize = 8;

/// What comes back at the next start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// What is to be painted.
    pub request: Request,
    /// What computes.
    #[serde(default)]
    pub device: DeviceChoice,
    /// Whether every change is painted by itself.
    #[serde(default = "yes")]
    pub live: bool,
    /// Within how many milliseconds a change is to be seen while things move; `None` paints what is asked for.
    #[serde(default)]
    pub latency_target_ms: Option<u32>,
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
    /// The timeline shows only its bar.
    pub timeline_folded: bool,
    /// How much of the disk the timeline may take, in MiB, where the person chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline_megabytes: Option<u32>,
    /// Dark, light, or as the system.
    pub theme: ThemeChoice,
    /// Size of letters and controls.
    pub letters: Letters,
    /// Keys that were chosen instead of those the program comes with, by the ids of the window's table.
    #[serde(skip_serializing_if = "Shortcuts::is_empty")]
    pub shortcuts: Shortcuts,
    /// What decodes previews.
    pub previews: PreviewPlace,
    /// Quality of pictures that are saved as JPEG.
    pub jpeg_quality: JpegQuality,
    /// The page of the first start was read.
    pub welcomed: bool,
    /// What the stage shows; the next start shows the picture. What is painted while idle depends on it.
    #[serde(skip)]
    pub tab: Tab,
    /// The language of the window.
    pub language: Language,
}

/// Keys by the id of what they do; no key at all is an empty list.
pub type Shortcuts = BTreeMap<String, Vec<String>>;

/// The colours of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeChoice {
    /// Dark.
    #[default]
    Dark,
    /// Light.
    Light,
    /// As the system has it.
    System,
}

/// What decodes previews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewPlace {
    /// The card that the window is drawn with, where that is a real one; else the processor.
    #[default]
    Auto,
    /// The card that the window is drawn with.
    Window,
    /// The processor.
    Processor,
}

/// Quality of a JPEG: 1 … 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JpegQuality(u8);

impl JpegQuality {
    /// The qualities that make sense for pictures.
    pub const RANGE: RangeInclusive<u8> = 50..=100;

    /// The nearest quality there is.
    pub fn new(quality: u8) -> Self {
        Self(quality.clamp(*Self::RANGE.start(), *Self::RANGE.end()))
    }

    /// As a number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for JpegQuality {
    fn default() -> Self {
        Self(92)
    }
}

/// Size of letters and controls, in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub struct Letters(u16);

impl Letters {
    /// The sizes there are, in per cent.
    pub const PERCENT: RangeInclusive<u16> = 80..=150;

    /// The nearest size there is.
    pub fn new(percent: u16) -> Self {
        Self(percent.clamp(*Self::PERCENT.start(), *Self::PERCENT.end()))
    }

    /// In per cent.
    pub fn percent(self) -> u16 {
        self.0
    }
}

impl Default for Letters {
    fn default() -> Self {
        Self(100)
    }
}

impl From<u16> for Letters {
    fn from(percent: u16) -> Self {
        Self::new(percent)
    }
}

impl From<Letters> for u16 {
    fn from(letters: Letters) -> Self {
        letters.0
    }
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
            device: DeviceChoice::default(),
            live: true,
            latency_target_ms: None,
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
