use super::{Delta, group::Group};
use fourstep_compute::HostTensor;

/// DoRA (arXiv 2402.09353): the changed weight is brought to trained lengths, `m · (W + Δ) / ‖W + Δ‖`, per output or
/// per input. The weight of the LoRA scales Δ, as in PEFT.
pub(super) struct Magnitude {
    lengths: HostTensor,
    axis: Axis,
}

#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Output,
    Input,
}

/// A tensor of lengths whose axis is not known yet.
pub(super) enum Untied {
    /// `dora_scale` of LyCORIS: `[out, 1, …]` or `[1, in, …]`.
    Lycoris(HostTensor),
    /// `lora_magnitude_vector` of PEFT: `[out]` or `[1, out, 1, 1]`.
    Peft(HostTensor),
}

pub(super) const PEFT: &str = "lora_magnitude_vector";
const LYCORIS: &str = "dora_scale";

impl Magnitude {
    /// Takes the lengths out of a module, so that what is left is its change.
    pub(super) fn take(group: &mut Group) -> Option<Untied> {
        let lycoris = group.tensors.remove(LYCORIS).map(Untied::Lycoris);
        lycoris.or_else(|| group.tensors.remove(PEFT).map(Untied::Peft))
    }

    /// `delta` is the change, `base` the unchanged weight; adds what the weight becomes, less what it was.
    pub(super) fn apply(&self, delta: &dyn Delta, weight: f32, base: &[f32], into: &mut [f32]) {
        let mut changed = base.to_vec();
        delta.accumulate(weight, &mut changed);
        let lengths = self.lengths.to_f32();
        let [outputs, inputs] = match self.axis {
            Axis::Output => [lengths.len(), 1],
            Axis::Input => [delta.shape()[0], lengths.len()],
        };
        let kernel = base.len() / (outputs * inputs);
        let line = |at: usize| match self.axis {
            Axis::Output => at / kernel,
            Axis::Input => at / kernel % inputs,
        };
        let mut squares = vec![0f64; lengths.len()];
        changed.iter().enumerate().for_each(|(at, value)| squares[line(at)] += f64::from(*value).powi(2));
        let factors: Vec<f32> = lengths
            .iter()
            .zip(squares)
            .map(|(length, square)| length / (square.sqrt() as f32 + f32::EPSILON))
            .collect();
        for (at, (into, (changed, base))) in into.iter_mut().zip(changed.iter().zip(base)).enumerate() {
            *into += factors[line(at)] * changed - base;
        }
    }
}

impl Untied {
    /// The lengths for a change of this shape.
    ///
    /// # Errors
    /// Where they fit neither its outputs nor its inputs.
    pub(super) fn of(self, delta: &[usize]) -> Result<Magnitude, String> {
        let lengths = match &self {
            Self::Lycoris(lengths) | Self::Peft(lengths) => lengths.clone(),
        };
        let count: usize = lengths.shape().iter().product();
        let outputs = delta.first().copied().unwrap_or(0);
        let axis = match (&self, lengths.shape()) {
            (Self::Lycoris(_), [1, inputs, ..]) if *inputs == count && fits_inputs(delta, count) => Axis::Input,
            (Self::Lycoris(_), [rows, ..]) if *rows == count && count == outputs => Axis::Output,
            (Self::Peft(_), _) if count == outputs => Axis::Output,
            _ => return Err(format!("its lengths are {:?} for a weight of {delta:?}", lengths.shape())),
        };
        if count == 0 {
            return Err("it has no lengths".into());
        }
        Ok(Magnitude { lengths, axis })
    }
}

/// Whether there are so many inputs, or so many times a kernel where the change was flattened.
fn fits_inputs(delta: &[usize], inputs: usize) -> bool {
    match delta {
        [_, flat] => inputs > 0 && flat % inputs == 0,
        [_, delta_inputs, ..] => *delta_inputs == inputs,
        _ => false,
    }
}
