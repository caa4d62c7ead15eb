use super::Wish;
use crate::intent::{Intent, View};
use egui::{Context, Key, Modifiers};
use fourstep_session::Tab;

/// The keys of the timeline, where nothing else has the keyboard; the gallery has its own.
pub(crate) fn keys(ctx: &Context, view: &mut View<'_>) {
    let busy = ctx.memory(egui::Memory::focused).is_some();
    if busy || view.session.settings().ui.tab == Tab::Gallery {
        return;
    }
    let wishes = [
        (Key::ArrowLeft, Wish::Step(-1)),
        (Key::ArrowRight, Wish::Step(1)),
        (Key::End, Wish::Live),
        (Key::S, Wish::ToggleStar),
        (Key::T, Wish::Branch),
    ];
    for (key, wish) in wishes {
        // Held down, a key goes on and on.
        let times = ctx.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key));
        let wish = match wish {
            Wish::Step(by) if times > 0 => Wish::Step(by * times as i32),
            wish => wish,
        };
        if times > 0 {
            view.want(Intent::Timeline(wish));
        }
    }
}
