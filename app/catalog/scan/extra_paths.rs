//! `ComfyUI`'s `extra_model_paths.yaml`, as its `utils/extra_config.py` reads it.

use super::roots::{Folder, kind_of};
use crate::places::expand;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The file's name in a `ComfyUI` folder.
pub(crate) const FILE: &str = "extra_model_paths.yaml";

/// The folders that the file in `comfy` names; none where there is no such file. What cannot be read is logged.
pub(crate) fn folders(comfy: &Path) -> Vec<Folder> {
    let path = comfy.join(FILE);
    let Ok(text) = std::fs::read_to_string(&path) else { return Vec::new() };
    parse(&text, comfy).unwrap_or_else(|why| {
        log::warn!("{} was not used: {why}", path.display());
        Vec::new()
    })
}

/// Sections of kinds and folders; those of a section marked `is_default` come first.
fn parse(text: &str, comfy: &Path) -> Result<Vec<Folder>, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let sections: BTreeMap<String, Value> = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for section in sections.values().filter_map(Value::as_object) {
        let base = section.get("base_path").and_then(Value::as_str).map(|base| comfy.join(expand(base)));
        let into =
            if section.get("is_default").and_then(Value::as_bool) == Some(true) { &mut first } else { &mut rest };
        for (key, value) in section {
            let Some(holds) = kind_of(key) else { continue };
            into.extend(lines(value).into_iter().map(|line| Folder { path: below(&base, comfy, &line), holds }));
        }
    }
    first.append(&mut rest);
    Ok(first)
}

/// One folder, one a line, or a list.
fn lines(value: &Value) -> Vec<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    };
    // In a block of lines a comment is text, and the example that comes with ComfyUI has some.
    let clean = |line: &str| line.split(" #").next().unwrap_or(line).trim().to_owned();
    text.lines().map(clean).filter(|line| !line.is_empty()).collect()
}

fn below(base: &Option<PathBuf>, comfy: &Path, line: &str) -> PathBuf {
    base.as_deref().unwrap_or(comfy).join(expand(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::roots::Holds;
    use fourstep_protocol::ItemKind;

    fn paths(text: &str) -> Vec<(String, Holds)> {
        let folders = parse(text, Path::new("/comfy")).expect("read");
        folders.into_iter().map(|f| (f.path.to_string_lossy().into_owned(), f.holds)).collect()
    }

    const MODEL: Holds = Holds::Only(ItemKind::Model);
    const LORA: Holds = Holds::Only(ItemKind::Lora);

    #[test]
    fn the_file_that_comes_with_comfyui_is_understood() {
        let text = "
#Rename this to extra_model_paths.yaml and ComfyUI will load it
a111:
    base_path: /a111/
    checkpoints: models/Stable-diffusion
    configs: models/Stable-diffusion
    vae: models/VAE
    loras: |
         models/Lora
         models/LyCORIS  # both
    controlnet: models/ControlNet
#comfyui:
#     base_path: path/to/comfyui/
";
        let expected = [
            ("/a111/models/Stable-diffusion".to_owned(), MODEL),
            ("/a111/models/Lora".to_owned(), LORA),
            ("/a111/models/LyCORIS".to_owned(), LORA),
            ("/a111/models/VAE".to_owned(), Holds::Only(ItemKind::Vae)),
        ];
        let mut found = paths(text);
        found.sort_by_key(|(path, _)| path.clone());
        let mut expected = expected.to_vec();
        expected.sort_by_key(|(path, _)| path.clone());
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_without_a_base_are_relative_to_comfyui_and_defaults_come_first() {
        let text = "
a:
    loras: /elsewhere/loras
b:
    is_default: true
    base_path: ../shared
    checkpoints: [one, two]
";
        let expected = [
            ("/comfy/../shared/one".to_owned(), MODEL),
            ("/comfy/../shared/two".to_owned(), MODEL),
            ("/elsewhere/loras".to_owned(), LORA),
        ];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn a_file_of_comments_names_nothing_and_a_broken_one_is_said() {
        assert_eq!(paths("# nothing\n\n"), []);
        assert_eq!(paths("a111:\n"), []);
        assert!(parse("a: [", Path::new("/comfy")).is_err());
    }
}
