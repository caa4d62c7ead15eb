use super::*;
use fourstep_catalog::Places;
use fourstep_hub::HubConfig;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A library of this folder alone, whose hub must not be asked.
fn library(folder: &TempDir) -> CatalogLibrary {
    let at = |name: &str| folder.path().join(name);
    let places = Places { cache: Some(at("cache")), config: Some(at("config")), homes: vec![] };
    let shared = Arc::new(Shared::new(Arc::new(|| {})));
    let theirs = Arc::clone(&shared);
    let config = HubConfig { offline: true, ..HubConfig::new("http://127.0.0.1:9", at("cache")) };
    let downloads = downloads(Hub::new(config), move || theirs.note_change());
    CatalogLibrary::with(Catalog::at(places), shared, downloads)
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn availability(library: &CatalogLibrary, id: &str) -> Option<Availability> {
    library.items().iter().find(|item| item.id == id).map(|item| item.availability.clone())
}

#[test]
fn what_is_listed_is_there_and_the_list_stays_the_same_until_something_changes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = library(&folder);
    until("looked", || (!library.is_looking()).then_some(()));
    assert_eq!(availability(&library, "sticker"), Some(Availability::Ready));
    assert!(Arc::ptr_eq(&library.items(), &library.items()));
    let order = |library: &CatalogLibrary| library.items().iter().map(|item| item.id.clone()).collect::<Vec<_>>();
    let before = order(&library);
    library.refresh();
    until("looked again", || (library.shared.done.load(Ordering::Acquire) == 2).then_some(()));
    assert_eq!(order(&library), before);
}

#[test]
fn a_download_that_fails_is_told_in_its_row_and_cancelled_away() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = library(&folder);
    let id = until("listed", || {
        let items = library.items();
        let absent = items.iter().find(|item| matches!(item.availability, Availability::Absent { .. }));
        absent.map(|item| item.id.clone())
    });
    library.download(&id);
    let failure = until("failed", || match availability(&library, &id) {
        Some(Availability::Failed(failure)) => Some(failure),
        _ => None,
    });
    assert!(!failure.why.is_empty() && !failure.remedy.is_empty());
    library.cancel(&id);
    until("forgotten", || matches!(availability(&library, &id), Some(Availability::Absent { .. })).then_some(()));
    library.download("no-such-model");
    assert!(library.items().iter().all(|item| item.id != "no-such-model"));
}

#[test]
fn a_text_is_refused_and_a_folder_joins_the_library() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = library(&folder);
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "nothing to paint with").expect("writes");
    library.look_at(text);
    assert!(matches!(until("seen", || library.seen()), Seen::Failed(_)));
    let music = folder.path().join("music");
    std::fs::create_dir_all(music.join("album")).expect("folders");
    std::fs::write(music.join("album/song.ogg"), "not a model").expect("writes");
    library.look_at(music);
    assert!(matches!(until("seen", || library.seen()), Seen::Failed(_)));
    assert!(!folder.path().join("config/folders.toml").exists(), "a folder without models is remembered");
    let comfy = folder.path().join("comfy");
    let checkpoints = comfy.join("models/checkpoints");
    std::fs::create_dir_all(&checkpoints).expect("folders");
    std::fs::write(checkpoints.join("cut-off.safetensors"), [8, 0, 0, 0]).expect("writes");
    library.look_at(comfy.clone());
    let path = comfy.canonicalize().expect("it is there");
    let expected = Seen::Folder { path, models: 1, loras: 0 };
    assert_eq!(until("seen", || library.seen()), expected);
    let broken = library
        .items()
        .iter()
        .any(|item| item.name == "cut-off" && matches!(item.availability, Availability::Unusable(_)));
    assert!(broken, "what cannot be used is there with the reason");
    library.look_at(comfy);
    assert_eq!(until("seen again", || library.seen()), expected);
}

#[test]
fn what_was_shown_keeps_its_place() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = library(&folder);
    until("looked", || (!library.is_looking()).then_some(()));
    let items = library.items();
    let mut turned: Vec<LibraryItem> = items.iter().rev().cloned().collect();
    turned.insert(0, LibraryItem { id: "new".into(), ..items[0].clone() });
    let ids = |items: &[LibraryItem]| items.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
    let sorted = look::in_order(&items, turned);
    assert_eq!(ids(&sorted[..items.len()]), ids(&items));
    assert_eq!(sorted.last().map(|item| item.id.as_str()), Some("new"));
}
