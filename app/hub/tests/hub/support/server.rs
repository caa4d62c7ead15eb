use super::sha256;
use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

pub(crate) const REPO: &str = "org/name";
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Longer files are in LFS: their checksum is SHA-256, and they lie on another host where there is one.
const LFS_FROM: usize = 1000;

/// What goes wrong when a file is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// HEAD and GET are answered with this status and these headers.
    Refuse(u16, &'static [(&'static str, &'static str)]),
    /// GET is answered with this status, after a good HEAD.
    RefuseBody(u16, &'static [(&'static str, &'static str)]),
    /// The connection ends after so many bytes of the body.
    CutAfter(usize),
    /// Nothing more comes after so many bytes of the body.
    StallAfter(usize),
    /// One bit of the body is another.
    Corrupt,
    /// The body is longer than the file.
    TooLong,
    /// The whole file comes, whatever was asked for.
    IgnoreRange,
    /// The body comes in small pieces with pauses.
    Slow,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) range: Option<String>,
    pub(crate) authorization: Option<String>,
}

#[derive(Default)]
struct State {
    files: HashMap<String, Vec<u8>>,
    once: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    seen: Vec<Seen>,
    sent_bytes: usize,
    cdn: bool,
    files_only: bool,
}

/// A hub with one repository. It ends with the test's process.
pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn start(files: &[(&str, Vec<u8>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("address").port();
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone())).collect();
        let state = Arc::new(Mutex::new(State { files, ..State::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away is part of the game.
                thread::spawn(move || serve(stream, port, &state).ok());
            }
        });
        Self { port, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Large files lie on another host, to which GET and HEAD are redirected.
    pub(crate) fn with_cdn(self) -> Self {
        self.state().cdn = true;
        self
    }

    /// It serves files and knows nothing of `/api`.
    pub(crate) fn without_api(self) -> Self {
        self.state().files_only = true;
        self
    }

    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        self.state().once.entry(path.to_owned()).or_default().push_back(fault);
    }

    pub(crate) fn always(&self, path: &str, fault: Fault) {
        self.state().always.insert(path.to_owned(), fault);
    }

    pub(crate) fn heal(&self, path: &str) {
        let mut state = self.state();
        state.always.remove(path);
        state.once.remove(path);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// The `Range` of each GET of a file, in order.
    pub(crate) fn ranges(&self, path: &str) -> Vec<Option<String>> {
        let gets = self.seen().into_iter().filter(|seen| seen.method == "GET" && seen.path.ends_with(path));
        gets.filter(|seen| seen.path.contains("/resolve/")).map(|seen| seen.range).collect()
    }

    /// Bytes of bodies of files, so far.
    pub(crate) fn sent_bytes(&self) -> usize {
        self.state().sent_bytes
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("the server lives")
    }
}

fn serve(stream: TcpStream, port: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let seen = Seen {
        method,
        path,
        host: headers.remove("host").unwrap_or_default(),
        range: headers.remove("range"),
        authorization: headers.remove("authorization"),
    };
    state.lock().expect("lives").seen.push(seen.clone());
    answer(stream, port, state, &seen)
}

fn answer(mut stream: TcpStream, port: u16, state: &Mutex<State>, seen: &Seen) -> std::io::Result<()> {
    let files_only = state.lock().expect("lives").files_only;
    if seen.path == format!("/api/models/{REPO}/revision/main") && !files_only {
        let body = format!("{{\"_id\":\"1\",\"id\":\"{REPO}\",\"sha\":\"{COMMIT}\"}}");
        return head(&mut stream, 200, &[], body.len()).and_then(|()| stream.write_all(body.as_bytes()));
    }
    let tree = format!("/api/models/{REPO}/tree/main");
    if seen.path.split('?').next() == Some(&tree) && !files_only {
        let body = state.lock().expect("lives").tree();
        return head(&mut stream, 200, &[], body.len()).and_then(|()| stream.write_all(body.as_bytes()));
    }
    if seen.path.starts_with("/api/") {
        let code = if seen.path.contains("/revision/") { "RevisionNotFound" } else { "RepoNotFound" };
        let headers = if files_only { vec![] } else { vec![("X-Error-Code", code)] };
        return head(&mut stream, 404, &headers, 0);
    }
    let resolve = |revision: &str| seen.path.strip_prefix(&format!("/{REPO}/resolve/{revision}/")).map(str::to_owned);
    let path = resolve("main").or_else(|| resolve(COMMIT));
    let on_cdn = seen.path.strip_prefix("/cdn/").map(str::to_owned);
    let Some(path) = path.or_else(|| on_cdn.clone()) else {
        return head(&mut stream, 404, &[("X-Error-Code", "RepoNotFound")], 0);
    };
    let (bytes, fault, cdn) = {
        let mut state = state.lock().expect("lives");
        let Some(bytes) = state.files.get(&path).cloned() else {
            return head(&mut stream, 404, &[("X-Error-Code", "EntryNotFound"), ("X-Repo-Commit", COMMIT)], 0);
        };
        let redirects = state.cdn && on_cdn.is_none() && bytes.len() >= LFS_FROM;
        (bytes, state.next_fault(&path, &seen.method, redirects), redirects)
    };
    if let Some(Fault::Refuse(status, headers)) = fault {
        return head(&mut stream, status, headers, 0);
    }
    if let Some(Fault::RefuseBody(status, headers)) = fault {
        let page = b"<html>not the file</html>";
        return head(&mut stream, status, headers, page.len()).and_then(|()| stream.write_all(page));
    }
    let etag = format!("\"{}\"", if bytes.len() < LFS_FROM { git_blob(&bytes) } else { sha256(&bytes) });
    let size = bytes.len().to_string();
    let mut headers = vec![("X-Repo-Commit", COMMIT)];
    if cdn {
        let location = format!("http://localhost:{port}/cdn/{path}");
        headers.extend([("Location", location.as_str()), ("X-Linked-ETag", &etag), ("X-Linked-Size", &size)]);
        headers.push(("ETag", "\"of the redirect\""));
        return head(&mut stream, 302, &headers, 0);
    }
    if on_cdn.is_none() {
        headers.push(("ETag", &etag));
    } else {
        headers.clear();
    }
    if seen.method == "HEAD" {
        return head(&mut stream, 200, &headers, bytes.len());
    }
    send(&mut stream, state, seen, bytes, fault.as_ref(), &headers)
}

impl State {
    /// All files, as `/api/models/…/tree` lists them.
    fn tree(&self) -> String {
        let mut paths: Vec<_> = self.files.iter().collect();
        paths.sort();
        let entries = paths.iter().map(|(path, bytes)| {
            let (oid, size) = (git_blob(bytes), bytes.len());
            let lfs = format!(",\"lfs\":{{\"oid\":\"{}\",\"size\":{size},\"pointerSize\":131}}", sha256(bytes));
            let lfs = if size < LFS_FROM { "" } else { &lfs };
            format!("{{\"type\":\"file\",\"oid\":\"{oid}\",\"size\":{size},\"path\":\"{path}\"{lfs}}}")
        });
        format!(
            "[{},{{\"type\":\"directory\",\"oid\":\"\",\"size\":0,\"path\":\"unet\"}}]",
            entries.collect::<Vec<_>>().join(",")
        )
    }

    /// Faults of the body are kept for the GET that brings it.
    fn next_fault(&mut self, path: &str, method: &str, redirects: bool) -> Option<Fault> {
        let queue = self.once.entry(path.to_owned()).or_default();
        let fault = queue.front().or_else(|| self.always.get(path)).cloned();
        let fits = match fault {
            Some(Fault::Refuse(..)) => true,
            _ => method == "GET" && !redirects,
        };
        if fits {
            queue.pop_front();
        }
        fault.filter(|_| fits)
    }
}

fn send(
    stream: &mut TcpStream,
    state: &Mutex<State>,
    seen: &Seen,
    mut bytes: Vec<u8>,
    fault: Option<&Fault>,
    headers: &[(&str, &str)],
) -> std::io::Result<()> {
    let total = bytes.len();
    let from = seen.range.as_ref().and_then(|range| range.strip_prefix("bytes=")?.trim_end_matches('-').parse().ok());
    let from: usize = from.filter(|_| !matches!(fault, Some(Fault::IgnoreRange))).unwrap_or(0);
    if from >= total {
        return head(stream, 416, headers, 0);
    }
    match fault {
        Some(Fault::Corrupt) => bytes[total - 1] ^= 1,
        Some(Fault::TooLong) => bytes.extend(b"more"),
        _ => {}
    }
    let range = format!("bytes {from}-{}/{total}", bytes.len() - 1);
    let mut headers = headers.to_vec();
    let ranged = seen.range.is_some() && !matches!(fault, Some(Fault::IgnoreRange));
    if ranged {
        headers.push(("Content-Range", &range));
    }
    let body = &bytes[from..];
    head(stream, if ranged { 206 } else { 200 }, &headers, body.len())?;
    let (first, then_stalls) = match fault {
        Some(&Fault::CutAfter(count)) => (count.min(body.len()), false),
        Some(&Fault::StallAfter(count)) => (count.min(body.len()), true),
        _ => (body.len(), false),
    };
    let piece = if matches!(fault, Some(Fault::Slow)) { 1 << 14 } else { body.len().max(1) };
    for bytes in body[..first].chunks(piece) {
        stream.write_all(bytes)?;
        stream.flush()?;
        state.lock().expect("lives").sent_bytes += bytes.len();
        if piece < body.len() {
            thread::sleep(Duration::from_millis(5));
        }
    }
    if then_stalls {
        thread::sleep(Duration::from_secs(60));
    }
    Ok(())
}

fn head(stream: &mut TcpStream, status: u16, headers: &[(&str, &str)], length: usize) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{text}\r\n").as_bytes())
}

/// As `git hash-object` says.
fn git_blob(bytes: &[u8]) -> String {
    use sha1::{Digest, Sha1};
    let mut sum = Sha1::new();
    sum.update(format!("blob {}\0", bytes.len()));
    sum.update(bytes);
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
