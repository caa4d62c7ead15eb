use std::path::Path;

/// Bytes that can still be written where `path` is or will be; `None` where the system does not say.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|p| p.exists())?;
    fs4::available_space(there).ok()
}

/// `6.9 GB`, in powers of ten as disks are sold.
pub(crate) fn human(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_its_parents_disk() {
        let dir = tempfile::tempdir().expect("temporary folder");
        assert!(free_bytes(dir.path()).is_some_and(|bytes| bytes > 0));
        assert!(free_bytes(&dir.path().join("not/there/yet")).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        assert_eq!([999, 134_600_000, 6_940_000_000].map(human), ["1.0 kB", "134.6 MB", "6.94 GB"]);
    }
}
