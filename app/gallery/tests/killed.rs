//! The timeline of a program that is killed at any instant.

use fourstep_gallery::Timeline;
use fourstep_protocol::{Finished, Latents, Picture, Request, RunId, Timings};
use std::{
    collections::{HashMap, HashSet},
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// Tells this test, started again, to be the program that is killed: where to write.
const VICTIM: &str = "FOURSTEP_TEST_TIMELINE";
const KILLS: u64 = 50;

#[test]
fn everything_acknowledged_is_there_after_fifty_kills() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (mut painted, mut starred) = (HashMap::new(), HashSet::new());
    for kill in 0..KILLS {
        for line in lines_until_killed(folder.path(), kill) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["kept", id, seed] => drop(painted.insert(id.to_owned(), seed.to_owned())),
                ["starred", id] => drop(starred.insert(id.to_owned())),
                _ => {}
            }
        }
    }
    assert!(painted.len() > 500 && starred.len() > 20, "{} frames, {} stars", painted.len(), starred.len());
    let timeline = open(folder.path());
    let kept = timeline.kept();
    let found: HashMap<String, _> = kept.frames.iter().map(|frame| (frame.id.0.to_string(), frame)).collect();
    for (id, seed) in &painted {
        let frame = found.get(id).unwrap_or_else(|| panic!("frame {id} was acknowledged and is gone"));
        let opened = frame.open().unwrap_or_else(|e| panic!("frame {id}: {e}"));
        assert_eq!(opened.request.seed.to_string(), *seed);
        assert_eq!(opened.picture, picture(opened.request.seed));
        assert!(frame.starred || !starred.contains(id), "the star of {id} is gone");
    }
    println!("{KILLS} kills: {} frames and {} stars acknowledged, {} found", painted.len(), starred.len(), found.len());
}

/// What the program said before it was killed, whole lines only.
fn lines_until_killed(folder: &Path, kill: u64) -> Vec<String> {
    let mut victim = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "a_program_that_paints", "--nocapture"])
        .env(VICTIM, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut output = BufReader::new(victim.stdout.take().expect("piped"));
    let mut first = Vec::new();
    while !first.ends_with(b"painting\n") {
        assert!(output.read_until(b'\n', &mut first).expect("output") > 0, "it does not paint");
    }
    // Any instant: from the first frame to some dozens later.
    std::thread::sleep(Duration::from_micros(500 + kill * 7919 % 97 * 1013));
    victim.kill().expect("it runs");
    victim.wait().expect("a child");
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).expect("output") > 0 {
        lines.extend(String::from_utf8(std::mem::take(&mut line)).ok().filter(|l| l.ends_with('\n')));
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn a_program_that_paints() {
    let Some(folder) = env::var_os(VICTIM) else { return };
    let timeline = open(Path::new(&folder));
    let mut out = std::io::stdout();
    writeln!(out, "painting").expect("the parent reads");
    let first = std::process::id() as u64 * 1_000_000;
    let begun = Instant::now();
    for seed in first.. {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody killed it");
        let had = timeline.kept().frames.last().map(|frame| frame.id);
        let finished = finished(seed);
        timeline.keep(&finished, (*finished.request).clone());
        let id = loop {
            let newest = timeline.kept().frames.last().map(|frame| frame.id);
            match newest.filter(|id| Some(*id) != had) {
                Some(id) => break id,
                None => std::thread::yield_now(),
            }
        };
        writeln!(out, "kept {} {seed}", id.0).expect("the parent reads");
        if seed % 7 == 0 {
            timeline.star(id, true);
            while !timeline.kept().frames.last().is_some_and(|frame| frame.starred) {
                std::thread::yield_now();
            }
            writeln!(out, "starred {}", id.0).expect("the parent reads");
        }
    }
}

fn open(folder: &Path) -> Timeline {
    let (sender, loaded) = std::sync::mpsc::channel();
    let changed = move || {
        let _ = sender.send(());
    };
    let timeline = Timeline::open(folder.to_owned(), 4 << 30, changed).expect("a thread");
    loaded.recv().expect("it has looked");
    timeline
}

fn picture(seed: u64) -> Picture {
    let rgb = (0..128 * 128 * 3u64).map(|i| ((i * 31 + seed) % 251) as u8).collect();
    Picture::new(128, 128, rgb).expect("its bytes")
}

fn finished(seed: u64) -> Finished {
    // As JSON, so that a new field of a request has its default here.
    let json = format!(
        r#"{{"model": "sticker", "prompt": "a red apple", "seed": {seed}, "size": {{"width": 128, "height": 128}},
            "sampler": "lcm", "steps": 4, "guidance_scale": 1.0}}"#
    );
    let request: Request = serde_json::from_str(&json).expect("a request");
    Finished {
        run: RunId(seed),
        picture: Arc::new(picture(seed)),
        latents: Arc::new(Latents { channels: 4, height: 0, width: 0, data: vec![] }),
        timings: Timings::default(),
        request: Arc::new(request),
    }
}
