use serde::{Deserialize, Serialize};

/// A file on a hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HubFile {
    /// `org/name`
    pub repo: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// In the repository: `unet/config.json`.
    pub path: String,
    /// Its size, where it is listed.
    pub size_bytes: Option<u64>,
    /// Of its contents, in lower-case hexadecimal digits, where it is listed.
    pub sha256: Option<String>,
}
