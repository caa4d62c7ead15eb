use crate::{samplers::SamplerError, tokenizer::TokenizerError};
use fourstep_compute::ComputeError;
use fourstep_protocol::{Failure, Invalid};
use fourstep_weights::{Fault, WeightsError};

/// Why a run ended without a picture.
#[derive(Debug)]
pub(crate) enum RunError {
    /// It was superseded or stopped; nobody needs to be told more.
    Cancelled,
    /// It failed.
    Failed(Failure),
    /// The device failed or has too little memory: another may do it.
    Device(Failure),
}

/// The result of everything a run does.
pub(crate) type Result<T, E = RunError> = std::result::Result<T, E>;

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ComputeError> for RunError {
    fn from(error: ComputeError) -> Self {
        let failure = match &error {
            ComputeError::Cancelled => return Self::Cancelled,
            ComputeError::Device { .. } | ComputeError::DeviceLost { .. } => {
                let remedy = "Try a smaller size; if it happens again, start Fourstep with --backend cpu.";
                return Self::Device(Failure::machine("The picture could not be computed", error, remedy));
            }
            ComputeError::Missing(_) | ComputeError::Shape { .. } => Failure::input(
                "The model's weights do not fit its configuration",
                error,
                "Download or export the model again, with its config.json files.",
            ),
            ComputeError::NotFinite(_) => {
                Failure::input("The model's weights are damaged", error, "Download or export the model again.")
            }
            ComputeError::Unsupported(_) => {
                Failure::input("The model cannot be run", error, "Choose an SD1.5, SDXL or LCM model.")
            }
        };
        Self::Failed(failure)
    }
}

impl From<WeightsError> for RunError {
    fn from(error: WeightsError) -> Self {
        let what = match error.fault {
            Fault::NotLora(_)
            | Fault::PickleLora
            | Fault::OtherFile { .. }
            | Fault::LoraOfOther(_)
            | Fault::LoraFamily { .. }
            | Fault::Module { .. }
            | Fault::NothingMatches { .. }
            | Fault::LoraShape { .. } => "The LoRA could not be used",
            Fault::NoAutoencoder => "The autoencoder could not be used",
            _ => "A file could not be used",
        };
        let why = format!("{} {}", error.file, error.fault);
        Self::Failed(Failure::input(what, why, error.fault.remedy()))
    }
}

impl From<TokenizerError> for RunError {
    fn from(error: TokenizerError) -> Self {
        let TokenizerError::File(file) = error else {
            let remedy = "Download or export the model's tokenizer folder again.";
            return Self::Failed(Failure::input("The model's tokenizer could not be used", error, remedy));
        };
        file.into()
    }
}

impl From<SamplerError> for RunError {
    fn from(error: SamplerError) -> Self {
        Self::Failed(Failure::input("The sampler cannot run like this", error, "Change steps, strength or sampler."))
    }
}

impl From<Invalid> for RunError {
    fn from(error: Invalid) -> Self {
        Self::Failed(invalid(&error))
    }
}

/// A setting out of its range, as a failure.
pub(crate) fn invalid(error: &Invalid) -> Failure {
    Failure::input("These settings cannot be painted", error, "Change the setting named here.")
}

/// Numbers that are none: what a half-precision overflow or damaged weights end in, and what would otherwise be shown
/// as a black picture.
pub(crate) fn not_a_number(where_: &str) -> RunError {
    RunError::Failed(Failure::machine(
        "The picture came out as not-a-number",
        format!("the {where_} hold NaN or infinity"),
        "Use --precision f32; if it happens there too, the model or a LoRA is damaged.",
    ))
}
