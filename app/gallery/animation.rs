//! Pictures one after another in one file.

use crate::write_atomically;
use fourstep_protocol::{Failure, Picture};
use gif::{Encoder, Frame, Repeat};
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgb};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A picture and how long it stays.
#[derive(Clone, Debug)]
pub struct Shot {
    /// The picture; one of another size than the first is scaled to it.
    pub picture: Arc<Picture>,
    /// How long it stays, in milliseconds.
    pub stays_ms: u32,
}

/// Quality of the colours of a GIF: 1 … 30, where 1 is the slowest; the encoder's own recommendation.
const GIF_SPEED: i32 = 10;

/// Writes an animation that repeats: a GIF, or for a name that ends in `png` an animated PNG, which keeps every pixel.
/// Whole or not at all; `path` is replaced where it exists. `progress` hears how many frames are written.
///
/// # Errors
/// [`Failure`] where there is no picture, or the place cannot be written.
pub fn animate(path: &Path, shots: &[Shot], progress: &mut dyn FnMut(usize)) -> Result<(), Failure> {
    let Some(first) = shots.first() else {
        return Err(Failure::input(
            "There is nothing to save",
            "nothing was recorded",
            "Record while pictures are painted.",
        ));
    };
    let size = (first.picture.width(), first.picture.height());
    let is_png = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    write_atomically(path, |file| {
        if is_png { write_png(file, shots, size, progress) } else { write_gif(file, shots, size, progress) }
    })
}

fn write_png(
    file: &mut dyn Write,
    shots: &[Shot],
    size: (u32, u32),
    progress: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let mut encoder = png::Encoder::new(file, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(shots.len() as u32, 0).map_err(io::Error::other)?;
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    for (index, shot) in shots.iter().enumerate() {
        let delay = u16::try_from(shot.stays_ms).unwrap_or(u16::MAX);
        writer.set_frame_delay(delay, 1000).map_err(io::Error::other)?;
        writer.write_image_data(&scaled(&shot.picture, size)).map_err(io::Error::other)?;
        progress(index + 1);
    }
    writer.finish().map_err(io::Error::other)
}

fn write_gif(
    file: &mut dyn Write,
    shots: &[Shot],
    size: (u32, u32),
    progress: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let side = |px: u32| u16::try_from(px).map_err(|_| io::Error::other("a GIF has at most 65535 pixels a side"));
    let (width, height) = (side(size.0)?, side(size.1)?);
    let mut encoder = Encoder::new(file, width, height, &[]).map_err(io::Error::other)?;
    encoder.set_repeat(Repeat::Infinite).map_err(io::Error::other)?;
    for (index, shot) in shots.iter().enumerate() {
        let mut frame = Frame::from_rgb_speed(width, height, &scaled(&shot.picture, size), GIF_SPEED);
        // Hundredths of a second; viewers take less than two of them for ten.
        frame.delay = u16::try_from(shot.stays_ms / 10).unwrap_or(u16::MAX).max(2);
        encoder.write_frame(&frame).map_err(io::Error::other)?;
        progress(index + 1);
    }
    Ok(())
}

fn scaled(picture: &Picture, size: (u32, u32)) -> Vec<u8> {
    if (picture.width(), picture.height()) == size {
        return picture.rgb().to_vec();
    }
    let from = ImageBuffer::<Rgb<u8>, _>::from_raw(picture.width(), picture.height(), picture.rgb());
    let black = || vec![0; size.0 as usize * size.1 as usize * 3];
    from.map_or_else(black, |from| imageops::resize(&from, size.0, size.1, FilterType::Triangle).into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::AnimationDecoder;

    fn shots() -> Vec<Shot> {
        let shot = |side: u32, grey: u8| {
            let picture = Picture::new(side, side, vec![grey; (side * side * 3) as usize]).expect("a picture");
            Shot { picture: Arc::new(picture), stays_ms: 120 }
        };
        vec![shot(16, 0), shot(16, 128), shot(32, 255)]
    }

    #[test]
    fn both_kinds_hold_every_frame_and_its_time() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let gif = folder.path().join("a.gif");
        let mut written = 0;
        animate(&gif, &shots(), &mut |count| written = count).expect("written");
        assert_eq!(written, 3);
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(std::fs::File::open(&gif).expect("opens")).expect("a GIF");
        let mut seen = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            seen.push((frame.width, frame.delay, frame.buffer[0]));
        }
        assert_eq!(seen, [(16, 12, 0), (16, 12, 128), (16, 12, 255)]);
        let png = folder.path().join("a.png");
        animate(&png, &shots(), &mut |_| {}).expect("written");
        let file = std::io::BufReader::new(std::fs::File::open(&png).expect("opens"));
        let decoder = image::codecs::png::PngDecoder::new(file).expect("a PNG").apng().expect("animated");
        let frames = decoder.into_frames().collect_frames().expect("frames");
        assert_eq!(frames.iter().map(|frame| frame.buffer().get_pixel(0, 0)[0]).collect::<Vec<_>>(), [0, 128, 255]);
        assert!(animate(&gif, &[], &mut |_| {}).is_err());
    }
}
