//! A hand that drags files from another program onto a window and lets them go: the source's side of XDND, version 5.

use super::desk::Window;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
            SelectionNotifyEvent, SelectionRequestEvent, WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Files on their way.
pub(crate) struct Dragging {
    connection: RustConnection,
    source: u32,
    target: u32,
    at: (i32, i32),
    files: String,
}

impl Dragging {
    /// Takes the files over a place of the window and waits until the program has seen what they are.
    pub(crate) fn over(window: &Window<'_>, at: (i32, i32), files: &[&Path]) -> Self {
        let (connection, screen) = x11rb::connect(Some(window.display())).expect("the server is there");
        let root = &connection.setup().roots[screen];
        let (root, visual) = (root.root, root.root_visual);
        let source = connection.generate_id().expect("an id");
        let (class, aux) = (WindowClass::INPUT_ONLY, CreateWindowAux::new());
        connection.create_window(0, source, root, 0, 0, 1, 1, 0, class, visual, &aux).expect("sent");
        let files: String = files.iter().map(|path| format!("file://{}\r\n", path.display())).collect();
        let dragging = Self { connection, source, target: window.id(), at, files };
        let selection = dragging.atom("XdndSelection");
        dragging.connection.set_selection_owner(source, selection, CURRENT_TIME).expect("sent");
        dragging.tell("XdndEnter", [5 << 24, dragging.atom("text/uri-list"), 0, 0]);
        dragging.tell_place();
        dragging.wait_for("XdndStatus");
        dragging
    }

    /// Lets them go and waits until the program has them.
    pub(crate) fn drop_them(self) {
        self.tell_place();
        self.wait_for("XdndStatus");
        self.tell("XdndDrop", [0, CURRENT_TIME, 0, 0]);
        self.wait_for("XdndFinished");
    }

    fn tell_place(&self) {
        let root = self.connection.setup().roots[0].root;
        let (x, y) = (self.at.0 as i16, self.at.1 as i16);
        let place = self.connection.translate_coordinates(self.target, root, x, y).expect("sent");
        let place = place.reply().expect("the window is on the screen");
        let place = (place.dst_x as u32) << 16 | place.dst_y as u32;
        self.tell("XdndPosition", [0, place, CURRENT_TIME, self.atom("XdndActionCopy")]);
    }

    fn tell(&self, what: &str, data: [u32; 4]) {
        let data = [self.source, data[0], data[1], data[2], data[3]];
        let message = ClientMessageEvent::new(32, self.target, self.atom(what), data);
        self.connection.send_event(false, self.target, EventMask::NO_EVENT, message).expect("sent");
        self.connection.flush().expect("sent");
    }

    /// Answers what the program asks meanwhile.
    fn wait_for(&self, what: &str) {
        let (kind, clock) = (self.atom(what), Instant::now());
        loop {
            match self.connection.poll_for_event().expect("the server is there") {
                Some(Event::ClientMessage(message)) if message.type_ == kind => return,
                Some(Event::SelectionRequest(asked)) => self.name_the_files(&asked),
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(5)),
            }
            assert!(clock.elapsed() < PATIENCE, "no {what} in {PATIENCE:?}");
        }
    }

    fn name_the_files(&self, asked: &SelectionRequestEvent) {
        let (window, property) = (asked.requestor, asked.property);
        let text = self.files.as_bytes();
        self.connection.change_property8(PropMode::REPLACE, window, property, asked.target, text).expect("sent");
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: asked.time,
            requestor: window,
            selection: asked.selection,
            target: asked.target,
            property,
        };
        self.connection.send_event(false, window, EventMask::NO_EVENT, answer).expect("sent");
        self.connection.flush().expect("sent");
    }

    fn atom(&self, name: &str) -> u32 {
        let asked = self.connection.intern_atom(false, name.as_bytes()).expect("sent");
        asked.reply().map_or(AtomEnum::NONE.into(), |reply| reply.atom)
    }
}
