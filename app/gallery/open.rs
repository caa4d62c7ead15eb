use crate::{
    Infotext, comfy, exif,
    save::{INFOTEXT_KEYWORD, REQUEST_KEYWORD},
};
use fourstep_protocol::{Coverage, Failure, Picture, Request};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, error::ImageFormatHint,
};
use std::{
    fs::File,
    io::{self, BufReader, Seek},
    path::Path,
};

/// A picture from a file and what the file knows about how it was made.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The picture, upright, without transparency.
    pub picture: Picture,
    /// The settings of a picture saved by Fourstep.
    pub request: Option<Request>,
    /// What other programs wrote: A1111's infotext, in whichever format of picture, or what a graph of ComfyUI says in
    /// its terms; see [`Infotext::apply`].
    pub infotext: Option<Infotext>,
}

/// Largest side of a picture that is opened, in px.
const MAX_SIDE_PX: u32 = 16_384;
/// Most memory that decoding may take, in bytes.
const MAX_ALLOC_BYTES: u64 = 2 << 30;
/// Longest text taken out of a PNG, in bytes: room for a large picture to start from, in base64.
const MAX_TEXT_BYTES: usize = 256 << 20;

/// Opens a PNG, JPEG or WebP file with the settings it carries.
///
/// Settings that cannot be read are no error: the picture is still a picture.
///
/// # Errors
/// [`Failure`] of kind input where the file cannot be read, is not a picture, is cut off or is too large.
pub fn open(path: &Path) -> Result<Opened, Failure> {
    let mut file = BufReader::new(open_file(path)?);
    let reader = ImageReader::new(&mut file).with_guessed_format().map_err(|e| unreadable(path, &e))?;
    let format = reader.format();
    let (image, exif) = decode(reader).map_err(|e| not_a_picture(path, &e))?;
    let picture = opaque(image).map_err(|e| not_a_picture(path, &e))?;
    let texts = match format {
        Some(ImageFormat::Png) => file.rewind().ok().and_then(|()| read_texts(file).ok()).unwrap_or_default(),
        _ => exif.map(|block| exif::read(&block)).map_or_else(Texts::default, |settings| Texts {
            request: settings.json,
            infotext: settings.infotext,
            ..Texts::default()
        }),
    };
    let infotext = texts.infotext.map(|text| Infotext::parse(&text));
    Ok(Opened {
        picture,
        request: texts.request.and_then(|json| serde_json::from_str(&json).ok()),
        infotext: infotext.or_else(|| comfy::infotext(texts.prompt.as_deref(), texts.workflow.as_deref())),
    })
}

/// Opens a PNG, JPEG or WebP file as a mask: white covers, black and what is transparent does not.
///
/// # Errors
/// As [`open`].
pub fn open_coverage(path: &Path) -> Result<Coverage, Failure> {
    let mut file = BufReader::new(open_file(path)?);
    let reader = ImageReader::new(&mut file).with_guessed_format().map_err(|e| unreadable(path, &e))?;
    let (image, _) = decode(reader).map_err(|e| not_a_picture(path, &e))?;
    let image = image.into_luma_alpha8();
    let covered = |pixel: &[u8; 2]| ((u32::from(pixel[0]) * u32::from(pixel[1]) + 127) / 255) as u8;
    let bytes: Vec<u8> = image.as_raw().as_chunks().0.iter().map(covered).collect();
    Ok(Coverage::from_rows(image.width(), &bytes))
}

fn open_file(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    match file.metadata() {
        Ok(m) if m.is_dir() => Err(unreadable(path, &io::Error::from(io::ErrorKind::IsADirectory))),
        _ => Ok(file),
    }
}

/// The picture, upright, and its EXIF block.
fn decode(mut reader: ImageReader<&mut BufReader<File>>) -> Result<(DynamicImage, Option<Vec<u8>>), ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_ALLOC_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let exif = decoder.exif_metadata()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok((image, exif))
}

fn opaque(image: DynamicImage) -> Result<Picture, ImageError> {
    let rgb = if image.color().has_alpha() { over_white(&image) } else { image.into_rgb8() };
    let (width, height) = rgb.dimensions();
    Picture::new(width, height, rgb.into_raw())
        .ok_or_else(|| ImageError::IoError(io::Error::other("its pixels do not fill it")))
}

/// What lies under transparency is often black or noise; people see it on white.
fn over_white(image: &DynamicImage) -> RgbImage {
    let rgba = image.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        image::Rgb([r, g, b].map(|c| ((c * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

#[derive(Default)]
struct Texts {
    request: Option<String>,
    infotext: Option<String>,
    /// ComfyUI's graph as it ran.
    prompt: Option<String>,
    /// ComfyUI's graph as it was drawn.
    workflow: Option<String>,
}

/// Text chunks of ComfyUI.
const PROMPT_KEYWORD: &str = "prompt";
const WORKFLOW_KEYWORD: &str = "workflow";

/// The texts, wherever in the file they stand: some programs write them behind the pixels.
fn read_texts(file: BufReader<File>) -> Result<Texts, png::DecodingError> {
    let limits = png::Limits { bytes: MAX_TEXT_BYTES };
    let mut reader = png::Decoder::new_with_limits(file, limits).read_info()?;
    reader.finish()?;
    let info = reader.info();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    pairs.extend(info.uncompressed_latin1_text.iter().map(|t| (t.keyword.as_str(), t.text.clone())));
    for chunk in &info.compressed_latin1_text {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT_BYTES)?;
        pairs.push((keyword(&chunk.keyword), chunk.get_text()?));
    }
    for chunk in &info.utf8_text {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT_BYTES)?;
        pairs.push((keyword(&chunk.keyword), chunk.get_text()?));
    }
    let mut take = |key| pairs.iter_mut().find(|(k, _)| *k == key).map(|(_, text)| std::mem::take(text));
    Ok(Texts {
        request: take(REQUEST_KEYWORD),
        infotext: take(INFOTEXT_KEYWORD),
        prompt: take(PROMPT_KEYWORD),
        workflow: take(WORKFLOW_KEYWORD),
    })
}

/// The keyword as one of ours, so that it outlives the chunk.
fn keyword(k: &str) -> &'static str {
    let ours = [REQUEST_KEYWORD, INFOTEXT_KEYWORD, PROMPT_KEYWORD, WORKFLOW_KEYWORD];
    ours.into_iter().find(|known| *known == k).unwrap_or_default()
}

fn unreadable(path: &Path, e: &io::Error) -> Failure {
    let why = match e.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::PermissionDenied => "you may not read it".into(),
        _ => e.to_string(),
    };
    Failure::input(what(path), why, "Choose a PNG, JPEG or WebP file.")
}

fn not_a_picture(path: &Path, e: &ImageError) -> Failure {
    let (why, remedy) = match e {
        ImageError::Unsupported(u) if !is_ours(&u.format_hint()) => {
            ("it is not a PNG, JPEG or WebP picture".into(), "Choose a PNG, JPEG or WebP file.")
        }
        ImageError::Limits(_) => (
            format!("it is larger than {MAX_SIDE_PX}×{MAX_SIDE_PX} pixels or needs too much memory"),
            "Make it smaller first.",
        ),
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            ("the file is cut off".into(), "Copy or download it again.")
        }
        other => (format!("the file is damaged or cut off ({other})"), "Copy or download it again."),
    };
    Failure::input(what(path), why, remedy)
}

fn is_ours(hint: &ImageFormatHint) -> bool {
    matches!(hint, ImageFormatHint::Exact(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP))
}

fn what(path: &Path) -> String {
    format!("{} could not be opened", path.display())
}

#[cfg(test)]
mod tests;
