//! What a program that is killed leaves behind: the timeline and the saved pictures, whole.

use super::{desk::Desk, place};
use fourstep_gallery::{Frame, Index, Timeline, open};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

/// Each a new seed, and so a new picture.
const KEYS: &str = "r r r r r r r r r r r r r r r r r r r r r r r r";

#[test]
fn kills_while_painting_cost_no_picture() {
    println!("{}", kill_again_and_again(5));
}

#[test]
#[ignore = "takes minutes: the same as above, fifty times"]
fn fifty_kills_while_painting_cost_no_picture() {
    println!("{}", kill_again_and_again(50));
}

/// What was found in the end.
fn kill_again_and_again(times: u64) -> String {
    let desk = Desk::new(1440, 900);
    let (mut painted, mut saved) = (BTreeSet::new(), 0);
    for kill in 0..times {
        let window = desk.start();
        let was_there = painted.len();
        // The first picture of a start may be the last frame, which is not kept twice.
        window.wait_for("the frames", || (count(&desk) >= was_there.max(1)).then_some(()));
        window.click(place::STAGE);
        // Into the gallery too, whose index is then being made.
        if kill % 3 == 1 {
            window.click(place::GALLERY);
        }
        window.key("ctrl+s");
        let begun = Instant::now();
        let after = Duration::from_millis(100 + kill * 7919 % 23 * 90);
        while begun.elapsed() < after {
            window.keys(KEYS);
        }
        window.kill();

        let frames = frames(&desk);
        let now: BTreeSet<u64> = frames.iter().map(|frame| frame.id.0).collect();
        assert!(painted.is_subset(&now), "kill {kill}: frames are gone that were there before");
        for frame in &frames {
            let kept = frame.open().unwrap_or_else(|e| panic!("kill {kill}: frame {}: {e}", frame.id.0));
            assert_eq!((kept.picture.width(), kept.picture.height()), (256, 256));
            assert_eq!(kept.request.prompt, fourstep_session::SAMPLE_PROMPT);
        }
        let pictures = desk.saved_pictures();
        assert!(pictures.len() >= saved, "kill {kill}: saved pictures are gone");
        for picture in &pictures {
            assert!(open(picture).expect("a whole picture").request.is_some(), "{} has no settings", picture.display());
        }
        (painted, saved) = (now, pictures.len());
    }
    // A busy machine is killed before it has painted more than once in a start or two.
    assert!(painted.len() > 1 && saved > 0, "{} frames, {saved} saved pictures", painted.len());
    assert_eq!(listed(&desk), saved, "the index knows every saved picture");
    // And the program starts as if nothing had happened.
    let window = desk.start();
    window.settled_picture(place::PICTURE);
    window.screenshot("timeline");
    window.click(place::GALLERY);
    std::thread::sleep(Duration::from_secs(2));
    window.screenshot("gallery");
    window.close();
    format!("{times} kills: {} frames and {saved} saved pictures, all whole", painted.len())
}

fn folder(desk: &Desk) -> std::path::PathBuf {
    desk.path("data/fourstep/timeline")
}

/// Whole frames on disk.
fn frames(desk: &Desk) -> Vec<Frame> {
    let (sender, loaded) = channel();
    let changed = move || {
        let _ = sender.send(());
    };
    let timeline = Timeline::open(folder(desk), u64::MAX, changed).expect("a thread");
    loaded.recv().expect("it has looked");
    let kept = timeline.kept();
    assert_eq!(kept.failure, None);
    kept.frames.clone()
}

fn count(desk: &Desk) -> usize {
    if Path::new(&folder(desk)).is_dir() { frames(desk).len() } else { 0 }
}

/// Saved pictures that the index lists.
fn listed(desk: &Desk) -> usize {
    let file = desk.path("data/fourstep/gallery.sqlite");
    let index = Index::open(file, desk.path("Fourstep"), || {}).expect("a thread");
    index.look();
    let begun = Instant::now();
    loop {
        let listing = index.listing();
        if listing.total > 0 && listing.waiting == 0 {
            return listing.entries.len();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing is listed: {:?}", listing.failure);
        std::thread::sleep(Duration::from_millis(20));
    }
}
