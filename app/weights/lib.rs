//! Files to named tensors: models in diffusers folders or single files, LoRA files, merging.
//!
//! [`ModelFiles`] is a whole model, whatever it is stored as: networks with the key names and configurations of
//! diffusers. [`Storage`] is the folder of a model, on disk or in the binary; [`Checkpoint`] is the weights of one
//! of its parts; [`Merged`] is a checkpoint with LoRAs added. Checkpoint and merge are both a
//! [`TensorSource`](fourstep_compute::TensorSource), so a network cannot tell them apart.

mod checkpoint;
mod error;
mod finite;
mod keys;
mod ldm_paths;
mod lora;
mod mapped;
mod matching;
mod merged;
mod model;
mod product;
mod safetensors_file;
mod storage;

pub use checkpoint::{Checkpoint, KeyedSource, VARIANTS};
pub use error::{Fault, Result, WeightsError};
pub use lora::{Lora, Part};
pub use matching::{MergeReport, lora_report};
pub use merged::Merged;
pub use model::{
    FewStep, Identity, ModelFiles, ModelSource, Network, NetworkClass, Prediction, TextEncoder, Tokenizer, open_unet,
    open_vae,
};
pub use storage::{Bytes, Storage, map_file};
