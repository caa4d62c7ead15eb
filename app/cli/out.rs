use fourstep_protocol::Failure;
use serde::Serialize;
use std::io::{self, Write};

/// Writes a line to standard output. A reader that went away (`| head`) is no failure.
///
/// # Errors
/// [`Failure`] where standard output cannot be written, for example on a full disk.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::machine("Standard output could not be written", e, "Check where it is redirected to."))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object to standard output.
///
/// # Errors
/// As [`line`].
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::machine("The result could not be written as JSON", e, "Please report this."))?;
    line(&text)
}

/// Tells the person at the terminal something that is not the result.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// `error: what: why. what now`.
pub(super) fn error(failure: &Failure) {
    note(&format!("error: {failure}"));
}
