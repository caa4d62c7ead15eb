/// Why a sampler cannot run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum SamplerError {
    #[error("the scheduler configuration cannot be read: {0}")]
    Config(String),
    #[error("the scheduler configuration has `{field}` = {value}, which is not supported; supported: {supported}")]
    Unsupported { field: &'static str, value: String, supported: &'static str },
    #[error("a run needs at least 1 step, not 0")]
    NoSteps,
    #[error("{steps} steps are more than this schedule has room for; take at most {most}")]
    TooManySteps { steps: usize, most: usize },
    #[error("strength must be above 0 and at most 1, not {0}")]
    Strength(f32),
    #[error(
        "{steps} steps at strength {strength} leave not one step to do; \
         raise the strength to at least {min_strength} or the steps to at least {min_steps}"
    )]
    TooWeak { steps: usize, strength: f64, min_strength: f64, min_steps: usize },
    #[error(
        "the LCM grid at strength {strength} has room for {room} steps, not for {steps}; \
         raise the strength to at least {min_strength} or take fewer steps"
    )]
    LcmRoom { steps: usize, strength: f64, room: usize, min_strength: f64 },
    #[error("{what} has {actual} values where {expected} were expected")]
    Length { what: &'static str, expected: usize, actual: usize },
    #[error("step {actual} was asked for where step {expected} of {steps} is next (counted from 0)")]
    Order { expected: usize, actual: usize, steps: usize },
}
