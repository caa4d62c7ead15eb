use super::*;
use crate::save;
use fourstep_protocol::{FailureKind, Init, LoraRef, ModelRef, Noise, Sampler, Size, Timings};
use std::fs;
use tempfile::TempDir;

fn picture(width: u32, height: u32) -> Picture {
    let bytes = (0..width * height * 3).map(|i| (i * 7 % 251) as u8).collect();
    Picture::new(width, height, bytes).expect("fills it")
}

fn request() -> Request {
    Request {
        model: ModelRef::new("sticker"),
        vae: None,
        loras: vec![LoraRef { source: "sticker-lcm".into(), weight: 1.0 }],
        prompt: " a blue apple,\n  \"quoted\" (x:1.2)".into(),
        negative_prompt: "Negative prompt: tricky".into(),
        seed: u64::MAX - 1,
        noise: Noise::Philox,
        size: Size::new(24, 16),
        sampler: Sampler::Lcm,
        steps: 4,
        guidance_scale: 1.3,
        init: None,
        fork: None,
        composition: None,
        blend: Vec::new(),
        typed: None,
    }
}

fn saved(request: &Request) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("p.png");
    let timings = Timings { step_secs: vec![0.1, 0.2], ..Timings::default() };
    save(&path, &picture(24, 16), request, Some(&timings), &|_| None).expect("saves");
    (folder, path)
}

#[test]
fn a_saved_picture_comes_back_with_every_setting() {
    for prompt in ["plain", "é latin", "一顆藍色的蘋果 🍎"] {
        let request = Request { prompt: prompt.into(), ..request() };
        let (_folder, path) = saved(&request);
        let opened = open(&path).expect("opens");
        assert_eq!(opened.picture, picture(24, 16));
        assert_eq!(opened.request.as_ref(), Some(&request));
        assert_eq!(opened.infotext.expect("is there").prompt, format!("{prompt} <lora:sticker-lcm:1>"));
    }
}

#[test]
fn a_picture_to_start_from_comes_back_too() {
    let init = Init::new(picture(700, 600), 0.6);
    let request = Request { init: Some(init), ..request() };
    let (_folder, path) = saved(&request);
    assert_eq!(open(&path).expect("opens").request, Some(request));
}

#[test]
fn the_chunks_are_what_other_programs_read() {
    let (_folder, path) = saved(&request());
    let reader = png::Decoder::new(BufReader::new(File::open(&path).expect("there"))).read_info().expect("png");
    let info = reader.info();
    let infotext = &info.uncompressed_latin1_text[0];
    assert_eq!(infotext.keyword, "parameters");
    assert!(
        infotext.text.contains("\nSteps: 4, Sampler: LCM, CFG scale: 1.3, Seed: 18446744073709551614, Size: 24x16")
    );
    let json = &info.utf8_text[0];
    assert_eq!((json.keyword.as_str(), json.compressed), ("fourstep", true));
    let json = json.get_text().expect("inflates");
    assert!(json.contains("\"guidance_scale\":1.3,"), "as it was set, not as an f64: {json}");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["timings"]["step_secs"][1], 0.2);
    assert_eq!(serde_json::from_value::<Request>(json).expect("a request"), request());
}

#[test]
fn texts_behind_the_pixels_and_compressed_ones_are_found() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("p.png");
    let mut encoder = png::Encoder::new(File::create(&path).expect("creates"), 1, 1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("writes");
    writer.write_image_data(&[1, 2, 3]).expect("writes");
    let text = "a fox\nSteps: 4, Seed: 2, Size: 64x64";
    writer.write_text_chunk(&png::text_metadata::ZTXtChunk::new("parameters", text)).expect("writes");
    writer.finish().expect("writes");
    let opened = open(&path).expect("opens");
    assert_eq!(opened.infotext, Some(Infotext::parse(text)));
    assert_eq!(opened.request, None);
}

#[test]
fn other_formats_are_pictures_without_settings() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let image = RgbImage::from_pixel(9, 5, image::Rgb([200, 100, 50]));
    for name in ["p.png", "p.jpg", "p.webp", "named-wrongly.txt"] {
        let path = folder.path().join(name);
        let format = ImageFormat::from_path(&path).unwrap_or(ImageFormat::Png);
        image.save_with_format(&path, format).expect("saves");
        let opened = open(&path).expect("opens");
        assert_eq!((opened.picture.width(), opened.picture.height()), (9, 5), "{name}");
        assert!(opened.picture.rgb()[0].abs_diff(200) < 4, "{name}");
        assert!(opened.request.is_none() && opened.infotext.is_none(), "{name}");
    }
}

#[test]
fn transparency_lies_on_white_and_grey_and_16_bit_become_rgb() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("p.png");
    let rgb_of = |image: DynamicImage| {
        image.save(&path).expect("saves");
        open(&path).expect("opens").picture.rgb().to_vec()
    };
    let clear = image::RgbaImage::from_raw(2, 1, vec![0, 0, 0, 0, 255, 0, 0, 51]).expect("two pixels");
    assert_eq!(rgb_of(clear.into()), [255, 255, 255, 255, 204, 204]);
    assert_eq!(rgb_of(image::GrayImage::from_pixel(1, 1, image::Luma([9])).into()), [9, 9, 9]);
    let deep = image::ImageBuffer::from_pixel(1, 1, image::Rgb([65535u16, 0, 257]));
    assert_eq!(rgb_of(DynamicImage::ImageRgb16(deep)), [255, 0, 1]);
}

#[test]
fn damaged_settings_do_not_cost_the_picture() {
    let (_folder, path) = saved(&request());
    let mut bytes = fs::read(&path).expect("there");
    let at = bytes.windows(4).position(|w| w == b"iTXt").expect("the JSON") + 30;
    bytes[at] ^= 0xff;
    fs::write(&path, bytes).expect("writes");
    let opened = open(&path).expect("opens");
    assert_eq!((opened.picture, opened.request), (picture(24, 16), None));
}

#[test]
fn what_is_no_picture_is_said_in_three_sentences() {
    let (folder, good) = saved(&request());
    let bytes = fs::read(&good).expect("there");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("writes");
        path
    };
    let mut huge = bytes.clone();
    huge[16..20].copy_from_slice(&100_000u32.to_be_bytes());
    let crc = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    for (path, word) in [
        (folder.path().join("none.png"), "no such file"),
        (folder.path().to_owned(), "a folder"),
        (put("text.png", b"hello, this is text"), "not a PNG, JPEG or WebP"),
        (put("empty.png", b""), "not a PNG, JPEG or WebP"),
        (put("magic.png", &bytes[..8]), "cut off"),
        (put("half.png", &bytes[..bytes.len() / 2]), "cut off"),
        (put("huge.png", &huge), "larger than 16384"),
        (put("half.jpg", &[0xff, 0xd8, 0xff, 0xe0, 0, 16]), "cut off"),
        (put("picture.gif", b"GIF89a\x01\0\x01\0\0\0\0;"), "not a PNG, JPEG or WebP"),
    ] {
        let failure = open(&path).expect_err("fails");
        assert!(failure.why.contains(word), "{}: {failure}", path.display());
        assert_eq!(failure.kind, FailureKind::Input);
    }
}

/// The checksum of PNG chunks (PNG specification, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

#[test]
fn a_mask_covers_where_it_is_white_and_opaque() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mask.png");
    let pixels = [[255, 255, 255, 255], [255, 255, 255, 0], [0, 0, 0, 255], [255, 255, 255, 128]];
    image::RgbaImage::from_fn(4, 1, |x, _| image::Rgba(pixels[x as usize])).save(&path).expect("written");
    assert_eq!(open_coverage(&path).expect("a mask").bytes(), [255, 0, 0, 128]);
    assert!(open_coverage(&folder.path().join("none.png")).is_err());
}
