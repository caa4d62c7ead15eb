//! A screen with a window manager, a home folder of its own, and hands: Xvfb, openbox, xdotool, imagemagick.

use fourstep_protocol::Picture;
use fourstep_session::Settings;
use image::{RgbImage, imageops};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long anything may take on a busy machine before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(60);
const MISSING: &str = "is not installed: `bash tests/run.sh` installs what the window tests need";

pub(crate) struct Desk {
    /// One desk at a time: two servers that start together may choose the same display, and times are only true alone.
    _alone: MutexGuard<'static, ()>,
    server: Child,
    manager: Child,
    display: String,
    home: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Without -noreset the server starts over whenever its last client leaves, as the hands below do.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{width}x{height}x24"), "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("Xvfb {MISSING} ({e})"));
        let mut number = String::new();
        let stdout = server.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut number).expect("Xvfb names its display");
        let display = format!(":{}", number.trim());
        let manager = Command::new("openbox")
            .env("DISPLAY", &display)
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("openbox {MISSING} ({e})"));
        let desk = Self { _alone, server, manager, display, home: tempfile::tempdir().expect("a temporary folder") };
        desk.wait_for_manager();
        desk
    }

    /// A person starts programs on a desktop that is up; one that is still starting has refused connections.
    fn wait_for_manager(&self) {
        let clock = Instant::now();
        while !self.hand("xprop", &["-root", "_NET_SUPPORTING_WM_CHECK"]).contains("window id") {
            assert!(clock.elapsed() < PATIENCE, "no window manager on {} in {PATIENCE:?}", self.display);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts the program without arguments and waits for its window.
    pub(crate) fn start(&self) -> Window<'_> {
        let clock = Instant::now();
        let program = Command::new(env!("CARGO_BIN_EXE_fourstep"))
            .env("DISPLAY", &self.display)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("RUST_LOG", "error,fourstep=warn")
            .spawn()
            .expect("the program starts");
        let mut window = Window { desk: self, program, id: String::new(), up_after: Duration::ZERO };
        window.id = window.wait_for("the window", || {
            let found = self.hand("xdotool", &["search", "--onlyvisible", "--name", "^Fourstep$"]);
            found.lines().last().map(str::to_owned)
        });
        window.up_after = clock.elapsed();
        window
    }

    /// Pictures in the person's folder.
    pub(crate) fn saved_pictures(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.home.path().join("Fourstep"));
        let pngs = folder.into_iter().flatten().flatten().map(|entry| entry.path());
        pngs.filter(|path| path.extension().is_some_and(|e| e == "png")).collect()
    }

    /// What the program kept for its next start.
    pub(crate) fn settings(&self) -> Settings {
        let json = std::fs::read(self.home.path().join("config/fourstep/settings.json")).expect("settings.json");
        serde_json::from_slice(&json).expect("settings")
    }

    fn hand(&self, tool: &str, arguments: &[&str]) -> String {
        let output = Command::new(tool).args(arguments).env("DISPLAY", &self.display).output();
        let output = output.unwrap_or_else(|e| panic!("{tool} {MISSING} ({e})"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) struct Window<'a> {
    desk: &'a Desk,
    program: Child,
    id: String,
    /// From starting the process to a visible window.
    pub(crate) up_after: Duration,
}

impl Window<'_> {
    pub(crate) fn click(&self, at: (i32, i32)) {
        self.mouse(at);
        self.desk.hand("xdotool", &["click", "1"]);
        self.breathe();
    }

    pub(crate) fn drag(&self, from: (i32, i32), to: (i32, i32)) {
        self.mouse(from);
        self.desk.hand("xdotool", &["mousedown", "1"]);
        for step in 1..=12 {
            self.mouse((from.0 + (to.0 - from.0) * step / 12, from.1 + (to.1 - from.1) * step / 12));
            std::thread::sleep(Duration::from_millis(30));
        }
        self.desk.hand("xdotool", &["mouseup", "1"]);
        self.breathe();
    }

    pub(crate) fn key(&self, key: &str) {
        self.desk.hand("xdotool", &["key", "--clearmodifiers", key]);
        self.breathe();
    }

    pub(crate) fn type_text(&self, text: &str, delay_ms: u32) {
        self.desk.hand("xdotool", &["type", "--delay", &delay_ms.to_string(), text]);
    }

    /// Keeps what the window shows as `target/window/NAME.png`.
    pub(crate) fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/window");
        std::fs::create_dir_all(&folder).expect("target/window");
        self.import(&folder.join(format!("{name}.png")));
    }

    /// What is shown in a part of the window.
    pub(crate) fn picture(&self, [x, y, w, h]: [u32; 4]) -> Seen {
        let file = self.desk.home.path().join("seen.png");
        self.import(&file);
        let whole = image::open(&file).expect("a screenshot").to_rgb8();
        Seen(imageops::crop_imm(&whole, x, y, w, h).to_image())
    }

    /// Waits until a painted picture is there and has stopped changing: longer than a run takes.
    pub(crate) fn settled_picture(&self, area: [u32; 4]) -> Seen {
        let mut last = self.picture(area);
        let mut still_since = Instant::now();
        self.wait_for("a picture that stands still", || {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.picture(area);
            if now.differs_from(&last) {
                still_since = Instant::now();
                last = now;
            }
            (last.is_painted() && still_since.elapsed() > Duration::from_millis(1500)).then(|| last.clone())
        })
    }

    pub(crate) fn wait_for<T>(&self, what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
        let clock = Instant::now();
        while clock.elapsed() < PATIENCE {
            if let Some(found) = ready() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no sign of {what} in {PATIENCE:?}");
    }

    /// Processor time that the program used so far, in seconds.
    pub(crate) fn cpu_secs(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.program.id())).expect("a process");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        // utime and stime, in ticks of 1/100 s on every Linux.
        [11, 12].iter().map(|i| fields[*i].parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
    }

    /// Closes the window through the window manager and waits for the program to end well.
    pub(crate) fn close(mut self) {
        self.desk.hand("xdotool", &["windowactivate", &self.id, "key", "--clearmodifiers", "alt+F4"]);
        let clock = Instant::now();
        loop {
            match self.program.try_wait().expect("a child") {
                Some(status) => return assert!(status.success(), "the program ended with {status}"),
                None if clock.elapsed() > PATIENCE => panic!("the program does not end"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn mouse(&self, (x, y): (i32, i32)) {
        self.desk.hand("xdotool", &["mousemove", "--window", &self.id, &x.to_string(), &y.to_string()]);
    }

    fn import(&self, file: &Path) {
        self.desk.hand("import", &["-window", &self.id, file.to_str().expect("UTF-8")]);
    }

    fn breathe(&self) {
        std::thread::sleep(Duration::from_millis(150));
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// A part of a screenshot.
#[derive(Clone)]
pub(crate) struct Seen(RgbImage);

impl Seen {
    /// More than a rounding here and there: a mean difference of two levels.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        mean_difference(&self.0, &other.0) > 2.0
    }

    /// Whether there is colour: the empty stage is grey.
    fn is_painted(&self) -> bool {
        let coloured = |p: &image::Rgb<u8>| p.0.iter().max() > p.0.iter().min().map(|v| v.saturating_add(16)).as_ref();
        self.0.pixels().filter(|p| coloured(p)).count() * 10 > self.0.pixels().len()
    }

    /// Whether this is the middle of that picture, enlarged: the colours agree in the large.
    pub(crate) fn looks_like(&self, picture: &Picture) -> bool {
        let whole = RgbImage::from_raw(picture.width(), picture.height(), picture.rgb().to_vec()).expect("its bytes");
        // The stage shows the square picture 624 px wide, and 500 px from its middle are looked at.
        let side = f64::from(picture.width()) * 500.0 / 624.0;
        let edge = ((f64::from(picture.width()) - side) / 2.0) as u32;
        let middle = imageops::crop_imm(&whole, edge, edge, side as u32, side as u32).to_image();
        let small = |i: &RgbImage| imageops::resize(i, 16, 16, imageops::FilterType::Triangle);
        mean_difference(&small(&middle), &small(&self.0)) < 12.0
    }
}

fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.as_raw().len() as f64
}
