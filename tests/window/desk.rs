//! A screen with a window manager, a home folder of its own, and hands: Xvfb, openbox, xdotool, imagemagick.

use super::{place, seen::Seen};
use fourstep_session::Settings;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long anything may take on a busy machine before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(60);
/// Below the person's home folder.
pub(crate) const HF_HOME: &str = "huggingface";
const MISSING: &str = "is not installed: `bash tests/run.sh` installs what the window tests need";

pub(crate) struct Desk {
    /// One desk at a time: two servers that start together may choose the same display, and times are only true alone.
    _alone: MutexGuard<'static, ()>,
    server: Child,
    manager: Child,
    display: String,
    home: tempfile::TempDir,
    /// What the program is told besides.
    environment: Vec<(&'static str, String)>,
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
        let home = tempfile::tempdir().expect("a temporary folder");
        let desk = Self { _alone, server, manager, display, home, environment: Vec::new() };
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
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("HF_HOME", self.path(HF_HOME))
            .env_remove("HF_HUB_CACHE")
            .env("RUST_LOG", "error,fourstep=warn,rfd=off")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .spawn()
            .expect("the program starts");
        let mut window = Window { desk: self, program, id: String::new(), up_after: Duration::ZERO };
        window.id = window.wait_for("the window", || {
            let found = self.hand("xdotool", &["search", "--onlyvisible", "--name", "^Fourstep$"]);
            found.lines().last().map(str::to_owned)
        });
        window.up_after = clock.elapsed();
        if !self.was_welcomed() {
            window.wait_for("the first page", || window.picture(place::START).has_accent().then_some(()));
            window.key("Escape");
        }
        window
    }

    /// Whether the first page was seen, and that was kept.
    fn was_welcomed(&self) -> bool {
        let kept = std::fs::read(self.path("config/fourstep/settings.json")).ok();
        kept.and_then(|json| serde_json::from_slice::<Settings>(&json).ok()).is_some_and(|kept| kept.ui.welcomed)
    }

    /// The same desk, where the program is told this too.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.environment.push((name, value));
        self
    }

    /// A file or folder of the person's home folder.
    pub(crate) fn path(&self, below_home: &str) -> PathBuf {
        self.home.path().join(below_home)
    }

    /// Pictures in the person's folder.
    pub(crate) fn saved_pictures(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.path("Fourstep"));
        let pngs = folder.into_iter().flatten().flatten().map(|entry| entry.path());
        pngs.filter(|path| path.extension().is_some_and(|e| e == "png")).collect()
    }

    /// What the program kept for its next start.
    pub(crate) fn settings(&self) -> Settings {
        let json = std::fs::read(self.path("config/fourstep/settings.json")).expect("settings.json");
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
        self.breathe();
        for step in 1..=12 {
            self.mouse((from.0 + (to.0 - from.0) * step / 12, from.1 + (to.1 - from.1) * step / 12));
            std::thread::sleep(Duration::from_millis(30));
        }
        self.breathe();
        self.desk.hand("xdotool", &["mouseup", "1"]);
        self.breathe();
    }

    pub(crate) fn key(&self, key: &str) {
        self.desk.hand("xdotool", &["key", "--clearmodifiers", key]);
        self.breathe();
    }

    /// Several keys in a row, without a pause for what they lead to.
    pub(crate) fn keys(&self, keys: &str) {
        let mut arguments = vec!["key", "--delay", "40"];
        arguments.extend(keys.split(' '));
        self.desk.hand("xdotool", &arguments);
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
    pub(crate) fn picture(&self, area: [u32; 4]) -> Seen {
        let file = self.desk.path("seen.png");
        self.import(&file);
        Seen::of(&file, area)
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
        self.screenshot("no-sign");
        panic!("no sign of {what} in {PATIENCE:?}: see target/window/no-sign.png");
    }

    /// Processor time that the program used so far, in seconds.
    pub(crate) fn cpu_secs(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.program.id())).expect("a process");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        // utime and stime, in ticks of 1/100 s on every Linux.
        [11, 12].iter().map(|i| fields[*i].parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
    }

    /// Ends the program as a crash or a power failure does.
    pub(crate) fn kill(mut self) {
        self.program.kill().expect("it runs");
        self.program.wait().expect("a child");
    }

    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.desk.hand("xdotool", &["windowsize", "--sync", &self.id, &width.to_string(), &height.to_string()]);
        std::thread::sleep(Duration::from_millis(600));
    }

    /// The screen it is on.
    pub(crate) fn display(&self) -> &str {
        &self.desk.display
    }

    /// Which window it is, for X11.
    pub(crate) fn id(&self) -> u32 {
        self.id.parse().expect("a number")
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
