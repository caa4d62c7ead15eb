use crate::{Patience, space};
use fourstep_catalog::cache_dir;
use fourstep_protocol::Failure;
use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

/// Where a hub is, who asks it, and where files go.
#[derive(Clone)]
pub struct HubConfig {
    /// `https://huggingface.co`
    pub endpoint: String,
    /// Of the person's account; sent to the endpoint's host and no other.
    pub token: Option<String>,
    /// The Hugging Face cache. It is made where it is not there yet.
    pub cache: PathBuf,
    /// Whether the network is left alone.
    pub offline: bool,
    /// How long a connection is waited for.
    pub patience: Patience,
    /// Bytes that can still be written at a path; `None` where that is not known.
    pub free_bytes: fn(&Path) -> Option<u64>,
}

impl fmt::Debug for HubConfig {
    /// Without the token, so that no log ever shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, token, cache, offline, patience, .. } = self;
        let token = token.as_ref().map(|_| "…");
        f.debug_struct("HubConfig")
            .field("endpoint", endpoint)
            .field("token", &token)
            .field("cache", cache)
            .field("offline", offline)
            .field("patience", patience)
            .finish_non_exhaustive()
    }
}

const ENDPOINT: &str = "https://huggingface.co";

impl HubConfig {
    /// Without a token, with the usual patience.
    pub fn new(endpoint: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        Self {
            endpoint: endpoint.into(),
            token: None,
            cache: cache.into(),
            offline: false,
            patience: Patience::default(),
            free_bytes: space::free_bytes,
        }
    }

    /// From `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME` and
    /// `HF_HUB_OFFLINE`, as `huggingface_hub` does. `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read
    /// when a connection is made.
    ///
    /// # Errors
    /// An input failure where the system has no home folder and no variable names the cache.
    pub fn from_env() -> Result<Self, Failure> {
        let cache = cache_dir().ok_or_else(|| {
            let why = "this system names no home folder";
            Failure::input("The cache of models could not be found", why, "Set HF_HOME to a folder for it.")
        })?;
        let variable = |name: &str| env::var(name).ok();
        Ok(Self::read(&variable, cache))
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>, cache: PathBuf) -> Self {
        let filled = |name: &str| variable(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let yes = |name: &str| {
            filled(name).is_some_and(|v| ["1", "on", "yes", "true"].iter().any(|yes| v.eq_ignore_ascii_case(yes)))
        };
        let in_file = |path: &Path| {
            let text = fs::read_to_string(path).ok()?;
            Some(text.trim().to_owned()).filter(|token| !token.is_empty())
        };
        let home = filled("HF_HOME").map(PathBuf::from);
        let token_file = filled("HF_TOKEN_PATH")
            .map(PathBuf::from)
            .or_else(|| home.map(|home| home.join("token")))
            .or_else(|| filled("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("huggingface/token")))
            // `~/.cache/huggingface/hub` and the token beside it.
            .or_else(|| cache_dir()?.parent().map(|folder| folder.join("token")));
        let token = || filled("HF_TOKEN").or_else(|| token_file.and_then(|path| in_file(&path)));
        let endpoint = filled("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        Self {
            token: if yes("HF_HUB_DISABLE_IMPLICIT_TOKEN") { None } else { token() },
            offline: yes("HF_HUB_OFFLINE"),
            ..Self::new(endpoint.trim_end_matches('/'), cache)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn with(pairs: &[(&str, &str)]) -> HubConfig {
        let variables: HashMap<_, _> = pairs.iter().copied().collect();
        HubConfig::read(&|name| variables.get(name).map(|&v| v.to_owned()), PathBuf::from("/cache"))
    }

    #[test]
    fn the_environment_says_where_and_who() {
        let home = tempfile::tempdir().expect("temporary folder");
        fs::write(home.path().join("token"), "hf_file\n").expect("write");
        let home = home.path().to_string_lossy();
        let config = with(&[("HF_HOME", &home), ("HF_ENDPOINT", "http://mirror:8080/"), ("HF_HUB_OFFLINE", "1")]);
        assert_eq!((config.endpoint.as_str(), config.offline), ("http://mirror:8080", true));
        assert_eq!(config.token.as_deref(), Some("hf_file"));
        let config = with(&[("HF_HOME", &home), ("HF_TOKEN", " hf_variable ")]);
        assert_eq!((config.endpoint.as_str(), config.offline), (ENDPOINT, false));
        assert_eq!(config.token.as_deref(), Some("hf_variable"));
        let config = with(&[("HF_TOKEN", "hf_variable"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]);
        assert_eq!(config.token, None);
        assert!(!with(&[("HF_HOME", "/nowhere"), ("HF_HUB_OFFLINE", "0")]).offline);
    }

    #[test]
    fn the_token_is_never_shown() {
        let config = with(&[("HF_TOKEN", "hf_secret")]);
        assert!(!format!("{config:?}").contains("secret"));
    }
}
