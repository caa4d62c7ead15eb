//! The comment in a picture's EXIF, where AUTOMATIC1111 writes infotext in JPEG and WebP files.

/// `UserComment` of the EXIF block (`TIFF` header first, with or without `Exif\0\0` before it).
pub(crate) fn user_comment(exif: &[u8]) -> Option<String> {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let order = Order::of(tiff)?;
    let first = order.long(tiff, 4)?;
    let sub = entry(order, tiff, first, EXIF_IFD)?;
    let (count, value) = { (order.long(tiff, sub + 4)?, order.long(tiff, sub + 8)?) };
    // The pointer itself is one long.
    let comment = (count == 1).then(|| entry(order, tiff, value, USER_COMMENT)).flatten()?;
    let (length, at) = (order.long(tiff, comment + 4)? as usize, order.long(tiff, comment + 8)? as usize);
    text(order, tiff.get(at..at.checked_add(length)?)?)
}

const EXIF_IFD: u16 = 0x8769;
const USER_COMMENT: u16 = 0x9286;
/// Bytes of a directory's entry.
const ENTRY: u32 = 12;

/// Where the entry with this tag stands in the directory at `directory`.
fn entry(order: Order, tiff: &[u8], directory: u32, tag: u16) -> Option<u32> {
    let count = u32::from(order.short(tiff, directory)?);
    let at = |i: u32| directory.checked_add(2 + i * ENTRY);
    (0..count).filter_map(at).find(|at| order.short(tiff, *at) == Some(tag))
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn of(tiff: &[u8]) -> Option<Self> {
        match tiff.get(..4)? {
            b"II*\0" => Some(Self::Little),
            b"MM\0*" => Some(Self::Big),
            _ => None,
        }
    }

    fn short(self, bytes: &[u8], at: u32) -> Option<u16> {
        let two = bytes.get(at as usize..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(*two),
            Self::Big => u16::from_be_bytes(*two),
        })
    }

    fn long(self, bytes: &[u8], at: u32) -> Option<u32> {
        let four = bytes.get(at as usize..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(*four),
            Self::Big => u32::from_be_bytes(*four),
        })
    }
}

/// Eight bytes say what the others are. piexif writes UTF-16 with the high byte first whatever the file's order is;
/// others write the file's.
fn text(order: Order, comment: &[u8]) -> Option<String> {
    let (kind, bytes) = comment.split_first_chunk::<8>()?;
    let text = match kind {
        b"UNICODE\0" => {
            let (pairs, _) = bytes.as_chunks::<2>();
            // Infotext begins with what people type: where half of the bytes are 0, it shows which half.
            let zeros = |i: usize| pairs.iter().filter(|pair| pair[i] == 0).count();
            let big = match zeros(0).cmp(&zeros(1)) {
                std::cmp::Ordering::Greater => true,
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => matches!(order, Order::Big),
            };
            let units =
                pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text = text.trim_matches(['\0', ' ', '\u{feff}']).to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with one pointer, to a directory with one comment.
    fn exif(comment: &[u8]) -> Vec<u8> {
        let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
        bytes.extend([0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]);
        bytes.extend([0, 1, 0x92, 0x86, 0, 7]);
        bytes.extend((comment.len() as u32).to_be_bytes());
        bytes.extend([0, 0, 0, 44, 0, 0, 0, 0]);
        bytes.extend(comment);
        bytes
    }

    #[test]
    fn a_comment_is_read_in_each_of_its_forms() {
        let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            b"UNICODE\0".iter().copied().chain("a 蘋果\nSteps: 4".encode_utf16().flat_map(order)).collect()
        };
        assert_eq!(user_comment(&exif(&wide(u16::to_be_bytes))).as_deref(), Some("a 蘋果\nSteps: 4"));
        assert_eq!(user_comment(&exif(&wide(u16::to_le_bytes))).as_deref(), Some("a 蘋果\nSteps: 4"));
        let plain = [b"Exif\0\0".as_slice(), &exif(b"ASCII\0\0\0an apple\0\0")].concat();
        assert_eq!(user_comment(&plain).as_deref(), Some("an apple"));
        assert_eq!(user_comment(&exif(b"ASCII\0\0\0")), None);
    }

    #[test]
    fn damaged_blocks_are_no_comment() {
        let whole = exif(b"ASCII\0\0\0an apple");
        for end in 0..whole.len() {
            assert_eq!(user_comment(&whole[..end]), None, "cut off at {end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] = 0xff;
            user_comment(&damaged);
        }
    }
}
