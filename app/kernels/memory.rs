use std::ops::{Deref, DerefMut};

/// Bytes that begin at a multiple of 64, zero at first. Large ones lie in huge pages where the system gives them: a
/// network's weights are read from end to end at every step, and small pages would cost a walk each.
#[derive(Debug)]
pub struct Buffer(Option<memmap2::MmapMut>);

impl Buffer {
    /// No bytes.
    pub const fn empty() -> Self {
        Self(None)
    }

    /// This many bytes.
    ///
    /// # Errors
    /// Where the system has no memory left.
    pub fn new(bytes: usize) -> std::io::Result<Self> {
        if bytes == 0 {
            return Ok(Self::empty());
        }
        let map = memmap2::MmapMut::map_anon(bytes)?;
        #[cfg(target_os = "linux")]
        if bytes >= 1 << 21 {
            // Not every kernel has them; without them everything works, a little slower.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Ok(Self(Some(map)))
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0.as_deref_mut().unwrap_or_default()
    }
}
