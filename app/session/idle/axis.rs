//! What one direction of a grid varies.

use super::values::{MOST, numbers, parts};
use crate::Session;
use fourstep_protocol::{Availability, Guidance, LoraRef, ModelInfo, ModelRef, Request, Sampler};

/// What an axis varies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisKind {
    /// One row or column.
    Nothing,
    /// The first value is looked for in the prompts, each value is put in its place.
    Words,
    /// The seed.
    Seed,
    /// Denoising steps.
    Steps,
    /// The guidance scale.
    Guidance,
    /// The sampler, with the recipe that belongs to it.
    Sampler,
    /// The weight of this LoRA.
    Lora(String),
    /// The model, with its recipe.
    Model,
}

/// An axis as the person typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisSpec {
    /// What it varies.
    pub kind: AxisKind,
    /// The values: a list, a range, or both.
    pub text: String,
}

/// Why the values of an axis cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisError {
    /// There are none.
    Empty,
    /// This is not a number, nor a range of numbers.
    NotANumber(String),
    /// This has to be a whole number that is not negative.
    NotWhole(String),
    /// This range's step leads nowhere.
    NoWay(String),
    /// There are more than twelve.
    TooMany,
    /// No sampler is called this.
    UnknownSampler(String),
    /// No model that is here is called this.
    UnknownModel(String),
    /// This is in no prompt.
    NotInPrompt(String),
    /// A weight must be from −2 to 2.
    Weight(String),
}

/// An axis whose values are understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) kind: AxisKind,
    pub(crate) values: Vec<Value>,
}

/// One value, and what stands at its row or column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) label: String,
    change: Change,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    Nothing,
    Words { from: String, to: String },
    Seed(u64),
    Steps(u32),
    Guidance(f32),
    Sampler(Sampler),
    Lora(String, f32),
    Model(Box<ModelInfo>),
}

impl Value {
    /// Later changes build on what earlier ones bring along: a model before a sampler before numbers.
    pub(super) fn rank(&self) -> u8 {
        match self.change {
            Change::Model(_) => 0,
            Change::Sampler(_) => 1,
            _ => 2,
        }
    }

    /// Makes the change in `request`, which is as it was typed.
    pub(super) fn apply(&self, request: &mut Request, session: &Session) {
        if matches!(self.change, Change::Steps(_) | Change::Sampler(_) | Change::Model(_)) {
            // Steps of a run with other timesteps.
            (request.fork, request.composition) = (None, None);
        }
        match &self.change {
            Change::Nothing => {}
            Change::Words { from, to } => {
                request.prompt = request.prompt.replace(from, to);
                request.negative_prompt = request.negative_prompt.replace(from, to);
            }
            Change::Seed(seed) => request.seed = *seed,
            Change::Steps(steps) => request.steps = *steps,
            Change::Guidance(scale) => request.guidance_scale = *scale,
            Change::Sampler(sampler) => session.bring_sampler(request, *sampler),
            Change::Lora(source, weight) => {
                for lora in request.loras.iter_mut().filter(|lora| lora.source == *source) {
                    lora.weight = *weight;
                }
            }
            Change::Model(info) => session.bring_model(request, info),
        }
    }
}

impl Axis {
    /// Values typed for an axis of a grid around the current request.
    pub(crate) fn read(spec: &AxisSpec, session: &Session) -> Result<Self, AxisError> {
        let (text, kind) = (spec.text.as_str(), spec.kind.clone());
        let values = match &spec.kind {
            AxisKind::Nothing => vec![Value { label: String::new(), change: Change::Nothing }],
            AxisKind::Words => words(text, session)?,
            AxisKind::Seed => seeds(text)?,
            AxisKind::Steps => {
                let steps = whole(text)?.into_iter().map(|n| u32::try_from(n).unwrap_or(u32::MAX));
                steps.map(|n| Value { label: n.to_string(), change: Change::Steps(n) }).collect()
            }
            AxisKind::Guidance => plain(text, |n| Ok(Change::Guidance(n as f32)))?,
            AxisKind::Lora(source) => plain(text, |n| {
                let weight = n as f32;
                let fits = LoraRef::WEIGHTS.contains(&weight);
                fits.then(|| Change::Lora(source.clone(), weight)).ok_or_else(|| AxisError::Weight(n.to_string()))
            })?,
            AxisKind::Sampler => listed(text, |name| {
                let sampler: Sampler = name.parse().map_err(|_| AxisError::UnknownSampler(name.to_owned()))?;
                Ok(Value { label: sampler.label().to_owned(), change: Change::Sampler(sampler) })
            })?,
            AxisKind::Model => listed(text, |name| {
                let info = session.model_called(name).ok_or_else(|| AxisError::UnknownModel(name.to_owned()))?;
                Ok(Value { label: session.model_label(info), change: Change::Model(Box::new(info.clone())) })
            })?,
        };
        if values.len() > MOST { Err(AxisError::TooMany) } else { Ok(Self { kind, values }) }
    }
}

fn words(text: &str, session: &Session) -> Result<Vec<Value>, AxisError> {
    let words = parts(text);
    let from = words.first().cloned().ok_or(AxisError::Empty)?;
    let request = session.request();
    if !request.prompt.contains(&from) && !request.negative_prompt.contains(&from) {
        return Err(AxisError::NotInPrompt(from));
    }
    let change = |to: String| Value { label: to.clone(), change: Change::Words { from: from.clone(), to } };
    Ok(words.into_iter().map(change).collect())
}

/// Large seeds are not rounded as other numbers would be.
fn seeds(text: &str) -> Result<Vec<Value>, AxisError> {
    let exact: Option<Vec<u64>> = parts(text).iter().map(|part| part.parse().ok()).collect();
    let seeds = match exact.filter(|seeds| !seeds.is_empty()) {
        Some(seeds) => seeds,
        None => whole(text)?,
    };
    Ok(seeds.into_iter().map(|seed| Value { label: seed.to_string(), change: Change::Seed(seed) }).collect())
}

fn whole(text: &str) -> Result<Vec<u64>, AxisError> {
    let whole = |n: f64| (n >= 0.0 && n.fract() == 0.0).then_some(n as u64).ok_or(AxisError::NotWhole(n.to_string()));
    numbers(text)?.into_iter().map(whole).collect()
}

fn plain(text: &str, change: impl Fn(f64) -> Result<Change, AxisError>) -> Result<Vec<Value>, AxisError> {
    numbers(text)?.into_iter().map(|n| Ok(Value { label: n.to_string(), change: change(n)? })).collect()
}

fn listed(text: &str, value: impl Fn(&str) -> Result<Value, AxisError>) -> Result<Vec<Value>, AxisError> {
    let names = parts(text);
    if names.is_empty() { Err(AxisError::Empty) } else { names.iter().map(|name| value(name)).collect() }
}

impl Session {
    /// What an axis can vary, with this model and these LoRAs.
    pub fn axis_kinds(&self) -> Vec<AxisKind> {
        let mut kinds = vec![AxisKind::Nothing, AxisKind::Words, AxisKind::Seed, AxisKind::Steps];
        if self.model.guidance != Guidance::None {
            kinds.push(AxisKind::Guidance);
        }
        kinds.push(AxisKind::Sampler);
        kinds.extend(self.settings.request.loras.iter().map(|lora| AxisKind::Lora(lora.source.clone())));
        if self.models_here().count() > 1 {
            kinds.push(AxisKind::Model);
        }
        kinds
    }

    /// Values to begin with.
    pub fn axis_values(&self, kind: &AxisKind) -> String {
        let request = &self.settings.request;
        match kind {
            AxisKind::Nothing => String::new(),
            AxisKind::Words => {
                let words =
                    request.prompt.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
                words.max_by_key(|word| word.len()).unwrap_or_default().to_owned()
            }
            AxisKind::Seed => format!("{}-{}", request.seed, request.seed.saturating_add(3)),
            AxisKind::Steps if request.sampler == Sampler::Lcm => "1, 2, 4, 8".to_owned(),
            AxisKind::Steps => "10, 20, 30".to_owned(),
            AxisKind::Guidance => {
                let range = self.model.guidance_range(request.sampler);
                let (least, most) = (*range.start(), *range.end());
                format!("{least:.1}-{most:.1} [5]")
            }
            AxisKind::Sampler => Sampler::ALL.map(Sampler::label).join(", "),
            AxisKind::Lora(_) => "0-1 (+0.25)".to_owned(),
            AxisKind::Model => {
                let labels: Vec<String> = self.models_here().take(MOST).map(|info| self.model_label(info)).collect();
                labels.join(", ")
            }
        }
    }

    /// How many values an axis has, or why it has none.
    ///
    /// # Errors
    /// [`AxisError`] names the part that cannot be used.
    pub fn read_axis(&self, spec: &AxisSpec) -> Result<usize, AxisError> {
        Axis::read(spec, self).map(|axis| axis.values.len())
    }

    /// Models whose files are on this machine.
    fn models_here(&self) -> impl Iterator<Item = &ModelInfo> {
        self.models.iter().filter(|info| {
            let listed = self.library.iter().find(|item| item.id == info.model.as_str());
            listed.is_none_or(|item| item.availability == Availability::Ready)
        })
    }

    /// The name, and the id where several have the name.
    fn model_label(&self, info: &ModelInfo) -> String {
        let alone = self.models.iter().filter(|other| other.name == info.name).count() == 1;
        if alone && !info.name.contains(',') { info.name.clone() } else { info.model.to_string() }
    }

    fn model_called(&self, name: &str) -> Option<&ModelInfo> {
        let by_id = self.models_here().find(|info| info.model == ModelRef::new(name));
        by_id.or_else(|| self.models_here().find(|info| info.name.eq_ignore_ascii_case(name)))
    }

    /// Changes the sampler with the recipe that belongs to it; LoRAs that teach few steps are of no use to a classic one.
    fn bring_sampler(&self, request: &mut Request, sampler: Sampler) {
        let Some(info) = self.models.iter().find(|info| info.model == request.model) else { return };
        request.change_sampler(sampler, info);
        if sampler != Sampler::Lcm {
            let fast = self.few_step_sources(request);
            request.loras.retain(|lora| !fast.contains(&lora.source));
        }
    }

    /// Changes the model with its recipe; of the LoRAs, those come along that were made for the same networks.
    fn bring_model(&self, request: &mut Request, info: &ModelInfo) {
        if request.model == info.model {
            return;
        }
        let from = self.models.iter().find(|other| other.model == request.model);
        let kept = if request.model == self.model.model { self.loras_for(info) } else { Vec::new() };
        if from.is_some_and(|from| from.native_size == request.size) {
            request.size = info.native_size;
        }
        if from.is_none_or(|from| from.family != info.family) {
            request.vae = None;
        }
        request.model = info.model.clone();
        request.apply(&info.live);
        request.loras.extend(kept);
    }
}
