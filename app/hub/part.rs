use crate::{
    CancelFlag,
    cache::make_parent,
    checksum::{Checksum, Sum},
    problem::Problem,
    wait::Halt,
};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A blob that grows, with the checksum of what is there. Bytes are written as they come, so that a kill loses none.
pub(crate) struct Part {
    path: PathBuf,
    file: File,
    len: u64,
    check: Option<(Checksum, Sum)>,
    size_bytes: Option<u64>,
}

impl Part {
    /// Goes on with what is there. `seen` is told how many bytes were read for the checksum.
    pub(crate) fn open(
        path: PathBuf,
        checksum: Option<&Checksum>,
        size_bytes: Option<u64>,
        cancel: &CancelFlag,
        seen: impl FnMut(u64),
    ) -> Result<Self, Halt> {
        make_parent(&path)?;
        let opened = File::options().create(true).append(true).open(&path);
        let file = opened.map_err(|source| Problem::disk(&path, source))?;
        let check = begin(checksum, size_bytes);
        let mut part = Self { path, file, len: 0, check, size_bytes };
        let there = part.len_on_disk()?;
        if there == 0 || size_bytes.is_some_and(|size| there > size) {
            part.restart()?;
            return Ok(part);
        }
        let sum = part.check.as_mut().map(|(_, sum)| sum);
        part.len = read_through(&part.path, sum, cancel, seen)?;
        Ok(part)
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether all bytes are there; `false` where their number is not known.
    pub(crate) fn is_full(&self) -> bool {
        self.size_bytes == Some(self.len)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let after = self.len + bytes.len() as u64;
        if let Some(expected) = self.size_bytes.filter(|&size| after > size) {
            return Err(Problem::WrongSize { expected, found: after });
        }
        self.file.write_all(bytes).map_err(|source| Problem::disk(&self.path, source))?;
        if let Some((_, sum)) = &mut self.check {
            sum.update(bytes);
        }
        self.len = after;
        Ok(())
    }

    /// Throws away what is there.
    pub(crate) fn restart(&mut self) -> Result<(), Problem> {
        self.file.set_len(0).map_err(|source| Problem::disk(&self.path, source))?;
        self.len = 0;
        let checksum = self.check.take().map(|(checksum, _)| checksum);
        self.check = begin(checksum.as_ref(), self.size_bytes);
        Ok(())
    }

    /// Gives the finished file its name, if it is what it should be.
    ///
    /// # Errors
    /// [`Problem::CutOff`], [`Problem::WrongSize`] or [`Problem::WrongBytes`] where it is not; the file keeps its
    /// name then.
    pub(crate) fn finish(&self, blob: &Path) -> Result<(), Problem> {
        if let Some(size) = self.size_bytes.filter(|&size| self.len < size) {
            return Err(Problem::CutOff { have_bytes: self.len, size_bytes: Some(size) });
        }
        // On a disk whose locks do nothing another program may have written too.
        let there = self.len_on_disk()?;
        if there != self.len {
            return Err(Problem::WrongSize { expected: self.len, found: there });
        }
        if let Some((expected, sum)) = &self.check {
            let found = sum.clone().digits();
            if found != expected.digits() {
                return Err(Problem::WrongBytes { expected: expected.digits().to_owned(), found });
            }
        }
        // A name must not outlive its bytes when the power fails.
        self.file.sync_all().map_err(|source| Problem::disk(&self.path, source))?;
        fs::rename(&self.path, blob).map_err(|source| Problem::disk(blob, source))
    }

    fn len_on_disk(&self) -> Result<u64, Problem> {
        Ok(self.file.metadata().map_err(|source| Problem::disk(&self.path, source))?.len())
    }
}

/// A git blob's checksum begins with its size, so without one it cannot be computed.
fn begin(checksum: Option<&Checksum>, size_bytes: Option<u64>) -> Option<(Checksum, Sum)> {
    match (checksum?, size_bytes) {
        (Checksum::GitBlob(_), None) => None,
        (checksum, size) => Some((checksum.clone(), checksum.start(size.unwrap_or(0)))),
    }
}

/// Feeds a file to a checksum; the number of bytes.
pub(crate) fn read_through(
    path: &Path,
    mut sum: Option<&mut Sum>,
    cancel: &CancelFlag,
    mut seen: impl FnMut(u64),
) -> Result<u64, Halt> {
    let disk = |source: io::Error| Problem::disk(path, source);
    let mut file = File::open(path).map_err(disk)?;
    let mut buffer = vec![0; 1 << 20];
    let mut len = 0;
    loop {
        if cancel.is_cancelled() {
            return Err(Halt::Cancelled);
        }
        let count = file.read(&mut buffer).map_err(disk)?;
        if count == 0 {
            return Ok(len);
        }
        if let Some(sum) = &mut sum {
            sum.update(&buffer[..count]);
        }
        len += count as u64;
        seen(count as u64);
    }
}
