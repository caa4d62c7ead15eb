//! The canvas's page as it comes back at the next start: one file in the person's data folder, written on a thread.

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use fourstep_canvas::Page;
use fourstep_gallery::{data_folder, write_atomically};
use fourstep_protocol::Size;
use fourstep_ui::{KeptPage, PageStore};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// Keeps the newest page; where two come while one is written, the older of them is never written.
pub(crate) struct Pages {
    file: Option<PathBuf>,
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    posted: Condvar,
}

#[derive(Default)]
struct Slot {
    newest: Option<KeptPage>,
    ended: bool,
}

impl Pages {
    /// Those of this person; without a data folder nothing is kept.
    pub(crate) fn open() -> Self {
        Self::at(data_folder().map(|folder| folder.join("canvas.page")))
    }

    fn at(file: Option<PathBuf>) -> Self {
        let shared = Arc::new(Shared::default());
        let writer = file.clone().and_then(|file| {
            let theirs = Arc::clone(&shared);
            let work = move || theirs.write_all(&file);
            thread::Builder::new().name("canvas page".into()).spawn(work).inspect_err(|e| log::warn!("{e}")).ok()
        });
        Self { file, shared, writer }
    }
}

impl PageStore for Pages {
    fn keep(&self, page: KeptPage) {
        self.shared.lock().newest = Some(page);
        self.shared.posted.notify_one();
    }

    fn kept(&self) -> Option<KeptPage> {
        let file = self.file.as_ref()?;
        match read(file) {
            Ok(page) => Some(page),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => {
                let bad = file.with_extension("page.bad");
                log::warn!("{} cannot be read and is kept as {}: {e}", file.display(), bad.display());
                if let Err(e) = std::fs::rename(file, &bad) {
                    log::warn!("{} could not be kept: {e}", file.display());
                }
                None
            }
        }
    }
}

impl Drop for Pages {
    /// The last page is on the disk when the program ends.
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.posted.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// A panic elsewhere leaves a slot that is still right.
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, file: &Path) {
        loop {
            let mut slot = self.lock();
            let page = loop {
                match slot.newest.take() {
                    Some(page) => break page,
                    None if slot.ended => return,
                    None => slot = self.posted.wait(slot).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(slot);
            if let Err(e) = write(file, &page) {
                log::warn!("the canvas is not kept for the next start: {e}");
            }
        }
    }
}

/// What stands before the bytes of the layers, on a line.
#[derive(Serialize, Deserialize)]
struct Header {
    width: u32,
    height: u32,
    paper: [u8; 3],
    strength: f32,
    grow_px: u32,
    feather_px: u32,
}

/// No page has more pixels, whatever a file says.
const MAX_PX: u64 = 64 << 20;
/// No header is longer.
const MAX_HEADER_BYTES: u64 = 1024;

fn write(file: &Path, kept: &KeptPage) -> io::Result<()> {
    let KeptPage { page, strength, grow_px, feather_px } = kept;
    let Size { width, height } = page.size();
    let (strength, grow_px, feather_px) = (*strength, *grow_px, *feather_px);
    let header = Header { width, height, paper: page.paper(), strength, grow_px, feather_px };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let written = write_atomically(file, |out| {
        let mut out = GzEncoder::new(out, Compression::fast());
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        page.layers().iter().try_for_each(|layer| out.write_all(layer))?;
        out.finish().map(drop)
    });
    written.map_err(|failure| io::Error::other(failure.to_string()))
}

/// A whole page, its checksum right.
fn read(file: &Path) -> io::Result<KeptPage> {
    let mut bytes = BufReader::new(GzDecoder::new(File::open(file)?));
    let mut line = Vec::new();
    io::BufRead::read_until(&mut (&mut bytes).take(MAX_HEADER_BYTES), b'\n', &mut line)?;
    let Header { width, height, paper, strength, grow_px, feather_px } = serde_json::from_slice(&line)?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "its layers do not have the size that it says");
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PX {
        return Err(wrong());
    }
    let mut layers = [Vec::new(), Vec::new(), Vec::new()];
    for (layer, pixel_bytes) in layers.iter_mut().zip(Page::PIXEL_BYTES) {
        (&mut bytes).take(pixels * pixel_bytes as u64).read_to_end(layer)?;
    }
    // Reading to the end is what checks the checksum.
    if bytes.read(&mut [0])? != 0 {
        return Err(wrong());
    }
    let page = Page::of_layers(Size::new(width, height), paper, layers).ok_or_else(wrong)?;
    Ok(KeptPage { page, strength, grow_px, feather_px })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(byte: u8) -> KeptPage {
        let layers = [vec![byte; 24], vec![0; 24], vec![byte; 6]];
        let page = Page::of_layers(Size::new(3, 2), [1, 2, byte], layers).expect("fits");
        KeptPage { page, strength: 0.5, grow_px: 7, feather_px: 9 }
    }

    #[test]
    fn the_newest_page_is_on_the_disk_when_the_program_ends() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = folder.path().join("data/canvas.page");
        let pages = Pages::at(Some(file.clone()));
        assert_eq!(pages.kept(), None);
        for byte in 0..20 {
            pages.keep(page(byte));
        }
        drop(pages);
        assert_eq!(Pages::at(Some(file)).kept(), Some(page(19)));
    }

    #[test]
    fn what_cannot_be_read_is_kept_beside() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (file, bad) = (folder.path().join("canvas.page"), folder.path().join("canvas.page.bad"));
        write(&file, &page(3)).expect("writes");
        let whole = std::fs::read(&file).expect("reads");
        let mut turned = whole.clone();
        turned[whole.len() - 6] ^= 1;
        for damaged in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &turned[..], b"no page"] {
            std::fs::write(&file, damaged).expect("writes");
            assert_eq!(Pages::at(Some(file.clone())).kept(), None);
            assert_eq!(std::fs::read(&bad).expect("kept"), damaged);
            assert!(!file.exists());
        }
    }
}
