//! How sizes, times and places are written.

use fourstep_protocol::{DownloadPhase, DownloadProgress, Guidance, ModelInfo, Origin, Recipe};
use std::path::Path;

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
        s if s < 59.5 => format!("{s:.0} s left"),
        _ if mins < 60.0 => format!("{mins:.0} min left"),
        _ if mins < 24.0 * 60.0 => format!("{:.0} h {:.0} min left", (mins / 60.0).floor(), mins % 60.0),
        _ => "more than a day left".into(),
    }
}

/// `1.2 GB of 4.3 GB · 11 MB/s · 4 min left`.
pub(crate) fn download(progress: &DownloadProgress) -> String {
    let known = progress.total_bytes > 0;
    let amount = if known {
        format!("{} of {}", bytes(progress.done_bytes), bytes(progress.total_bytes))
    } else {
        String::new()
    };
    let doing = match progress.phase {
        DownloadPhase::Waiting => "Waiting".to_owned(),
        DownloadPhase::Verifying => "checking".to_owned(),
        DownloadPhase::Retrying => "the connection was lost, trying again".to_owned(),
        DownloadPhase::Transferring if progress.bytes_per_sec > 0.0 => {
            let rate = format!("{}/s", bytes(progress.bytes_per_sec as u64));
            progress.secs_left().map_or(rate.clone(), |secs| format!("{rate} · {}", time_left(secs)))
        }
        DownloadPhase::Transferring => "connecting".to_owned(),
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
        DownloadPhase::Waiting => "Waiting".into(),
        DownloadPhase::Verifying => "Checking".into(),
        DownloadPhase::Retrying => format!("{percent} · trying again"),
    }
}

/// Where something comes from, in a few words.
pub(crate) fn origin(origin: &Origin) -> String {
    let folder = |path: &Path| {
        let parent = path.parent().and_then(Path::file_name);
        parent.unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    };
    match origin {
        Origin::BuiltIn => "in the program".into(),
        Origin::Hub { repo } => format!("Hugging Face, {repo}"),
        Origin::Cache { repo } => format!("Hugging Face cache, {repo}"),
        Origin::ComfyUi(path) => format!("ComfyUI, {}", folder(path)),
        Origin::Automatic1111(path) => format!("AUTOMATIC1111, {}", folder(path)),
        Origin::Path(path) => format!("folder {}", folder(path)),
    }
}

/// What a model wants when it paints with `recipe`: `guidance 3–13 · 4 steps · 512×512`.
pub(crate) fn wants(model: &ModelInfo, recipe: &Recipe) -> String {
    let range = model.guidance_range(recipe.sampler);
    let guidance = match model.guidance {
        Guidance::None => "no guidance".to_owned(),
        _ => format!("guidance {}–{}", range.start(), range.end()),
    };
    let steps = if recipe.steps == 1 { "1 step".to_owned() } else { format!("{} steps", recipe.steps) };
    let size = format!("{}×{}", model.native_size.width, model.native_size.height);
    [guidance, steps, size].join(" · ")
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
