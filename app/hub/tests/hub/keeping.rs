//! Checking what is here, and downloads on their own thread.

use crate::support::{Fault, Server, config, file, get, sha256, weights};
use fourstep_hub::{CancelFlag, DownloadState, Downloads, Hub, Soundness};
use fourstep_protocol::DownloadPhase;
use std::{fs, sync::mpsc::channel};

const LEN: usize = 200_000;

fn hub() -> Server {
    Server::start(&[("config.json", b"{}".to_vec()), ("a.bin", weights(LEN)), ("b.bin", weights(LEN / 2))])
}

#[test]
fn damage_is_found_and_mended() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let files = ["config.json", "a.bin", "b.bin"].map(file);
    let paths = get(config(&server, cache.path()), &files[..2]).expect("downloaded");
    fs::write(&paths[1], vec![7; LEN]).expect("damaged");

    let hub = Hub::new(config(&server, cache.path()));
    let none = CancelFlag::default();
    let verified = hub.verify(&files, &|_| {}, &none).expect("verified");
    assert_eq!(verified[0].soundness, Soundness::Sound);
    let Soundness::Wrong { why } = &verified[1].soundness else { panic!("{verified:?}") };
    assert!(why.contains(&sha256(&weights(LEN))), "{why}");
    assert_eq!((&verified[2].soundness, &verified[2].path), (&Soundness::Missing, &None));

    let before = server.sent_bytes();
    hub.repair(&verified, &|_| {}, &none).expect("repaired");
    assert_eq!(server.sent_bytes() - before, LEN + LEN / 2);
    let verified = hub.verify(&files, &|_| {}, &none).expect("verified");
    assert!(verified.iter().all(|v| v.soundness == Soundness::Sound), "{verified:?}");
}

#[test]
fn a_listed_checksum_is_enough_without_a_link() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let mut one = file("a.bin");
    let path = get(config(&server, cache.path()), &[one.clone()]).expect("downloaded").remove(0);
    fs::remove_file(&path).expect("remove");
    fs::write(&path, weights(LEN)).expect("write");
    let hub = Hub::new(config(&server, cache.path()));
    let soundness = |file| hub.verify(&[file], &|_| {}, &CancelFlag::default()).expect("verified").remove(0).soundness;
    assert_eq!(soundness(one.clone()), Soundness::Unknown);
    one.sha256 = Some(sha256(&weights(LEN)));
    assert_eq!(soundness(one), Soundness::Sound);
}

#[test]
fn contents_that_were_moved_where_there_are_no_links_are_not_fetched_again() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let path = get(config(&server, cache.path()), &[file("a.bin")]).expect("downloaded").remove(0);
    let blob = path.canonicalize().expect("a link");
    fs::remove_file(&path).expect("remove");
    fs::rename(blob, &path).expect("move");
    let before = server.sent_bytes();
    get(config(&server, cache.path()), &["a.bin", "b.bin"].map(file)).expect("downloaded");
    assert_eq!(server.sent_bytes() - before, LEN / 2);
}

#[test]
fn downloads_run_one_after_another() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.always("a.bin", Fault::StallAfter(1000));
    let mut patient = config(&server, cache.path());
    patient.patience.stall = std::time::Duration::from_secs(3600);
    let (wake, woken) = channel();
    let downloads = Downloads::new(Hub::new(patient), move || wake.send(()).unwrap_or(())).expect("a thread");
    let wait_for = |reached: &dyn Fn() -> bool| {
        while !reached() {
            woken.recv().expect("the thread lives");
        }
    };
    assert_eq!(downloads.state("a"), None);
    downloads.start("a", vec![file("a.bin")]);
    downloads.start("b", vec![file("b.bin"), file("config.json")]);
    downloads.start("absent", vec![file("absent.bin")]);
    let arrived = |id, bytes| matches!(downloads.state(id), Some(DownloadState::Running(p)) if p.done_bytes == bytes);
    wait_for(&|| arrived("a", 1000));
    assert!(matches!(downloads.state("b"), Some(DownloadState::Running(p)) if p.phase == DownloadPhase::Waiting));

    downloads.cancel("a");
    assert_eq!(downloads.state("a"), None);
    wait_for(&|| downloads.state("b") == Some(DownloadState::Done));
    wait_for(&|| matches!(downloads.state("absent"), Some(DownloadState::Failed(_))));

    // Started again, it goes on behind what arrived.
    server.heal("a.bin");
    downloads.start("a", vec![file("a.bin")]);
    wait_for(&|| downloads.state("a") == Some(DownloadState::Done));
    assert_eq!(server.sent_bytes(), LEN + LEN / 2 + 2);
}

#[test]
fn a_window_that_closes_ends_its_downloads() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.always("a.bin", Fault::StallAfter(1000));
    let mut patient = config(&server, cache.path());
    patient.patience.stall = std::time::Duration::from_secs(3600);
    let downloads = Downloads::new(Hub::new(patient), || {}).expect("a thread");
    downloads.start("a", vec![file("a.bin")]);
    downloads.start("b", vec![file("b.bin")]);
    while server.sent_bytes() == 0 {
        std::thread::yield_now();
    }
    drop(downloads);
    assert_eq!(server.sent_bytes(), 1000, "the second never began");
}
