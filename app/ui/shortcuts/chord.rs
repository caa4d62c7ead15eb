use egui::{Context, Event, Key, Modifiers};
use std::fmt;
use std::str::FromStr;

/// Keys pressed together. Ctrl is ⌘ on a Mac. Written `Ctrl+Shift+O`, with egui's names of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chord {
    pub(super) ctrl: bool,
    pub(super) alt: bool,
    pub(super) shift: bool,
    pub(super) key: Key,
}

impl Chord {
    fn of(key: Key, modifiers: Modifiers) -> Self {
        // A sign that needs Shift on one keyboard does not on another.
        let shift = modifiers.shift && !is_sign(key);
        Self { ctrl: modifiers.command, alt: modifiers.alt, shift, key }
    }

    /// Takes these keys out of the frame's events; how often they were pressed.
    pub(super) fn take(self, ctx: &Context) -> usize {
        ctx.input_mut(|input| {
            let before = input.events.len();
            input.events.retain(|event| !self.is(event));
            before - input.events.len()
        })
    }

    fn is(self, event: &Event) -> bool {
        matches!(event, Event::Key { key, modifiers, pressed: true, .. } if Self::of(*key, *modifiers) == self)
    }

    /// The first keys pressed in this frame, taken out of its events; Escape is not for giving away.
    pub(crate) fn pressed(ctx: &Context) -> Option<Self> {
        let chord = ctx.input(|input| {
            input.events.iter().find_map(|event| match event {
                Event::Key { key: Key::Escape, .. } => None,
                Event::Key { key, modifiers, pressed: true, .. } => Some(Self::of(*key, *modifiers)),
                // The desktop turns Ctrl+C and the like into these.
                Event::Copy => Some(Self::of(Key::C, Modifiers::COMMAND)),
                Event::Cut => Some(Self::of(Key::X, Modifiers::COMMAND)),
                Event::Paste(_) => Some(Self::of(Key::V, Modifiers::COMMAND)),
                _ => None,
            })
        })?;
        ctx.input_mut(|input| {
            input.events.retain(|event| {
                !matches!(event, Event::Key { .. } | Event::Text(_) | Event::Copy | Event::Cut | Event::Paste(_))
            });
        });
        Some(chord)
    }

    /// As it looks on a keyboard: `["Ctrl", "Shift", "O"]`.
    pub(crate) fn caps(self) -> Vec<&'static str> {
        let ctrl = if cfg!(target_os = "macos") { "⌘" } else { "Ctrl" };
        let alt = if cfg!(target_os = "macos") { "⌥" } else { "Alt" };
        let held = [(self.ctrl, ctrl), (self.alt, alt), (self.shift, "Shift")];
        let held = held.into_iter().filter(|(is_held, _)| *is_held).map(|(_, name)| name);
        held.chain([cap(self.key)]).collect()
    }

    /// As a tooltip shows it: `Ctrl+Shift+O`.
    pub(crate) fn label(self) -> String {
        self.caps().join("+")
    }
}

fn is_sign(key: Key) -> bool {
    let signs = [
        Key::Questionmark,
        Key::Plus,
        Key::Colon,
        Key::Exclamationmark,
        Key::Pipe,
        Key::OpenCurlyBracket,
        Key::CloseCurlyBracket,
    ];
    signs.contains(&key)
}

fn cap(key: Key) -> &'static str {
    match key {
        Key::Minus => "−",
        Key::Plus => "+",
        Key::Equals => "=",
        Key::Escape => "Esc",
        Key::Questionmark => "?",
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        Key::Comma => ",",
        Key::Period => ".",
        Key::Slash => "/",
        Key::OpenBracket => "[",
        Key::CloseBracket => "]",
        _ => key.name(),
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "Ctrl+"), (self.alt, "Alt+"), (self.shift, "Shift+")] {
            if held {
                f.write_str(name)?;
            }
        }
        f.write_str(self.key.name())
    }
}

impl FromStr for Chord {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (held, key) = text.rsplit_once('+').unwrap_or(("", text));
        let key = Key::from_name(key).ok_or(())?;
        let mut chord = Self { ctrl: false, alt: false, shift: false, key };
        for name in held.split('+').filter(|name| !name.is_empty()) {
            match name {
                "Ctrl" => chord.ctrl = true,
                "Alt" => chord.alt = true,
                "Shift" => chord.shift = true,
                _ => return Err(()),
            }
        }
        Ok(chord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_survive_being_written_and_read() {
        for text in ["Enter", "Ctrl+Shift+O", "Alt+F5", "Minus", "Ctrl+Plus", "Questionmark"] {
            assert_eq!(text.parse::<Chord>().map(|chord| chord.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "Ctrl+", "Hyper+A", "Nokey"] {
            assert!(text.parse::<Chord>().is_err(), "{text}");
        }
        assert_eq!("Ctrl+Shift+O".parse::<Chord>().map(Chord::label), Ok("Ctrl+Shift+O".to_owned()));
        assert_eq!("Minus".parse::<Chord>().map(Chord::label), Ok("−".to_owned()));
    }

    #[test]
    fn a_sign_is_the_same_with_and_without_shift() {
        assert_eq!(Chord::of(Key::Questionmark, Modifiers::SHIFT), Chord::of(Key::Questionmark, Modifiers::NONE));
        assert_ne!(Chord::of(Key::O, Modifiers::SHIFT), Chord::of(Key::O, Modifiers::NONE));
    }
}
