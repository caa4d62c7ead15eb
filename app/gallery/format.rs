use std::path::Path;

/// How a picture is written, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every pixel as it is; the settings in text chunks.
    Png,
    /// Every pixel as it is, smaller; the settings in its EXIF block.
    WebP,
    /// Much smaller, pixels nearly as they are; the settings in its EXIF block.
    Jpeg,
}

impl Format {
    /// PNG for every ending that is none of the others'.
    pub fn of(path: &Path) -> Self {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("webp") => Self::WebP,
            Some("jpg" | "jpeg") => Self::Jpeg,
            _ => Self::Png,
        }
    }
}

/// How well a JPEG is kept, 1 … 100.
pub const JPEG_QUALITY: u8 = 92;
