use crate::{Infotext, atomic::write_atomically, default_folder};
use fourstep_protocol::{Failure, Picture, Request, Timings};
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

/// Saves a picture as PNG together with how it was made. Whole or not at all; `path` is replaced where it exists.
///
/// The JSON is the request's own, with one more member `timings` where they are given. `hash` names the contents of
/// LoRAs, see [`Infotext::of`].
///
/// # Errors
/// [`Failure`] where the place cannot be written. No folder is made but [`default_folder`].
pub fn save(
    path: &Path,
    picture: &Picture,
    request: &Request,
    timings: Option<&Timings>,
    hash: &dyn Fn(&str) -> Option<String>,
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
    write_atomically(path, |file| encode(file, picture, &json, &infotext).map_err(io::Error::other))
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
