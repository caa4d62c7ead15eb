use crate::{
    HubConfig,
    cache::{is_blob_name, is_commit},
    problem::{Answer, Problem},
};
use fourstep_catalog::HubFile;
use hf_hub::{HFClient, HFError, split_id};
use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, LOCATION, RANGE},
    redirect::Policy,
};

/// What can be asked of a hub. It belongs to the runtime it first spoke on.
pub(crate) struct Asker {
    endpoint: Url,
    token: Option<String>,
    hub: HFClient,
    /// Stops at redirects, whose own headers describe the file.
    describing: Client,
    /// Follows redirects; reqwest drops the token where they lead to another host.
    fetching: Client,
}

/// What a hub says of a file before it is fetched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Description {
    /// That the revision led to.
    pub(crate) commit: String,
    /// Names the contents.
    pub(crate) etag: String,
    pub(crate) size_bytes: Option<u64>,
}

pub(crate) const AGENT: &str = concat!("fourstep/", env!("CARGO_PKG_VERSION"));
const MOST_REDIRECTS: usize = 10;

impl Asker {
    pub(crate) fn new(config: &HubConfig) -> Result<Self, Problem> {
        let not_a_hub = |why: String| Problem::NotAHub { why };
        let endpoint: Url = config.endpoint.parse().map_err(|e| not_a_hub(format!("{e}: {}", config.endpoint)))?;
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err(not_a_hub(format!("{endpoint} does not begin with https://")));
        }
        let client = || Client::builder().user_agent(AGENT).connect_timeout(config.patience.connect);
        let fetching = client().redirect(Policy::limited(MOST_REDIRECTS)).build()?;
        Ok(Self {
            endpoint,
            token: config.token.clone(),
            hub: hf_hub(config, fetching.clone())?,
            describing: client().redirect(Policy::none()).build()?,
            fetching,
        })
    }

    /// The commit a branch or tag names now; `None` where the endpoint has files but cannot tell, as plain mirrors.
    pub(crate) async fn commit(&self, file: &HubFile) -> Result<Option<String>, Problem> {
        if is_commit(&file.revision) {
            return Ok(Some(file.revision.clone()));
        }
        let (owner, name) = split_id(&file.repo);
        let told = self.hub.model(owner, name).info().revision(&file.revision).send().await;
        match told.map_err(problem) {
            Ok(info) => Ok(info.sha.filter(|sha| is_commit(sha))),
            // A mirror without this part of the protocol knows nothing of the hub's error codes either.
            Err(Problem::Answer(Answer { status: 404 | 405 | 501, code: None, .. })) => Ok(None),
            Err(Problem::NotAHub { why }) => {
                log::debug!("the revision could not be looked up: {why}");
                Ok(None)
            }
            Err(problem) => Err(problem),
        }
    }

    /// Size, checksum and commit of a file, without the file.
    pub(crate) async fn describe(&self, file: &HubFile, revision: &str) -> Result<Description, Problem> {
        let mut url = self.url(file, revision)?;
        let mut commit = None;
        for _ in 0..MOST_REDIRECTS {
            let answer = self.request(&self.describing, Method::HEAD, &url).send().await?;
            let (status, headers) = (answer.status(), answer.headers());
            let text = |name: &str| text(headers, name);
            commit = commit.or_else(|| text("x-repo-commit"));
            let linked = text("x-linked-etag");
            if status.is_redirection() && linked.is_none() {
                // Renamed repositories and small files lie elsewhere on the same hub.
                let next = text(LOCATION.as_str()).and_then(|to| url.join(&to).ok());
                match next.filter(|next| next.origin() == url.origin()) {
                    Some(next) => url = next,
                    None => return Err(no_hub(&url, "sends files from another place without saying what they are")),
                }
                continue;
            }
            if !status.is_success() && !status.is_redirection() {
                return Err(Problem::Answer(Answer::new(status, headers)));
            }
            let length = || text(CONTENT_LENGTH.as_str()).filter(|_| status.is_success());
            let size_bytes = text("x-linked-size").or_else(length).and_then(|size| size.trim().parse().ok());
            let etag = linked.or_else(|| text(ETAG.as_str())).map(|etag| plain(&etag));
            let etag = etag.filter(|etag| is_blob_name(etag)).ok_or_else(|| no_hub(&url, "names no ETag"))?;
            let commit = commit.filter(|commit| is_commit(commit)).ok_or_else(|| no_hub(&url, "names no commit"))?;
            return Ok(Description { commit, etag, size_bytes });
        }
        Err(no_hub(&url, "redirects in a circle"))
    }

    /// Begins to fetch a file from a byte on.
    pub(crate) async fn fetch(&self, file: &HubFile, commit: &str, from_byte: u64) -> Result<Response, Problem> {
        let mut request = self.request(&self.fetching, Method::GET, &self.url(file, commit)?);
        if from_byte > 0 {
            request = request.header(RANGE, format!("bytes={from_byte}-"));
        }
        let response = request.send().await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Problem::Answer(Answer::new(response.status(), response.headers())))
    }

    fn request(&self, client: &Client, method: Method, url: &Url) -> RequestBuilder {
        // Compressed on the way, sizes and ranges would mean something else.
        let request = client.request(method, url.clone()).header(ACCEPT_ENCODING, "identity");
        match &self.token {
            Some(token) if url.origin() == self.endpoint.origin() => request.bearer_auth(token),
            _ => request,
        }
    }

    /// `ENDPOINT/ORG/NAME/resolve/REVISION/PATH`
    fn url(&self, file: &HubFile, revision: &str) -> Result<Url, Problem> {
        let mut url = self.endpoint.clone();
        let mut segments =
            url.path_segments_mut().map_err(|()| no_hub(&self.endpoint, "is no address that paths can follow"))?;
        segments.pop_if_empty().extend(file.repo.split('/')).push("resolve").push(revision);
        segments.extend(file.path.split('/'));
        drop(segments);
        Ok(url)
    }
}

/// hf-hub with our settings; whoever uses it tries again by itself.
pub(crate) fn hf_hub(config: &HubConfig, client: Client) -> Result<HFClient, Problem> {
    let mut hub = HFClient::builder()
        .endpoint(config.endpoint.as_str())
        .client(client)
        .cache_dir(&config.cache)
        .retry_max_attempts(0);
    if let Some(token) = &config.token {
        hub = hub.token(token);
    }
    hub.build().map_err(problem)
}

/// What hf-hub says, in our words.
pub(crate) fn problem(error: HFError) -> Problem {
    let (context, retry_after) = match error {
        HFError::RateLimited { retry_after, context } => (context, retry_after),
        HFError::Http { context } | HFError::AuthRequired { context } | HFError::Forbidden { context } => {
            (context, None)
        }
        HFError::RepoNotFound { context: Some(context), .. }
        | HFError::RevisionNotFound { context: Some(context), .. }
        | HFError::EntryNotFound { context: Some(context), .. } => (context, None),
        HFError::Request { source, .. } if !source.is_decode() => return source.into(),
        other => return Problem::NotAHub { why: other.to_string() },
    };
    Problem::Answer(Answer {
        status: context.status.as_u16(),
        code: context.error_code,
        message: context.server_message,
        retry_after,
    })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Without quotes and the mark of a weak one.
fn plain(etag: &str) -> String {
    etag.trim().trim_start_matches("W/").trim_matches('"').to_owned()
}

fn no_hub(url: &Url, why: &str) -> Problem {
    let host = url.host_str().unwrap_or_default();
    Problem::NotAHub { why: format!("{host} does not speak as a hub does: it {why}") }
}
