//! The keys. Which they are stands in one table and in the settings; here is when they count.

mod bindings;
mod chord;
mod table;

pub(crate) use bindings::{Bindings, current, keys, set};
pub(crate) use chord::Chord;
pub(crate) use table::{Command, Row, TABLE};

use crate::intent::{Intent, View};
use crate::panel::{is_completing, prompt_id};
use egui::{Context, Event, FocusDirection, Id, ImeEvent, Key};
use table::When;

/// Reads the keys of this frame; the ones that are shortcuts are not seen by any field.
pub(crate) fn read(ctx: &Context, view: &mut View<'_>, modal: bool) {
    if ctx.input(|i| i.key_pressed(Key::Escape)) && !is_completing(ctx) {
        view.want(Intent::Escape);
    }
    let bindings = current();
    let place = Place::of(ctx);
    for (index, row) in TABLE.iter().enumerate() {
        // While something lies over the window, only what may close it counts.
        if modal && row.command != Command::Help {
            continue;
        }
        for chord in bindings.chords(index) {
            let times = if place.allows(row.when, *chord) { presses(ctx, row.command, *chord) } else { 0 };
            if times > 0 && chord.key == Key::Tab {
                // Otherwise the first control would take the keyboard as well.
                ctx.memory_mut(|m| m.move_focus(FocusDirection::None));
            }
            (0..times).for_each(|_| row.command.run(view));
        }
    }
}

/// How often keys were pressed in this frame: held down, they repeat.
fn presses(ctx: &Context, command: Command, chord: Chord) -> usize {
    let times = chord.take(ctx);
    if times > 0 || command != Command::Copy || !chord.ctrl || chord.key != Key::C {
        return times;
    }
    // The desktop turns Ctrl+C into this event.
    usize::from(ctx.input(|i| i.events.iter().any(|e| matches!(e, Event::Copy))))
}

/// Where the keyboard is.
struct Place {
    focused: Option<Id>,
    typing: bool,
    composing: bool,
}

impl Place {
    fn of(ctx: &Context) -> Self {
        let focused = ctx.memory(egui::Memory::focused);
        // What completes a word takes Enter as well.
        let composing = is_composing(ctx) || is_completing(ctx);
        Self { focused, typing: ctx.text_edit_focused(), composing }
    }

    fn allows(&self, when: When, chord: Chord) -> bool {
        match when {
            When::Always => chord.ctrl || chord.alt || !self.typing,
            When::NotTyping => !self.typing,
            When::Prompt => {
                let is_there = self.focused.is_none_or(|id| id == prompt_id()) && !self.composing;
                chord.ctrl || chord.alt || is_there
            }
            When::Nowhere => self.focused.is_none(),
        }
    }
}

/// Whether an input method is at work: it uses Enter to accept what it offers.
fn is_composing(ctx: &Context) -> bool {
    let id = Id::unique("input method at work");
    let mut composing = ctx.data(|d| d.get_temp::<bool>(id)).unwrap_or_default();
    let mut committed = false;
    ctx.input(|i| {
        for event in &i.events {
            match event {
                Event::Ime(ImeEvent::Preedit { text, .. }) => composing = !text.is_empty(),
                Event::Ime(ImeEvent::Commit(_)) => (composing, committed) = (false, true),
                _ => {}
            }
        }
    });
    ctx.data_mut(|d| d.insert_temp(id, composing));
    composing || committed
}
