use crate::{Format, Infotext, JPEG_QUALITY, atomic::write_atomically, default_folder, exif};
use fourstep_protocol::{Failure, Picture, Request, Timings};
use image::codecs::{jpeg::JpegEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};
use png::text_metadata::{ITXtChunk, TEXtChunk};
use serde::Serialize;
use std::{io, path::Path};

/// Text chunk with the whole request as JSON.
pub(crate) const REQUEST_KEYWORD: &str = "fourstep";
/// Text chunk with A1111's infotext.
pub(crate) const INFOTEXT_KEYWORD: &str = "parameters";

/// Longest text that is compressed. Pillow refuses files with a compressed text of more than 1 MiB
/// (`MAX_TEXT_CHUNK`), which a request with a picture to start from exceeds; such a text is stored as it is.
const COMPRESSED_BYTES: usize = 1 << 20;

/// As [`save_with`], a JPEG in good quality.
///
/// # Errors
/// As [`save_with`].
pub fn save(
    path: &Path,
    picture: &Picture,
    request: &Request,
    timings: Option<&Timings>,
    hash: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    save_with(path, picture, request, timings, hash, JPEG_QUALITY)
}

/// Saves a picture together with how it was made, as its name ends ([`Format::of`]). Whole or not at all; `path` is
/// replaced where it exists.
///
/// The JSON is the request's own, with one more member `timings` where they are given. `hash` names the contents of
/// LoRAs, see [`Infotext::of`].
///
/// # Errors
/// [`Failure`] where the place cannot be written. No folder is made but [`default_folder`].
pub fn save_with(
    path: &Path,
    picture: &Picture,
    request: &Request,
    timings: Option<&Timings>,
    hash: &dyn Fn(&str) -> Option<String>,
    jpeg_quality: u8,
) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|p| default_folder().as_deref() == Some(p)) {
        std::fs::create_dir_all(folder).map_err(|e| {
            let what = format!("The folder {} could not be made", folder.display());
            Failure::input(what, e, "Choose another place.")
        })?;
    }
    let json = serde_json::to_string(&Record { request, timings }).map_err(|e| {
        Failure::machine("The settings could not be written into the picture", e, "Please report this.")
    })?;
    let infotext = Infotext::of(request, hash).to_string();
    write_atomically(path, |file| match Format::of(path) {
        Format::Png => encode(file, picture, &json, &infotext).map_err(io::Error::other),
        Format::WebP => {
            let encoder = WebPEncoder::new_lossless(file);
            encode_with_exif(encoder, picture, exif::write(&infotext, Some(&json))).map_err(io::Error::other)
        }
        Format::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(file, jpeg_quality.clamp(1, 100));
            let json = Some(json.as_str()).filter(|json| json.len() + 2 * infotext.len() < JPEG_SEGMENT_BYTES);
            encode_with_exif(encoder, picture, exif::write(&infotext, json)).map_err(io::Error::other)
        }
    })
}

/// What fits into a segment of a JPEG beside the block's own structure; a request with a picture to start from does not.
const JPEG_SEGMENT_BYTES: usize = 60_000;

fn encode_with_exif(mut encoder: impl ImageEncoder, picture: &Picture, exif: Vec<u8>) -> Result<(), ImageError> {
    encoder.set_exif_metadata(exif).map_err(ImageError::Unsupported)?;
    encoder.write_image(picture.rgb(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
}

/// What the text chunk holds.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    request: &'a Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<&'a Timings>,
}

fn encode(file: &mut dyn io::Write, picture: &Picture, json: &str, infotext: &str) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    // Latin-1 where it suffices, as Pillow writes it for A1111: some readers know no other text.
    if infotext.chars().all(|c| u32::from(c) < 256) {
        writer.write_text_chunk(&TEXtChunk::new(INFOTEXT_KEYWORD, infotext))?;
    } else {
        writer.write_text_chunk(&ITXtChunk::new(INFOTEXT_KEYWORD, infotext))?;
    }
    let mut request = ITXtChunk::new(REQUEST_KEYWORD, json);
    request.compressed = json.len() <= COMPRESSED_BYTES;
    writer.write_text_chunk(&request)?;
    writer.write_image_data(picture.rgb())?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::{Family, Guidance, ModelInfo, ModelRef, Recipe, Sampler, Size};

    fn request() -> Request {
        let model = ModelInfo {
            model: ModelRef::new("sticker"),
            name: "Sticker".into(),
            detail: "LCM-LoRA".into(),
            family: Family::Custom,
            guidance: Guidance::ClassifierFree,
            native_size: Size::new(64, 64),
            live: Recipe { loras: vec![], sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 },
            compare: None,
            few_step: None,
        };
        Request { seed: 4711, ..Request::new(&model, "一顆紅蘋果, a red apple") }
    }

    #[test]
    fn every_format_gives_the_settings_back_and_two_of_them_every_pixel() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let rgb = (0..64 * 64 * 3).map(|i| (i % 251) as u8).collect();
        let picture = Picture::new(64, 64, rgb).expect("a picture");
        for name in ["a.png", "a.webp", "a.jpg", "a.JPEG"] {
            let path = folder.path().join(name);
            save(&path, &picture, &request(), None, &|_| None).expect("saved");
            let opened = crate::open(&path).expect("opened");
            assert_eq!(opened.request, Some(request()), "{name}");
            assert!(opened.infotext.is_some(), "{name}");
            let exact = Format::of(&path) != Format::Jpeg;
            assert_eq!(opened.picture == picture, exact, "{name}");
        }
        let size = |quality| {
            let path = folder.path().join("b.jpg");
            save_with(&path, &picture, &request(), None, &|_| None, quality).expect("saved");
            std::fs::metadata(&path).expect("there").len()
        };
        assert!(size(100) > size(50));
    }
}
