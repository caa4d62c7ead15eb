use super::*;
use crate::save;
use fourstep_protocol::{Picture, Request};
use std::{
    fs,
    time::{Duration, Instant},
};
use tempfile::TempDir;

struct Case {
    folder: TempDir,
    index: Index,
}

impl Case {
    fn new() -> Self {
        Self::at(tempfile::tempdir().expect("temporary folder"))
    }

    fn at(folder: TempDir) -> Self {
        fs::create_dir_all(folder.path().join("pictures/within")).expect("made");
        let (file, pictures) = (folder.path().join("data/gallery.sqlite"), folder.path().join("pictures"));
        let index = Index::open(file, pictures, || {}).expect("a thread");
        index.look();
        Self { folder, index }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("pictures").join(name)
    }

    fn save(&self, name: &str, prompt: &str, model: &str) {
        let request = serde_json::json!({
            "model": model, "prompt": prompt, "negative_prompt": "smudge", "seed": 7, "sampler": "lcm", "steps": 4,
            "size": {"width": 64, "height": 64}, "guidance_scale": 1.0,
        });
        let request: Request = serde_json::from_value(request).expect("a request");
        let picture = Picture::new(32, 16, [200, 30, 40].repeat(32 * 16)).expect("its bytes");
        save(&self.path(name), &picture, &request, None, &|_| None).expect("saved");
    }

    /// Waits until this is what is listed.
    fn lists(&self, names: &[&str]) -> Arc<Listing> {
        let begun = Instant::now();
        loop {
            let listing = self.index.listing();
            let folder = self.path("");
            let mut found: Vec<_> = listing.entries.iter().map(|e| stars::below(&folder, &e.path).unwrap()).collect();
            found.sort();
            if found == names && listing.waiting == 0 {
                return listing;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{found:?}, not {names:?}: {:?}", listing.failure);
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn finds(&self, query: Query, names: &[&str]) {
        self.index.find(query);
        self.lists(names);
    }
}

fn words(words: &str) -> Query {
    Query { words: words.into(), ..Query::default() }
}

#[test]
fn pictures_are_found_by_words_model_star_and_date() {
    let case = Case::new();
    case.save("apple.png", "A red apple, (shiny:1.2)", "sticker");
    case.save("fox.png", "a Café with a fox's apples", "/m/dream.safetensors");
    case.save("within/狐.png", "一隻紅色的狐狸 100%", "sticker");
    fs::write(case.path("notes.txt"), b"no picture").expect("written");
    fs::write(case.path("broken.png"), b"no picture either").expect("written");
    case.index.look();
    let all = ["apple.png", "fox.png", "within/狐.png"];
    let listing = case.lists(&all);
    assert_eq!((listing.total, &listing.models[..]), (3, &["dream".to_owned(), "sticker".to_owned()][..]));
    case.finds(words("appl"), &["apple.png", "fox.png"]);
    case.finds(words("red APPLE"), &["apple.png"]);
    case.finds(words("cafe"), &["fox.png"]);
    case.finds(words("紅色"), &["within/狐.png"]);
    case.finds(words("狐狸 100% \" ' * ("), &["within/狐.png"]);
    case.finds(words("smudge dream"), &["fox.png"]);
    case.finds(words("pear"), &[]);
    case.finds(Query { model: Some("sticker".into()), ..words("") }, &["apple.png", "within/狐.png"]);
    case.index.star(case.path("fox.png"), true);
    case.finds(Query { starred: true, ..words("") }, &["fox.png"]);
    let day = Duration::from_secs(86_400);
    case.finds(Query { since: SystemTime::now().checked_sub(day), ..words("") }, &all);
    case.finds(Query { since: SystemTime::now().checked_add(day), ..words("") }, &[]);
}

#[test]
fn what_changes_in_the_folder_changes_in_the_list() {
    let case = Case::new();
    case.save("a.png", "an apple", "sticker");
    case.save("b.png", "a boat", "sticker");
    case.index.look();
    let listing = case.lists(&["a.png", "b.png"]);
    let mut thumbnails = thumbnails(case.folder.path().join("data/gallery.sqlite"));
    let small = thumbnails(listing.entries[0].id).expect("a thumbnail");
    assert_eq!((small.width(), small.height()), (32, 16));
    assert_eq!(thumbnails(999), None);
    case.save("b.png", "a bottle of ink", "sticker");
    fs::remove_file(case.path("a.png")).expect("removed");
    case.index.look();
    case.lists(&["b.png"]);
    case.finds(words("boat"), &[]);
    case.finds(words("bottle"), &["b.png"]);
}

#[test]
fn an_index_that_is_deleted_or_damaged_is_made_again_with_its_stars() {
    let case = Case::new();
    case.save("a.png", "an apple", "sticker");
    case.index.star(case.path("a.png"), true);
    case.index.look();
    case.lists(&["a.png"]);
    let Case { mut folder, index } = case;
    let file = folder.path().join("data/gallery.sqlite");
    drop(index);
    let damages: [&dyn Fn(); 3] = [
        &|| fs::remove_dir_all(file.parent().expect("a folder")).expect("removed"),
        &|| fs::write(&file, b"this is no database at all".repeat(100)).expect("written"),
        &|| {
            let connection = rusqlite::Connection::open(&file).expect("opened");
            connection.execute_batch("DROP TABLE root; PRAGMA user_version = 1").expect("dropped");
        },
    ];
    for damage in damages {
        // The thread before lets go of the file.
        thread::sleep(Duration::from_millis(100));
        damage();
        let case = Case::at(folder);
        assert!(case.lists(&["a.png"]).entries[0].starred);
        folder = case.folder;
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("data"), b"a file in the way").expect("written");
    let case = Case::at(folder);
    let begun = Instant::now();
    while case.index.listing().failure.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing is told");
        thread::sleep(Duration::from_millis(2));
    }
}
