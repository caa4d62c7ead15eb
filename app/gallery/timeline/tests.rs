use super::*;
use fourstep_protocol::{Latents, Picture, RunId, Timings};
use std::{fs, path::Path, time::Instant};

/// A picture of noise, so that its file is as large as it can be.
fn finished(seed: u64, side: u32) -> Finished {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let rgb = (0..side * side * 3).map(|_| byte()).collect();
    let request = serde_json::json!({
        "model": "sticker", "prompt": format!("frame {seed}"), "seed": seed, "size": {"width": side, "height": side},
        "sampler": "lcm", "steps": 4, "guidance_scale": 1.0,
    });
    let request: Request = serde_json::from_value(request).expect("a request");
    Finished {
        run: RunId(seed),
        picture: Arc::new(Picture::new(side, side, rgb).expect("its bytes")),
        latents: Arc::new(Latents { channels: 4, height: 0, width: 0, data: vec![] }),
        timings: Timings { total_secs: 0.5, ..Timings::default() },
        request: Arc::new(request),
    }
}

fn open(folder: &Path, max_bytes: u64) -> Timeline {
    Timeline::open(folder.to_owned(), max_bytes, || {}).expect("a thread")
}

fn keep(timeline: &Timeline, seed: u64) {
    let finished = finished(seed, 64);
    timeline.keep(&finished, (*finished.request).clone());
}

/// Waits until it is so.
fn wait(timeline: &Timeline, is_so: impl Fn(&Kept) -> bool) -> Arc<Kept> {
    let begun = Instant::now();
    loop {
        let kept = timeline.kept();
        if is_so(&kept) {
            return kept;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} frames, {:?}", kept.frames.len(), kept.failure);
        thread::sleep(Duration::from_millis(2));
    }
}

fn seeds(kept: &Kept) -> Vec<u64> {
    kept.frames.iter().map(|frame| frame.open().expect("readable").request.seed).collect()
}

#[test]
fn frames_and_stars_come_back_at_the_next_start() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let timeline = open(folder.path(), 64 << 20);
    for seed in [1, 2, 2, 3] {
        keep(&timeline, seed);
    }
    let kept = wait(&timeline, |kept| kept.frames.len() == 3);
    timeline.star(kept.frames[0].id, true);
    timeline.star(kept.frames[1].id, true);
    timeline.star(kept.frames[1].id, false);
    drop(timeline);

    let again = open(folder.path(), 64 << 20);
    let kept = wait(&again, |kept| !kept.frames.is_empty());
    assert_eq!(seeds(&kept), [1, 2, 3], "the same picture twice in a row is kept once");
    assert_eq!(kept.frames.iter().map(|f| f.starred).collect::<Vec<_>>(), [true, false, false]);
    let (frame, original) = (kept.frames[2].open().expect("readable"), finished(3, 64));
    assert_eq!((&frame.picture, &frame.request), (&*original.picture, &*original.request));
    assert_eq!(frame.timings.total_secs, 0.5);
    assert_eq!(kept.frames[2].thumbnail().expect("readable").width(), 64);
    let on_disk: u64 = fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.metadata().unwrap().len()).sum();
    assert_eq!(kept.bytes, on_disk);
    // The first picture of the next start is often the last one of this.
    keep(&again, 3);
    keep(&again, 4);
    assert_eq!(seeds(&wait(&again, |kept| kept.frames.len() > 3)), [1, 2, 3, 4]);
}

#[test]
fn the_oldest_go_and_starred_ones_stay() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let max_bytes = 512 << 10;
    let timeline = open(folder.path(), max_bytes);
    keep(&timeline, 1);
    let first = wait(&timeline, |kept| kept.frames.len() == 1).frames[0].id;
    timeline.star(first, true);
    for seed in 2..150 {
        keep(&timeline, seed);
        let kept =
            wait(&timeline, |kept| kept.frames.last().is_some_and(|f| f.open().is_ok_and(|f| f.request.seed == seed)));
        assert!(kept.bytes <= max_bytes + (32 << 10), "{} bytes", kept.bytes);
    }
    let kept = timeline.kept();
    assert!(kept.frames.len() > 20 && kept.frames.len() < 60, "{} frames", kept.frames.len());
    let all = seeds(&kept);
    assert_eq!((all[0], kept.frames[0].starred), (1, true));
    assert!(all[1] > 90 && all[1..].windows(2).all(|w| w[1] == w[0] + 1), "{all:?}");
    timeline.set_max_bytes(128 << 10);
    let fewer = wait(&timeline, |kept| kept.bytes <= 160 << 10);
    assert_eq!(seeds(&fewer)[0], 1);
    drop(timeline);
    let kept = wait(&open(folder.path(), max_bytes), |kept| !kept.frames.is_empty());
    assert_eq!((seeds(&kept), kept.frames[0].starred), (seeds(&fewer), true));
}

#[test]
fn two_programs_at_once_write_beside_each_other() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let max_bytes = 512 << 10;
    let both = [open(folder.path(), max_bytes), open(folder.path(), max_bytes)];
    for seed in 0..120 {
        keep(&both[(seed % 2) as usize], seed);
        wait(&both[(seed % 2) as usize], |kept| {
            kept.frames.last().is_some_and(|f| f.open().is_ok_and(|f| f.request.seed == seed))
        });
    }
    assert!(both.iter().all(|timeline| timeline.kept().failure.is_none()));
    drop(both);
    let again = open(folder.path(), max_bytes);
    let kept = wait(&again, |kept| !kept.frames.is_empty());
    let all = seeds(&kept);
    assert!(all.len() > 15 && all.windows(2).all(|w| w[1] > w[0]), "{all:?}");
    keep(&again, 1000);
    assert!(wait(&again, |kept| kept.bytes <= max_bytes).frames.len() > 10);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_until_it_can() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path().join("timeline");
    fs::write(&place, b"a file in the way").expect("written");
    let timeline = open(&place, 64 << 20);
    keep(&timeline, 1);
    let failure = wait(&timeline, |kept| kept.failure.is_some()).failure.clone().expect("told");
    assert!(failure.remedy.contains(&place.display().to_string()), "{failure}");
    fs::remove_file(&place).expect("removed");
    keep(&timeline, 2);
    // The first may have been waiting to be written when the way became free.
    let ends_with =
        |kept: &Kept, seed| kept.frames.last().is_some_and(|f| f.open().is_ok_and(|f| f.request.seed == seed));
    wait(&timeline, |kept| kept.failure.is_none() && ends_with(kept, 2));
    // The folder goes while the program runs.
    fs::remove_dir_all(&place).expect("removed");
    keep(&timeline, 3);
    assert_eq!(seeds(&wait(&timeline, |kept| ends_with(kept, 3))), [3]);
}
