//! The window in Traditional Chinese: nothing that a person reads or hears is left in English but names.

mod double;

use double::library::{mixed, press};
use double::{Look, Window};
use egui::Key;
use egui_kittest::kittest::{NodeT, Queryable};
use fourstep_protocol::{Availability, Failure, LibraryItem, Origin};
use fourstep_session::Language;

/// What is the same in both languages: names of things and of keys, units, and what a picture is asked for.
const NAMES: [&str; 28] = [
    "DPM++ 2M Karras",
    "DPM++ 2M",
    "Euler a",
    "Euler",
    "UniPC",
    "DDIM",
    "LCM",
    "LoRA",
    "VAE",
    "PyTorch CPU",
    "Philox",
    "SD1.5",
    "SDXL",
    "SD2",
    "SSD-1B",
    "own sizes",
    "CPU f32",
    "Hugging Face",
    "ComfyUI",
    "AUTOMATIC1111",
    "Fourstep",
    "ms",
    "GB",
    "MB",
    "/s",
    "Shift",
    "Ctrl",
    "Esc",
];

fn chinese(look: Look) -> Window {
    let mut window = Window::with(Look { language: Language::TraditionalChinese, ..look });
    // What a download failed with is in English.
    let said_in_english =
        |item: &LibraryItem| matches!(item.availability, Availability::Failed(_) | Availability::Unusable(_));
    window.library(mixed().into_iter().filter(|item| !said_in_english(item)).collect());
    window.finish();
    window.pass(1.0);
    press(&mut window, Key::Escape);
    window
}

/// Fails if a label of the tree has English words in it; data such as the names of models are their own.
fn assert_chinese(window: &Window, page: &str) {
    let mut data: Vec<String> = NAMES.map(str::to_owned).to_vec();
    let session = window.harness.state().session();
    for item in session.library().iter() {
        data.extend([item.name.clone(), item.id.clone(), item.detail.clone()]);
        data.extend(item.licence.clone());
        if let Origin::Hub { repo } | Origin::Cache { repo } = &item.origin {
            data.push(repo.clone());
        }
        data.extend(item.lora.iter().flat_map(|lora| lora.trigger_words.clone()));
    }
    data.extend(session.models().iter().flat_map(|model| [model.name.clone(), model.detail.clone()]));
    data.push(session.request().prompt.clone());
    data.extend(session.request().loras.iter().map(|lora| session.lora_name(&lora.source).to_owned()));
    data.retain(|text| !text.is_empty());
    data.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let mut seen = 0;
    for node in window.harness.root().children_recursive() {
        let label = node.accesskit_node().label().unwrap_or_default();
        let rest = data.iter().fold(label.clone(), |rest, text| rest.replace(text, ""));
        // A sentence in Chinese may name other programs.
        let is_chinese = rest.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let is_latin = rest.chars().any(|c| c.is_ascii_alphabetic());
        assert!(is_chinese || !is_latin, "{page}: “{label}” is English");
        seen += usize::from(!label.is_empty());
    }
    assert!(seen > 5, "{page}: only {seen} labels");
}

#[test]
fn no_page_is_left_in_english() {
    let tall = Look { unfolded: true, height: 1400.0, ..Look::default() };
    let mut window = chinese(tall);
    assert_chinese(&window, "unfolded");
    press(&mut window, Key::R);
    window.start();
    window.step(1);
    assert_chinese(&window, "painting");
    press(&mut window, Key::Space);
    assert_chinese(&window, "paused");
    press(&mut window, Key::Questionmark);
    press(&mut window, Key::Escape);
    press(&mut window, Key::M);
    window.pass(0.3);
    for kind in ["模型", "LoRA", "VAE", "預覽解碼器"] {
        window.harness.get_all_by_label(kind).next().expect("a tab").click();
        window.pass(0.1);
        assert_chinese(&window, kind);
    }
}

#[test]
fn a_notice_and_a_frame_of_a_failure_are_translated() {
    let mut window = chinese(Look::default());
    window.harness.get_by_label("引導強度").set_value_accesskit(7.0);
    window.pass(0.05);
    window.fail(Failure::machine("繪製失敗", "原因", "換一個模型。"));
    window.harness.get_by_label("狀態：失敗");
    window.harness.get_by_label("重試");
    assert_chinese(&window, "failed");
}
