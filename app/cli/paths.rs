use fourstep_gallery::{check_writable, next_number, suggested_name};
use fourstep_protocol::{Failure, Request};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The file to write: the one asked for, else a new name in the current folder. Found to be writable.
///
/// # Errors
/// [`Failure`] where it cannot be written, before anything was computed.
pub(super) fn picture(asked: Option<PathBuf>, request: &Request) -> Result<PathBuf, Failure> {
    let path = match asked {
        Some(path) => path,
        None => {
            let number = next_number(Path::new(".")).map_err(|e| {
                Failure::input("The current folder could not be read", e, "Say where the picture goes with --out.")
            })?;
            suggested_name(request, number).into()
        }
    };
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    if ending.as_deref() != Some("png") {
        let why = format!("{} does not end in .png, and pictures are written as PNG", path.display());
        return Err(Failure::input("The picture could not be written", why, "Give a name that ends in .png."));
    }
    check_writable(&path)?;
    Ok(path)
}

/// The folder, made where it is not there yet, found to be writable.
///
/// # Errors
/// [`Failure`] where it cannot be made or written.
pub(super) fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| {
        let why = match e.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => "a file stands in its place".into(),
            io::ErrorKind::PermissionDenied => "you may not write there".into(),
            _ => e.to_string(),
        };
        Failure::input(format!("The folder {} could not be made", path.display()), why, "Choose another place.")
    })?;
    check_writable(&path.join("step-1.png"))
}
