use crate::{Failure, Family, LoraInfo, ModelInfo};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Something that can be painted with: it is here, or it can be downloaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LibraryItem {
    /// How a request names it: an id of the catalog, or a path.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: ItemKind,
    /// The networks it is or fits; `None` where that is not known without opening it.
    pub family: Option<Family>,
    /// In a few words: `full LCM`, `LCM-LoRA`.
    pub detail: String,
    /// Of the weights, an SPDX expression or what the hub says; `None` for files whose licence is not known.
    pub licence: Option<String>,
    /// On disk, or to download.
    pub size_bytes: Option<u64>,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it can be used now.
    pub availability: Availability,
    /// What a model is, once its files are here and were looked at.
    pub model: Option<ModelInfo>,
    /// What a LoRA is, once its file is here and was looked at.
    pub lora: Option<LoraInfo>,
}

/// What a [`LibraryItem`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A whole model.
    Model,
    /// A LoRA.
    Lora,
    /// An autoencoder that can stand in for a model's own.
    Vae,
    /// A tiny decoder for previews.
    TinyDecoder,
}

/// Where a [`LibraryItem`] comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It is in the program.
    BuiltIn,
    /// Listed by the program or by the person; its files lie in the Hugging Face cache once downloaded.
    Hub {
        /// `stabilityai/sdxl-turbo`
        repo: String,
    },
    /// Found in the Hugging Face cache, where another program put it.
    Cache {
        /// `Lykon/dreamshaper-8`
        repo: String,
    },
    /// In a folder of `ComfyUI`.
    ComfyUi(PathBuf),
    /// In a folder of AUTOMATIC1111.
    Automatic1111(PathBuf),
    /// A file or folder that the person named.
    Path(PathBuf),
}

/// Whether a [`LibraryItem`] can be used now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// All files are here.
    Ready,
    /// It can be downloaded; so much of it is here already.
    Absent {
        /// 0 where a download has not begun.
        have_bytes: u64,
    },
    /// It is being downloaded.
    Downloading(DownloadProgress),
    /// Its last download failed; what arrived is kept.
    Failed(Failure),
    /// It is here and cannot be used: a format or family the program does not paint with.
    Unusable(Failure),
}

/// How far a download is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DownloadProgress {
    /// The file in transfer.
    pub file: String,
    /// Of all files, with what was here before.
    pub done_bytes: u64,
    /// Of all files.
    pub total_bytes: u64,
    /// Over the last seconds; 0 while nothing comes.
    pub bytes_per_sec: f64,
    /// What is being done.
    pub phase: DownloadPhase,
}

/// What a download does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DownloadPhase {
    /// Others are before it, or the hub is asked for names and sizes.
    #[default]
    Waiting,
    /// Bytes come in.
    Transferring,
    /// The checksum is computed.
    Verifying,
    /// The connection failed and is tried again.
    Retrying,
}

impl DownloadProgress {
    /// Time left at the present rate, in seconds; `None` while nothing comes.
    pub fn secs_left(&self) -> Option<f64> {
        let left = self.total_bytes.saturating_sub(self.done_bytes) as f64;
        (self.bytes_per_sec > 0.0).then(|| left / self.bytes_per_sec)
    }

    /// 0 … 1.
    pub fn fraction(&self) -> f32 {
        if self.total_bytes == 0 { 0.0 } else { (self.done_bytes as f64 / self.total_bytes as f64).min(1.0) as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_rate() {
        let mut p = DownloadProgress { done_bytes: 25, total_bytes: 100, bytes_per_sec: 25.0, ..Default::default() };
        assert_eq!((p.secs_left(), p.fraction()), (Some(3.0), 0.25));
        p.bytes_per_sec = 0.0;
        assert_eq!(p.secs_left(), None);
        assert_eq!(DownloadProgress::default().fraction(), 0.0);
    }
}
