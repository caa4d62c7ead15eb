use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What the bytes of a file must add up to, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Of large files: SHA-256 of the contents, which Git LFS calls their oid.
    Sha256(String),
    /// Of small files: SHA-1 of `blob SIZE\0` and the contents, as git names them.
    GitBlob(String),
}

impl Checksum {
    /// The one an `ETag` of a hub is, or a blob of the cache is named by.
    pub(crate) fn from_etag(etag: &str) -> Option<Self> {
        let hex = etag.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match etag.len() {
            64 if hex => Some(Self::Sha256(etag.to_owned())),
            40 if hex => Some(Self::GitBlob(etag.to_owned())),
            _ => None,
        }
    }

    pub(crate) fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::GitBlob(digits) => digits,
        }
    }

    /// Of nothing yet. `size_bytes` of the whole file is part of a git blob's checksum.
    pub(crate) fn start(&self, size_bytes: u64) -> Sum {
        match self {
            Self::Sha256(_) => Sum::Sha256(Sha256::new()),
            Self::GitBlob(_) => Sum::GitBlob(Sha1::new_with_prefix(format!("blob {size_bytes}\0"))),
        }
    }
}

/// A checksum in the making.
#[derive(Clone)]
pub(crate) enum Sum {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Sum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::GitBlob(sum) => sum.update(bytes),
        }
    }

    /// In lower-case hexadecimal digits.
    pub(crate) fn digits(self) -> String {
        match self {
            Self::Sha256(sum) => hex(&sum.finalize()),
            Self::GitBlob(sum) => hex(&sum.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_sha256sum_and_git_hash_object() {
        for digits in [
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
            "ce013625030ba8dba906f756967f9e9ca394464a",
        ] {
            let mut sum = Checksum::from_etag(digits).expect("a checksum").start(6);
            sum.update(b"hel");
            sum.update(b"lo\n");
            assert_eq!(sum.digits(), digits);
        }
    }

    #[test]
    fn other_etags_are_no_checksums() {
        for etag in ["", "abc", &"G".repeat(40), &"A".repeat(64), "../../x"] {
            assert_eq!(Checksum::from_etag(etag), None);
        }
    }
}
