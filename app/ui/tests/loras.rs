//! The stack of LoRAs in the window, and few steps in one click.

mod double;

use double::library::{SMALL, click, lcm, lora, mixed, press, snapshot, transferring, with};
use double::{Look, Window};
use egui::{Key, pos2};
use egui_kittest::kittest::{NodeT, Queryable};
use fourstep_protocol::{Availability, Event, Family, LibraryItem, LoraReport, Sampler};
use fourstep_ui::Seen;

/// A picture of `DreamShaper` is on the stage.
fn dreaming(look: Look, lcm: LibraryItem) -> Window {
    let mut items = mixed();
    items.retain(|item| item.id != lcm.id);
    items.push(lcm);
    let mut window = with(look, items);
    press(&mut window, Key::M);
    window.harness.get_by_label("Search").type_text("dreamshaper 8");
    window.pass(0.05);
    press(&mut window, Key::Enter);
    window.pass(1.0);
    window.finish();
    window.pass(0.3);
    window
}

/// `DreamShaper` with an ink LoRA at 0.7, one that is off and one of another family.
fn stacked(look: Look) -> Window {
    let mut window = dreaming(look, lcm(Availability::Ready));
    let mut items = (*window.double.lock().items).clone();
    items.push(lora("/loras/blue.safetensors", "Blueprint", Family::Sd15, &[]));
    window.library(items);
    for name in ["Ink sketch", "Blueprint"] {
        if window.harness.query_by_label("Add LoRA…").is_none() {
            click(&mut window, "Show loras");
        }
        click(&mut window, "Add LoRA…");
        click(&mut window, &format!("Add {name}"));
    }
    let pixel = Seen::Item(Box::new(lora("/loras/pixel.safetensors", "Pixel art XL", Family::Sdxl, &[])));
    window.double.lock().seen.push_back(pixel);
    window.pass(0.1);
    window.harness.get_by_label("Weight of Ink sketch").set_value_accesskit(0.7);
    window.pass(0.1);
    click(&mut window, "Switch off Blueprint");
    window.pass(1.0);
    let (run, _) = window.newest();
    let ignored = vec!["lora_te_text_model_encoder_layers_12_mlp_fc1".into()];
    let report = LoraReport { source: "/loras/ink.safetensors".into(), matched: 262, total: 264, ignored };
    window.event(Event::Merged { run, reports: vec![report] });
    window.finish();
    window.pass(1.0);
    window
}

#[test]
fn the_stack_of_loras() {
    let mut window = stacked(Look { height: 1000.0, ..Look::default() });
    snapshot(&mut window, "loras");
}

#[test]
fn the_stack_of_loras_light() {
    let mut window = stacked(Look { light: true, height: 1000.0, width: 900.0, ..Look::default() });
    snapshot(&mut window, "loras_light");
}

#[test]
fn loras_are_switched_called_up_moved_and_removed() {
    let mut window = stacked(Look { height: 1000.0, ..Look::default() });
    let order = |w: &Window| w.request().loras.iter().map(|l| (l.source.clone(), l.weight)).collect::<Vec<_>>();
    let named = |names: [(&str, f32); 3]| names.map(|(name, weight)| (format!("/loras/{name}.safetensors"), weight));
    assert_eq!(order(&window), named([("ink", 0.7), ("blue", 0.0), ("pixel", 0.0)]));
    click(&mut window, "Switch on Blueprint");
    assert_eq!(order(&window), named([("ink", 0.7), ("blue", 1.0), ("pixel", 0.0)]));
    click(&mut window, "Add inkpen to the prompt");
    assert!(window.request().prompt.ends_with(", inkpen"));
    window.harness.get_by_label("inkpen is in the prompt");
    let handle = window.harness.get_by_label("Move Blueprint").rect().center();
    let first = window.harness.get_by_label("Move Ink sketch").rect();
    window.harness.drag_at(handle);
    window.pass(0.05);
    window.harness.hover_at(pos2(handle.x, handle.y - 30.0));
    window.pass(0.05);
    window.harness.hover_at(pos2(handle.x, first.top() - 2.0));
    window.pass(0.05);
    window.harness.drop_at(pos2(handle.x, first.top() - 2.0));
    window.pass(0.05);
    assert_eq!(order(&window), named([("blue", 1.0), ("ink", 0.7), ("pixel", 0.0)]));
    window.harness.get_by_label("Move Blueprint").focus();
    window.pass(0.05);
    press(&mut window, Key::ArrowDown);
    assert_eq!(order(&window), named([("ink", 0.7), ("blue", 1.0), ("pixel", 0.0)]));
    click(&mut window, "Take Pixel art XL out of the stack");
    assert_eq!(window.request().loras.len(), 2);
}

#[test]
fn a_lora_says_how_much_of_it_fits() {
    let window = stacked(Look { height: 1000.0, ..Look::default() });
    let about = "Ink sketch: /loras/ink.safetensors, Made for SD1.5, 262 of 264 modules change the model, Without effect: \
                 lora_te_text_model_encoder_layers_12_mlp_fc1";
    window.harness.get_by_label(about);
    window.harness.get_by_label("Made for SDXL; DreamShaper 8 is SD1.5");
}

#[test]
fn an_lcm_lora_that_is_not_here_is_offered_downloaded_and_applied() {
    let mut window = dreaming(Look::default(), lcm(Availability::Absent { have_bytes: 0 }));
    click(&mut window, "Download the LCM-LoRA and paint with it");
    assert_eq!(window.double.lock().downloads, ["lcm-lora-sdv1-5"]);
    let mut items = (*window.double.lock().items).clone();
    *items.last_mut().unwrap() = lcm(transferring());
    window.library(items.clone());
    window.pass(0.3);
    snapshot(&mut window, "few_step_downloading");
    *items.last_mut().unwrap() = lcm(Availability::Ready);
    window.library(items);
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::Lcm, 4));
    assert_eq!(window.request().loras[0].source, "lcm-lora-sdv1-5");
}

#[test]
fn few_steps_are_offered_in_a_quiet_line() {
    let mut window = dreaming(Look::default(), lcm(Availability::Absent { have_bytes: 0 }));
    window.harness.get_by_label("Paints in 25 steps, 4 steps with LCM-LoRA (135 MB)");
    snapshot(&mut window, "few_step_offered");
}

#[test]
fn an_lcm_lora_is_one_click() {
    let mut window = dreaming(Look { light: true, ..SMALL }, lcm(Availability::Ready));
    click(&mut window, "Paint with the LCM-LoRA: weight 1, LCM sampler, 4 steps, guidance 1.0");
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::Lcm, 4));
    window.pass(1.0);
    window.finish();
    window.pass(1.0);
    snapshot(&mut window, "few_step_on_900_light");
    click(&mut window, "Switch the LCM-LoRA off; sampler, steps and guidance are as before");
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::DpmPp2mKarras, 25));
    assert!(window.request().loras.is_empty());
}

#[test]
fn targets_of_the_browser_and_the_stack_are_large_enough_and_named() {
    let mut window = stacked(Look { height: 1000.0, ..Look::default() });
    click(&mut window, "Add LoRA…");
    use egui::accesskit::Role;
    for role in [Role::Button, Role::RadioButton, Role::Switch, Role::Slider, Role::ListBoxOption, Role::TextInput] {
        for node in window.harness.query_all_by_role(role) {
            let name = node.accesskit_node().label().unwrap_or_default();
            assert!(!name.is_empty(), "a {role:?} has no name");
            assert!(node.rect().height() >= 28.0, "{name} is {} high", node.rect().height());
        }
    }
}
