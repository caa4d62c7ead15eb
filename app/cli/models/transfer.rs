use super::size;
use crate::cli::out;
use fourstep_hub::Stop;
use fourstep_protocol::{DownloadPhase, DownloadProgress, Failure};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    cell::RefCell,
    io::{IsTerminal, stderr},
};

/// How far a download is: a bar on a terminal, a line for each file anywhere else.
pub(super) enum Transfer {
    Bar(ProgressBar),
    Lines(RefCell<String>),
}

impl Transfer {
    pub(super) fn new() -> Self {
        if !stderr().is_terminal() {
            return Self::Lines(RefCell::default());
        }
        let bar = ProgressBar::new(0);
        // A template that did not parse would leave the default bar, which is no reason to stop.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {wide_msg}") {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    pub(super) fn show(&self, progress: &DownloadProgress) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(progress.total_bytes.max(1));
                bar.set_position(progress.done_bytes);
                bar.set_message(line(progress));
            }
            Self::Lines(file) if !progress.file.is_empty() && *file.borrow() != progress.file => {
                progress.file.clone_into(&mut file.borrow_mut());
                let (done, total) = (size(progress.done_bytes), size(progress.total_bytes));
                out::note(&format!("{done} of {total}: {}", progress.file));
            }
            Self::Lines(_) => {}
        }
    }
}

impl Drop for Transfer {
    /// Clears the bar, so that what comes next stands alone.
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `1.2 GB of 6.9 GB, 45 MB/s, 2 min 6 s left: unet/diffusion_pytorch_model.safetensors`
fn line(progress: &DownloadProgress) -> String {
    let DownloadProgress { file, done_bytes, total_bytes, bytes_per_sec, phase } = progress;
    let doing = match phase {
        DownloadPhase::Waiting if *total_bytes == 0 => return "asking the hub".to_owned(),
        DownloadPhase::Waiting => ", waiting".to_owned(),
        DownloadPhase::Verifying => ", checking".to_owned(),
        DownloadPhase::Retrying => ", trying again".to_owned(),
        DownloadPhase::Transferring => progress.secs_left().map_or_else(String::new, |secs| {
            format!(", {}/s, {} left", size(*bytes_per_sec as u64), time(secs.ceil() as u64))
        }),
    };
    format!("{} of {}{doing}: {file}", size(*done_bytes), size(*total_bytes))
}

fn time(secs: u64) -> String {
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, secs) => format!("{secs} s"),
        (0, mins, secs) => format!("{mins} min {secs} s"),
        (hours, mins, _) => format!("{hours} h {mins} min"),
    }
}

/// Ctrl+C ends the program, so that nothing else stops a download here.
pub(super) fn failure(stop: Stop) -> Failure {
    match stop {
        Stop::Failed(failure) => failure,
        Stop::Cancelled => {
            Failure::machine("The download was stopped", "it was asked to", "The same command goes on from there.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        let mut progress = DownloadProgress::default();
        assert_eq!(line(&progress), "asking the hub");
        progress = DownloadProgress {
            file: "unet/x".into(),
            done_bytes: 1_200_000_000,
            total_bytes: 6_900_000_000,
            bytes_per_sec: 45_000_000.0,
            phase: DownloadPhase::Transferring,
        };
        assert_eq!(line(&progress), "1.2 GB of 6.9 GB, 45 MB/s, 2 min 7 s left: unet/x");
        progress.phase = DownloadPhase::Retrying;
        assert_eq!(line(&progress), "1.2 GB of 6.9 GB, trying again: unet/x");
        assert_eq!([59, 3_725].map(time), ["59 s", "1 h 2 min"]);
    }
}
