use fourstep_compute::{CancelToken, ComputeError};
use fourstep_protocol::{Family, Latents, NotAPicture, Picture};

/// Something that turns a step's `denoised` latents into a picture to look at.
pub trait Decode: Send {
    /// Latents `[1, 4, h, w]` → a picture of any size; whoever shows it scales it.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] where the token says so; a fault otherwise.
    fn decode(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<Picture, DecodeError>;

    /// Whether it takes next to no time, so that no budget is needed.
    fn is_free(&self) -> bool {
        false
    }
}

/// Why there is no preview.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Nobody waits for it any more; not a fault.
    #[error("cancelled")]
    Cancelled,
    /// The decoder failed.
    #[error("{0}")]
    Failed(String),
}

impl From<ComputeError> for DecodeError {
    fn from(e: ComputeError) -> Self {
        match e {
            ComputeError::Cancelled => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<NotAPicture> for DecodeError {
    fn from(e: NotAPicture) -> Self {
        Self::Failed(e.to_string())
    }
}

/// A fixed linear map from 4 latent channels to RGB: one pixel for each latent position, in no time.
///
/// The factors were fitted to the autoencoders of Stable Diffusion 1 and XL (ComfyUI, `comfy/latent_formats.py`). The
/// latents of other autoencoders give false colours, but still show shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinearDecoder {
    /// For the latents of SD1.5 and SD2, which share an autoencoder.
    #[default]
    Sd,
    /// For the latents of SDXL and SSD-1B.
    Sdxl,
}

/// Red, green and blue of each latent channel, and of latents that are 0.
struct Colours {
    factors: [[f32; 3]; 4],
    bias: [f32; 3],
}

const SD: Colours = Colours {
    factors: [
        [0.3512, 0.2297, 0.3227],
        [0.3250, 0.4974, 0.2350],
        [-0.2829, 0.1762, 0.2721],
        [-0.2120, -0.2616, -0.7177],
    ],
    bias: [0.0; 3],
};
const SDXL: Colours = Colours {
    factors: [
        [0.3651, 0.4232, 0.4341],
        [-0.2533, -0.0042, 0.1068],
        [0.1076, 0.1111, -0.0362],
        [-0.3165, -0.2492, -0.2188],
    ],
    bias: [0.1084, -0.0175, -0.0011],
};

impl LinearDecoder {
    /// The one for this family's latents.
    pub fn of(family: Family) -> Self {
        match family {
            Family::Sdxl | Family::Ssd1b => Self::Sdxl,
            Family::Sd15 | Family::Sd2 | Family::Custom => Self::Sd,
        }
    }

    fn colours(self) -> &'static Colours {
        match self {
            Self::Sd => &SD,
            Self::Sdxl => &SDXL,
        }
    }
}

impl Decode for LinearDecoder {
    fn decode(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<Picture, DecodeError> {
        cancel.check()?;
        let plane = checked_plane(latents)?;
        let Colours { factors, bias } = self.colours();
        if latents.channels != factors.len() {
            return Err(DecodeError::Failed(format!("latents have {} channels instead of 4", latents.channels)));
        }
        let mut chw: Vec<f32> = bias.iter().flat_map(|bias| std::iter::repeat_n(*bias, plane)).collect();
        for (channel, factors) in latents.data.chunks_exact(plane).zip(factors) {
            for (out, factor) in chw.chunks_exact_mut(plane).zip(factors) {
                out.iter_mut().zip(channel).for_each(|(o, x)| *o += factor * x);
            }
        }
        Ok(Picture::from_chw(&chw, latents.width as u32, latents.height as u32)?)
    }

    fn is_free(&self) -> bool {
        true
    }
}

/// Latents of half the width and height, each the mean of up to four.
///
/// # Errors
/// [`DecodeError::Failed`] where the latents' values do not fill their shape.
pub fn half_size(latents: &Latents) -> Result<Latents, DecodeError> {
    let plane = checked_plane(latents)?;
    let (height, width) = (latents.height.div_ceil(2), latents.width.div_ceil(2));
    let mut data = Vec::with_capacity(latents.channels * height * width);
    for channel in latents.data.chunks_exact(plane) {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let rows = 2 * y..(2 * y + 2).min(latents.height);
            let columns = 2 * x..(2 * x + 2).min(latents.width);
            let count = rows.len() * columns.len();
            let sum: f32 = rows.flat_map(|r| &channel[r * latents.width..][columns.clone()]).sum();
            data.push(sum / count as f32);
        }
    }
    Ok(Latents { channels: latents.channels, height, width, data })
}

/// Ends where latents hold what is no number: activations would turn that into 0, and it would not show.
pub(crate) fn check_finite(latents: &Latents) -> Result<(), DecodeError> {
    if latents.is_finite() {
        return Ok(());
    }
    Err(DecodeError::Failed("the latents hold values that are not numbers (NaN or infinity)".into()))
}

/// Positions of one channel, where there are some and the values fill them.
fn checked_plane(latents: &Latents) -> Result<usize, DecodeError> {
    let plane = latents.height * latents.width;
    if plane == 0 || latents.channels * plane != latents.data.len() {
        let why = format!("{} latent values do not fill {:?}", latents.data.len(), latents.shape());
        return Err(DecodeError::Failed(why));
    }
    Ok(plane)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latents(channels: usize, height: usize, width: usize, value: impl Fn(usize) -> f32) -> Latents {
        Latents { channels, height, width, data: (0..channels * height * width).map(value).collect() }
    }

    #[test]
    fn linear_colours_are_comfyuis() {
        // The first channel at 1: ((factor + bias) / 2 + 0.5) · 255.
        for (family, rgb) in
            [(Family::Sd15, [128, 128, 128, 172, 157, 169]), (Family::Ssd1b, [141, 125, 127, 188, 179, 183])]
        {
            let latents = latents(4, 1, 2, |i| f32::from(u8::from(i == 1)));
            let picture = LinearDecoder::of(family).decode(&latents, &CancelToken::never());
            assert_eq!(picture.expect("decodes").rgb(), rgb, "{family}");
        }
    }

    #[test]
    fn wrong_latents_are_errors() {
        let mut linear = LinearDecoder::Sd;
        let never = CancelToken::never();
        for wrong in [
            latents(16, 2, 2, |_| 0.0),
            latents(4, 0, 2, |_| 0.0),
            latents(4, 1, 1, |_| f32::NAN),
            Latents { height: 9, ..latents(4, 2, 2, |_| 0.0) },
        ] {
            assert!(matches!(linear.decode(&wrong, &never), Err(DecodeError::Failed(_))));
        }
        let floor = fourstep_compute::CancelFloor::default();
        floor.raise(2);
        assert_eq!(linear.decode(&latents(4, 1, 1, |_| 0.0), &floor.token(1)), Err(DecodeError::Cancelled));
    }

    #[test]
    fn halving_means_four_and_keeps_odd_edges() {
        let half = half_size(&latents(1, 3, 3, |i| i as f32)).expect("fills");
        assert_eq!(half, Latents { channels: 1, height: 2, width: 2, data: vec![2.0, 3.5, 6.5, 8.0] });
    }
}
