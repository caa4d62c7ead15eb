use super::record::{HEAD_BYTES, Head};
use crate::thumbnail::{from_thumbnail, thumbnail};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use fourstep_protocol::{Finished, Picture, Request, Timings};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Names a frame of the timeline for good; later frames have larger numbers.
///
/// Microseconds since 1970, and in the lowest ten bits something of the process, so that two programs that write at once
/// do not give the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u64);

impl FrameId {
    /// When the frame was painted.
    pub fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(self.0 >> 10)
    }
}

/// A frame of the timeline: what is known of it without opening it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which.
    pub id: FrameId,
    /// Starred frames are never dropped.
    pub starred: bool,
    /// In px.
    pub width: u32,
    /// In px.
    pub height: u32,
    /// The segment it lies in, and where.
    pub(super) file: Arc<Path>,
    pub(super) offset: u64,
    pub(super) head: Head,
}

/// A frame of the timeline, opened.
#[derive(Clone, Debug)]
pub struct KeptFrame {
    /// What it shows.
    pub picture: Picture,
    /// How it was made.
    pub request: Request,
    /// What it took.
    pub timings: Timings,
}

#[derive(Serialize, Deserialize)]
struct Settings<R, T> {
    request: R,
    timings: T,
}

/// Longest settings that are read, in bytes: those of a large picture to start from.
const MAX_SETTINGS_BYTES: u64 = 512 << 20;

impl Frame {
    pub(super) fn new(head: Head, file: Arc<Path>, offset: u64) -> Self {
        Self { id: head.id, starred: head.starred, width: head.width, height: head.height, file, offset, head }
    }

    /// Bytes on disk.
    pub fn size_bytes(&self) -> u64 {
        self.head.record_bytes()
    }

    /// Reads the picture and its settings.
    ///
    /// # Errors
    /// Where the frame is not there any more, or damaged.
    pub fn open(&self) -> io::Result<KeptFrame> {
        let body = self.read(0, self.head.body_bytes())?;
        if crc32fast::hash(&body) != self.head.body_checksum {
            return Err(damaged("its checksum is wrong"));
        }
        let (settings, rest) = body.split_at(self.head.settings as usize);
        let mut json = Vec::new();
        ZlibDecoder::new(settings).take(MAX_SETTINGS_BYTES).read_to_end(&mut json)?;
        let settings: Settings<Request, Timings> = serde_json::from_slice(&json).map_err(damaged)?;
        let picture = from_png(&rest[self.head.thumbnail as usize..])?;
        Ok(KeptFrame { picture, request: settings.request, timings: settings.timings })
    }

    /// Reads the thumbnail: at most 128 px wide and high.
    ///
    /// # Errors
    /// Where the frame is not there any more, or damaged.
    pub fn thumbnail(&self) -> io::Result<Picture> {
        let jpeg = self.read(u64::from(self.head.settings), u64::from(self.head.thumbnail))?;
        from_thumbnail(&jpeg).ok_or_else(|| damaged("no thumbnail"))
    }

    /// A part of what follows the head.
    fn read(&self, from: u64, count: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.file)?;
        let mut head = [0; HEAD_BYTES];
        file.seek(SeekFrom::Start(self.offset))?;
        file.read_exact(&mut head)?;
        // The star may have changed since; that is in another record.
        if Head::decode(&head) != Some(self.head) {
            return Err(damaged("another frame lies there"));
        }
        file.seek(SeekFrom::Current(from as i64))?;
        let mut bytes = vec![0; count as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// What is written of a picture: the head, which lacks only its id, and what follows it.
pub(super) fn encode(id: FrameId, finished: &Finished, key: u32) -> io::Result<(Head, Vec<u8>)> {
    let picture = &finished.picture;
    let settings = Settings { request: &*finished.request, timings: &finished.timings };
    // A request may hold a picture to start from; flat colours and repeated words shrink at once.
    let mut body = ZlibEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut body, &settings)?;
    let mut body = body.finish()?;
    let settings = length(body.len())?;
    body.extend(thumbnail(picture));
    let thumbnail = length(body.len())? - settings;
    write_png(&mut body, picture)?;
    let head = Head {
        kind: super::record::Kind::Frame,
        starred: false,
        id,
        decided: 0,
        key,
        width: picture.width(),
        height: picture.height(),
        settings,
        thumbnail,
        picture: length(body.len())? - settings - thumbnail,
        body_checksum: crc32fast::hash(&body),
    };
    Ok((head, body))
}

/// The checksum of a canonical request: frames with the same one show the same picture.
pub(super) fn key(canonical: &Request) -> io::Result<u32> {
    struct Checksum(crc32fast::Hasher);
    impl Write for Checksum {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut checksum = Checksum(crc32fast::Hasher::new());
    serde_json::to_writer(&mut checksum, canonical)?;
    Ok(checksum.0.finalize())
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(io::Error::other)
}

/// Fast rather than small: many pictures a second, and a disk has room.
fn write_png(bytes: &mut Vec<u8>, picture: &Picture) -> io::Result<()> {
    let mut encoder = png::Encoder::new(bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(picture.rgb()).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

fn from_png(bytes: &[u8]) -> io::Result<Picture> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(damaged)?;
    let size = reader.output_buffer_size().ok_or_else(|| damaged("its size is wrong"))?;
    let mut rgb = vec![0; size];
    let info = reader.next_frame(&mut rgb).map_err(damaged)?;
    Picture::new(info.width, info.height, rgb).ok_or_else(|| damaged("its pixels do not fill it"))
}

fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
