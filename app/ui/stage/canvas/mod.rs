//! A page to draw on at the left, what is painted of it at the right.

mod bar;
mod keys;
mod kit;
mod page;
mod page_menu;
mod pasting;
mod skin;

use super::{Stage, picture};
use crate::i18n::tr;
use crate::intent::View;
use crate::ports::KeptPage;
use crate::screen::Screen;
use crate::theme::palette;
use egui::{ColorImage, Context, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use fourstep_canvas::{Document, Margins, Page, Pasted, Placement};
use fourstep_protocol::{Init, Mask, Picture, Size};
use fourstep_session::{Action, Moment, Tab};
use kit::Kit;
pub(crate) use kit::tool_keys;
use pasting::Pasting;
use skin::Skin;

/// Between the page and the picture, in points.
const GAP: f32 = 8.0;
/// Width of the column of tools, in points.
const TOOLS: f32 = 40.0;
/// Height of the two rows of settings, in points.
const BARS: f32 = 124.0;
/// While a stroke goes on, the page is handed over this often at most.
const HAND_OVER_SECS: f64 = 0.04;
/// It is kept for the next start so long after the last change.
const KEEP_AFTER_SECS: f64 = 2.0;

/// The page and everything that belongs to it.
pub(crate) struct Canvas {
    document: Document,
    kit: Kit,
    strength: f32,
    grow_px: u32,
    feather_px: u32,
    /// What the fields for enlarging say.
    margins: Margins,
    pasting: Option<Pasting>,
    skin: Skin,
    /// The size that was last asked for; where another one is, it was the settings that changed.
    size: Size,
    sent: Option<Sent>,
    sent_at: Moment,
    /// Where what is being drawn was begun, in px of the page.
    begun: Option<(f32, f32)>,
    /// Of a pen that tells it.
    pressure: Option<f32>,
    /// What is kept for the next start.
    kept: Sent,
    /// What it has changed to, and when.
    changed_at: Option<(Sent, Moment)>,
}

/// What the session was told of the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sent {
    revision: u64,
    strength: f32,
    margins: Option<(u32, u32)>,
}

/// Paper is white until it is not.
const PAPER: [u8; 3] = [255; 3];
/// So much that a rough sketch becomes a picture.
const STRENGTH: f32 = 0.7;

impl Canvas {
    fn new(size: Size) -> Self {
        let (grow_px, feather_px) = Margins::OVERLAP_PX;
        Self::of(KeptPage { page: Page::new(size, PAPER), strength: STRENGTH, grow_px, feather_px })
    }

    /// A page to go on with.
    fn of(kept: KeptPage) -> Self {
        let KeptPage { page, strength, grow_px, feather_px } = kept;
        let size = page.size();
        let mut canvas = Self {
            document: Document::of(page),
            kit: Kit::for_page(size),
            strength: if strength.is_finite() { strength.clamp(0.0, 1.0) } else { STRENGTH },
            grow_px,
            feather_px,
            margins: Margins { right: 64, ..Margins::default() },
            pasting: None,
            skin: Skin::default(),
            size,
            sent: None,
            sent_at: Moment::default(),
            begun: None,
            pressure: None,
            kept: Sent::default(),
            changed_at: None,
        };
        canvas.kept = canvas.whole_state();
        canvas
    }

    /// How long until the page is to be kept for the next start, in seconds; `None` where it has not changed.
    fn keep_in(&mut self, now: Moment) -> Option<f64> {
        let state = self.whole_state();
        if self.kept == state {
            return None;
        }
        let (changed, since) = *self.changed_at.get_or_insert((state, now));
        if changed != state || self.document.is_drawing() {
            self.changed_at = Some((state, now));
            return Some(KEEP_AFTER_SECS);
        }
        Some(KEEP_AFTER_SECS - now.since(since))
    }

    fn take_to_keep(&mut self) -> KeptPage {
        self.changed_at = None;
        self.kept = self.whole_state();
        let (strength, grow_px, feather_px) = (self.strength, self.grow_px, self.feather_px);
        KeptPage { page: self.document.page().clone(), strength, grow_px, feather_px }
    }

    fn whole_state(&self) -> Sent {
        let margins = Some((self.grow_px, self.feather_px));
        Sent { revision: self.document.revision(), strength: self.strength, margins }
    }

    /// Paints over this picture from now on.
    pub(crate) fn import(&mut self, picture: &Picture) {
        self.pasting = None;
        self.document.import(picture);
    }

    /// Takes over what another run started from.
    fn take_over(&mut self, init: &Init) {
        self.import(&init.picture);
        self.strength = init.strength;
        if let Some(mask) = &init.mask {
            self.document.set_mask(&mask.coverage);
            (self.grow_px, self.feather_px) = (mask.grow_px, mask.feather_px);
        }
    }

    /// Lays a picture on the page, to be placed.
    fn paste(&mut self, image: &ColorImage) {
        let rgba: Vec<[u8; 4]> = image.pixels.iter().map(egui::Color32::to_srgba_unmultiplied).collect();
        let [width, height] = image.size.map(|side| side as u32);
        if let Some(pasted) = Pasted::new(width, height, &rgba) {
            let placement = Placement::within(&pasted, self.document.size());
            self.pasting = Some(Pasting::new(pasted, placement));
        }
    }

    fn place(&mut self) {
        if let Some(pasting) = self.pasting.take() {
            self.document.merge(pasting.pasted(), &pasting.placement);
        }
    }

    /// What a run starts from.
    fn init(&self) -> Init {
        let (grow_px, feather_px) = (self.grow_px, self.feather_px);
        let mask = self.document.mask().map(|coverage| Mask { coverage, grow_px, feather_px });
        Init { mask, ..Init::new(self.document.picture(), self.strength) }
    }

    fn state(&self) -> Sent {
        let masked = !self.document.is_layer_blank(fourstep_canvas::Layer::Mask);
        let margins = masked.then_some((self.grow_px, self.feather_px));
        Sent { revision: self.document.revision(), strength: self.strength, margins }
    }

    /// Brings page and settings to one size: whichever changed leads.
    fn agree_on_size(&mut self, view: &mut View<'_>) {
        let asked = view.session.request().size;
        if asked != self.size {
            self.size = asked;
            self.document.fit_to(asked);
        } else if self.document.size() != asked {
            self.size = self.document.size();
            view.act(Action::SetSize(self.size));
        }
    }
}

impl Stage {
    /// The canvas, made at its first use.
    pub(crate) fn canvas(&mut self, size: Size) -> &mut Canvas {
        self.canvas.get_or_insert_with(|| Box::new(Canvas::new(size)))
    }

    /// Goes on with the page of the last time.
    pub(crate) fn resume_canvas(&mut self, kept: KeptPage) {
        self.canvas = Some(Box::new(Canvas::of(kept)));
    }

    /// How long until the page is to be kept, in seconds; `None` where it has not changed.
    pub(crate) fn keep_page_in(&mut self, now: Moment) -> Option<f64> {
        self.canvas.as_mut()?.keep_in(now)
    }

    /// The page as it is now, which counts as kept.
    pub(crate) fn page_to_keep(&mut self) -> Option<KeptPage> {
        self.canvas.as_mut().map(|canvas| canvas.take_to_keep())
    }

    /// Goes on from what a picture was painted from.
    pub(crate) fn take_over(&mut self, init: &Init, size: Size) {
        self.canvas(size).take_over(init);
    }

    /// Reads the keys that are the canvas's while nothing else has the keyboard.
    pub(crate) fn read_canvas_keys(&mut self, ctx: &Context, view: &View<'_>) {
        if view.session.settings().ui.tab == Tab::Canvas {
            let size = view.session.request().size;
            keys::read(ctx, self.canvas(size));
        }
    }

    /// Tells the session what the canvas looks like while its tab is open, and that there is none when it is not.
    pub(super) fn hand_over_canvas(&mut self, ui: &Ui, view: &mut View<'_>) {
        let Some(canvas) = &mut self.canvas else { return };
        let open = view.session.settings().ui.tab == Tab::Canvas;
        let state = open.then(|| canvas.state());
        if state == canvas.sent {
            return;
        }
        let since = view.now.since(canvas.sent_at);
        if canvas.document.is_drawing() && since < HAND_OVER_SECS {
            ui.ctx().request_repaint_after_secs((HAND_OVER_SECS - since) as f32);
            return;
        }
        canvas.sent = state;
        canvas.sent_at = view.now;
        view.act(Action::SetCanvas(open.then(|| Box::new(canvas.init()))));
    }
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, stage: &mut Stage, screen: &mut Screen) {
    let whole = ui.available_rect_before_wrap();
    stage.canvas(view.session.request().size).agree_on_size(view);
    screen.set_smooth(!picture::shows_pixels(ui, stage, screen));
    let Stage { zoom, canvas: Some(canvas), .. } = stage else { return };
    canvas.skin.update(ui.ctx(), &mut canvas.document);

    let tools = Rect::from_min_max(whole.min, pos2(whole.left() + TOOLS, whole.bottom()));
    let bars = Rect::from_min_max(pos2(tools.right() + GAP, whole.top()), pos2(whole.right(), whole.top() + BARS));
    bar::tools(&mut ui.new_child(UiBuilder::new().max_rect(tools)), canvas);
    bar::settings(&mut ui.new_child(UiBuilder::new().max_rect(bars)), view, canvas);

    let rest = Rect::from_min_max(pos2(bars.left(), bars.bottom()), whole.max);
    let half = vec2((rest.width() - GAP) / 2.0, rest.height());
    let (left, right) = (Rect::from_min_size(rest.min, half), Rect::from_min_size(rest.max - half, half));
    picture::note_area(ui, left);
    page::show(ui, canvas, zoom, left);
    let response = ui.interact(right, ui.scope_id().with("painted"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, tr("canvas-painted")));
    let size = vec2(canvas.document.size().width as f32, canvas.document.size().height as f32);
    picture::look(ui, &response, right, zoom, size);
    ui.painter().rect_stroke(
        zoom.rect(right, size).intersect(right),
        0.0,
        (1.0, palette(ui).hairline),
        egui::StrokeKind::Outside,
    );
    picture::paint(ui, view, *zoom, screen, right);
}
