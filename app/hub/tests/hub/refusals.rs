//! What a person is told when a hub refuses, in words that say what to do.

use crate::support::{Fault, PATIENCE, Server, blobs, config, failed, failure, file, get, weights};
use fourstep_hub::{CancelFlag, Hub, HubConfig};
use fourstep_protocol::FailureKind;
use std::fs;

const BIG: &str = "model.safetensors";
const GATED: &[(&str, &str)] = &[("X-Error-Code", "GatedRepo")];

fn hub() -> Server {
    Server::start(&[(BIG, weights(100_000))])
}

#[test]
fn every_refusal_says_what_to_do() {
    let busy: &[(&str, &str)] = &[("Retry-After", "600")];
    let said: &[(&str, &str)] = &[("X-Error-Message", "Invalid credentials in Authorization header")];
    for (status, headers, words, kind) in [
        (401, GATED, &["licence", "https://huggingface.co/org/name"][..], FailureKind::Input),
        (403, GATED, &["Accept the licence at https://huggingface.co/org/name"], FailureKind::Input),
        (401, said, &["does not accept your token", "Invalid credentials", "HF_TOKEN"], FailureKind::Input),
        (403, &[], &["may not read org/name", "HF_TOKEN"], FailureKind::Input),
        (404, &[("X-Error-Code", "RepoNotFound")], &["has no org/name"], FailureKind::Input),
        (404, &[("X-Error-Code", "EntryNotFound")], &["no file `model.safetensors`"], FailureKind::Input),
        (404, &[("X-Error-Code", "RevisionNotFound")], &["no revision `main`"], FailureKind::Input),
        (429, busy, &["too many requests", "10 minutes"], FailureKind::Machine),
        (500, &[], &["trouble of its own (500)"], FailureKind::Machine),
        (503, &[], &["trouble of its own (503)", "later"], FailureKind::Machine),
    ] {
        for fault in [Fault::Refuse(status, headers), Fault::RefuseBody(status, headers)] {
            let server = hub();
            server.always(BIG, fault);
            let failure = failure(&server, BIG);
            let text = failure.to_string();
            assert!(text.contains("model.safetensors of org/name could not be downloaded"), "{text}");
            assert!(words.iter().all(|word| text.contains(word)), "{status}: {text}");
            assert_eq!(failure.kind, kind, "{text}");
        }
    }
}

#[test]
fn without_a_token_the_hint_is_to_set_one() {
    for (status, headers, word) in [
        (401, GATED, "set HF_TOKEN to a token of your account"),
        (401, &[("X-Error-Code", "RepoNotFound")][..], "does not exist, or it may be seen only with a token"),
    ] {
        let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
        server.always(BIG, Fault::Refuse(status, headers));
        let failure = failed(get(HubConfig { token: None, ..config(&server, cache.path()) }, &[file(BIG)]));
        assert!(failure.to_string().contains(word), "{failure}");
    }
}

#[test]
fn a_page_that_comes_with_a_refusal_is_never_the_file() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.always(BIG, Fault::RefuseBody(403, GATED));
    failed(get(config(&server, cache.path()), &[file(BIG)]));
    assert!(blobs(cache.path()).iter().all(|(name, len)| name.ends_with(".incomplete") && *len == 0));
    assert!(!cache.path().join("models--org--name/snapshots").exists());
}

#[test]
fn passing_trouble_passes() {
    for status in [429, 500, 502, 503] {
        let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
        server.fault(BIG, Fault::Refuse(status, &[("Retry-After", "0")]));
        server.fault(BIG, Fault::RefuseBody(status, &[]));
        get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
    }
}

#[test]
fn names_that_are_not_there_are_named() {
    let server = hub();
    assert!(failure(&server, "absent.bin").to_string().contains("no file `absent.bin`"));
    let cache = tempfile::tempdir().expect("temporary folder");
    let mut other = file(BIG);
    other.revision = "v9".into();
    let text = failed(get(config(&server, cache.path()), &[other.clone()])).to_string();
    assert!(text.contains("no revision `v9`"), "{text}");
    other.path = "../../../etc/passwd".into();
    let text = failed(get(config(&server, cache.path()), &[other])).to_string();
    assert!(text.contains("does not name a file"), "{text}");
}

#[test]
fn a_hub_that_is_not_there_is_named() {
    let cache = tempfile::tempdir().expect("temporary folder");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address");
    for (endpoint, words) in [
        (format!("http://{closed}"), ["could not be reached", "HF_ENDPOINT"]),
        (format!("https://{}", hub().endpoint().trim_start_matches("http://")), ["not safe", "certificates"]),
        ("http://no-such-host.invalid".to_owned(), ["no-such-host.invalid", "HTTPS_PROXY"]),
        ("not an address".to_owned(), ["not an address", "HF_ENDPOINT"]),
        ("ftp://hub".to_owned(), ["https://", "HF_ENDPOINT"]),
    ] {
        let config = HubConfig { patience: PATIENCE, ..HubConfig::new(&endpoint, cache.path()) };
        let text = failed(get(config, &[file(BIG)])).to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{endpoint}: {text}");
    }
}

#[test]
fn offline_says_so_and_asks_nobody() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let offline = || HubConfig { offline: true, ..config(&server, cache.path()) };
    let text = failed(get(offline(), &[file(BIG)])).to_string();
    assert!(text.contains("HF_HUB_OFFLINE"), "{text}");
    assert!(server.seen().is_empty());
    let paths = get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
    assert_eq!(get(offline(), &[file(BIG)]), Ok(paths), "what is here is here");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let (server, folder) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let cache = folder.path().join("a file");
    fs::write(&cache, b"").expect("write");
    let hub = Hub::new(config(&server, &cache));
    let text = failed(hub.download(&[file(BIG)], &|_| {}, &CancelFlag::default())).to_string();
    assert!(text.contains("a file") && text.contains("HF_HUB_CACHE"), "{text}");
    assert_eq!(server.sent_bytes(), 0);
}

#[test]
fn a_mirror_that_says_only_404_is_asked_for_single_precision_too() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let half = file("model.fp16.safetensors");
    server.always(&half.path, Fault::Refuse(404, &[]));
    let paths = get(config(&server, cache.path()), &[half]).expect("downloaded");
    assert!(paths[0].ends_with(BIG));
}
