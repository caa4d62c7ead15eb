//! A repository of the hub as a person names it, and which of its files are needed.

use crate::{HubFile, add::WHAT};
use fourstep_protocol::{Failure, ItemKind};
use std::collections::BTreeMap;

/// A repository, or a file of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) repo: String,
    pub(crate) revision: String,
    pub(crate) file: Option<String>,
}

/// Parts of a diffusers folder that are used; the safety checker and the feature extractor are not.
const PARTS: [&str; 7] = ["scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"];
const INDEX: &str = "model_index.json";

impl Repository {
    /// `org/name`, `org/name@revision`, `org/name/file.safetensors`, or an address of the hub.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().split(['?', '#']).next()?.trim_end_matches('/');
        let (address, text) = match text.split_once("://") {
            Some((_, rest)) => (true, rest.split_once('/')?.1),
            None => (false, text.strip_prefix("huggingface.co/").unwrap_or(text)),
        };
        let mut words = text.splitn(3, '/');
        let (org, name, rest) = (words.next()?, words.next()?, words.next());
        let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
        if ![org, name].iter().all(|word| is_word(word)) || !is_word(revision) || name.ends_with(".safetensors") {
            return None;
        }
        let (revision, file) = match rest.and_then(|rest| rest.split_once('/')) {
            Some(("blob" | "resolve", rest)) => rest.split_once('/').map(|(rev, file)| (rev, Some(file)))?,
            Some(("tree", revision)) => (revision, None),
            _ => (revision, rest),
        };
        if file.is_some_and(|file| !file.ends_with(".safetensors")) || (address && text.starts_with("datasets/")) {
            return None;
        }
        let (revision, file) = (revision.to_owned(), file.map(str::to_owned));
        Some(Self { repo: format!("{org}/{name}"), revision, file })
    }
}

fn is_word(word: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !word.is_empty() && word.chars().all(inner) && !word.starts_with('.')
}

/// What a file is, as far as names can tell before it is here.
fn kind_by_name(repo: &str, file: &str) -> ItemKind {
    let name = format!("{repo}/{file}").to_ascii_lowercase();
    match () {
        () if name.contains("taesd") => ItemKind::TinyDecoder,
        () if name.contains("lora") => ItemKind::Lora,
        () if name.contains("vae") => ItemKind::Vae,
        () => ItemKind::Model,
    }
}

/// One file that was asked for, with its size, and what it is.
///
/// # Errors
/// An input failure where the repository does not have it: the path of a file that is not on this machine looks like
/// one on the hub.
pub(crate) fn one(
    listed: &[HubFile],
    repo: &str,
    file: &str,
    kind: Option<ItemKind>,
) -> Result<(BTreeMap<String, u64>, ItemKind), Failure> {
    let Some(found) = listed.iter().find(|listed| listed.path == file) else {
        let why = format!("{repo} has no file {file}, and there is no such file here");
        return Err(Failure::input(WHAT, why, format!("Look at https://huggingface.co/{repo}/tree/main.")));
    };
    let files = BTreeMap::from([(found.path.clone(), found.size_bytes.unwrap_or(0))]);
    Ok((files, kind.unwrap_or_else(|| kind_by_name(repo, file))))
}

/// The files that are needed, with their sizes, and what they are.
///
/// # Errors
/// An input failure where the repository has no safetensors weights, or several and no way to choose.
pub(crate) fn choose(
    listed: &[HubFile],
    repo: &str,
    kind: Option<ItemKind>,
) -> Result<(BTreeMap<String, u64>, ItemKind), Failure> {
    if listed.iter().any(|file| file.path == INDEX) {
        let files = diffusers_files(listed);
        if !files.keys().any(|path| path.starts_with("unet/") && path.ends_with(".safetensors")) {
            let why = format!("{repo} has no U-Net as .safetensors");
            return Err(Failure::input(WHAT, why, "Look for a repository of the same model with safetensors files."));
        }
        return Ok((files, ItemKind::Model));
    }
    let weights: Vec<&HubFile> =
        listed.iter().filter(|file| file.path.ends_with(".safetensors") && !file.path.contains('/')).collect();
    match preferred(&weights)[..] {
        [] => {
            let why = format!("{repo} has no .safetensors files");
            Err(Failure::input(WHAT, why, "Pickle files (.bin, .ckpt, .pt) are refused; look for another repository."))
        }
        [file] => {
            let config = listed.iter().filter(|file| file.path == "config.json");
            let files = config.chain([file]).map(|file| (file.path.clone(), file.size_bytes.unwrap_or(0))).collect();
            Ok((files, kind.unwrap_or_else(|| kind_by_name(repo, &file.path))))
        }
        _ => {
            let names = weights.iter().map(|file| format!("{repo}/{}", file.path)).collect::<Vec<_>>().join(", ");
            Err(Failure::input(
                WHAT,
                format!("{repo} has several files of weights"),
                format!("Give one of them: {names}."),
            ))
        }
    }
}

/// Configurations, tokenizers and weights; half precision where there is a choice.
fn diffusers_files(listed: &[HubFile]) -> BTreeMap<String, u64> {
    let mut files: Vec<&HubFile> = listed.iter().filter(|file| file.path == INDEX).collect();
    for part in PARTS {
        let within = |file: &&HubFile| file.path.rsplit_once('/').is_some_and(|(folder, _)| folder == part);
        let (weights, others): (Vec<_>, Vec<_>) =
            listed.iter().filter(within).partition(|f| f.path.ends_with(".safetensors"));
        files.extend(others.into_iter().filter(|file| file.path.ends_with(".json") || file.path.ends_with(".txt")));
        let network = |file: &&&HubFile| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            ["diffusion_pytorch_model.", "diffusion_pytorch_model-", "model.", "model-"]
                .iter()
                .any(|s| name.starts_with(s))
        };
        files.extend(preferred(&weights.iter().filter(network).copied().collect::<Vec<_>>()));
    }
    files.into_iter().map(|file| (file.path.clone(), file.size_bytes.unwrap_or(0))).collect()
}

/// Those in half precision, else those without a variant, else all.
fn preferred<'a>(weights: &[&'a HubFile]) -> Vec<&'a HubFile> {
    let name = |file: &HubFile| file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let half = weights.iter().filter(|file| name(file).contains(".fp16"));
    let plain = weights.iter().filter(|file| !name(file).trim_end_matches(".safetensors").contains('.'));
    let (half, plain): (Vec<_>, Vec<_>) = (half.copied().collect(), plain.copied().collect());
    if !half.is_empty() {
        return half;
    }
    if plain.is_empty() { weights.to_vec() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, String, Option<String>)> {
        Repository::parse(text).map(|r| (r.repo, r.revision, r.file))
    }

    fn listing(paths: &[&str]) -> Vec<HubFile> {
        let file = |path: &&str| HubFile {
            repo: "org/name".into(),
            revision: "main".into(),
            path: (*path).into(),
            size_bytes: Some(7),
            sha256: None,
        };
        paths.iter().map(file).collect()
    }

    #[test]
    fn repositories_are_named_in_the_ways_people_copy_them() {
        let whole = Some(("org/name".to_owned(), "main".to_owned(), None));
        assert_eq!(parsed("org/name"), whole);
        assert_eq!(parsed(" https://huggingface.co/org/name/ "), whole);
        assert_eq!(parsed("https://huggingface.co/org/name/tree/main"), whole);
        assert_eq!(parsed("huggingface.co/org/name"), whole);
        assert_eq!(parsed("org/name@v2"), Some(("org/name".into(), "v2".into(), None)));
        let file = Some(("org/name".to_owned(), "main".to_owned(), Some("x.safetensors".to_owned())));
        assert_eq!(parsed("org/name/x.safetensors"), file);
        assert_eq!(parsed("https://huggingface.co/org/name/blob/main/x.safetensors"), file);
        assert_eq!(parsed("https://huggingface.co/org/name/resolve/main/x.safetensors?download=true"), file);
        for text in ["name", "loras/typo.safetensors", "../name", "a b/c", "org/name/x.ckpt", "/models/x", ""] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn of_a_diffusers_folder_what_is_used_is_fetched_once() {
        let listed = listing(&[
            "model_index.json",
            "README.md",
            "whole.safetensors",
            "safety_checker/model.safetensors",
            "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors",
            "text_encoder/model.safetensors",
            "text_encoder/pytorch_model.bin",
            "tokenizer/merges.txt",
            "unet/config.json",
            "unet/diffusion_pytorch_model.non_ema.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ]);
        let (files, kind) = choose(&listed, "org/name", None).expect("a model");
        assert_eq!(kind, ItemKind::Model);
        let expected = [
            "model_index.json",
            "text_encoder/config.json",
            "text_encoder/model.fp16.safetensors",
            "tokenizer/merges.txt",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        ];
        assert_eq!(files.keys().collect::<Vec<_>>(), expected);
        assert!(files.values().all(|size| *size == 7));
    }

    #[test]
    fn other_repositories_are_a_file_or_a_question() {
        let (files, kind) = choose(&listing(&["lora.safetensors", "a.bin"]), "org/style", None).expect("a LoRA");
        assert_eq!((files.len(), kind), (1, ItemKind::Lora));
        let several = choose(&listing(&["a.safetensors", "b.safetensors"]), "org/name", None).expect_err("which?");
        assert!(several.remedy.contains("org/name/b.safetensors"), "{several}");
        assert!(choose(&listing(&["pytorch_model.bin"]), "org/name", None).is_err());
        assert!(choose(&listing(&["model_index.json", "unet/model.bin"]), "org/name", None).is_err());
    }
}
