//! The thread that looks through folders, and at files that a person names.

use super::{Shared, Task, locked};
use fourstep_catalog::{Added, Addition, Catalog};
use fourstep_protocol::{ItemKind, LibraryItem, Origin};
use fourstep_ui::Seen;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc::Receiver},
};

/// Does what it is asked until nobody can ask any more.
pub(super) fn work(catalog: &Catalog, shared: &Shared, todo: &Receiver<Task>) {
    let mut found = Vec::new();
    for task in todo {
        match task {
            Task::Look(number) => {
                // Asked for again before it began: the later one does for both.
                if number < shared.asked.load(Ordering::Relaxed) {
                    continue;
                }
                shared.looking.store(true, Ordering::Relaxed);
                look(catalog, shared, &mut found);
                shared.looking.store(false, Ordering::Relaxed);
                shared.done.store(number, Ordering::Release);
                shared.note_change();
            }
            Task::At(path) => {
                let seen = look_at(catalog, shared, &mut found, &path);
                locked(&shared.seen).push_back(seen);
                (shared.waker)();
            }
        }
    }
}

/// First what is listed, which is quick; then what lies about.
fn look(catalog: &Catalog, shared: &Shared, found: &mut Vec<LibraryItem>) {
    let listed = catalog.items();
    shared.publish(listed.iter().chain(found.iter()).cloned().collect());
    *found = catalog.scan();
    shared.publish(listed.into_iter().chain(found.iter().cloned()).collect());
}

/// What lies at a path: found already, or added to the person's own list.
fn look_at(catalog: &Catalog, shared: &Shared, found: &mut Vec<LibraryItem>, path: &Path) -> Seen {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let known = Arc::clone(&locked(&shared.items));
    let is_at = |item: &&LibraryItem| Path::new(&item.id) == path || item.origin == Origin::Path(path.clone());
    if let Some(item) = known.iter().filter(|_| path.is_file() || path.join("model_index.json").is_file()).find(is_at) {
        return Seen::Item(Box::new(item.clone()));
    }
    if known.iter().any(|item| folder_of(&item.origin) == Some(&path)) {
        return folder(&known, path);
    }
    let addition = Addition { what: path.to_string_lossy().into_owned(), ..Addition::default() };
    // A path is looked at without the hub.
    match catalog.add(&addition, &|_, _| Ok(Vec::new())) {
        Ok(Added::Item(item)) => {
            shared.publish(catalog.items().into_iter().chain(found.iter().cloned()).collect());
            Seen::Item(item)
        }
        Ok(Added::Folder { path, .. }) => {
            look(catalog, shared, found);
            folder(&locked(&shared.items), path)
        }
        Err(failure) => Seen::Failed(failure),
    }
}

fn folder_of(origin: &Origin) -> Option<&PathBuf> {
    match origin {
        Origin::ComfyUi(path) | Origin::Automatic1111(path) | Origin::Path(path) => Some(path),
        Origin::BuiltIn | Origin::Hub { .. } | Origin::Cache { .. } => None,
    }
}

fn folder(items: &[LibraryItem], path: PathBuf) -> Seen {
    let of = |kind| items.iter().filter(|i| i.kind == kind && folder_of(&i.origin) == Some(&path)).count();
    let (models, loras) = (of(ItemKind::Model), of(ItemKind::Lora));
    Seen::Folder { path, models, loras }
}

/// What was shown before keeps its place; what is new comes behind it.
pub(super) fn in_order(before: &[LibraryItem], mut items: Vec<LibraryItem>) -> Vec<LibraryItem> {
    let place: HashMap<&str, usize> = before.iter().enumerate().map(|(at, item)| (item.id.as_str(), at)).collect();
    items.sort_by_key(|item| place.get(item.id.as_str()).copied().unwrap_or(usize::MAX));
    items
}
