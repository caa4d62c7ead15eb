use crate::Sampler;
use std::fmt;

/// Something of a picture's settings that could not be brought back.
#[derive(Clone, Debug, PartialEq)]
pub enum Lost {
    /// No model of this name is here.
    Model {
        /// As the picture names it.
        name: String,
        /// The library has it, to be downloaded.
        can_download: bool,
    },
    /// No LoRA of this name is here.
    Lora {
        /// As the picture names it.
        name: String,
        /// The library has it, to be downloaded.
        can_download: bool,
    },
    /// There is a LoRA of this name, and it is another file than the picture was painted with.
    OtherLora {
        /// As the picture names it.
        name: String,
    },
    /// No autoencoder of this name is here.
    Vae {
        /// As the picture names it.
        name: String,
    },
    /// A sampler that is not known.
    Sampler {
        /// As the picture names it.
        name: String,
        /// What is used instead.
        used: Sampler,
    },
    /// A schedule that the sampler does not have here.
    Schedule {
        /// As the picture names it.
        name: String,
    },
    /// More or fewer steps than the sampler takes.
    Steps {
        /// As the picture has it.
        wanted: String,
        /// What is used instead.
        used: u32,
    },
    /// A size that cannot be painted.
    Size {
        /// As the picture has it.
        wanted: String,
    },
    /// A number that is none.
    Number {
        /// What it is for: `Seed`.
        key: String,
        /// As the picture has it.
        value: String,
    },
    /// The picture it started from is not in the file.
    Init,
    /// A setting that is not known.
    Setting {
        /// Its name.
        key: String,
        /// Its value; empty where it is the name of a node.
        value: String,
    },
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model { name, can_download: true } => write!(f, "model {name} is not downloaded"),
            Self::Model { name, can_download: false } => write!(f, "model {name} is not here"),
            Self::Lora { name, can_download: true } => write!(f, "LoRA {name} is not downloaded"),
            Self::Lora { name, can_download: false } => write!(f, "LoRA {name} is not here"),
            Self::OtherLora { name } => write!(f, "LoRA {name} is another file than the picture was painted with"),
            Self::Vae { name } => write!(f, "VAE {name} is not here"),
            Self::Sampler { name, used } => write!(f, "sampler {name} is not known, {} is used", used.label()),
            Self::Schedule { name } => write!(f, "schedule {name} is not known"),
            Self::Steps { wanted, used } => write!(f, "{wanted} steps became {used}"),
            Self::Size { wanted } => write!(f, "size {wanted} cannot be painted"),
            Self::Number { key, value } => write!(f, "{key} {value} is not a number that fits"),
            Self::Init => f.write_str("the picture it started from is not in the file"),
            Self::Setting { key, value } if value.is_empty() => write!(f, "{key} is not known"),
            Self::Setting { key, value } => write!(f, "{key} {value} is not known"),
        }
    }
}
