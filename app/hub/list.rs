use crate::{
    HubConfig,
    ask::{AGENT, hf_hub, problem},
    problem::Problem,
};
use fourstep_catalog::HubFile;
use hf_hub::{HFClientSync, repository::RepoTreeEntry, split_id};
use reqwest::Client;

/// All files of a repository at a revision, with their sizes. hf-hub 1.0 does not read the checksums of this list.
pub(crate) fn list(config: &HubConfig, repo: &str, revision: &str) -> Result<Vec<HubFile>, Problem> {
    let patience = &config.patience;
    let client =
        Client::builder().user_agent(AGENT).connect_timeout(patience.connect).read_timeout(patience.stall).build()?;
    let hub = HFClientSync::from_inner(hf_hub(config, client)?).map_err(problem)?;
    let (owner, name) = split_id(repo);
    let entries = hub.model(owner, name).list_tree().revision(revision).recursive(true).send().map_err(problem)?;
    let file = |entry| match entry {
        RepoTreeEntry::File { path, size, .. } => Some(HubFile {
            repo: repo.to_owned(),
            revision: revision.to_owned(),
            path,
            size_bytes: Some(size),
            sha256: None,
        }),
        RepoTreeEntry::Directory { .. } => None,
    };
    Ok(entries.into_iter().filter_map(file).collect())
}
