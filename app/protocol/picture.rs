use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An 8-bit sRGB picture, rows top to bottom, 3 bytes a pixel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EncodedPicture", into = "EncodedPicture")]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// `rgb` holds `width · height · 3` bytes; `None` where it does not.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let expected = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (expected == rgb.len()).then_some(Self { width, height, rgb })
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

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

/// How a [`Picture`] is written down: JSON has no bytes.
#[derive(Serialize, Deserialize)]
struct EncodedPicture {
    width: u32,
    height: u32,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    rgb: Vec<u8>,
}

impl From<Picture> for EncodedPicture {
    fn from(p: Picture) -> Self {
        Self { width: p.width, height: p.height, rgb: p.rgb }
    }
}

impl TryFrom<EncodedPicture> for Picture {
    type Error = &'static str;

    fn try_from(p: EncodedPicture) -> Result<Self, Self::Error> {
        Picture::new(p.width, p.height, p.rgb).ok_or("the picture's bytes do not match its width and height")
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(d)?).map_err(D::Error::custom)
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
    fn a_picture_of_the_wrong_length_is_refused() {
        assert!(Picture::new(2, 2, vec![0; 3]).is_none());
        assert!(serde_json::from_str::<Picture>(r#"{"width":2,"height":2,"rgb":"AAAA"}"#).is_err());
    }
}
