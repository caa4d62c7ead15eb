//! Files arrive whole and once, whatever the connection does.

use crate::support::{COMMIT, Fault, Server, blobs, config, failed, file, get, sha256, weights};
use fourstep_hub::{CancelFlag, Hub, HubConfig, Stop};
use fourstep_protocol::{DownloadPhase, DownloadProgress};
use std::{fs, sync::Mutex, thread};

const BIG: &str = "unet/diffusion_pytorch_model.safetensors";
const SMALL: &str = "unet/config.json";
const LEN: usize = 1 << 20;

fn hub() -> Server {
    Server::start(&[(SMALL, b"{\"a\": 1}\n".to_vec()), (BIG, weights(LEN))])
}

#[test]
fn files_lie_in_the_cache_as_huggingface_hub_lays_them_out() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let told = Mutex::new(Vec::new());
    let watch = |p: &DownloadProgress| told.lock().expect("told").push(p.clone());
    let files = [file(SMALL), file(BIG)];
    let hub = Hub::new(config(&server, cache.path()));
    let paths = hub.download(&files, &watch, &CancelFlag::default()).expect("downloaded");

    let repo = cache.path().join("models--org--name");
    assert_eq!(paths, [SMALL, BIG].map(|path| repo.join("snapshots").join(COMMIT).join(path)));
    assert_eq!(fs::read(&paths[1]).expect("read"), weights(LEN));
    assert_eq!(fs::read_to_string(repo.join("refs/main")).expect("read"), COMMIT);
    let sha = sha256(&weights(LEN));
    #[cfg(unix)]
    assert_eq!(fs::read_link(&paths[1]).expect("link"), std::path::Path::new("../../../blobs").join(&sha));
    assert!(blobs(cache.path()).contains(&(sha, LEN as u64)));
    assert_eq!(blobs(cache.path()).len(), 2, "nothing unfinished is left");

    let last = told.lock().expect("told").last().cloned().expect("progress");
    assert_eq!((last.done_bytes, last.total_bytes), (LEN as u64 + 9, LEN as u64 + 9));
    assert_eq!(hub.have_bytes(&files), LEN as u64 + 9);

    // Once more: nothing is asked for.
    let before = server.seen().len();
    assert_eq!(hub.download(&files, &|_| {}, &CancelFlag::default()), Ok(paths));
    assert_eq!(server.seen().len(), before);
}

#[test]
fn the_same_contents_are_not_fetched_twice() {
    let server = Server::start(&[("a.bin", weights(LEN)), ("b/a.bin", weights(LEN))]);
    let cache = tempfile::tempdir().expect("temporary folder");
    let paths = get(config(&server, cache.path()), &[file("a.bin"), file("b/a.bin")]).expect("downloaded");
    assert_eq!(fs::read(&paths[1]).expect("read"), weights(LEN));
    assert_eq!(server.sent_bytes(), LEN);
}

#[test]
fn the_token_does_not_follow_to_another_host() {
    let server = hub().with_cdn();
    let cache = tempfile::tempdir().expect("temporary folder");
    let paths = get(config(&server, cache.path()), &[file(SMALL), file(BIG)]).expect("downloaded");
    assert_eq!(fs::read(&paths[1]).expect("read"), weights(LEN));
    let seen = server.seen();
    let (elsewhere, here): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.path.starts_with("/cdn/"));
    assert!(here.iter().all(|seen| seen.authorization.as_deref() == Some("Bearer hf_secret")), "{here:?}");
    assert_eq!(elsewhere.len(), 1);
    assert!(elsewhere.iter().all(|seen| seen.host.starts_with("localhost") && seen.authorization.is_none()));
}

#[test]
fn a_mirror_that_only_has_files_is_enough() {
    let server = hub().without_api();
    let cache = tempfile::tempdir().expect("temporary folder");
    let paths = get(config(&server, cache.path()), &[file(SMALL), file(BIG)]).expect("downloaded");
    assert!(paths[0].ends_with(format!("snapshots/{COMMIT}/{SMALL}")));
}

#[test]
fn a_connection_that_is_cut_off_goes_on_behind_what_arrived() {
    for server in [hub(), hub().with_cdn()] {
        let cache = tempfile::tempdir().expect("temporary folder");
        server.fault(BIG, Fault::CutAfter(400_000));
        server.fault(BIG, Fault::CutAfter(300_000));
        let paths = get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
        assert_eq!(fs::read(&paths[0]).expect("read"), weights(LEN));
        let ranges = server.ranges(BIG);
        assert_eq!(ranges.len(), 3, "{ranges:?}");
        assert!(ranges[0].is_none() && ranges[1].is_some() && ranges[2].is_some(), "{ranges:?}");
        assert_eq!(server.sent_bytes(), LEN, "no byte was sent twice");
    }
}

#[test]
fn a_connection_that_is_cut_off_every_time_fails_and_keeps_what_arrived() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.fault(BIG, Fault::CutAfter(400_000));
    server.always(BIG, Fault::CutAfter(0));
    let failure = failed(get(config(&server, cache.path()), &[file(BIG)]));
    assert!(failure.to_string().contains("cut off after 400.0 kB of 1.0 MB"), "{failure}");
    assert!(failure.remedy.contains("kept"), "{failure}");
    assert_eq!(blobs(cache.path()), [(sha256(&weights(LEN)) + ".incomplete", 400_000)]);
}

#[test]
fn a_killed_download_goes_on_in_a_new_process() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let incomplete = cache.path().join("models--org--name/blobs").join(sha256(&weights(LEN)) + ".incomplete");
    fs::create_dir_all(incomplete.parent().expect("folder")).expect("create");
    fs::write(&incomplete, &weights(LEN)[..700_001]).expect("write");
    let hub = Hub::new(config(&server, cache.path()));
    assert_eq!(hub.have_bytes(&[file(BIG)]), 700_001);
    let paths = hub.download(&[file(BIG)], &|_| {}, &CancelFlag::default()).expect("downloaded");
    assert_eq!(fs::read(&paths[0]).expect("read"), weights(LEN));
    assert_eq!(server.ranges(BIG), [Some("bytes=700001-".to_owned())]);
    assert_eq!(server.sent_bytes(), LEN - 700_001);
}

#[test]
fn a_file_that_was_killed_between_its_last_byte_and_its_name_is_not_fetched_again() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let incomplete = cache.path().join("models--org--name/blobs").join(sha256(&weights(LEN)) + ".incomplete");
    fs::create_dir_all(incomplete.parent().expect("folder")).expect("create");
    fs::write(&incomplete, weights(LEN)).expect("write");
    get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
    assert_eq!(server.sent_bytes(), 0);
}

#[test]
fn unfinished_bytes_that_are_wrong_are_thrown_away() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    for wrong in [vec![0; 1000], vec![0; LEN], vec![0; LEN + 5]] {
        let incomplete = cache.path().join("models--org--name/blobs").join(sha256(&weights(LEN)) + ".incomplete");
        fs::create_dir_all(incomplete.parent().expect("folder")).expect("create");
        fs::write(&incomplete, wrong).expect("write");
        let paths = get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
        assert_eq!(fs::read(&paths[0]).expect("read"), weights(LEN));
        fs::remove_dir_all(cache.path().join("models--org--name")).expect("remove");
    }
}

#[test]
fn a_cancelled_download_goes_on_later() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.always(BIG, Fault::Slow);
    let cancel = CancelFlag::default();
    let watch = |p: &DownloadProgress| {
        if p.phase == DownloadPhase::Transferring && p.done_bytes > 100_000 {
            cancel.cancel();
        }
    };
    let hub = Hub::new(config(&server, cache.path()));
    assert_eq!(hub.download(&[file(BIG)], &watch, &cancel), Err(Stop::Cancelled));
    let [(name, kept)] = &blobs(cache.path())[..] else { panic!("one blob") };
    assert!(name.ends_with(".incomplete") && *kept > 100_000 && *kept < LEN as u64, "{name} {kept}");
    server.heal(BIG);
    get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
    assert_eq!(server.ranges(BIG), [None, Some(format!("bytes={kept}-"))]);
}

#[test]
fn a_stalled_connection_can_be_cancelled_and_is_tried_again() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.always(BIG, Fault::StallAfter(1000));
    let cancel = CancelFlag::default();
    let mut patient = config(&server, cache.path());
    patient.patience.stall = std::time::Duration::from_secs(3600);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| Hub::new(patient).download(&[file(BIG)], &|_| {}, &cancel));
        while server.sent_bytes() == 0 {
            thread::yield_now();
        }
        cancel.cancel();
        assert_eq!(waiting.join().expect("joins"), Err(Stop::Cancelled));
    });

    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.fault(BIG, Fault::StallAfter(500_000));
    let phases = Mutex::new(Vec::new());
    let watch = |p: &DownloadProgress| phases.lock().expect("phases").push(p.phase);
    let hub = Hub::new(config(&server, cache.path()));
    hub.download(&[file(BIG)], &watch, &CancelFlag::default()).expect("downloaded");
    assert!(phases.lock().expect("phases").contains(&DownloadPhase::Retrying));
    assert_eq!(server.sent_bytes(), LEN);
}

#[test]
fn a_server_that_ignores_ranges_starts_again() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.fault(BIG, Fault::CutAfter(400_000));
    server.fault(BIG, Fault::IgnoreRange);
    let paths = get(config(&server, cache.path()), &[file(BIG)]).expect("downloaded");
    assert_eq!(fs::read(&paths[0]).expect("read"), weights(LEN));
    assert_eq!(server.sent_bytes(), LEN + 400_000);
}

#[test]
fn wrong_bytes_are_thrown_away_and_fetched_once_more() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.fault(BIG, Fault::Corrupt);
    server.fault(SMALL, Fault::Corrupt);
    let paths = get(config(&server, cache.path()), &[file(BIG), file(SMALL)]).expect("downloaded");
    assert_eq!(fs::read(&paths[0]).expect("read"), weights(LEN));
    assert_eq!(server.ranges(BIG), [None, None]);
    assert_eq!(server.ranges(SMALL), [None, None]);
}

#[test]
fn bytes_that_stay_wrong_never_get_a_name() {
    for (fault, word) in [(Fault::Corrupt, "checksum"), (Fault::TooLong, "1048580")] {
        for path in [BIG, SMALL] {
            let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
            server.always(path, fault.clone());
            let failure = failed(get(config(&server, cache.path()), &[file(path)]));
            assert!(path == SMALL || failure.to_string().contains(word), "{failure}");
            assert_eq!(server.ranges(path), [None, None]);
            assert!(blobs(cache.path()).iter().all(|(name, len)| name.ends_with(".incomplete") && *len == 0));
            assert!(!cache.path().join("models--org--name/snapshots").exists());
        }
    }
}

#[test]
fn a_file_other_than_the_listed_one_is_refused_before_it_is_fetched() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let mut listed = file(BIG);
    listed.sha256 = Some(sha256(b"another file"));
    let failure = failed(get(config(&server, cache.path()), &[listed.clone()]));
    assert!(failure.to_string().contains("changed"), "{failure}");
    assert_eq!(server.sent_bytes(), 0);
    listed.sha256 = Some(sha256(&weights(LEN)).to_uppercase());
    get(config(&server, cache.path()), &[listed]).expect("downloaded");
}

#[test]
fn two_at_once_fetch_a_file_once() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    server.always(BIG, Fault::Slow);
    let download = || get(config(&server, cache.path()), &[file(SMALL), file(BIG)]).expect("downloaded");
    thread::scope(|scope| {
        let both = [scope.spawn(download), scope.spawn(download)];
        for one in both {
            let paths = one.join().expect("joins");
            assert_eq!(fs::read(&paths[1]).expect("read"), weights(LEN));
        }
    });
    assert_eq!(server.sent_bytes(), LEN + 9);
}

#[test]
fn an_older_snapshot_serves_until_the_newer_one_is_whole() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let repo = cache.path().join("models--org--name");
    let old = "f".repeat(40);
    fs::create_dir_all(repo.join("snapshots").join(&old).join("unet")).expect("create");
    fs::create_dir_all(repo.join("refs")).expect("create");
    fs::write(repo.join("snapshots").join(&old).join(SMALL), b"{}").expect("write");
    fs::write(repo.join("refs/main"), &old).expect("write");
    server.always(BIG, Fault::RefuseBody(403, &[]));
    failed(get(config(&server, cache.path()), &[file(SMALL), file(BIG)]));
    assert_eq!(fs::read_to_string(repo.join("refs/main")).expect("read"), old);
    server.heal(BIG);
    get(config(&server, cache.path()), &[file(SMALL), file(BIG)]).expect("downloaded");
    assert_eq!(fs::read_to_string(repo.join("refs/main")).expect("read"), COMMIT);
}

#[test]
fn too_little_space_is_said_before_the_first_byte() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let small_disk = HubConfig { free_bytes: |_| Some(600_000), ..config(&server, cache.path()) };
    let failure = failed(get(small_disk.clone(), &[file(SMALL), file(BIG)]));
    let text = failure.to_string();
    assert!(text.contains("needs 1.0 MB, and 600.0 kB are free"), "{text}");
    assert!(text.contains(&*cache.path().to_string_lossy()), "{text}");
    assert_eq!(server.sent_bytes(), 0);
    // What is there already needs no space.
    let incomplete = cache.path().join("models--org--name/blobs").join(sha256(&weights(LEN)) + ".incomplete");
    fs::create_dir_all(incomplete.parent().expect("folder")).expect("create");
    fs::write(&incomplete, &weights(LEN)[..500_000]).expect("write");
    get(small_disk, &[file(SMALL), file(BIG)]).expect("downloaded");
}

#[test]
fn single_precision_stands_in_where_there_is_no_half() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let half = file("unet/diffusion_pytorch_model.fp16.safetensors");
    let paths = get(config(&server, cache.path()), std::slice::from_ref(&half)).expect("downloaded");
    assert!(paths[0].ends_with(BIG));
    let before = server.seen().len();
    assert_eq!(get(config(&server, cache.path()), &[half]), Ok(paths));
    assert_eq!(server.seen().len(), before);
}

#[test]
fn a_repository_is_listed_with_sizes() {
    let (server, cache) = (hub(), tempfile::tempdir().expect("temporary folder"));
    let hub = Hub::new(config(&server, cache.path()));
    let listed: Vec<_> =
        hub.list("org/name", "main").expect("listed").into_iter().map(|f| (f.path, f.size_bytes)).collect();
    assert_eq!(listed, [(SMALL.to_owned(), Some(9)), (BIG.to_owned(), Some(LEN as u64))]);
    let text = hub.list("org/none", "main").expect_err("refused").to_string();
    assert!(text.contains("has no org/none"), "{text}");
}
