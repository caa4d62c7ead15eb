//! What a segment of the timeline is made of: a head of fixed length with its own checksum, then the frame's bytes.

use super::FrameId;

/// Begins every record, so that reading can go on behind a damaged one.
pub(super) const MAGIC: [u8; 4] = *b"4St1";
/// Length of a head in bytes.
pub(super) const HEAD_BYTES: usize = 56;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture with its settings.
    Frame,
    /// A star that was given to a frame written before, or taken from it; nothing follows the head.
    Star,
}

/// Stands before each record's bytes; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub kind: Kind,
    pub starred: bool,
    pub id: FrameId,
    /// When the star was decided, in µs since 1970: the latest counts.
    pub decided: u64,
    /// Checksum of the canonical request; equal pictures have equal keys.
    pub key: u32,
    pub width: u32,
    pub height: u32,
    /// Bytes of the compressed settings, which come first.
    pub settings: u32,
    /// Bytes of the thumbnail, a JPEG file.
    pub thumbnail: u32,
    /// Bytes of the picture, a PNG file.
    pub picture: u32,
    /// Checksum of everything after the head.
    pub body_checksum: u32,
}

impl Head {
    /// Bytes after the head.
    pub(super) fn body_bytes(&self) -> u64 {
        u64::from(self.settings) + u64::from(self.thumbnail) + u64::from(self.picture)
    }

    /// Bytes of the whole record.
    pub(super) fn record_bytes(&self) -> u64 {
        HEAD_BYTES as u64 + self.body_bytes()
    }

    pub(super) fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend(MAGIC);
        bytes.extend([u8::from(self.kind == Kind::Star), u8::from(self.starred), 0, 0]);
        bytes.extend(self.id.0.to_le_bytes());
        bytes.extend(self.decided.to_le_bytes());
        let numbers = [self.key, self.width, self.height, self.settings, self.thumbnail, self.picture];
        bytes.extend(numbers.iter().chain([&self.body_checksum]).flat_map(|n| n.to_le_bytes()));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&bytes);
        head
    }

    /// `None` where these bytes are no head, or a damaged one.
    pub(super) fn decode(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if bytes[..4] != MAGIC || crc32fast::hash(&bytes[..HEAD_BYTES - 4]) != word(HEAD_BYTES - 4) {
            return None;
        }
        let kind = match bytes[4] {
            0 => Kind::Frame,
            1 => Kind::Star,
            _ => return None,
        };
        Some(Self {
            kind,
            starred: bytes[5] != 0,
            id: FrameId(long(8)),
            decided: long(16),
            key: word(24),
            width: word(28),
            height: word(32),
            settings: word(36),
            thumbnail: word(40),
            picture: word(44),
            body_checksum: word(48),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_and_a_flipped_bit_is_seen() {
        let head = Head {
            kind: Kind::Frame,
            starred: true,
            id: FrameId(0x0123_4567_89ab_cdef),
            decided: u64::MAX - 3,
            key: 7,
            width: 512,
            height: 768,
            settings: 1,
            thumbnail: u32::MAX,
            picture: 3,
            body_checksum: 0xdead_beef,
        };
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Some(head));
        for bit in 0..HEAD_BYTES * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&damaged), None, "bit {bit}");
        }
    }
}
