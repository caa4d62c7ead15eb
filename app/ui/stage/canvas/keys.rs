//! The canvas's keys. They are its own while its tab is open and nothing else has the keyboard.

use super::{Canvas, kit::Tool, page};
use egui::{Context, Event, Key, Modifiers};

pub(super) fn read(ctx: &Context, canvas: &mut Canvas) {
    let focused = ctx.memory(egui::Memory::focused);
    if focused.is_some_and(|id| id != page::id()) {
        return;
    }
    let images = ctx.input(|i| {
        let image = |event: &Event| if let Event::PasteImage(image) = event { Some(image.clone()) } else { None };
        i.events.iter().find_map(image)
    });
    if let Some(image) = images {
        canvas.paste(&image);
    }
    let pressed = |modifiers, key| ctx.input_mut(|i| i.consume_key(modifiers, key));
    if canvas.pasting.is_some() {
        if pressed(Modifiers::NONE, Key::Enter) {
            canvas.place();
        } else if pressed(Modifiers::NONE, Key::Escape) {
            canvas.pasting = None;
        }
    } else if canvas.document.is_drawing() && pressed(Modifiers::NONE, Key::Escape) {
        canvas.document.cancel();
    }
    // The longer ones first: Ctrl+Z also matches Ctrl+Shift+Z.
    if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z) || pressed(Modifiers::COMMAND, Key::Y) {
        canvas.document.redo();
    }
    if pressed(Modifiers::COMMAND, Key::Z) {
        canvas.document.undo();
    }
    for offer in Tool::ALL {
        if pressed(Modifiers::NONE, offer.key) {
            canvas.kit.tool = offer.tool;
        }
    }
    if pressed(Modifiers::NONE, Key::OpenBracket) {
        canvas.kit.resize(false);
    }
    if pressed(Modifiers::NONE, Key::CloseBracket) {
        canvas.kit.resize(true);
    }
    if pressed(Modifiers::NONE, Key::X) {
        canvas.kit.swap_colors();
    }
}
