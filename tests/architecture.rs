//! The rooms and what may know what: `app/ARCHITECTURE.md`, held.

use std::{collections::BTreeMap, path::Path, process::Command};

/// Each room with the rooms it may use. What is not here is forbidden.
const MAY_USE: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("prompt", &[]),
    ("session", &["protocol", "prompt", "canvas"]),
    ("catalog", &["protocol", "weights"]),
    ("hub", &["protocol", "catalog"]),
    ("gallery", &["prompt", "protocol"]),
    ("canvas", &["protocol"]),
    ("kernels", &[]),
    ("compute", &["kernels"]),
    ("nets", &["compute"]),
    ("weights", &["protocol", "compute"]),
    ("engine", &["protocol", "prompt", "catalog", "compute", "nets", "weights"]),
    ("preview", &["protocol", "compute", "nets"]),
    ("ui", &["protocol", "prompt", "session", "canvas"]),
];

/// Libraries that only some rooms may use.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("candle-core", &["compute"]),
    ("candle-nn", &["compute"]),
    ("candle-transformers", &[]),
    ("eframe", &["ui"]),
    ("egui", &["ui"]),
    ("wgpu", &["ui", "preview", "compute"]),
    ("rfd", &["ui"]),
    ("rusqlite", &["gallery"]),
    ("hf-hub", &["hub"]),
    ("reqwest", &["hub"]),
    ("tokio", &["hub"]),
    ("safetensors", &["weights"]),
    ("tokenizers", &["engine"]),
    ("anyhow", &[]),
];

/// What a room without clock, thread and IO does not say.
const IMPURE: &[&str] =
    &["std::fs", "std::thread", "std::net", "std::process", "std::env", "Instant::now", "SystemTime"];

#[test]
fn rooms_use_only_the_rooms_below_them() {
    for (room, dependencies) in rooms() {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == room);
        let allowed = allowed.unwrap_or_else(|| panic!("room {room} is not in MAY_USE: say what it may use")).1;
        for used in dependencies.iter().filter_map(|d| d.strip_prefix("fourstep-")) {
            assert!(allowed.contains(&used), "{room} uses {used}, which the architecture forbids");
        }
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    for (room, dependencies) in rooms() {
        for (library, rooms) in KEPT_TO {
            let used = dependencies.iter().any(|d| d == library);
            assert!(!used || rooms.contains(&room.as_str()), "{room} uses {library}, which is kept to {rooms:?}");
        }
    }
}

#[test]
fn session_protocol_prompt_and_canvas_have_no_clock_no_thread_and_no_files() {
    for room in ["session", "protocol", "prompt", "canvas"] {
        for file in sources(&root().join("app").join(room)) {
            let text = std::fs::read_to_string(&file).expect("readable");
            for word in IMPURE {
                assert!(!text.contains(word), "{} says {word}", file.display());
            }
        }
    }
}

#[test]
fn the_architecture_page_names_every_room() {
    let page = std::fs::read_to_string(root().join("app/ARCHITECTURE.md")).expect("app/ARCHITECTURE.md");
    for (room, _) in rooms() {
        assert!(page.contains(&format!("app/{room}/")), "app/ARCHITECTURE.md does not name app/{room}/");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each room with what it depends on outside tests, as cargo sees it.
fn rooms() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let rooms: BTreeMap<_, _> = packages
        .iter()
        .filter_map(|package| {
            let room = package["name"].as_str()?.strip_prefix("fourstep-")?;
            let dependencies = package["dependencies"].as_array()?.iter();
            let shipped = dependencies.filter(|d| d["kind"].is_null()).filter_map(|d| d["name"].as_str());
            Some((room.to_owned(), shipped.map(str::to_owned).collect()))
        })
        .collect();
    assert!(rooms.len() >= MAY_USE.len(), "cargo metadata shows only {:?}", rooms.keys());
    rooms
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a room").flatten() {
        let path = entry.path();
        let is_test = path.file_name().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}
