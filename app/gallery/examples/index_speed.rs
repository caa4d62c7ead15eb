//! How long the index of saved pictures takes: `cargo run --release -p fourstep-gallery --example index_speed [COUNT] [SIDE]`.

#![expect(clippy::print_stdout, reason = "it prints its figures")]

use fourstep_gallery::{Index, Listing, Query, save};
use fourstep_protocol::{Picture, Request};
use std::{
    error::Error,
    path::Path,
    sync::{Arc, mpsc::Receiver},
    time::Instant,
};

const THINGS: [&str; 8] = ["apple", "fox", "boat", "castle", "teapot", "lantern", "bicycle", "owl"];
const LOOKS: [&str; 6] = ["red", "blue", "golden", "tiny", "watercolour", "紅色的"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let count = arguments.next().transpose()?.unwrap_or(5000);
    let side = arguments.next().transpose()?.unwrap_or(128);
    let place = tempfile::tempdir()?;
    let folder = place.path().join("pictures");
    std::fs::create_dir_all(&folder)?;
    for i in 0..count {
        write(&folder, i, side)?;
    }
    let (sender, changed) = std::sync::mpsc::channel();
    let wake = move || {
        let _ = sender.send(());
    };
    let index = Index::open(place.path().join("gallery.sqlite"), folder, wake)?;
    let clock = Instant::now();
    index.look();
    let total = count as usize;
    wait(&index, &changed, |listing| listing.total == total && listing.waiting == 0)?;
    println!("{count} pictures of {side}×{side}: indexed in {:.2} s", clock.elapsed().as_secs_f64());
    while changed.try_recv().is_ok() {}
    let clock = Instant::now();
    index.look();
    changed.recv()?;
    println!("looked through again, nothing new: {:.1} ms", clock.elapsed().as_secs_f64() * 1e3);
    for words in ["", "fox", "golden te", "紅色", "no such thing"] {
        while changed.try_recv().is_ok() {}
        let clock = Instant::now();
        index.find(Query { words: words.into(), ..Query::default() });
        changed.recv()?;
        let found = index.listing().entries.len();
        println!("{words:?}: {found} found in {:.1} ms", clock.elapsed().as_secs_f64() * 1e3);
    }
    let bytes = std::fs::metadata(place.path().join("gallery.sqlite"))?.len();
    println!("the index takes {:.1} MB", bytes as f64 / 1e6);
    Ok(())
}

fn write(folder: &Path, i: u32, side: u32) -> Result<(), Box<dyn Error>> {
    let (thing, look) = (THINGS[i as usize % THINGS.len()], LOOKS[i as usize / 7 % LOOKS.len()]);
    let json = format!(
        r#"{{"model": "sticker", "prompt": "a {look} {thing} number {i} on a plain background", "seed": {i},
            "size": {{"width": {side}, "height": {side}}}, "sampler": "lcm", "steps": 4, "guidance_scale": 1.0}}"#
    );
    let request: Request = serde_json::from_str(&json)?;
    let byte = |at: u32| ((at / 3 % side + at / 3 / side * (at % 3 + 1) + i * 37) % 256) as u8;
    let rgb = (0..side * side * 3).map(byte).collect();
    let picture = Picture::new(side, side, rgb).ok_or("no picture")?;
    save(&folder.join(format!("fourstep-{i:05}-{thing}.png")), &picture, &request, None, &|_| None)?;
    Ok(())
}

fn wait(
    index: &Index,
    changed: &Receiver<()>,
    is_so: impl Fn(&Listing) -> bool,
) -> Result<Arc<Listing>, Box<dyn Error>> {
    loop {
        let listing = index.listing();
        if is_so(&listing) {
            return Ok(listing);
        }
        changed.recv()?;
    }
}
