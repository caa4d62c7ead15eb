//! Pictures that are kept, without a disk.

use super::{Double, painted};
use fourstep_protocol::{Failure, Finished, Picture, Request, RunId};
use fourstep_ui::{Gallery, GalleryListing, GalleryQuery, Kept, KeptFrame, Load, SavedPicture, Timeline};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What the doubles note and are told.
#[derive(Default)]
pub(crate) struct Keeping {
    /// Off unless a test wants it: a strip below the stage is in the way of others.
    pub(crate) keeps: bool,
    pub(crate) kept: Arc<Kept>,
    pub(crate) frames: Vec<Arc<Finished>>,
    /// Frames whose thumbnails were asked for.
    pub(crate) thumbnails: Vec<u64>,
    pub(crate) bound: Option<u64>,
    pub(crate) listing: Arc<GalleryListing>,
    pub(crate) looks: usize,
    pub(crate) queries: Vec<GalleryQuery>,
    pub(crate) small: Vec<i64>,
    pub(crate) deleted: Vec<PathBuf>,
    pub(crate) revealed: Vec<PathBuf>,
}

impl Keeping {
    /// A timeline with so many frames of this picture, each with a seed of its own.
    pub(crate) fn fill(&mut self, count: usize, finished: &Finished) {
        let begun = SystemTime::now() - Duration::from_secs(2 * count as u64);
        let mut kept = Kept { bytes: 25_000 * count as u64, ..Kept::default() };
        for i in 0..count {
            let painted = begun + Duration::from_secs(2 * i as u64);
            kept.frames.push(KeptFrame { id: i as u64, starred: i % 9 == 4, painted });
            let request = Request { seed: 100_000 + i as u64, ..(*finished.request).clone() };
            self.frames.push(Arc::new(Finished { run: RunId(0), request: Arc::new(request), ..finished.clone() }));
        }
        self.kept = Arc::new(kept);
    }

    /// A folder with so many pictures.
    pub(crate) fn save(&mut self, count: usize) {
        let picture = |i: usize| SavedPicture {
            id: i as i64,
            path: format!("/home/me/Pictures/Fourstep/fourstep-{i:05}.png").into(),
            width: 128,
            height: 128,
            saved: SystemTime::now() - Duration::from_secs(3600 * i as u64),
            starred: i % 5 == 2,
            prompt: format!("apple number {i}"),
            model: "sticker".into(),
        };
        let models = vec!["dream".into(), "sticker".into()];
        let pictures = (0..count).map(picture).collect();
        self.listing = Arc::new(GalleryListing { pictures, models, total: count, ..GalleryListing::default() });
    }
}

impl Timeline for Double {
    fn keep(&self, finished: &Finished, _canonical: Request) {
        let script = &mut *self.lock();
        let keeping = &mut script.keeping;
        if keeping.keeps {
            let id = keeping.frames.len() as u64;
            keeping.frames.push(Arc::new(finished.clone()));
            let kept = Arc::make_mut(&mut keeping.kept);
            kept.frames.push(KeptFrame { id, starred: false, painted: SystemTime::now() });
            kept.bytes += 25_000;
        }
    }

    fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.lock().keeping.kept)
    }

    fn star(&self, frame: u64, starred: bool) {
        let script = &mut *self.lock();
        Arc::make_mut(&mut script.keeping.kept).frames[frame as usize].starred = starred;
    }

    fn set_max_bytes(&self, bytes: u64) {
        self.lock().keeping.bound = Some(bytes);
    }

    fn thumbnail(&self, frame: u64) -> Load<Arc<Picture>> {
        self.lock().keeping.thumbnails.push(frame);
        let request = Arc::clone(&self.lock().keeping.frames[frame as usize].request);
        Load::Here(painted(&request, 0.4 + (frame % 7) as f32 * 0.1))
    }

    fn open(&self, frame: u64) -> Load<Arc<Finished>> {
        Load::Here(Arc::clone(&self.lock().keeping.frames[frame as usize]))
    }
}

impl Gallery for Double {
    fn look(&self) {
        self.lock().keeping.looks += 1;
    }

    fn find(&self, query: GalleryQuery) {
        self.lock().keeping.queries.push(query);
    }

    fn listing(&self) -> Arc<GalleryListing> {
        Arc::clone(&self.lock().keeping.listing)
    }

    fn thumbnail(&self, id: i64) -> Load<Arc<Picture>> {
        self.lock().keeping.small.push(id);
        Load::Here(painted(&self.sample(), 0.4 + (id % 7) as f32 * 0.1))
    }

    fn picture(&self, _path: &Path) -> Load<Arc<Picture>> {
        Load::Here(painted(&self.sample(), 1.0))
    }

    fn star(&self, path: &Path, starred: bool) {
        let script = &mut *self.lock();
        for picture in &mut Arc::make_mut(&mut script.keeping.listing).pictures {
            if picture.path == path {
                picture.starred = starred;
            }
        }
    }

    fn delete(&self, path: &Path) {
        let script = &mut *self.lock();
        script.keeping.deleted.push(path.to_owned());
        Arc::make_mut(&mut script.keeping.listing).pictures.retain(|picture| picture.path != path);
    }

    fn reveal(&self, path: &Path) {
        self.lock().keeping.revealed.push(path.to_owned());
    }

    fn failure(&self) -> Option<Failure> {
        None
    }
}
