//! Settings in the EXIF block of a JPEG or WebP file.
//!
//! AUTOMATIC1111 writes its infotext as the `UserComment` (Exif 2.32, tag 0x9286: eight bytes name the code, then UTF-16),
//! which every program of this kind reads. The whole request as JSON is the `MakerNote` (0x927C), bytes for the program
//! that wrote them.

use std::cmp::Ordering;

/// Tags of the format.
const EXIF_IFD: u16 = 0x8769;
const USER_COMMENT: u16 = 0x9286;
const MAKER_NOTE: u16 = 0x927c;
/// Types of the format.
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;
const UNICODE: &[u8; 8] = b"UNICODE\0";
/// What our `MakerNote` begins with.
const OURS: &[u8] = b"fourstep\0";

/// What an EXIF block says about how a picture was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) infotext: Option<String>,
    pub(crate) json: Option<String>,
}

/// An EXIF block, big-endian, with the infotext and, where it is given, the JSON.
pub(crate) fn write(infotext: &str, json: Option<&str>) -> Vec<u8> {
    let comment: Vec<u8> = UNICODE.iter().copied().chain(infotext.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let note = json.map(|json| [OURS, json.as_bytes()].concat());
    // In the order of their tags.
    let entries: Vec<(u16, Vec<u8>)> =
        note.map(|note| (MAKER_NOTE, note)).into_iter().chain([(USER_COMMENT, comment)]).collect();
    // Header, a first directory with one entry, then the directory it points to, then what that points to.
    const HEADER: u32 = 8;
    const ENTRY: u32 = 12;
    let first = HEADER + 2 + ENTRY + 4;
    let mut data_at = first + 2 + ENTRY * entries.len() as u32 + 4;
    let mut block = b"MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    put_entry(&mut block, EXIF_IFD, LONG, 1, first);
    block.extend([0; 4]);
    block.extend((entries.len() as u16).to_be_bytes());
    for (tag, data) in &entries {
        put_entry(&mut block, *tag, UNDEFINED, data.len() as u32, data_at);
        data_at += data.len() as u32;
    }
    block.extend([0; 4]);
    entries.into_iter().for_each(|(_, data)| block.extend(data));
    block
}

fn put_entry(block: &mut Vec<u8>, tag: u16, kind: u16, count: u32, value: u32) {
    block.extend(tag.to_be_bytes());
    block.extend(kind.to_be_bytes());
    block.extend(count.to_be_bytes());
    block.extend(value.to_be_bytes());
}

/// Reads a block of any program; what is damaged or missing is left out.
pub(crate) fn read(block: &[u8]) -> Settings {
    // Some files repeat the marker of their JPEG segment.
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let Some(tiff) = Tiff::of(block) else { return Settings::default() };
    let root = tiff.long(4).unwrap_or_default();
    let Some(directory) = tiff.find(root, EXIF_IFD).and_then(|entry| tiff.long(entry + 8)) else {
        return Settings::default();
    };
    let bytes = |tag| tiff.find(directory, tag).and_then(|entry| tiff.bytes(entry));
    Settings {
        infotext: bytes(USER_COMMENT).and_then(|bytes| tiff.comment(bytes)),
        json: bytes(MAKER_NOTE)
            .and_then(|bytes| bytes.strip_prefix(OURS))
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()),
    }
}

/// A TIFF structure in one of its two orders of bytes.
struct Tiff<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl<'a> Tiff<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        match bytes.get(..4)? {
            b"II\x2a\0" => Some(Self { bytes, is_little: true }),
            b"MM\0\x2a" => Some(Self { bytes, is_little: false }),
            _ => None,
        }
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let value = if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(value).ok()
    }

    /// Where the entry with this tag stands in a directory.
    fn find(&self, directory: usize, tag: u16) -> Option<usize> {
        let count = usize::from(self.short(directory)?);
        let entries = (0..count).map(|index| directory + 2 + 12 * index);
        entries.into_iter().find(|entry| self.short(*entry) == Some(tag))
    }

    /// The bytes an entry of single bytes points to.
    fn bytes(&self, entry: usize) -> Option<&'a [u8]> {
        let length = self.long(entry + 4)?;
        let at = if length <= 4 { entry + 8 } else { self.long(entry + 8)? };
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// A comment with the name of its code before it.
    fn comment(&self, bytes: &[u8]) -> Option<String> {
        let text = match bytes.strip_prefix(UNICODE) {
            Some(units) => self.utf16(units),
            None => String::from_utf8_lossy(bytes.get(8..)?).into_owned(),
        };
        let text = text.trim_matches(['\0', ' ', '\u{feff}']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn utf16(&self, bytes: &[u8]) -> String {
        let pairs = bytes.as_chunks::<2>().0;
        let decode = |order: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = pairs.iter().map(|pair| order(*pair)).collect();
            String::from_utf16_lossy(&units)
        };
        // Programs disagree whether the comment follows the block's order; infotext is mostly letters of one byte.
        let zeros = |i: usize| pairs.iter().filter(|pair| pair[i] == 0).count();
        let is_little = match zeros(0).cmp(&zeros(1)) {
            Ordering::Greater => false,
            Ordering::Less => true,
            Ordering::Equal => self.is_little,
        };
        decode(if is_little { u16::from_le_bytes } else { u16::from_be_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (infotext, json) in [("a cat\nSteps: 4", Some("{\"seed\":1}")), ("一顆紅蘋果\nSteps: 4", None)] {
            let expected = Settings { infotext: Some(infotext.into()), json: json.map(str::to_owned) };
            assert_eq!(read(&write(infotext, json)), expected);
        }
    }

    /// A directory with one pointer, to a directory with one comment, as other programs write it.
    #[test]
    fn comments_of_other_programs_are_read() {
        let exif = |comment: &[u8]| {
            let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
            bytes.extend([0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]);
            bytes.extend([0, 1, 0x92, 0x86, 0, 7]);
            bytes.extend((comment.len() as u32).to_be_bytes());
            bytes.extend([0, 0, 0, 44, 0, 0, 0, 0]);
            bytes.extend(comment);
            read(&bytes).infotext
        };
        assert_eq!(exif(b"ASCII\0\0\0an apple\0\0").as_deref(), Some("an apple"));
        assert_eq!(exif(b"ASCII\0\0\0"), None);
    }

    #[test]
    fn damaged_blocks_say_nothing() {
        let whole = write("a cat", Some("{}"));
        for length in 0..whole.len() {
            let _ = read(&whole[..length]);
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = read(&damaged);
        }
        assert_eq!(read(b"nonsense"), Settings::default());
    }

    #[test]
    fn a_comment_in_either_order_is_read() {
        let mut block = write("steps", None);
        let at = block.len() - 10;
        for pair in block[at..].chunks_exact_mut(2) {
            pair.swap(0, 1);
        }
        assert_eq!(read(&block).infotext.as_deref(), Some("steps"));
    }
}
