use super::request::check;
use clap::Args;
use fourstep_canvas::{Margins, Outpainted, outpaint};
use fourstep_protocol::{Coverage, Failure, Init, Mask, ModelInfo, Picture, Request, Size};
use std::path::{Path, PathBuf};

/// What an image-to-image run starts from.
#[derive(Args)]
pub(super) struct StartArgs {
    /// Start from this picture instead of pure noise
    #[arg(long, value_name = "IMAGE")]
    pub(super) init: Option<PathBuf>,
    /// How much of the picture is repainted: above 0, at most 1
    #[arg(long, value_name = "S", requires = "init", allow_negative_numbers = true)]
    strength: Option<f32>,
    /// Repaint only what is white in this picture, which has the size of the other; the rest stays to the bit
    ///
    /// Without --size the result has the size of the picture.
    #[arg(long, value_name = "IMAGE", requires = "init")]
    pub(super) mask: Option<PathBuf>,
    /// Enlarge the picture by so many pixels on each side and paint what is new
    #[arg(long, value_name = "LEFT,TOP,RIGHT,BOTTOM", requires = "init", conflicts_with_all = ["mask", "size"])]
    outpaint: Option<Margins>,
    /// Widen what is repainted by so many pixels
    #[arg(long, value_name = "PX", requires = "init")]
    grow: Option<u32>,
    /// Fade what is repainted into the rest over so many pixels
    #[arg(long, value_name = "PX", requires = "init")]
    feather: Option<u32>,
}

const DEFAULT_STRENGTH: f32 = 0.5;
/// A part is meant to become something else.
const DEFAULT_STRENGTH_OF_PART: f32 = 0.8;

impl StartArgs {
    /// Adds the start to a request; `sized` where its size was asked for.
    ///
    /// # Errors
    /// [`Failure`] where a picture cannot be opened or does not fit.
    pub(super) fn put_into(&self, request: &mut Request, model: &ModelInfo, sized: bool) -> Result<(), Failure> {
        let Some(path) = &self.init else { return Ok(()) };
        let picture = fourstep_gallery::open(path)?.picture;
        let mask = self.mask.as_deref().map(fourstep_gallery::open_coverage).transpose()?;
        if self.is_of_part() && !sized {
            request.size = Size::new(picture.width(), picture.height()).nearest();
        }
        let (picture, coverage) = match self.outpaint {
            Some(margins) => self.enlarged(&picture, margins, request)?,
            None => (picture, mask),
        };
        let strength = if self.is_of_part() { DEFAULT_STRENGTH_OF_PART } else { DEFAULT_STRENGTH };
        let (grow, feather) = if self.outpaint.is_some() { Margins::OVERLAP_PX } else { (0, 0) };
        let (grow_px, feather_px) = (self.grow.unwrap_or(grow), self.feather.unwrap_or(feather));
        let mask = coverage.map(|coverage| Mask { coverage, grow_px, feather_px });
        request.init = Some(Init { picture, strength: self.strength.unwrap_or(strength), mask });
        check(request, model)
    }

    fn is_of_part(&self) -> bool {
        self.mask.is_some() || self.outpaint.is_some()
    }

    fn enlarged(
        &self,
        picture: &Picture,
        margins: Margins,
        request: &mut Request,
    ) -> Result<(Picture, Option<Coverage>), Failure> {
        let rounded = margins.rounded(picture.width(), picture.height());
        let (wider, higher) = (rounded.left + rounded.right, rounded.top + rounded.bottom);
        request.size = Size::new(picture.width() + wider, picture.height() + higher);
        if request.size != request.size.nearest() {
            let most = Size::SIDE_PX.end();
            let why = format!("it would have {} pixels, and a side has at most {most}", request.size);
            return Err(Failure::input("The picture cannot be enlarged", why, "Add less."));
        }
        let Outpainted { picture, coverage, .. } = outpaint(picture, margins, request.seed);
        Ok((picture, Some(coverage)))
    }

    /// How `--json` names it: paths instead of megabytes of base64.
    pub(super) fn describe<'a>(&'a self, request: &Request) -> Option<StartFiles<'a>> {
        let (picture, init) = (self.init.as_deref()?, request.init.as_ref()?);
        Some(StartFiles { picture, strength: init.strength, mask: self.mask.as_deref() })
    }
}

/// The files an image-to-image run starts from.
#[derive(serde::Serialize)]
pub(super) struct StartFiles<'a> {
    picture: &'a Path,
    strength: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<&'a Path>,
}
