//! How sizes, times and places are written.

mod session;

pub(crate) use session::{failure, lora_trouble, misfit, notices};

use crate::i18n::{tr, tr_with};
use fourstep_protocol::{DownloadPhase, DownloadProgress, Guidance, ModelInfo, Origin, Recipe, Sampler};
use std::path::Path;
use std::time::SystemTime;

/// `135 MB`, `4.3 GB`: decimal, as shops and hubs count.
pub(crate) fn bytes(count: u64) -> String {
    match count as f64 {
        b if b < 999.5e3 => format!("{:.0} kB", (b / 1e3).max(1.0)),
        b if b < 999.5e6 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

/// `35 s left`, `4 min left`, `1 h 12 min left`.
pub(crate) fn time_left(secs: f64) -> String {
    let secs = secs.ceil();
    let mins = (secs / 60.0).round();
    match secs {
        s if s < 59.5 => tr_with("words-secs-left", &[("n", s.into())]),
        _ if mins < 60.0 => tr_with("words-mins-left", &[("n", mins.into())]),
        _ if mins < 24.0 * 60.0 => {
            let hours = (mins / 60.0).floor();
            tr_with("words-hours-left", &[("hours", hours.into()), ("mins", (mins % 60.0).into())])
        }
        _ => tr("words-days-left").into(),
    }
}

/// `1.2 GB of 4.3 GB`.
pub(crate) fn amount(done: u64, total: u64) -> String {
    tr_with("words-amount", &[("done", bytes(done).into()), ("total", bytes(total).into())])
}

/// `1.2 GB of 4.3 GB · 11 MB/s · 4 min left`.
pub(crate) fn download(progress: &DownloadProgress) -> String {
    let known = progress.total_bytes > 0;
    let amount = if known { amount(progress.done_bytes, progress.total_bytes) } else { String::new() };
    let doing = match progress.phase {
        DownloadPhase::Waiting => tr("words-waiting").to_owned(),
        DownloadPhase::Verifying => tr("words-checking").to_owned(),
        DownloadPhase::Retrying => tr("words-connection-lost").to_owned(),
        DownloadPhase::Transferring if progress.bytes_per_sec > 0.0 => {
            let rate = format!("{}/s", bytes(progress.bytes_per_sec as u64));
            progress.secs_left().map_or(rate.clone(), |secs| format!("{rate} · {}", time_left(secs)))
        }
        DownloadPhase::Transferring => tr("words-connecting").to_owned(),
    };
    if amount.is_empty() { doing } else { format!("{amount} · {doing}") }
}

/// `35 % · 4 min left`.
pub(crate) fn download_briefly(progress: &DownloadProgress) -> String {
    let percent = format!("{:.0} %", progress.fraction() * 100.0);
    match progress.phase {
        DownloadPhase::Transferring => {
            progress.secs_left().map_or(percent.clone(), |secs| format!("{percent} · {}", time_left(secs)))
        }
        DownloadPhase::Waiting => tr("words-waiting").into(),
        DownloadPhase::Verifying => tr("words-checking-alone").into(),
        DownloadPhase::Retrying => tr_with("words-trying-again", &[("percent", percent.into())]),
    }
}

/// `just now`, `3 min ago`, `yesterday`.
pub(crate) fn ago(then: SystemTime, now: SystemTime) -> String {
    let minutes = now.duration_since(then).unwrap_or_default().as_secs() / 60;
    match minutes {
        0 => tr("ago-now").to_owned(),
        1..60 => tr_with("ago-minutes", &[("n", minutes.into())]),
        60..1440 => tr_with("ago-hours", &[("n", (minutes / 60).into())]),
        _ => tr_with("ago-days", &[("n", (minutes / 1440).into())]),
    }
}

/// Where something comes from, in a few words.
pub(crate) fn origin(origin: &Origin) -> String {
    let folder = |path: &Path| {
        let parent = path.parent().and_then(Path::file_name);
        parent.unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    };
    match origin {
        Origin::BuiltIn => tr("words-built-in").into(),
        Origin::Hub { repo } => tr_with("words-hub", &[("repo", repo.as_str().into())]),
        Origin::Cache { repo } => tr_with("words-hub-cache", &[("repo", repo.as_str().into())]),
        Origin::ComfyUi(path) => format!("ComfyUI, {}", folder(path)),
        Origin::Automatic1111(path) => format!("AUTOMATIC1111, {}", folder(path)),
        Origin::Path(path) => tr_with("words-folder", &[("name", folder(path).into())]),
    }
}

/// What a model wants when it paints with `recipe`: `guidance 3–13 · 4 steps · 512×512`.
pub(crate) fn wants(model: &ModelInfo, recipe: &Recipe) -> String {
    let range = model.guidance_range(recipe.sampler);
    let guidance = match model.guidance {
        Guidance::None => tr("wants-no-guidance").to_owned(),
        _ => {
            let (least, most) = (range.start().to_string(), range.end().to_string());
            tr_with("wants-guidance", &[("least", least.into()), ("most", most.into())])
        }
    };
    [guidance, steps(recipe.steps), native_size(model)].join(" · ")
}

/// `4 steps`.
pub(crate) fn steps(count: u32) -> String {
    tr_with("steps-count", &[("n", count.into())])
}

fn native_size(model: &ModelInfo) -> String {
    format!("{}×{}", model.native_size.width, model.native_size.height)
}

/// What a model is and wants, in a line for a tooltip.
pub(crate) fn wants_at_length(model: &ModelInfo) -> String {
    let settings = match (model.guidance, model.live.sampler) {
        (Guidance::None, _) => tr("wants-distilled").to_owned(),
        (Guidance::Embedded { min, max }, _) => {
            tr_with("wants-embedded", &[("least", min.to_string().into()), ("most", max.to_string().into())])
        }
        (Guidance::ClassifierFree, Sampler::Lcm) => tr("wants-few-step").to_owned(),
        (Guidance::ClassifierFree, _) => {
            let scale = model.live.guidance_scale.to_string();
            tr_with("wants-classic", &[("steps", model.live.steps.into()), ("guidance", scale.into())])
        }
    };
    let (name, detail) = (model.name.as_str(), model.detail.as_str());
    tr_with(
        "wants-tip",
        &[
            ("name", name.into()),
            ("detail", detail.into()),
            ("settings", settings.into()),
            ("size", native_size(model).into()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_or_three_figures() {
        let seen = [0, 940, 134_600_000, 999_700_000, 4_265_000_000].map(bytes);
        assert_eq!(seen, ["1 kB", "1 kB", "135 MB", "1.0 GB", "4.3 GB"]);
    }

    #[test]
    fn times_are_rounded_to_what_one_can_believe() {
        let seen = [0.2, 34.2, 59.9, 250.0, 4320.0, 1e9].map(time_left);
        assert_eq!(
            seen,
            ["1 s left", "35 s left", "1 min left", "4 min left", "1 h 12 min left", "more than a day left"]
        );
    }

    #[test]
    fn a_download_says_how_much_how_fast_and_how_long() {
        let mut p = DownloadProgress {
            file: "unet".into(),
            done_bytes: 1_200_000_000,
            total_bytes: 4_300_000_000,
            bytes_per_sec: 11e6,
            phase: DownloadPhase::Transferring,
        };
        assert_eq!(download(&p), "1.2 GB of 4.3 GB · 11 MB/s · 5 min left");
        assert_eq!(download_briefly(&p), "28 % · 5 min left");
        p.phase = DownloadPhase::Verifying;
        assert_eq!(download(&p), "1.2 GB of 4.3 GB · checking");
        assert_eq!(download(&DownloadProgress::default()), "Waiting");
    }
}
