//! What a LoRA is, for people who choose one.

use super::{Group, Lora, Part, low_rank::DOWN, trigger_words::trigger_words};
use fourstep_protocol::LoraInfo;
use std::path::Path;

/// More than any name that fits a list.
const MAX_NAME_CHARS: usize = 80;

impl Lora {
    /// What the file is. `source` is how requests name it.
    pub fn info(&self, source: &str) -> LoraInfo {
        let path = Path::new(&self.name);
        let name = self.title().unwrap_or_else(|| file_name(path));
        // `LCM` in a folder's name sorts files for people: `Lora/LCM/…`.
        let folder = folder_name(path).unwrap_or_default();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // kohya's trainer, which writes `ss_…`, makes no LCM-LoRAs; a LoCon of a style may look like one.
        let structure = self.few_step && !self.metadata.keys().any(|key| key.starts_with("ss_"));
        LoraInfo {
            source: source.to_owned(),
            family: self.family(),
            few_step: structure || [&name, &stem, &folder].into_iter().any(|text| says_lcm(text)),
            trigger_words: trigger_words(&self.metadata),
            modules: self.modules.len(),
            unread: self.unread.clone(),
            size_bytes: self.size_bytes,
            name,
        }
    }

    /// What its maker calls it.
    fn title(&self) -> Option<String> {
        ["modelspec.title", "ss_output_name"].iter().find_map(|key| {
            let title: String =
                self.metadata.get(*key)?.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
            let title = title.trim();
            (!title.is_empty() && title != "None").then(|| title.to_owned())
        })
    }
}

/// A name from the path, where the file's own says nothing.
fn file_name(path: &Path) -> String {
    const SAYS_NOTHING: [&str; 4] = ["pytorch_lora_weights", "adapter_model", "lora", "model"];
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match folder_name(path) {
        Some(folder) if SAYS_NOTHING.contains(&stem.as_str()) => folder,
        _ => stem,
    }
}

/// The folder's name; in a cache of the Hugging Face hub, the repository's.
fn folder_name(path: &Path) -> Option<String> {
    let repository = path.iter().find_map(|word| word.to_str()?.strip_prefix("models--")?.split_once("--"));
    if let Some((_, repository)) = repository {
        return Some(repository.to_owned());
    }
    Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
}

/// Whether `lcm` begins a word: `lcm-lora-sdxl`, `LCM_LoRA`, `LCMTurbo`.
fn says_lcm(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| word.to_ascii_lowercase().starts_with("lcm"))
}

/// What tells an LCM-LoRA by its structure: all of the UNet, convolutions and time embeddings too, at rank 64 and under
/// kohya's or PEFT's names for diffusers' paths, and no text encoder (`train_lcm_distill_lora_sdxl.py`). LoRAs of a
/// style do not touch `time_emb_proj`, those that do (LoCon) are of ldm paths or smaller ranks.
#[derive(Default)]
pub(super) struct Structure {
    seen: [bool; 4],
    other_rank_or_part: bool,
}

impl Structure {
    /// Takes note of a module.
    pub(super) fn see(&mut self, part: Part, path: &str, group: &Group) {
        const ENDINGS: [&str; 4] = ["_conv1.weight", "_conv2.weight", "_time_emb_proj.weight", "_conv_shortcut.weight"];
        for (seen, ending) in self.seen.iter_mut().zip(ENDINGS) {
            *seen |= path.ends_with(ending);
        }
        let rank = group.tensor(DOWN).and_then(|down| down.shape().first());
        self.other_rank_or_part |= part != Part::UNet || rank != Some(&64);
    }

    pub(super) fn is_lcm_lora(&self) -> bool {
        self.seen == [true; 4] && !self.other_rank_or_part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_a_name_are_called_after_their_folder() {
        for (path, name) in [
            ("/a/Lora/pixel art.safetensors", "pixel art"),
            ("/a/lcm-lora/pytorch_lora_weights.safetensors", "lcm-lora"),
            (
                "/c/models--latent-consistency--lcm-lora-sdxl/snapshots/a1/pytorch_lora_weights.safetensors",
                "lcm-lora-sdxl",
            ),
            ("adapter_model.safetensors", "adapter_model"),
        ] {
            assert_eq!(file_name(Path::new(path)), name);
        }
    }

    #[test]
    fn lcm_is_a_word() {
        assert!(["lcm-lora-sdv1-5", "SDXL LCM", "LCMTurboMix", "my_lcm.v2"].into_iter().all(says_lcm));
        assert!(!["film", "calcmap", "alcm"].into_iter().any(says_lcm));
    }
}
