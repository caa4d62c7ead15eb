//! Folders that are looked through, and what lies in each: the layouts of `ComfyUI` and AUTOMATIC1111.

use super::extra_paths;
use crate::own::{FolderEntry, FolderKind};
use fourstep_protocol::{ItemKind, Origin};
use std::path::{Path, PathBuf};

/// A folder tree with an origin.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) origin: Origin,
    pub(crate) folders: Vec<Folder>,
}

/// A folder to look through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) holds: Holds,
}

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Only(ItemKind),
    Anything,
}

/// Below `models/` of a `ComfyUI` folder; the same words are keys of `extra_model_paths.yaml`.
const COMFY: [(&str, ItemKind); 7] = [
    ("checkpoints", ItemKind::Model),
    ("diffusers", ItemKind::Model),
    ("unet", ItemKind::Model),
    ("diffusion_models", ItemKind::Model),
    ("loras", ItemKind::Lora),
    ("vae", ItemKind::Vae),
    ("vae_approx", ItemKind::TinyDecoder),
];
/// Below `models/` of an AUTOMATIC1111 folder.
const AUTOMATIC1111: [(&str, ItemKind); 5] = [
    ("Stable-diffusion", ItemKind::Model),
    ("Lora", ItemKind::Lora),
    ("LyCORIS", ItemKind::Lora),
    ("VAE", ItemKind::Vae),
    ("VAE-approx", ItemKind::TinyDecoder),
];
/// What people's folders are called below home.
const USUAL: [&str; 7] = [
    "ComfyUI",
    "comfyui",
    "Documents/ComfyUI",
    "stable-diffusion-webui",
    "stable-diffusion-webui-forge",
    "automatic1111",
    "sd-webui",
];

/// The person's folders, and those of other programs in the usual places.
pub(crate) fn all(own: &[FolderEntry], homes: &[PathBuf]) -> Vec<Root> {
    let usual = homes.iter().flat_map(|home| USUAL.map(|name| home.join(name)));
    let usual = usual.filter(|path| own.iter().all(|folder| folder.path != *path));
    let usual = usual.filter_map(|path| recognise(&path).map(|kind| FolderEntry { path, kind }));
    own.iter().cloned().chain(usual).map(|folder| root(&folder.path, folder.kind)).collect()
}

/// Whose folder it is by its layout; `None` where it is nobody's.
pub(crate) fn recognise(folder: &Path) -> Option<FolderKind> {
    let has = |path: &str| folder.join(path).exists();
    match () {
        () if has("models/Stable-diffusion") => Some(FolderKind::Automatic1111),
        () if has("models/checkpoints") || has(extra_paths::FILE) => Some(FolderKind::ComfyUi),
        () => None,
    }
}

fn root(path: &Path, kind: FolderKind) -> Root {
    let below = |layout: &[(&str, ItemKind)]| {
        let folders = layout.iter().map(|(name, kind)| (path.join("models").join(name), Holds::Only(*kind)));
        folders.map(|(path, holds)| Folder { path, holds }).collect::<Vec<_>>()
    };
    let origin = path.to_path_buf();
    let (origin, mut folders) = match kind {
        FolderKind::ComfyUi => {
            let folders = extra_paths::folders(path).into_iter().chain(below(&COMFY)).collect();
            (Origin::ComfyUi(origin), folders)
        }
        FolderKind::Automatic1111 => (Origin::Automatic1111(origin), below(&AUTOMATIC1111)),
        FolderKind::Models => (Origin::Path(origin), vec![Folder { path: path.to_path_buf(), holds: Holds::Anything }]),
    };
    folders.retain(|folder| folder.path.is_dir());
    Root { origin, folders }
}

/// What a key of `extra_model_paths.yaml` stands for; `None` for what is nothing to paint with here.
pub(crate) fn kind_of(key: &str) -> Option<Holds> {
    COMFY.iter().find(|(name, _)| *name == key).map(|(_, kind)| Holds::Only(*kind))
}
