use super::Prediction;
use serde_json::{Value, json};

/// The noise that all of the Stable Diffusion family was trained with, as in `scheduler_config.json`.
pub(super) fn standard(prediction: Prediction) -> Value {
    json!({
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": match prediction {
            Prediction::Epsilon => "epsilon",
            Prediction::V => "v_prediction",
            Prediction::Sample => "sample",
        },
        "timestep_spacing": "leading",
        "steps_offset": 1,
        "set_alpha_to_one": false,
        "clip_sample": false,
    })
}

/// The schedule of a single file. `zero_snr`: it was trained down to no signal at all (arXiv 2305.08891), and has to
/// start there.
pub(super) fn of_file(prediction: Prediction, zero_snr: bool) -> Value {
    let mut schedule = standard(prediction);
    if zero_snr {
        schedule["rescale_betas_zero_snr"] = json!(true);
        schedule["timestep_spacing"] = json!("trailing");
    }
    schedule
}
