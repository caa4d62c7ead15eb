use crate::base64::{from_base64, to_base64};
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, sync::Arc};

/// Which part of an image-to-image run's picture is painted anew; what is outside stays as it is, to the bit.
///
/// The mask that a run works with is [`Coverage`] with a margin: from the nearest pixel that is at least half covered,
/// all within `grow_px` is painted anew too, and over the next `feather_px` the painted picture fades into the old one.
/// Both are measured in pixels of the painted picture. The engine applies them, in one place (`engine/mask.rs`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mask {
    /// At the size of the picture.
    pub coverage: Coverage,
    /// How far the region is widened.
    #[serde(default)]
    pub grow_px: u32,
    /// How wide its soft edge is, outside of what was widened.
    #[serde(default)]
    pub feather_px: u32,
}

impl Mask {
    /// The margins the program accepts, in px.
    pub const MARGIN_PX: RangeInclusive<u32> = 0..=256;
}

/// 8-bit coverage, rows top to bottom, a byte a pixel: 255 is painted anew, 0 stays. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EncodedCoverage", into = "EncodedCoverage")]
pub struct Coverage {
    width: u32,
    height: u32,
    bytes: Arc<[u8]>,
}

impl Coverage {
    /// `bytes` holds `width · height` of them; `None` where it does not.
    pub fn new(width: u32, height: u32, bytes: Vec<u8>) -> Option<Self> {
        let expected = (width as usize).checked_mul(height as usize)?;
        (expected == bytes.len()).then(|| Self { width, height, bytes: bytes.into() })
    }

    /// Rows of `width` bytes; what does not fill a row is left out.
    pub fn from_rows(width: u32, bytes: &[u8]) -> Self {
        let height = bytes.len().checked_div(width as usize).unwrap_or(0);
        Self { width, height: height as u32, bytes: bytes[..height * width as usize].into() }
    }

    /// Width in px.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in px.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, `[height, width]`.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing is covered.
    pub fn is_empty(&self) -> bool {
        self.bytes.iter().all(|&byte| byte == 0)
    }
}

impl std::fmt::Debug for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Coverage({}×{})", self.width, self.height)
    }
}

/// How a [`Coverage`] is written down.
#[derive(Serialize, Deserialize)]
struct EncodedCoverage {
    width: u32,
    height: u32,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    bytes: Vec<u8>,
}

impl From<Coverage> for EncodedCoverage {
    fn from(c: Coverage) -> Self {
        Self { width: c.width, height: c.height, bytes: c.bytes.to_vec() }
    }
}

impl TryFrom<EncodedCoverage> for Coverage {
    type Error = &'static str;

    fn try_from(c: EncodedCoverage) -> Result<Self, Self::Error> {
        Coverage::new(c.width, c.height, c.bytes).ok_or("the mask's bytes do not match its width and height")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_survives_json() {
        let coverage = Coverage::new(2, 1, vec![0, 255]).expect("two bytes");
        let mask = Mask { coverage, grow_px: 3, feather_px: 8 };
        let json = serde_json::to_string(&mask).expect("serialise");
        assert_eq!(serde_json::from_str::<Mask>(&json).expect("read back"), mask);
        let plain: Mask =
            serde_json::from_str(r#"{"coverage":{"width":1,"height":1,"bytes":"/w=="}}"#).expect("a mask");
        assert_eq!((plain.coverage.bytes(), plain.grow_px, plain.feather_px), (&[255][..], 0, 0));
    }

    #[test]
    fn a_mask_of_the_wrong_length_is_refused() {
        assert!(Coverage::new(2, 2, vec![0; 3]).is_none());
        assert_eq!((Coverage::from_rows(2, &[7; 5]).height(), Coverage::from_rows(0, &[]).height()), (2, 0));
        assert!(serde_json::from_str::<Coverage>(r#"{"width":2,"height":2,"bytes":"AAAA"}"#).is_err());
    }
}
