use crate::base64::{from_base64, to_base64};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An 8-bit sRGB picture, rows top to bottom, 3 bytes a pixel. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EncodedPicture", into = "EncodedPicture")]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Arc<[u8]>,
}

impl Picture {
    /// `rgb` holds `width · height · 3` bytes; `None` where it does not.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let expected = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (expected == rgb.len()).then(|| Self { width, height, rgb: rgb.into() })
    }

    /// Rows of `width` pixels; what does not fill a row is left out.
    pub fn from_rows(width: u32, pixels: &[[u8; 3]]) -> Self {
        let height = pixels.len().checked_div(width as usize).unwrap_or(0);
        let rgb = pixels[..height * width as usize].as_flattened().into();
        Self { width, height: height as u32, rgb }
    }

    /// A picture from a decoder's values: about −1…1, `[3, height, width]`. What is outside is clamped, halves round
    /// to even, as in diffusers' `image_processor.py` and numpy.
    ///
    /// # Errors
    /// [`NotAPicture`]; no value is ever turned into a silent black pixel.
    pub fn from_chw(values: &[f32], width: u32, height: u32) -> Result<Self, NotAPicture> {
        let plane = (width as usize).checked_mul(height as usize);
        let (Some(plane), Some(expected)) = (plane, plane.and_then(|p| p.checked_mul(3))) else {
            return Err(NotAPicture::Length { width, height, values: values.len() });
        };
        if values.len() != expected {
            return Err(NotAPicture::Length { width, height, values: values.len() });
        }
        let wrong = values.iter().filter(|v| !v.is_finite()).count();
        if wrong > 0 {
            return Err(NotAPicture::NotFinite { wrong, values: values.len() });
        }
        let byte = |v: f32| ((v / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8;
        let rgb = (0..plane).flat_map(|i| [0, 1, 2].map(|c| byte(values[c * plane + i]))).collect();
        Ok(Self { width, height, rgb })
    }

    /// Width in px.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in px.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, `[height, width, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

/// Why a decoder's values are no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPicture {
    /// The values do not fill the picture.
    #[error("{values} values do not fill a picture of {width}×{height} pixels with 3 channels")]
    Length {
        /// In px.
        width: u32,
        /// In px.
        height: u32,
        /// How many values there are.
        values: usize,
    },
    /// An overflow on the way: half precision, or broken weights.
    #[error("{wrong} of {values} values are not numbers (NaN or infinity)")]
    NotFinite {
        /// How many are not numbers.
        wrong: usize,
        /// Out of how many.
        values: usize,
    },
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

/// How a [`Picture`] is written down.
#[derive(Serialize, Deserialize)]
struct EncodedPicture {
    width: u32,
    height: u32,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    rgb: Vec<u8>,
}

impl From<Picture> for EncodedPicture {
    fn from(p: Picture) -> Self {
        Self { width: p.width, height: p.height, rgb: p.rgb.to_vec() }
    }
}

impl TryFrom<EncodedPicture> for Picture {
    type Error = &'static str;

    fn try_from(p: EncodedPicture) -> Result<Self, Self::Error> {
        Picture::new(p.width, p.height, p.rgb).ok_or("the picture's bytes do not match its width and height")
    }
}

/// Latents of one picture on the host: f32, `[1, channels, height, width]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    /// 4 for every model of this program.
    pub channels: usize,
    /// Picture height / 8.
    pub height: usize,
    /// Picture width / 8.
    pub width: usize,
    /// `channels · height · width` values.
    pub data: Vec<f32>,
}

impl Latents {
    /// The shape as `[n, c, h, w]`.
    pub fn shape(&self) -> [usize; 4] {
        [1, self.channels, self.height, self.width]
    }

    /// Whether every value is a number: an overflow in half precision shows here first.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|v| v.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_json() {
        let p = Picture::new(2, 1, vec![1, 2, 3, 4, 5, 255]).expect("six bytes");
        let json = serde_json::to_string(&p).expect("serialise");
        assert_eq!(serde_json::from_str::<Picture>(&json).expect("read back"), p);
    }

    #[test]
    fn decoded_values_become_bytes_as_in_numpy() {
        // 0 → 127.5 → 128 and −2/255 → 126.5 → 126: halves go to even.
        let p = Picture::from_chw(&[-1.0, 7.0, 0.0, -2.0 / 255.0, 1.0, -7.0], 2, 1).expect("six values");
        assert_eq!(p.rgb(), [0, 128, 255, 255, 126, 0]);
    }

    #[test]
    fn values_that_are_no_numbers_are_no_picture() {
        let nan = [0.0, f32::NAN, f32::INFINITY];
        assert_eq!(Picture::from_chw(&nan, 1, 1), Err(NotAPicture::NotFinite { wrong: 2, values: 3 }));
        assert!(matches!(Picture::from_chw(&[0.0; 4], 1, 1), Err(NotAPicture::Length { .. })));
        assert!(Picture::from_chw(&[], u32::MAX, u32::MAX).is_err());
    }

    #[test]
    fn a_picture_of_the_wrong_length_is_refused() {
        assert!(Picture::new(2, 2, vec![0; 3]).is_none());
        assert!(serde_json::from_str::<Picture>(r#"{"width":2,"height":2,"rgb":"AAAA"}"#).is_err());
    }
}
