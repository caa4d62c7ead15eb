use fourstep_protocol::Family;

/// Why weights could not be read: which file, what is wrong with it, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{file} {fault}. {}", .fault.remedy())]
pub struct WeightsError {
    /// The file or folder.
    pub file: String,
    /// What is wrong with it; reads on after the file's name.
    pub fault: Fault,
}

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    #[error("does not exist")]
    Missing,
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    #[error("is not the JSON expected here: {0}")]
    Json(serde_json::Error),
    #[error("has no safetensors weights (looked for {0})")]
    NoWeights(String),
    #[error("has its weights only as pickle ({0}), which can run any code when it is opened and is refused")]
    Pickle(String),
    #[error("is a pickle file, which can run any code when it is opened and is refused")]
    PickleFile,
    #[error("is {0}")]
    OtherModel(String),
    #[error("is {what}, not a model to paint with")]
    NotModel { what: &'static str, remedy: &'static str },
    #[error("is not a model this program knows: {0}")]
    UnknownModel(String),
    #[error("holds no autoencoder that this program knows")]
    NoAutoencoder,
    #[error("lacks the tensor {0}")]
    Incomplete(String),
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("stores its weights as {0}; only F32, F16 and BF16 are read")]
    NumberFormat(String),
    #[error("is cut off: it has {found} bytes where its header promises {expected}")]
    Truncated { expected: u64, found: u64 },
    #[error("is not a safetensors file: {0}")]
    NotSafetensors(String),
    #[error("has a damaged header: {0}")]
    Header(String),
    #[error("names the file {0}, which is outside its folder")]
    ShardPath(String),
    #[error("does not hold {0}, which the index says it does")]
    ShardKey(String),
    #[error("is not a LoRA this program reads: {0}")]
    NotLora(String),
    #[error("is a pickle file, which can run any code when it is opened and is refused")]
    PickleLora,
    #[error("is {what}, not a LoRA")]
    OtherFile { what: &'static str, remedy: &'static str },
    #[error("is a LoRA for {0}, which this program does not paint with")]
    LoraOfOther(&'static str),
    #[error("was made for {lora}, and the model is {model}")]
    LoraFamily { lora: Family, model: Family },
    #[error("has a damaged module {module}: {why}")]
    Module { module: String, why: String },
    #[error(
        "does not fit the {part}: none of its {total} modules is in the model (it has {lora}, the model has {base})"
    )]
    NothingMatches { part: &'static str, total: usize, lora: String, base: String },
    #[error("does not fit the model: {key} is {base:?} there, and the LoRA changes {lora:?}")]
    LoraShape { key: String, base: Vec<usize>, lora: Vec<usize> },
}

impl Fault {
    /// What a person can do now, a whole sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Missing | Self::NoWeights(_) => "Choose a complete folder in the diffusers layout.",
            Self::Read(_) => "Check that the file is there and may be read.",
            Self::Pickle(_) => {
                "Convert it: in Python, load the pipeline with diffusers and call \
                 save_pretrained(folder, safe_serialization=True)."
            }
            Self::PickleFile => {
                "Convert it: in Python, diffusers' StableDiffusionPipeline.from_single_file(FILE) (or \
                 StableDiffusionXLPipeline) and then save_pretrained(FOLDER); give that folder."
            }
            Self::OtherModel(_) | Self::UnknownModel(_) => {
                "Choose a Stable Diffusion 1.x, 2.x, SDXL, SSD-1B or latent consistency model that makes pictures \
                 from text."
            }
            Self::NotModel { remedy, .. } => remedy,
            Self::NoAutoencoder => "Choose a VAE file, or a folder with a VAE, of Stable Diffusion 1.x, 2.x or SDXL.",
            Self::NumberFormat(_) => "Choose the fp16, bf16 or fp32 file of the same model.",
            Self::Incomplete(_)
            | Self::Damaged(_)
            | Self::Json(_)
            | Self::Truncated { .. }
            | Self::NotSafetensors(_)
            | Self::Header(_) => "Download or export the file again.",
            Self::ShardPath(_) | Self::ShardKey(_) => "Download or export the whole folder again.",
            Self::PickleLora => {
                "Convert it: in Python, safetensors.torch.save_file(torch.load(FILE, weights_only=True), \
                 \"lora.safetensors\"); choose that file."
            }
            Self::OtherFile { remedy, .. } => remedy,
            Self::NotLora(_) | Self::LoraOfOther(_) => {
                "Choose a LoRA file for Stable Diffusion 1.x, 2.x, SDXL or SSD-1B."
            }
            Self::Module { .. } => "Download or export the LoRA again.",
            Self::NothingMatches { .. } | Self::LoraShape { .. } | Self::LoraFamily { .. } => {
                "Choose a LoRA that was made for this kind of model."
            }
        }
    }

    /// The error of this file.
    pub(crate) fn of(self, file: impl Into<String>) -> WeightsError {
        WeightsError { file: file.into(), fault: self }
    }
}

/// The result of everything that reads files of weights.
pub type Result<T, E = WeightsError> = std::result::Result<T, E>;
