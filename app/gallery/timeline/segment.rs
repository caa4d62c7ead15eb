//! Files that records are appended to. A process writes only its own; whose a file is stands in its name.

use super::record::{HEAD_BYTES, Head, MAGIC};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Ending of segments.
const ENDING: &str = "frames";
/// Ending of the files that running programs hold locked.
pub(super) const LOCK_ENDING: &str = "lock";

/// A file of the timeline that is not written to any more, or not by this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub path: Arc<Path>,
    /// When it was begun, in µs since 1970; the oldest goes first.
    pub begun: u64,
    /// The process that wrote it.
    pub writer: String,
    pub bytes: u64,
}

impl Segment {
    /// All segments of a folder, the oldest first.
    pub(super) fn all(folder: &Path) -> io::Result<Vec<Self>> {
        let mut found: Vec<Self> =
            fs::read_dir(folder)?.flatten().filter_map(|entry| Self::at(&entry.path())).collect();
        found.sort_by(|a, b| (a.begun, &a.writer).cmp(&(b.begun, &b.writer)));
        Ok(found)
    }

    fn at(path: &Path) -> Option<Self> {
        let mut parts = path.file_name()?.to_str()?.split('.');
        let begun = u64::from_str_radix(parts.next()?, 16).ok()?;
        let (writer, ending) = (parts.next()?.to_owned(), parts.next()?);
        let bytes = fs::metadata(path).ok()?.len();
        (ending == ENDING).then(|| Self { path: path.into(), begun, writer, bytes })
    }

    /// The heads of all whole records, and where they stand. What is cut off or damaged is passed over.
    pub(super) fn heads(&self) -> io::Result<Vec<(u64, Head)>> {
        let mut file = BufReader::with_capacity(4096, File::open(&self.path)?);
        let end = file.get_ref().metadata()?.len();
        let (mut at, mut heads) = (0, Vec::new());
        while at + HEAD_BYTES as u64 <= end {
            let mut bytes = [0; HEAD_BYTES];
            file.read_exact(&mut bytes)?;
            match Head::decode(&bytes).filter(|head| at + head.record_bytes() <= end) {
                Some(head) => {
                    heads.push((at, head));
                    at += head.record_bytes();
                    file.seek_relative(head.body_bytes() as i64)?;
                }
                None => {
                    let Some(next) = next_magic(&mut file, at + 1)? else { break };
                    at = next;
                }
            }
        }
        Ok(heads)
    }
}

/// Where the next record may begin, from `from` on; `file` stands there afterwards.
fn next_magic(file: &mut BufReader<File>, from: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(from))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let Some(found) = rest.windows(MAGIC.len()).position(|window| window == MAGIC) else { return Ok(None) };
    file.seek(SeekFrom::Start(from + found as u64))?;
    Ok(Some(from + found as u64))
}

/// The segment that this process appends to.
#[derive(Debug)]
pub(super) struct Open {
    pub path: Arc<Path>,
    pub begun: u64,
    pub bytes: u64,
    file: File,
    unsynced: bool,
}

impl Open {
    /// A new one.
    pub(super) fn create(folder: &Path, begun: u64, writer: &str) -> io::Result<Self> {
        let path: PathBuf = folder.join(format!("{begun:016x}.{writer}.{ENDING}"));
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        Ok(Self { path: path.into(), begun, bytes: 0, file, unsynced: false })
    }

    /// Writes a record and returns where it stands. On failure what was written of it is cut off again.
    pub(super) fn append(&mut self, head: &Head, body: &[u8]) -> io::Result<u64> {
        let at = self.bytes;
        // In one piece: less can be seen half.
        let record = [&head.encode()[..], body].concat();
        if let Err(e) = self.file.write_all(&record) {
            // What stays behind is passed over when it is read.
            let _ = self.file.set_len(at);
            self.bytes = self.file.metadata().map_or(at, |m| m.len());
            return Err(e);
        }
        self.bytes += record.len() as u64;
        self.unsynced = true;
        Ok(at)
    }

    /// Makes sure that what was written outlives a failure of power.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.unsynced) { self.file.sync_data() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{FrameId, record::Kind};

    fn head(body: &[u8]) -> Head {
        Head {
            kind: Kind::Frame,
            starred: false,
            id: FrameId(7),
            decided: 0,
            key: 0,
            width: 8,
            height: 8,
            settings: body.len() as u32,
            thumbnail: 0,
            picture: 0,
            body_checksum: crc32fast::hash(body),
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_to_be_full() {
        let file = OpenOptions::new().append(true).open("/dev/full").expect("Linux has it");
        let mut open = Open { path: Path::new("/dev/full").into(), begun: 0, bytes: 0, file, unsynced: false };
        let e = open.append(&head(b"x"), b"x").expect_err("full");
        assert_eq!(e.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn what_is_damaged_or_cut_off_is_passed_over() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut open = Open::create(folder.path(), 1, "w").expect("a file");
        let bodies: [&[u8]; 3] = [b"first", b"", b"third"];
        let places = bodies.map(|body| open.append(&head(body), body).expect("written"));
        let whole = fs::read(&open.path).expect("readable");
        let places_in = |bytes: &[u8]| {
            fs::write(&open.path, bytes).expect("written");
            let segment = Segment::all(folder.path()).expect("readable").remove(0);
            segment.heads().expect("readable").iter().map(|(at, _)| *at).collect::<Vec<_>>()
        };
        assert_eq!(places_in(&whole), places);
        for end in 0..whole.len() {
            let ends = [places[1], places[2], whole.len() as u64];
            let there = ends.iter().take_while(|next| **next <= end as u64).count();
            let there = &places[..there];
            assert_eq!(places_in(&whole[..end]), there, "cut off at {end}");
        }
        let mut holed = whole.clone();
        holed[places[1] as usize..][..HEAD_BYTES].fill(0);
        assert_eq!(places_in(&holed), [places[0], places[2]]);
    }
}
