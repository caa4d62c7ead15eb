use fourstep_protocol::Failure;
use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};
use tempfile::NamedTempFile;

/// Writes a file whole or not at all: into a temporary file beside it, which then takes its name.
///
/// On failure a file that was there before is untouched and the temporary file is gone.
///
/// # Errors
/// [`Failure`] of kind input where the place cannot be written, of kind machine where writing itself failed.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    check_place(path)?;
    let failed = |e: &io::Error| {
        Failure::machine(what(path), e, "Free some space or choose another place; nothing was left behind.")
    };
    let mut temporary = BufWriter::new(create_beside(path)?);
    write(&mut temporary).map_err(|e| failed(&e))?;
    let file = temporary.into_inner().map_err(|e| failed(e.error()))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}

/// Finds out whether [`write_atomically`] could write here, so that nobody computes for nothing.
///
/// # Errors
/// The failure that writing would end with.
pub fn check_writable(path: &Path) -> Result<(), Failure> {
    check_place(path)?;
    create_beside(path).map(drop)
}

fn check_place(path: &Path) -> Result<(), Failure> {
    let why = match fs::metadata(path) {
        Ok(m) if m.is_dir() => "it is a folder",
        Ok(m) if !m.is_file() => "it is not a file that can be replaced",
        Ok(m) if m.permissions().readonly() => "it exists and is write-protected",
        _ if path.file_name().is_none() => "it has no file name",
        _ => return Ok(()),
    };
    Err(Failure::input(what(path), why, "Give the name of a file, in a folder you may write to."))
}

fn create_beside(path: &Path) -> Result<NamedTempFile, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fourstep-").suffix(".part");
    // The default is for the owner's eyes only; a saved picture follows the umask like any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = folder_of(path);
    builder.tempfile_in(folder).map_err(|e| {
        let here = folder == Path::new(".");
        let name = if here { "the current folder".into() } else { folder.display().to_string() };
        let why = match e.kind() {
            io::ErrorKind::NotFound if !folder.is_dir() => format!("there is no folder {name}"),
            io::ErrorKind::NotADirectory => format!("{name} is not a folder"),
            io::ErrorKind::PermissionDenied => format!("you may not write to {name}"),
            io::ErrorKind::NotFound => format!("no file can be made in {name}"),
            // tempfile puts the path of its own file into the text, which says nothing to anybody.
            _ => e.raw_os_error().map_or_else(|| e.to_string(), |code| io::Error::from_raw_os_error(code).to_string()),
        };
        Failure::input(what(path), why, "Create the folder or choose another place.")
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn what(path: &Path) -> String {
    format!("{} could not be written", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable").map(|e| e.expect("entry").file_name());
        entries.map(|n| n.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.png");
        write_atomically(&path, |w| w.write_all(b"old")).expect("writes");
        let broken = write_atomically(&path, |w| {
            w.write_all(b"half of the n")?;
            Err(io::Error::other("disk full"))
        });
        assert!(broken.expect_err("fails").to_string().contains("disk full"));
        assert_eq!(fs::read(&path).expect("still there"), b"old");
        assert_eq!(names(folder.path()), ["a.png"]);
    }

    #[test]
    fn places_that_cannot_be_written_are_found_before() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = folder.path().join("file");
        fs::write(&file, b"x").expect("writes");
        for (path, word) in [
            (folder.path().to_owned(), "it is a folder"),
            (folder.path().join("none/a.png"), "there is no folder"),
            (file.join("a.png"), "is not a folder"),
            (PathBuf::from("/"), "folder"),
        ] {
            let failure = check_writable(&path).expect_err("not writable");
            assert!(failure.to_string().contains(word), "{failure}");
            assert_eq!(failure.kind, fourstep_protocol::FailureKind::Input);
        }
        check_writable(&folder.path().join("new.png")).expect("writable");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_a_saved_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("temporary folder");
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomically(&ours, |w| w.write_all(b"x")).expect("writes");
        fs::write(&plain, b"x").expect("writes");
        let mode = |p: &Path| fs::metadata(p).expect("there").permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
