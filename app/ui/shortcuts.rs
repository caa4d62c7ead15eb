//! The keys. Those without Ctrl are free for shortcuts only while no text is being typed.

use crate::intent::{Intent, View};
use crate::panel::{is_completing, prompt_id};
use crate::timeline;
use egui::{Context, Event, FocusDirection, ImeEvent, Key, Modifiers};
use fourstep_protocol::ItemKind;
use fourstep_session::Action;

/// Every shortcut, as the help overlay shows it: groups, keys, and what they do, as keys of texts.
pub(crate) const TABLE: [(&str, &[(&str, &str)]); 4] = [
    (
        "help-painting",
        &[
            ("Enter", "help-paint"),
            ("Shift Enter", "help-new-line"),
            ("Ctrl ↑ ↓", "help-weight"),
            ("Alt", "help-without"),
            ("Space", "help-pause"),
            ("Esc", "help-stop"),
        ],
    ),
    (
        "help-settings",
        &[
            ("1 … 8", "help-steps"),
            ("R", "help-seed"),
            ("− +", "help-seeds"),
            ("L", "help-keep-seed"),
            ("M", "help-models"),
            ("Ctrl Z / Y", "help-undo"),
        ],
    ),
    (
        "help-picture",
        &[
            ("Ctrl S", "help-save"),
            ("Ctrl C", "help-copy"),
            ("Ctrl O", "help-open"),
            ("Ctrl Shift O", "help-open-folder"),
            ("← →", "help-timeline"),
            ("S / T", "help-star"),
        ],
    ),
    (
        "help-view",
        &[
            ("Tab", "help-tabs"),
            ("F", "help-stage-only"),
            ("Z", "help-zoom"),
            ("P", "help-pixels"),
            ("Ctrl + / −", "help-letters"),
            ("?", "help-help"),
        ],
    ),
];

const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// Reads the keys of this frame; the ones that are shortcuts are not seen by any field.
pub(crate) fn read(ctx: &Context, view: &mut View<'_>, modal: bool) {
    if ctx.input(|i| i.key_pressed(Key::Escape)) && !is_completing(ctx) {
        view.want(Intent::Escape);
    }
    if modal {
        if ctx.input(|i| i.key_pressed(Key::Questionmark)) && !ctx.text_edit_focused() {
            view.want(Intent::ToggleHelp);
        }
        return;
    }
    with_ctrl(ctx, view);
    let focused = ctx.memory(egui::Memory::focused);
    let can_enter = focused.is_none_or(|id| id == prompt_id()) && !is_composing(ctx) && !is_completing(ctx);
    // Shift+Enter breaks a line, and would count as Enter otherwise.
    if can_enter && !ctx.input(|i| i.modifiers.shift) && pressed(ctx, Modifiers::NONE, Key::Enter) {
        view.want(Intent::Paint);
    }
    if pressed(ctx, Modifiers::COMMAND, Key::Enter) {
        view.want(Intent::Paint);
    }
    if focused.is_none() && pressed(ctx, Modifiers::NONE, Key::Space) {
        let live = view.session.is_live();
        view.act(Action::SetLive(!live));
    }
    if focused.is_none() && pressed(ctx, Modifiers::NONE, Key::Tab) {
        // Otherwise the first control would take the keyboard as well.
        ctx.memory_mut(|m| m.move_focus(FocusDirection::None));
        view.want(Intent::ShowTab(view.session.settings().ui.tab.turned(1)));
    }
    if !ctx.text_edit_focused() {
        without_ctrl(ctx, view);
    }
}

fn pressed(ctx: &Context, modifiers: Modifiers, key: Key) -> bool {
    ctx.input_mut(|i| i.consume_key(modifiers, key))
}

/// Whether an input method is at work: it uses Enter to accept what it offers.
fn is_composing(ctx: &Context) -> bool {
    let id = egui::Id::unique("input method at work");
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

fn with_ctrl(ctx: &Context, view: &mut View<'_>) {
    // The longer ones first: Ctrl+Z also matches Ctrl+Shift+Z.
    if pressed(ctx, CTRL_SHIFT, Key::Z) || pressed(ctx, Modifiers::COMMAND, Key::Y) {
        view.act(Action::Redo);
    }
    if pressed(ctx, Modifiers::COMMAND, Key::Z) {
        view.act(Action::Undo);
    }
    if pressed(ctx, CTRL_SHIFT, Key::O) {
        view.want(Intent::OpenModel);
    }
    if pressed(ctx, Modifiers::COMMAND, Key::O) {
        view.want(Intent::OpenPicture);
    }
    if pressed(ctx, Modifiers::COMMAND, Key::M) {
        view.want(Intent::Browse(ItemKind::Model));
    }
    if pressed(ctx, Modifiers::COMMAND, Key::S) && view.session.shown().is_some() {
        view.want(Intent::Save);
    }
}

fn without_ctrl(ctx: &Context, view: &mut View<'_>) {
    // The desktop turns Ctrl+C into this event.
    if ctx.input(|i| i.events.iter().any(|e| matches!(e, Event::Copy))) && view.session.shown().is_some() {
        view.want(Intent::Copy);
    }
    timeline::keys(ctx, view);
    const DIGITS: [Key; 8] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];
    for (steps, key) in (1..).zip(DIGITS) {
        if pressed(ctx, Modifiers::NONE, key) {
            view.act(Action::SetSteps(steps));
        }
    }
    if pressed(ctx, Modifiers::NONE, Key::R) {
        view.want(Intent::NewSeed);
    }
    if pressed(ctx, Modifiers::NONE, Key::L) {
        let locked = view.session.seed_locked();
        view.act(Action::LockSeed(!locked));
    }
    if pressed(ctx, Modifiers::NONE, Key::Minus) {
        view.act(Action::NudgeSeed(-1));
    }
    if pressed(ctx, Modifiers::SHIFT, Key::Plus)
        || pressed(ctx, Modifiers::NONE, Key::Plus)
        || pressed(ctx, Modifiers::NONE, Key::Equals)
    {
        view.act(Action::NudgeSeed(1));
    }
    let simple = [
        (Key::F, Intent::ToggleStageOnly),
        (Key::Z, Intent::ToggleZoom),
        (Key::P, Intent::TogglePixels),
        (Key::M, Intent::Browse(ItemKind::Model)),
        (Key::Questionmark, Intent::ToggleHelp),
    ];
    for (key, intent) in simple {
        // `?` needs Shift on most keyboards.
        if pressed(ctx, Modifiers::NONE, key) || (key == Key::Questionmark && pressed(ctx, Modifiers::SHIFT, key)) {
            view.want(intent);
        }
    }
}
