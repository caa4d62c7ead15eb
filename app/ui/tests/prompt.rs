//! The prompt's field: weights by keys, names that are offered, styles, words left out, mixes.

mod double;

use double::{Look, Window, library::lora};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Vec2, accesskit::Role, pos2};
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::Queryable;
use fourstep_prompt::Wildcards;
use fourstep_protocol::{Event as EngineEvent, Family, PromptReading, Request, TokenCount};
use std::sync::Arc;

fn window(prompt: &'static str) -> Window {
    let mut window = Window::with(Look { prompt, ..Look::default() });
    window.finish();
    window.pass(1.0);
    window
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.pass(0.05);
}

fn types(window: &mut Window, text: &str) {
    window.harness.event(Event::Text(text.into()));
    window.pass(0.05);
}

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

fn focus(window: &mut Window, name: &str) {
    window.harness.get_by_role_and_label(Role::MultilineTextInput, name).focus();
    window.pass(0.05);
}

fn place_of(window: &Window, name: &str) -> egui::Rect {
    window.harness.get_by_role_and_label(Role::MultilineTextInput, name).rect()
}

/// The end of the prompt, so that what is typed goes on there.
fn end(window: &mut Window) {
    press(window, Modifiers::COMMAND, Key::End);
}

#[test]
fn ctrl_and_an_arrow_weigh_the_word_at_the_cursor() {
    let mut window = window("a red apple");
    end(&mut window);
    press(&mut window, Modifiers::COMMAND, Key::ArrowUp);
    assert_eq!(window.request().prompt, "a red (apple:1.1)");
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::ArrowUp);
    assert_eq!(window.request().prompt, "a red (apple:1.15)");
    for _ in 0..2 {
        press(&mut window, Modifiers::COMMAND, Key::ArrowDown);
    }
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::ArrowUp);
    assert_eq!(window.request().prompt, "a red apple");
}

#[test]
fn names_of_loras_are_offered_and_enter_takes_one() {
    let mut window = window("a fox ");
    let named = |id| lora(id, id, Family::Custom, &[]);
    window.library(vec![named("ink"), named("chalk")]);
    end(&mut window);
    types(&mut window, "<lo");
    assert!(window.harness.query_by_label_contains("<lora:chalk:1>").is_some());
    types(&mut window, "ra:in");
    assert!(window.harness.query_by_label_contains("<lora:chalk:1>").is_none());
    let painted = window.generated();
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.request().prompt, "a fox <lora:ink:1>");
    window.pass(2.0);
    assert!(window.generated() > painted);
    let (_, sent) = window.newest();
    assert_eq!((sent.prompt.as_str(), sent.loras.last().map(|l| l.source.as_str())), ("a fox", Some("ink")));
    assert_eq!(sent.seed, window.request().seed, "Enter was about the name, not another seed");
}

#[test]
fn escape_closes_what_is_offered_and_nothing_else() {
    let mut window = window("a __");
    window.double.lock().wildcards = Arc::new(wildcards());
    window.pass(0.1);
    end(&mut window);
    types(&mut window, "c");
    assert!(window.harness.query_by_label_contains("__colour__").is_some());
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.harness.query_by_label_contains("__colour__").is_none());
    types(&mut window, "o");
    press(&mut window, Modifiers::NONE, Key::Tab);
    assert_eq!(window.request().prompt, "a __colour__");
    assert!(window.newest().1.prompt.starts_with("a "));
}

fn wildcards() -> Wildcards {
    let mut wildcards = Wildcards::default();
    wildcards.insert("colour", "red\nblue");
    wildcards
}

#[test]
fn what_cannot_be_followed_is_said_below() {
    let window = window("a __hat__ <lora:none:1>");
    for words in ["no wildcards called hat", "no LoRA called none"] {
        assert!(window.harness.query_by_label_contains(words).is_some(), "{words}");
    }
}

#[test]
fn a_style_is_saved_applied_by_its_name_and_deleted() {
    let mut window = window("ink drawing of {prompt}");
    window.harness.get_by_label("Styles").click();
    window.pass(0.3);
    window.harness.get_by_label("Name of the style").focus();
    window.pass(0.05);
    types(&mut window, "ink");
    window.harness.get_by_label("Save both prompts as a style").click();
    window.pass(0.1);
    let styles = |window: &Window| window.harness.state().session().styles().len();
    assert_eq!(styles(&window), 1);
    press(&mut window, Modifiers::NONE, Key::Escape);

    focus(&mut window, "Prompt");
    press(&mut window, Modifiers::COMMAND, Key::A);
    types(&mut window, "a cat /in");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.request().prompt, "ink drawing of a cat ");
    window.harness.get_by_label("Styles").click();
    window.pass(0.3);
    snapshot(&mut window, "styles");
    window.harness.get_by_label("Delete the style ink").click();
    window.pass(0.1);

    assert_eq!(styles(&window), 0);
}

#[test]
fn words_that_are_not_known_are_marked_and_the_pointer_says_why() {
    let mut window = window("a red xqzzy apple BREAK (bright:1.4) [dull] {day|night} __when__ # not now");
    window.double.lock().wildcards = Arc::new({
        let mut wildcards = Wildcards::default();
        wildcards.insert("when", "now");
        wildcards
    });
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::R);
    window.pass(1.0);
    let (run, request) = window.newest();
    let tokens = TokenCount { used: 80, window: 150 };
    let reading = PromptReading { tokens, unknown_words: vec!["xqzzy".into()], ..PromptReading::default() };
    window.event(EngineEvent::Started { run, steps: request.steps, prompt: Arc::new(reading) });
    assert!(window.harness.query_by_label("Prompt: 80/150 tokens").is_some());
    let place = place_of(&window, "Prompt");
    let at = find(&mut window, place, "has no token for “xqzzy”");
    assert!(at.is_some(), "no place of the prompt says it");
    snapshot(&mut window, "prompt_marks");
}

/// Moves the pointer along the first line until something with these words is there.
fn find(window: &mut Window, place: egui::Rect, words: &str) -> Option<Pos2> {
    for x in (0..240).step_by(16) {
        let at = place.left_top() + Vec2::new(x as f32, 10.0);
        window.harness.event(Event::PointerMoved(at));
        window.harness.run_steps(60);
        if window.harness.query_by_label_contains(words).is_some() {
            return Some(at);
        }
    }
    None
}

#[test]
fn the_picture_without_the_word_under_the_pointer() {
    let mut window = window("a red apple");
    let painted = window.generated();
    let place = place_of(&window, "Prompt");
    let word = place.left_top() + Vec2::new(24.0, 10.0);
    window.harness.event(Event::PointerMoved(word));
    window.pass(0.1);
    assert_eq!(window.generated(), painted, "nothing without Alt");
    window.harness.get_by_label("Show the picture without the word under the pointer").click();
    window.pass(0.1);
    window.harness.event(Event::PointerMoved(word));
    window.pass(0.1);
    assert_eq!((window.generated(), window.newest().1.prompt.as_str()), (painted + 1, "a apple"));
    assert_eq!(window.request().prompt, "a red apple");
    window.finish();
    assert_eq!(window.harness.state().session().left_out().map(|it| it.picture.is_some()), Some(true));
    snapshot(&mut window, "without");
    window.harness.event(Event::PointerMoved(pos2(900.0, 500.0)));
    window.pass(0.1);
    assert!(window.harness.state().session().left_out().is_none());
}

#[test]
fn dragging_on_the_pad_mixes_prompts() {
    let mut window = Window::with(Look { height: 1000.0, ..Look::default() });
    window.finish();
    window.pass(1.0);
    window.harness.get_by_label("Show mix of prompts").click();
    window.pass(0.1);
    for name in ["Prompt B", "Prompt C", "Prompt D"] {
        window.harness.get_by_label("Add prompt").click();
        window.pass(0.1);
        focus(&mut window, name);
        types(&mut window, &format!("a fox {name}"));
    }
    assert!(window.harness.query_by_label("Add prompt").is_none());
    let pad = window.harness.get_by_label_contains("Mix of prompts: A 100 %").rect();
    let drag = |window: &mut Window, to: Pos2| {
        window.harness.event(Event::PointerMoved(pad.left_top() + Vec2::splat(12.0)));
        for (pos, pressed) in [(pad.left_top() + Vec2::splat(12.0), true), (to, false)] {
            window.harness.event(Event::PointerMoved(pos));
            window.pass(0.05);
            window.harness.event(Event::PointerButton {
                pos,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
            window.pass(0.05);
        }
    };
    drag(&mut window, pad.center());
    let quarters = |request: &Request| request.blend.iter().all(|other| (other.weight - 0.25).abs() < 0.02);
    assert!(quarters(window.request()) && window.request().blend.len() == 3, "{:?}", window.request().blend);
    window.pass(2.0);
    assert!(quarters(&window.newest().1));
    snapshot(&mut window, "mix");
    window.harness.get_by_label("Remove prompt C").click();
    window.pass(0.1);
    assert_eq!(window.request().blend.len(), 2);
}
