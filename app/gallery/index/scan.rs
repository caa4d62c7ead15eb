//! A look through the folder of pictures, some at a time.

use super::{
    database::{Database, Details, Seen},
    stars::{Stars, below},
};
use crate::{Opened, infotext::file_stem, open, thumbnail::thumbnail};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// Folders within folders that are looked into.
const DEPTH: usize = 4;
/// What is new is listed so often.
const PIECE: Duration = Duration::from_millis(200);
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// Pictures that are still to be looked at.
pub(super) struct Scan {
    folder: PathBuf,
    waiting: Vec<(PathBuf, Seen)>,
}

pub(super) enum Problem {
    Folder(io::Error),
    Index(rusqlite::Error),
}

impl Scan {
    /// Finds out which pictures are new or changed, and forgets those that are gone.
    pub(super) fn begin(folder: &Path, stars: &Stars, db: &mut Database) -> Result<Self, Problem> {
        let known: HashMap<String, Seen> = db.known().map_err(Problem::Index)?;
        let mut there = HashMap::new();
        match list(folder, folder, DEPTH, &mut there) {
            // It is made when the first picture is saved.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            listed => listed.map_err(Problem::Folder)?,
        }
        let gone: Vec<&String> = known.keys().filter(|name| !there.contains_key(*name)).collect();
        db.forget(&gone).map_err(Problem::Index)?;
        db.star_all(&|name| stars.has(name)).map_err(Problem::Index)?;
        let changed = there.into_iter().filter(|(name, (_, seen))| known.get(name) != Some(seen));
        let mut waiting: Vec<(PathBuf, Seen)> = changed.map(|(_, file)| file).collect();
        // The newest first, which is taken from the end.
        waiting.sort_by_key(|(_, seen)| seen.modified_ns);
        Ok(Self { folder: folder.to_owned(), waiting })
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Looks at pictures for a moment; `true` where none is left.
    pub(super) fn go_on(&mut self, stars: &Stars, db: &mut Database) -> rusqlite::Result<bool> {
        let begun = Instant::now();
        let mut piece = Vec::new();
        while begun.elapsed() < PIECE {
            let Some((path, seen)) = self.waiting.pop() else { break };
            let Some(name) = below(&self.folder, &path) else { continue };
            let details = Details { starred: stars.has(&name), ..look_at(&path) };
            piece.push((name, seen, details));
        }
        db.remember(&piece)?;
        Ok(self.waiting.is_empty())
    }
}

fn list(folder: &Path, within: &Path, depth: usize, found: &mut HashMap<String, (PathBuf, Seen)>) -> io::Result<()> {
    for entry in fs::read_dir(within)?.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 && !entry.file_name().to_string_lossy().starts_with('.') {
            // A folder within that cannot be read is left out.
            let _ = list(folder, &path, depth - 1, found);
        } else if is_picture(&path)
            && let (Some(name), Ok(metadata)) = (below(folder, &path), fs::metadata(&path))
            && metadata.is_file()
        {
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let modified = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let seen = Seen { modified_ns: modified.as_nanos() as i64, bytes: metadata.len() as i64 };
            found.insert(name, (path, seen));
        }
    }
    Ok(())
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    ENDINGS.contains(&ending.as_str())
}

/// What is in a picture; one that cannot be read is remembered without a size, and is not listed.
fn look_at(path: &Path) -> Details {
    let Ok(Opened { picture, request, infotext }) = open(path) else { return Details::default() };
    let (prompt, negative, model) = match (request, infotext) {
        (Some(r), _) => (r.prompt, r.negative_prompt, r.model.as_str().to_owned()),
        (None, Some(text)) => {
            let model = text.get("Model").unwrap_or_default().to_owned();
            (text.prompt, text.negative_prompt, model)
        }
        (None, None) => Default::default(),
    };
    Details {
        width: picture.width(),
        height: picture.height(),
        starred: false,
        model: file_stem(&model).to_owned(),
        thumbnail: thumbnail(&picture),
        prompt,
        negative,
    }
}
