//! Choosing what computes, and a card that fails.

mod double;

use double::library::{click, press};
use double::{Look, Window};
use egui::Key;
use egui_kittest::{SnapshotOptions, kittest::Queryable};
use fourstep_protocol::{Command, DeviceChoice, DeviceInfo, Event, Failure};
use fourstep_session::Language;
use fourstep_ui::{AdapterInfo, AdapterKind};
use std::sync::Arc;

const CARD: &str = "NVIDIA GeForce RTX 3060 (Vulkan)";
const SOFTWARE: &str = "llvmpipe (LLVM 15.0.6, 256 bits) (Vulkan)";

fn adapters() -> Arc<Vec<AdapterInfo>> {
    let adapter = |name: &str, kind, memory_bytes| AdapterInfo { name: name.into(), kind, memory_bytes };
    Arc::new(vec![
        adapter(CARD, AdapterKind::Discrete, Some(12_884_901_888)),
        adapter("Intel(R) UHD Graphics 770 (ADL-S GT1) (Vulkan)", AdapterKind::Integrated, None),
        adapter(SOFTWARE, AdapterKind::Software, Some(4_100_000_000)),
    ])
}

fn card() -> DeviceInfo {
    let memory_bytes = Some(12_884_901_888);
    DeviceInfo { backend: "gpu".into(), device: CARD.into(), precision: "f16".into(), threads: 0, memory_bytes }
}

/// A picture is there, and the preferences are open where the device is chosen.
fn choosing(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.pass(1.0);
    press(&mut window, Key::Escape);
    window.double.lock().adapters = adapters();
    let device = if look.language == Language::English { "Device CPU f32" } else { "裝置 CPU f32" };
    click(&mut window, device);
    window.pass(0.2);
    window
}

fn last(window: &Window) -> [Command; 2] {
    let sent = &window.double.lock().sent;
    sent.last_chunk().cloned().expect("two commands")
}

#[test]
fn a_card_is_chosen_takes_over_at_once_and_is_kept() {
    let mut window = choosing(Look::default());
    assert_eq!(window.double.lock().refreshed, 1, "cards may have come or gone");
    click(&mut window, "Device Automatic: the best graphics card, else the processor");
    window.pass(0.1);
    click(&mut window, "NVIDIA GeForce RTX 3060 (Vulkan) · graphics card · 12.9 GB");
    window.pass(0.1);
    let [compute, paint] = last(&window);
    assert_eq!(compute, Command::Compute(DeviceChoice::Adapter(CARD.into())));
    assert!(matches!(paint, Command::Generate { .. }), "the picture is painted again: {paint:?}");
    window.event(Event::Ready(card()));
    window.finish();
    window.harness.get_by_label("Painting on NVIDIA GeForce RTX 3060 (Vulkan) in f16 · 12.9 GB");
    press(&mut window, Key::Escape);
    window.pass(2.0);
    window.pass(2.0);
    window.harness.get_by_label("Device GPU f16");
    let kept = window.double.lock().settings.last().cloned().expect("kept");
    assert_eq!(kept.device, DeviceChoice::Adapter(CARD.into()));
}

#[test]
fn a_card_that_has_gone_is_told_and_tried_again() {
    let mut window = choosing(Look::default());
    click(&mut window, "Device Automatic: the best graphics card, else the processor");
    window.pass(0.1);
    click(&mut window, "NVIDIA GeForce RTX 3060 (Vulkan) · graphics card · 12.9 GB");
    window.double.lock().adapters = Arc::default();
    window.pass(0.1);
    let why = format!("no GPU is called `{CARD}`; there is: none");
    let failure = Failure::input("The computing device could not be opened", why, "The processor paints from now on.");
    window.event(Event::DeviceFailed(failure));
    window.pass(0.1);
    window.harness.get_by_label("Device NVIDIA GeForce RTX 3060 (Vulkan) · not found");
    press(&mut window, Key::Escape);
    window.finish();
    window.harness.get_by_label("The computing device could not be opened");
    click(&mut window, "Retry");
    window.pass(0.1);
    let [compute, paint] = last(&window);
    assert_eq!(compute, Command::Compute(DeviceChoice::Adapter(CARD.into())));
    assert!(matches!(paint, Command::Generate { .. }));
    assert!(window.harness.query_by_label("The computing device could not be opened").is_none());
}

#[test]
fn how_it_looks() {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    let mut window = choosing(Look::default());
    click(&mut window, "Device Automatic: the best graphics card, else the processor");
    window.pass(0.5);
    window.harness.snapshot_options("devices_1280", &options);
}

#[test]
fn it_has_its_words_in_chinese_in_a_small_window() {
    let small =
        Look { width: 900.0, height: 600.0, light: true, language: Language::TraditionalChinese, ..Look::default() };
    let mut window = choosing(small);
    window.event(Event::Ready(card()));
    window.pass(0.2);
    window.harness.get_by_label("裝置 自動：最好的顯示卡，沒有則用處理器");
    window.harness.get_by_label("目前由 NVIDIA GeForce RTX 3060 (Vulkan) 以 f16 繪製 · 12.9 GB");
    click(&mut window, "裝置 自動：最好的顯示卡，沒有則用處理器");
    window.pass(0.2);
    click(&mut window, "llvmpipe (LLVM 15.0.6, 256 bits) (Vulkan) · 軟體模擬，較慢 · 4.1 GB");
    window.pass(0.1);
    assert_eq!(last(&window)[0], Command::Compute(DeviceChoice::Adapter(SOFTWARE.into())));
}
