//! The live picture beside the same in many steps.

mod difference;
mod film;
mod overlay;
mod side;
mod strip;
mod tools;

use super::{Stage, picture};
use crate::i18n::tr;
use crate::intent::View;
use crate::layer::Layer;
use crate::ports::{PreviewImage, PreviewJob, PreviewPicture, Previews};
use crate::screen::Screen;
use difference::HeatMap;
use eframe::egui_wgpu::RenderState;
use egui::{Color32, Context, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use film::Film;
use fourstep_protocol::RunId;
use fourstep_session::{Session, Step, Tab, TwinState};
use std::sync::Arc;
use tools::Mode;

/// Between the two pictures, in points.
const GAP: f32 = 8.0;

/// What the two pictures are called.
fn sides() -> [&'static str; 2] {
    [tr("twin-live"), tr("twin-slow")]
}

/// How the two are looked at, and what of them is on the graphics card.
pub(super) struct Twin {
    mode: Mode,
    /// 0 … 1 from the left edge of what is seen.
    divider: f32,
    /// How much the slow picture covers the live one: 0 … 1.
    cover: f32,
    slow: Option<Layer>,
    /// A step that is looked at instead of the picture, of the live one and of the slow one.
    chosen: [Option<Layer>; 2],
    film: Film,
    gpu: Option<RenderState>,
    /// Made when it is first looked at.
    map: Option<HeatMap>,
    /// The latents last offered for decoding.
    offered: Option<(RunId, u32)>,
}

impl Twin {
    pub(super) fn new(gpu: Option<&RenderState>) -> Self {
        Self {
            mode: Mode::default(),
            divider: 0.5,
            cover: 0.5,
            slow: None,
            chosen: [None, None],
            film: Film::default(),
            gpu: gpu.cloned(),
            map: None,
            offered: None,
        }
    }

    pub(super) fn update(&mut self, ctx: &Context, session: &Session, previews: &dyn Previews) {
        let newest = session.twin_steps().last();
        let run = newest.map(|step| step.run);
        self.slow.take_if(|layer| Some(layer.run) != run);
        if let TwinState::Finished(finished) = session.twin() {
            if self.slow.as_ref().is_none_or(|layer| layer.step.is_some()) {
                self.slow = Some(Layer::new(ctx, Arc::clone(&finished.picture), finished.run, None));
            }
        } else if let Some(step) = newest.filter(|s| self.offered != Some((s.run, s.step))) {
            self.offered = Some((step.run, step.step));
            previews.offer(PreviewJob::of(step));
        }
        let live = session.latest_step().map(|step| step.run);
        let runs: Vec<RunId> = session.shown().map(|f| f.run).into_iter().chain(live).chain(run).collect();
        self.film.retain(&runs);
        for chosen in &mut self.chosen {
            chosen.take_if(|layer| !runs.contains(&layer.run));
        }
        if session.settings().ui.tab == Tab::Twin && live.is_none() && session.idle_run().is_none() {
            let jobs = self.film.missing(session.shown_steps().iter().chain(session.twin_steps()));
            if !jobs.is_empty() {
                previews.develop(jobs);
            }
        }
    }

    /// A preview of any run.
    pub(super) fn take_preview(&mut self, ctx: &Context, preview: &PreviewPicture, is_idle: bool) {
        self.film.keep(preview);
        let is_newer = self
            .slow
            .as_ref()
            .is_none_or(|layer| layer.run == preview.run && layer.step.is_some_and(|step| step < preview.step));
        if is_idle && is_newer && self.offered.is_some_and(|(run, _)| run == preview.run) {
            let PreviewImage::Picture(picture) = &preview.image else { return };
            self.slow = Some(Layer::new(ctx, Arc::clone(picture), preview.run, Some(preview.step)));
        }
    }

    /// What is looked at on both sides.
    fn pair<'a>(&'a self, screen: &'a Screen) -> [Option<&'a Layer>; 2] {
        [self.chosen[0].as_ref().or(screen.current()), self.chosen[1].as_ref().or(self.slow.as_ref())]
    }

    fn strips(&mut self, ui: &mut Ui, session: &Session, rects: [Rect; 2]) {
        let steps: [&[Step]; 2] = [session.shown_steps(), session.twin_steps()];
        for side in 0..2 {
            let chosen = self.chosen[side].as_ref().and_then(|layer| layer.step);
            let clicked = strip::show(ui, rects[side], &mut self.film, steps[side], chosen, sides()[side]);
            let Some(step) = clicked.and_then(|n| steps[side].iter().find(|s| s.step == n)) else { continue };
            let again = chosen == Some(step.step);
            self.chosen[side] = self.film.layer(ui.ctx(), (step.run, step.step)).filter(|_| !again);
        }
    }
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, stage: &mut Stage, screen: &mut Screen) {
    let whole = ui.available_rect_before_wrap();
    let (row, rest) = whole.split_top_bottom_at_y(whole.top() + tools::HEIGHT);
    tools::show(ui, view, &mut stage.twin, row);
    let (body, film) = rest.split_top_bottom_at_y(rest.bottom() - strip::HEIGHT);
    let halves = |rect: Rect| {
        let left = rect.with_max_x(rect.center().x - GAP / 2.0);
        [left, left.translate(vec2(left.width() + GAP, 0.0))]
    };
    let areas = match stage.twin.mode {
        Mode::Sides => halves(side::picture_area(body)).to_vec(),
        _ => vec![side::picture_area(body)],
    };
    let size = picture::size(view, screen);
    picture::note_area(ui, areas[0]);
    screen.set_smooth(!picture::shows_pixels(ui, stage, screen));
    for (name, area) in sides().into_iter().zip(&areas) {
        let response = ui.interact(*area, ui.scope_id().with(name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        picture::look(ui, &response, *area, &mut stage.zoom, size);
    }
    let [left, right] = halves(body);
    side::live_caption(ui, view, left);
    side::slow_caption(ui, view, right);
    if let [left, right] = areas[..] {
        match &stage.twin.chosen[0] {
            Some(layer) => picture::draw(ui, layer, stage.zoom.rect(left, size), left, Color32::WHITE),
            None => side::live(ui, view, screen, left, stage.zoom),
        }
        if let Some(layer) = stage.twin.pair(screen)[1] {
            picture::draw(ui, layer, stage.zoom.rect(right, size), right, Color32::WHITE);
        }
        side::slow_state(ui, view, right);
    } else {
        overlaid(ui, view, stage, screen, areas[0]);
    }
    stage.twin.strips(ui, view.session, halves(film.with_min_y(film.top() + GAP)));
}

/// Both pictures in one place, or the one that is there.
fn overlaid(ui: &mut Ui, view: &View<'_>, stage: &mut Stage, screen: &Screen, area: Rect) {
    let size = picture::size(view, screen);
    let place = stage.zoom.rect(area, size);
    let twin = &mut stage.twin;
    let pair = [twin.chosen[0].as_ref().or(screen.current()), twin.chosen[1].as_ref().or(twin.slow.as_ref())];
    if twin.mode == Mode::Difference && twin.map.is_none() {
        twin.map = twin.gpu.clone().map(HeatMap::new);
    }
    if let [Some(fast), Some(slow)] = pair {
        match (twin.mode, &mut twin.map) {
            (Mode::Onion, _) => overlay::onion(ui, [fast, slow], place, area, twin.cover),
            (Mode::Difference, Some(map)) => overlay::difference(ui, map, [fast, slow], place, area),
            _ => overlay::wipe(ui, [fast, slow], place, area, &mut twin.divider),
        }
    } else {
        side::live(ui, view, screen, area, stage.zoom);
    }
    side::slow_state(ui, view, area);
}
