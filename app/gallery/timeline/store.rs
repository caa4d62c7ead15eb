//! A folder of segments: what is in it, what is added, and what goes when it is full.

use super::{
    Frame, FrameId,
    frame::{encode, key},
    record::{Head, Kind},
    segment::{LOCK_ENDING, Open, Segment},
};
use fourstep_protocol::{Finished, Request};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process,
    time::{Duration, SystemTime},
};

/// A lock file that nobody holds is removed only when it is older than this: a program may be about to lock it.
const STALE_LOCK: Duration = Duration::from_secs(3600);
/// The ring is dropped in so many pieces.
const PIECES: u64 = 64;
/// Smallest and largest segment, in bytes.
const SEGMENT_BYTES: (u64, u64) = (64 << 10, 16 << 20);

/// The timeline's folder, as one process sees and writes it.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    max_bytes: u64,
    /// Names this process's files. Its lock is held as long as the process lives.
    writer: String,
    lock: Option<File>,
    segments: Vec<Segment>,
    open: Option<Open>,
    last: FrameId,
    /// The folder was looked at again: frames may have gone with another program's work.
    looked: bool,
}

impl Store {
    pub(super) fn new(folder: PathBuf, max_bytes: u64) -> Self {
        let writer = format!("{:x}-{:x}", micros(), process::id());
        Self {
            folder,
            max_bytes,
            writer,
            lock: None,
            segments: Vec::new(),
            open: None,
            last: FrameId(0),
            looked: false,
        }
    }

    /// Every frame of the folder, sorted by its id: the oldest first.
    ///
    /// # Errors
    /// Where the folder cannot be read; one that is not there yet is empty.
    pub(super) fn load(&mut self) -> io::Result<Vec<Frame>> {
        self.segments = match Segment::all(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            segments => segments?,
        };
        let mut frames: HashMap<FrameId, Frame> = HashMap::new();
        let mut stars: HashMap<FrameId, (u64, bool)> = HashMap::new();
        for segment in &self.segments {
            let heads = segment.heads().unwrap_or_else(|e| {
                log::warn!("{} cannot be read: {e}", segment.path.display());
                Vec::new()
            });
            for (at, head) in heads {
                let star = stars.entry(head.id).or_insert((head.decided, head.starred));
                if head.decided >= star.0 {
                    *star = (head.decided, head.starred);
                }
                if head.kind == Kind::Frame {
                    frames.insert(head.id, Frame::new(head, segment.path.clone(), at));
                }
            }
        }
        let mut frames: Vec<Frame> = frames.into_values().collect();
        frames.sort_by_key(|frame| frame.id);
        for frame in &mut frames {
            frame.starred = stars.get(&frame.id).is_some_and(|star| star.1);
        }
        self.last = frames.last().map_or(self.last, |frame| frame.id);
        Ok(frames)
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.bytes).sum::<u64>() + self.open.as_ref().map_or(0, |open| open.bytes)
    }

    pub(super) fn set_max_bytes(&mut self, max_bytes: u64) {
        self.max_bytes = max_bytes;
    }

    /// Writes a picture at the end; `false` where the newest frame shows the same already.
    pub(super) fn add(
        &mut self,
        finished: &Finished,
        canonical: &Request,
        frames: &mut Vec<Frame>,
    ) -> io::Result<bool> {
        let key = key(canonical)?;
        if frames.last().is_some_and(|newest| newest.head.key == key) {
            return Ok(false);
        }
        let id = FrameId((micros() << 10 | u64::from(process::id() & 1023)).max(self.last.0 + 1));
        let (head, body) = encode(id, finished, key)?;
        let frame = self.append(head, &body)?;
        self.last = id;
        frames.push(frame);
        self.make_room(frames)?;
        Ok(true)
    }

    /// Gives a frame a star, or takes it away.
    pub(super) fn star(&mut self, id: FrameId, starred: bool, frames: &mut [Frame]) -> io::Result<()> {
        if let Ok(i) = frames.binary_search_by_key(&id, |frame| frame.id)
            && frames[i].starred != starred
        {
            self.append(star(id, starred), &[])?;
            frames[i].starred = starred;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), Open::sync)
    }

    fn append(&mut self, head: Head, body: &[u8]) -> io::Result<Frame> {
        let full = (self.max_bytes / PIECES).clamp(SEGMENT_BYTES.0, SEGMENT_BYTES.1);
        let is_there = self.open.as_ref().is_some_and(|open| open.path.exists());
        if !is_there || self.open.as_ref().is_some_and(|open| open.bytes >= full) {
            self.begin_segment()?;
        }
        let open = self.open.as_mut().ok_or_else(|| io::Error::other("no file to write to"))?;
        let at = open.append(&head, body)?;
        Ok(Frame::new(head, open.path.clone(), at))
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        if self.lock.is_none() {
            self.lock = Some(self.take_lock()?);
        }
        // A clock that was set back must not make a newer segment the oldest.
        let newest = self.segments.iter().map(|s| s.begun).chain(self.open.as_ref().map(|o| o.begun)).max();
        let begun = micros().max(newest.map_or(0, |begun| begun + 1));
        let open = Open::create(&self.folder, begun, &self.writer)?;
        if let Some(mut full) = self.open.replace(open) {
            full.sync()?;
        }
        // Another program may have added and dropped segments too.
        self.segments = Segment::all(&self.folder)?;
        self.segments.retain(|segment| self.open.as_ref().is_none_or(|open| open.path != segment.path));
        self.looked = true;
        Ok(())
    }

    fn take_lock(&self) -> io::Result<File> {
        let path = self.folder.join(format!("{}.{LOCK_ENDING}", self.writer));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        Ok(file)
    }

    /// Drops the oldest frames without a star until the folder is within its bound.
    pub(super) fn make_room(&mut self, frames: &mut Vec<Frame>) -> io::Result<()> {
        if std::mem::take(&mut self.looked) {
            self.forget_lost(frames);
        }
        let mut next = 0;
        while self.bytes() > self.max_bytes && next < self.segments.len() {
            let segment = self.segments[next].clone();
            if segment.writer != self.writer && is_running(&self.folder, &segment.writer) {
                next += 1;
                continue;
            }
            let starred: u64 =
                frames.iter().filter(|f| f.starred && f.file == segment.path).map(Frame::size_bytes).sum();
            if starred >= segment.bytes {
                next += 1;
                continue;
            }
            self.drop_segment(&segment, frames)?;
            self.segments.remove(next);
        }
        Ok(())
    }

    fn forget_lost(&self, frames: &mut Vec<Frame>) {
        let there: HashSet<&Path> = self.segments.iter().map(|s| &*s.path).collect();
        let open = self.open.as_ref().map(|open| &*open.path);
        frames.retain(|frame| there.contains(&*frame.file) || open == Some(&*frame.file));
    }

    /// Starred frames are written again at the end before the file goes, and so are stars of frames elsewhere.
    fn drop_segment(&mut self, segment: &Segment, frames: &mut Vec<Frame>) -> io::Result<()> {
        let heads = match segment.heads() {
            // Another program has dropped it already.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            heads => heads?,
        };
        for (at, head) in heads {
            let Ok(i) = frames.binary_search_by_key(&head.id, |f| f.id) else { continue };
            if !frames[i].starred {
                continue;
            }
            let is_here = frames[i].file == segment.path;
            match head.kind {
                Kind::Frame if is_here && frames[i].offset == at => {
                    let body = read_body(&segment.path, at, &head)?;
                    frames[i] = self.append(Head { starred: true, decided: micros(), ..head }, &body)?;
                }
                Kind::Star if !is_here => {
                    self.append(star(head.id, true), &[])?;
                }
                _ => {}
            }
        }
        self.sync()?;
        match fs::remove_file(&segment.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        frames.retain(|frame| frame.file != segment.path);
        self.remove_lock_of(&segment.writer);
        Ok(())
    }

    /// The lock file of a program that has ended goes with the last of its segments.
    fn remove_lock_of(&self, writer: &str) {
        let path = self.folder.join(format!("{writer}.{LOCK_ENDING}"));
        let is_last = self.segments.iter().filter(|s| s.writer == writer).count() <= 1;
        let age = fs::metadata(&path).and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if writer != self.writer && is_last && age.is_some_and(|age| age > STALE_LOCK) {
            // A file that stays costs nothing.
            let _ = fs::remove_file(path);
        }
    }
}

fn star(id: FrameId, starred: bool) -> Head {
    Head {
        kind: Kind::Star,
        starred,
        id,
        decided: micros(),
        key: 0,
        width: 0,
        height: 0,
        settings: 0,
        thumbnail: 0,
        picture: 0,
        body_checksum: crc32fast::hash(&[]),
    }
}

fn read_body(path: &Path, at: u64, head: &Head) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at + head.record_bytes() - head.body_bytes()))?;
    let mut body = vec![0; head.body_bytes() as usize];
    file.read_exact(&mut body)?;
    Ok(body)
}

/// Whether the program that wrote a segment still runs: it holds a lock that goes with it, however it ends.
fn is_running(folder: &Path, writer: &str) -> bool {
    let Ok(file) = File::open(folder.join(format!("{writer}.{LOCK_ENDING}"))) else { return false };
    file.try_lock_shared().is_err()
}

/// Microseconds since 1970.
fn micros() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}
