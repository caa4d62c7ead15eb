use super::{
    Delta,
    factor::Factor,
    group::{Group, Reading},
    low_rank::{DOWN, UP},
};

const MID: &str = "lora_mid.weight";

/// LoCon with a convolution between two 1×1 convolutions: `alpha / rank · up · mid · down` (LyCORIS `locon.py`).
struct Tucker {
    factor: Factor,
    /// alpha / rank.
    scale: f32,
    shape: Vec<usize>,
}

/// A convolution in three parts.
pub(super) fn read(group: &Group) -> Reading {
    group.is(&[MID], &[DOWN, UP]).then(|| new(group).map(|delta| Box::new(delta) as Box<dyn Delta>))
}

fn new(group: &Group) -> Result<Tucker, String> {
    let (left, right, core) = (group.need(UP)?, group.need(DOWN)?, group.need(MID)?);
    let factor = Factor::Tucker { core, left, right, left_is_upright: true }.checked()?;
    Ok(Tucker { scale: group.scale(factor.rank().unwrap_or(1))?, shape: factor.shape(), factor })
}

impl Delta for Tucker {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn accumulate(&self, weight: f32, into: &mut [f32]) {
        let scale = weight * self.scale;
        into.iter_mut().zip(self.factor.values()).for_each(|(into, value)| *into += scale * value);
    }
}
