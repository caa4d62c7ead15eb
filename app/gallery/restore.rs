use crate::{Infotext, Opened, infotext::file_stem};
use fourstep_prompt::{LoraTag, lora_tags};
use fourstep_protocol::{Availability, ItemKind, LibraryItem, LoraRef, Lost, ModelRef, Noise, Request, Sampler, Size};

/// What there is to paint with, for settings that name it.
pub struct Here<'a> {
    /// What the settings do not say is taken from here.
    pub request: &'a Request,
    /// Models that can be used.
    pub models: &'a [ModelRef],
    /// Everything that is here or can be downloaded.
    pub items: &'a [LibraryItem],
    /// The contents of a LoRA, as [`lora_hash`](crate::lora_hash) names them.
    pub hash: &'a dyn Fn(&str) -> Option<String>,
}

/// Settings that came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// What to paint.
    pub request: Request,
    /// What could not be brought back.
    pub lost: Vec<Lost>,
}

impl Opened {
    /// The settings of the picture, whichever program wrote them; `None` where it carries none.
    pub fn restore(&self, here: &Here<'_>) -> Option<Restored> {
        if let Some(request) = &self.request {
            return Some(ours(request.clone(), here));
        }
        let mut request = here.request.clone();
        let lost = self.infotext.as_ref()?.apply(&mut request, here);
        Some(Restored { request, lost })
    }
}

/// A request of ours is taken as it is, as far as what it names is here.
fn ours(mut request: Request, here: &Here<'_>) -> Restored {
    let mut lost = Vec::new();
    if !here.models.contains(&request.model) {
        let name = request.model.as_str();
        match here.find(ItemKind::Model, name) {
            Found::Here(id) => request.model = ModelRef::new(id),
            found => {
                lost.push(Lost::Model { name: file_stem(name).to_owned(), can_download: found.can_download() });
                request.model = here.request.model.clone();
                // They belong to the model that is missing.
                request.loras.clone_from(&here.request.loras);
                request.vae.clone_from(&here.request.vae);
                return Restored { request, lost };
            }
        }
    }
    let typed = request.typed.iter().flat_map(|typed| &typed.loras);
    for lora in request.loras.iter().chain(typed) {
        let name = file_stem(&lora.source).to_owned();
        match here.lora(&lora.source) {
            Found::Here(_) => {}
            found => {
                let missing = Lost::Lora { name, can_download: found.can_download() };
                lost.extend((!lost.contains(&missing)).then_some(missing));
            }
        }
    }
    here.keep_loras(&mut request.loras);
    if let Some(typed) = &mut request.typed {
        here.keep_loras(&mut typed.loras);
    }
    if let Some(vae) = &request.vae {
        match here.find(ItemKind::Vae, vae) {
            Found::Here(id) => request.vae = Some(id),
            _ => {
                lost.push(Lost::Vae { name: file_stem(vae).to_owned() });
                request.vae = None;
            }
        }
    }
    Restored { request, lost }
}

/// Where something with a name is.
enum Found {
    /// How a request names it.
    Here(String),
    ToDownload,
    Nowhere,
}

impl Found {
    fn can_download(&self) -> bool {
        matches!(self, Self::ToDownload)
    }
}

impl Here<'_> {
    /// What is called so: by its id or path, else by its file's name or its title.
    fn find(&self, kind: ItemKind, name: &str) -> Found {
        let called = self.called(kind, name);
        let is_here = |item: &&&LibraryItem| item.availability == Availability::Ready;
        let exact = called.iter().filter(is_here).find(|item| item.id == name);
        match exact.or(called.iter().find(is_here)) {
            Some(item) => Found::Here(item.id.clone()),
            None if called.iter().any(|item| !matches!(item.availability, Availability::Unusable(_))) => {
                Found::ToDownload
            }
            None => Found::Nowhere,
        }
    }

    fn called(&self, kind: ItemKind, name: &str) -> Vec<&LibraryItem> {
        let wanted = plain(file_stem(name));
        let is_called = |item: &&LibraryItem| {
            item.id == name || plain(file_stem(&item.id)) == wanted || plain(&item.name) == wanted
        };
        self.items.iter().filter(|item| item.kind == kind).filter(is_called).collect()
    }

    fn lora(&self, name: &str) -> Found {
        let used = self
            .request
            .loras
            .iter()
            .find(|l| l.source == name || plain(file_stem(&l.source)) == plain(file_stem(name)));
        match self.find(ItemKind::Lora, name) {
            Found::Here(id) => Found::Here(id),
            found => used.map_or(found, |lora| Found::Here(lora.source.clone())),
        }
    }

    /// Leaves out LoRAs that are not here, and names the others as they are named here.
    fn keep_loras(&self, loras: &mut Vec<LoraRef>) {
        loras.retain_mut(|lora| match self.lora(&lora.source) {
            Found::Here(id) => {
                lora.source = id;
                true
            }
            Found::ToDownload | Found::Nowhere => false,
        });
    }

    /// Of LoRAs with the same name the one with these contents; `false` where none has them.
    fn lora_with(&self, name: &str, hash: &str) -> (Found, bool) {
        let found = self.lora(name);
        let Found::Here(first) = &found else { return (found, true) };
        let others = self.called(ItemKind::Lora, name).into_iter().map(|item| item.id.as_str());
        let mut all = std::iter::once(first.as_str()).chain(others.filter(|id| *id != first.as_str()));
        let hash = hash.to_lowercase();
        let is_it = |id: &&str| (self.hash)(id).is_none_or(|known| known.starts_with(&hash));
        match all.find(is_it).map(str::to_owned) {
            Some(id) => (Found::Here(id), true),
            None => (found, false),
        }
    }
}

/// As far as names of files are kept by people and hubs: `Dream Shaper_8` and `dreamshaper-8` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Pairs that say nothing about how to paint, or that other pairs say too.
const SILENT: [&str; 22] = [
    "Steps",
    "CFG scale",
    "Seed",
    "Sampler",
    "Schedule type",
    "Size",
    "Model",
    "Model hash",
    "Lora hashes",
    "TI hashes",
    "Hashes",
    "RNG",
    "Version",
    "App",
    "VAE",
    "VAE hash",
    "Denoising strength",
    "Created Date",
    "Civitai resources",
    "Civitai metadata",
    "User",
    LOST_NODE,
];
/// The pair that stands for a node of ComfyUI that is not understood.
pub(crate) const LOST_NODE: &str = "Lost node";
/// Schedules that are the sampler's own under another name.
const OWN_SCHEDULES: [&str; 5] = ["Automatic", "Uniform", "Normal", "Simple", "SGM Uniform"];

impl Infotext {
    /// Puts what this text knows into `request` and returns what could not be brought back.
    ///
    /// Fields that the text does not mention stay as they are. LoRAs that the text does not name go, except where the
    /// model stays and both the request and the text use LCM sampling: there they are what makes the model paint in few
    /// steps.
    pub fn apply(&self, request: &mut Request, here: &Here<'_>) -> Vec<Lost> {
        let mut lost = Vec::new();
        // What belongs to the present settings alone.
        (request.fork, request.composition, request.typed) = (None, None, None);
        request.blend.clear();
        let was_lcm = request.sampler == Sampler::Lcm;
        let model = request.model.clone();
        self.apply_model(request, here, &mut lost);
        self.apply_sampling(request, &mut lost);
        self.apply_noise(request, &mut lost);
        let keep_unnamed = was_lcm && request.sampler == Sampler::Lcm && request.model == model;
        self.apply_prompt(request, here, keep_unnamed, &mut lost);
        request.negative_prompt.clone_from(&self.negative_prompt);
        if let Some(size) = self.get("Size") {
            match size.parse::<Size>().ok().filter(|s| *s == s.nearest()) {
                Some(size) => request.size = size,
                None => lost.push(Lost::Size { wanted: size.to_owned() }),
            }
        }
        request.init = None;
        if self.get("Denoising strength").is_some() {
            lost.push(Lost::Init);
        }
        let unknown = self.fields.iter().filter(|(k, _)| !SILENT.contains(&k.as_str()));
        lost.extend(unknown.map(|(key, value)| Lost::Setting { key: key.clone(), value: value.clone() }));
        let nodes = self.fields.iter().filter(|(key, _)| key == LOST_NODE);
        lost.extend(nodes.map(|(_, node)| Lost::Setting { key: node.clone(), value: String::new() }));
        lost
    }

    fn apply_model(&self, request: &mut Request, here: &Here<'_>, lost: &mut Vec<Lost>) {
        let name_of_mine = file_stem(request.model.as_str());
        if let Some(name) = self.get("Model").filter(|name| file_stem(name) != name_of_mine) {
            match here.find(ItemKind::Model, name) {
                Found::Here(id) => request.model = ModelRef::new(id),
                found => {
                    lost.push(Lost::Model { name: file_stem(name).to_owned(), can_download: found.can_download() });
                }
            }
        }
        if let Some(name) = self.get("VAE").filter(|name| !matches!(*name, "Automatic" | "None")) {
            match here.find(ItemKind::Vae, name) {
                Found::Here(id) => request.vae = Some(id),
                _ => lost.push(Lost::Vae { name: file_stem(name).to_owned() }),
            }
        }
    }

    fn apply_sampling(&self, request: &mut Request, lost: &mut Vec<Lost>) {
        if let Some(name) = self.get("Sampler") {
            let schedule = self.get("Schedule type").filter(|s| !OWN_SCHEDULES.contains(s));
            let full = schedule.map_or_else(|| name.to_owned(), |schedule| format!("{name} {schedule}"));
            match (full.parse(), name.parse(), schedule) {
                (Ok(sampler), ..) => request.sampler = sampler,
                (_, Ok(sampler), Some(schedule)) => {
                    request.sampler = sampler;
                    lost.push(Lost::Schedule { name: schedule.to_owned() });
                }
                _ => lost.push(Lost::Sampler { name: full, used: request.sampler }),
            }
        }
        let range = request.sampler.steps();
        let wanted = self.get("Steps");
        let steps = wanted.and_then(|text| text.parse::<u32>().ok());
        request.steps = steps.unwrap_or(request.steps).clamp(*range.start(), *range.end());
        if let Some(wanted) = wanted.filter(|_| steps != Some(request.steps)) {
            lost.push(Lost::Steps { wanted: wanted.to_owned(), used: request.steps });
        }
        if let Some(text) = self.get("CFG scale") {
            match text.parse::<f32>() {
                Ok(scale) if scale.is_finite() && scale >= 0.0 => request.guidance_scale = scale,
                _ => lost.push(Lost::Number { key: "CFG scale".into(), value: text.to_owned() }),
            }
        }
    }

    fn apply_noise(&self, request: &mut Request, lost: &mut Vec<Lost>) {
        let Some(text) = self.get("Seed") else { return };
        match text.parse() {
            Ok(seed) => request.seed = seed,
            Err(_) => lost.push(Lost::Number { key: "Seed".into(), value: text.to_owned() }),
        }
        // AUTOMATIC1111 names its generator only where it is not the default, the graphics card's.
        request.noise = if self.get("RNG") == Some("CPU") { Noise::Torch } else { Noise::Philox };
    }

    fn apply_prompt(&self, request: &mut Request, here: &Here<'_>, keep_unnamed: bool, lost: &mut Vec<Lost>) {
        let (prompt, tags) = split_lora_tags(&self.prompt);
        request.prompt = prompt;
        let known = std::mem::take(&mut request.loras);
        let hashes = self.lora_hashes();
        for LoraTag { name, weight } in &tags {
            let hash = hashes.iter().find(|(of, _)| plain(of) == plain(file_stem(name))).map_or("", |(_, hash)| hash);
            let (found, is_it) = here.lora_with(name, hash);
            let short = file_stem(name).to_owned();
            match found {
                Found::Here(source) => {
                    let weight = weight.clamp(*LoraRef::WEIGHTS.start(), *LoraRef::WEIGHTS.end());
                    request.loras.push(LoraRef { source, weight });
                    lost.extend((!is_it).then_some(Lost::OtherLora { name: short }));
                }
                found => lost.push(Lost::Lora { name: short, can_download: found.can_download() }),
            }
        }
        if keep_unnamed {
            let named = |lora: &LoraRef| request.loras.iter().any(|used| used.source == lora.source);
            let kept: Vec<LoraRef> = known.into_iter().filter(|lora| !named(lora)).collect();
            request.loras.extend(kept);
        }
    }

    /// `Lora hashes: "ink: 0123456789ab, paper: …"`, taken apart.
    fn lora_hashes(&self) -> Vec<(&str, &str)> {
        let pairs = self.get("Lora hashes").unwrap_or_default().split(',');
        pairs.filter_map(|pair| pair.split_once(':')).map(|(name, hash)| (name.trim(), hash.trim())).collect()
    }
}

/// `a cat <lora:x:0.5>` → `a cat` and its tags.
fn split_lora_tags(prompt: &str) -> (String, Vec<LoraTag>) {
    // One space goes with a tag, so that taking it out of the middle leaves no double one.
    let piece = |text: &str, from: usize, to: usize| {
        let follows_space = from > 0 && (text.is_empty() || text.ends_with(char::is_whitespace));
        if follows_space { prompt[from..to].trim_start_matches(' ') } else { &prompt[from..to] }
    };
    let (mut text, mut loras, mut from) = (String::new(), Vec::new(), 0);
    for (range, lora) in lora_tags(prompt) {
        text.push_str(piece(&text, from, range.start));
        from = range.end;
        loras.push(lora);
    }
    text.push_str(piece(&text, from, prompt.len()));
    (text.trim_end().to_owned(), loras)
}

#[cfg(test)]
mod tests;
