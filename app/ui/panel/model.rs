//! What the model wants, and one click to paint in few steps.

use crate::i18n::{self, tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, line, progress, text_width, tip};
use crate::words;
use egui::{Align, Layout, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use fourstep_protocol::{Availability, LibraryItem};
use fourstep_session::{Action, FewStep};

/// Width of the button, so that its words may change.
const BUTTON: f32 = 108.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let few_step = view.session.few_step();
    wants(ui, view, few_step.as_ref());
    if let Some(few_step) = few_step {
        offer(ui, view, &few_step);
        ui.add_space(4.0);
    }
    super::rule(ui);
    ui.add_space(4.0);
}

fn wants(ui: &mut Ui, view: &View<'_>, few_step: Option<&FewStep>) {
    let model = view.session.model();
    let recipe = match few_step {
        Some(few_step) if few_step.is_on => &few_step.recipe,
        _ => model.recipe_for(view.session.request().sampler),
    };
    let brief = words::wants(model, recipe);
    let full = format!("{} · {brief}", model.detail);
    let fits = !model.detail.is_empty() && text_width(ui, &full, theme::regular(12.0)) <= ui.available_width();
    // The button above says what kind it is.
    let text = if fits { full } else { brief };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Label, true, tr_with("wants-label", &[("text", text.as_str().into())]))
    });
    line(ui, rect, &text, theme::regular(12.0), palette(ui).secondary);
    tip(ui, response, &words::wants_at_length(model), "");
}

/// The LCM-LoRA of this model: to switch, or to download and then apply.
fn offer(ui: &mut Ui, view: &mut View<'_>, few_step: &FewStep) {
    let library = std::sync::Arc::clone(view.session.library());
    let item = library.iter().find(|item| item.id == few_step.source);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let words = Words::of(view, few_step, item);
    let text = rect.with_max_x(rect.right() - BUTTON - 12.0);
    let half = |top: f32| Rect::from_min_size(pos2(text.left(), rect.top() + top), vec2(text.width(), 20.0));
    let p = palette(ui);
    line(ui, half(0.0), &words.first, theme::medium(13.0), p.text);
    line(ui, half(20.0), &words.second, theme::regular(12.0), if words.fails { p.error } else { p.secondary });
    if let Some(Availability::Downloading(download)) = item.map(|item| &item.availability) {
        let bar = Rect::from_min_size(pos2(text.left(), rect.bottom() + 1.0), vec2(text.width(), 3.0));
        progress(ui, bar, tr("few-download"), download.fraction());
    }
    let place = rect.with_min_x(rect.right() - BUTTON);
    let builder = UiBuilder::new().max_rect(place).layout(Layout::right_to_left(Align::Center));
    button(&mut ui.new_child(builder), view, few_step, item);
    let hint = format!("{}\n{}", words.first, words.second);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}, {}", words.first, words.second)));
    tip(ui, response, &hint, "");
}

struct Words {
    first: String,
    second: String,
    fails: bool,
}

impl Words {
    fn of(view: &View<'_>, few_step: &FewStep, item: Option<&LibraryItem>) -> Self {
        let quick = few_step.recipe.steps;
        let now = view.session.request().steps;
        let size = item.and_then(|item| item.size_bytes).filter(|_| !few_step.is_here).map(words::bytes);
        let paints = tr_with("few-paints", &[("n", now.into())]);
        let quick = match size {
            Some(size) => tr_with("few-steps-with-size", &[("n", quick.into()), ("size", size.into())]),
            None => tr_with("few-steps-with", &[("n", quick.into())]),
        };
        let (first, second, fails) = match item.map(|item| &item.availability) {
            _ if few_step.is_on => (paints, tr("few-with").to_owned(), false),
            Some(Availability::Downloading(download)) => {
                (tr("few-downloading").to_owned(), words::download_briefly(download), false)
            }
            Some(Availability::Failed(failure)) if !few_step.is_here => {
                let failure = i18n::failure(failure);
                (failure.what, failure.why, true)
            }
            _ => (paints, quick, false),
        };
        Self { first, second, fails }
    }
}

fn button(ui: &mut Ui, view: &mut View<'_>, few_step: &FewStep, item: Option<&LibraryItem>) {
    let button = |text, icon, name| Button::new(text).icon(icon).name(name).width(BUTTON);
    match item.map(|item| &item.availability) {
        _ if few_step.is_here => {
            let name = if few_step.is_on { tr("few-off") } else { tr("few-on") };
            if button("LCM-LoRA", icons::LIGHTNING, name).on(few_step.is_on).show(ui).clicked() {
                view.act(Action::SetFewStep(!few_step.is_on));
            }
        }
        Some(Availability::Downloading(_)) => {
            if button(tr("few-cancel"), "", tr("few-cancel-name")).show(ui).clicked() {
                view.act(Action::SetFewStep(false));
                view.want(Intent::CancelDownload(few_step.source.clone()));
            }
        }
        availability => {
            let again = matches!(availability, Some(Availability::Failed(_)));
            let text = tr(if again { "few-retry" } else { "few-get" });
            let icon = if again { "" } else { icons::DOWNLOAD };
            if button(text, icon, tr("few-get-name")).show(ui).clicked() {
                view.act(Action::SetFewStep(true));
                view.want(Intent::Download(few_step.source.clone()));
            }
        }
    }
}
