use super::{Part, group::Alpha};
use serde_json::{Map, Value};
use std::{collections::HashMap, fs::File, io::Read, path::Path};

/// What PEFT writes about a LoRA's alphas beside its tensors: diffusers in the file's metadata, PEFT in
/// `adapter_config.json`.
pub(super) struct PeftConfig(Map<String, Value>);

/// More than any configuration has.
const MAX_BYTES: u64 = 4 << 20;

impl PeftConfig {
    /// diffusers' `lora_adapter_metadata`: keys with the part before them, `unet.lora_alpha`.
    pub(super) fn of_metadata(metadata: &HashMap<String, String>) -> Option<Self> {
        serde_json::from_str(metadata.get("lora_adapter_metadata")?).ok().map(Self)
    }

    /// PEFT's `adapter_config.json`, where the file is PEFT's `adapter_model.safetensors`.
    pub(super) fn beside(path: &Path) -> Option<Self> {
        if path.file_name()? != "adapter_model.safetensors" {
            return None;
        }
        let file = File::open(path.with_file_name("adapter_config.json")).ok()?;
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok().map(Self)
    }

    /// The alpha of a module whose path has dots.
    pub(super) fn alpha(&self, part: Part, path: &str) -> Option<Alpha> {
        let part = match part {
            Part::UNet => "unet",
            Part::TextEncoder1 => "text_encoder",
            Part::TextEncoder2 => "text_encoder_2",
        };
        let get = |key: &str| self.0.get(&format!("{part}.{key}")).or_else(|| self.0.get(key));
        let own = get("alpha_pattern")
            .and_then(Value::as_object)
            .and_then(|patterns| patterns.iter().find(|(pattern, _)| is_of(path, pattern)).map(|(_, alpha)| alpha));
        // LoHa and LoKr say `alpha`.
        let alpha = own.or_else(|| get("lora_alpha")).or_else(|| get("alpha"))?.as_f64()? as f32;
        let by_root = get("use_rslora").and_then(Value::as_bool).unwrap_or(false);
        alpha.is_finite().then_some(Alpha { alpha, by_root })
    }
}

/// Whether a pattern names this module or its last words. PEFT takes patterns as regular expressions; what exporters
/// write are names.
fn is_of(path: &str, pattern: &str) -> bool {
    let name = pattern.trim_start_matches('^').trim_end_matches('$').replace("\\.", ".");
    !name.is_empty() && path.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modules_own_alpha_comes_before_the_parts() {
        let json = r#"{"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 2, "^mid\\.to_q": 3},
                       "text_encoder.lora_alpha": 4, "text_encoder.use_rslora": true}"#;
        let metadata = HashMap::from([("lora_adapter_metadata".to_owned(), json.to_owned())]);
        let config = PeftConfig::of_metadata(&metadata).expect("JSON");
        let alpha = |part, path| config.alpha(part, path);
        let plain = |alpha| Some(Alpha { alpha, by_root: false });
        assert_eq!(alpha(Part::UNet, "down.attn1.to_q"), plain(2.0));
        assert_eq!(alpha(Part::UNet, "mid.to_q"), plain(3.0));
        assert_eq!(alpha(Part::UNet, "down.xattn1.to_q"), plain(8.0));
        assert_eq!(alpha(Part::TextEncoder1, "fc1"), Some(Alpha { alpha: 4.0, by_root: true }));
        assert_eq!(alpha(Part::TextEncoder2, "fc1"), None);
    }

    #[test]
    fn damaged_json_says_nothing() {
        for json in ["", "[]", "{", r#"{"unet.lora_alpha": "8"}"#, r#"{"unet.lora_alpha": null}"#] {
            let metadata = HashMap::from([("lora_adapter_metadata".to_owned(), json.to_owned())]);
            let alpha = PeftConfig::of_metadata(&metadata).and_then(|config| config.alpha(Part::UNet, "a"));
            assert_eq!(alpha, None, "{json}");
        }
    }
}
