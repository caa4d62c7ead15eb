use super::{
    Delta,
    factor::Factor,
    group::{Group, Reading},
};
use crate::product::{Product, add_product};
use fourstep_compute::HostTensor;

pub(super) const DOWN: &str = "lora_down.weight";
pub(super) const UP: &str = "lora_up.weight";

/// `alpha / rank · up · down` (arXiv 2106.09685). For a convolution, `down` has its kernel and `up` is 1×1.
struct LowRank {
    /// `[out, rank]` or `[out, rank, 1, 1]`.
    up: HostTensor,
    /// `[rank, in]` or `[rank, in, kh, kw]`.
    down: HostTensor,
    /// alpha / rank.
    scale: f32,
    shape: Vec<usize>,
}

/// A plain LoRA module; `None` where other tensors belong to it, whose meaning is not known here.
pub(super) fn read(group: &Group) -> Reading {
    group.is(&[DOWN, UP], &[]).then(|| LowRank::new(group).map(|delta| Box::new(delta) as Box<dyn Delta>))
}

impl LowRank {
    fn new(group: &Group) -> Result<Self, String> {
        let (up, down) = (group.need(UP)?, group.need(DOWN)?);
        let factor = Factor::Product { left: up.clone(), right: down.clone() }.checked();
        let shape = factor.map_err(|why| format!("{UP} and {DOWN}, {why}"))?.shape();
        Ok(Self { scale: group.scale(down.shape()[0])?, shape, up, down })
    }
}

impl Delta for LowRank {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn accumulate(&self, weight: f32, into: &mut [f32]) {
        let [rows, inner] = [self.shape[0], self.down.shape()[0]];
        add_product(into, weight * self.scale, &self.up.to_f32(), &self.down.to_f32(), [rows, inner]);
    }

    fn product(&self, weight: f32) -> Option<Product> {
        Some(Product::new(weight * self.scale, &self.up, &self.down))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lora::tests::group;

    #[test]
    fn without_alpha_the_scale_is_one() {
        for (alpha, scale) in [(None, 1.0), (Some(("alpha", &[][..])), 0.5)] {
            let tensors: Vec<(&str, &[usize])> =
                [(DOWN, &[4, 3][..]), (UP, &[2, 4])].into_iter().chain(alpha).collect();
            let delta = read(&group(&tensors)).expect("plain").expect("sound");
            assert_eq!(delta.shape(), [2, 3]);
            let mut into = vec![1.0; 6];
            delta.accumulate(0.5, &mut into);
            assert_eq!(into, vec![1.0 + 0.5 * scale * 16.0; 6]);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_damage() {
        for (down, up) in [
            (&[4, 3][..], &[2, 5][..]),
            (&[4, 3], &[2]),
            (&[4], &[2, 4]),
            (&[0, 3], &[2, 0]),
            (&[4, 3, 3, 3], &[2, 4, 3, 3]),
        ] {
            assert!(read(&group(&[(DOWN, down), (UP, up)])).expect("plain").is_err(), "{down:?} {up:?}");
        }
        assert!(read(&group(&[(DOWN, &[1, 1]), (UP, &[1, 1]), ("alpha", &[2])])).expect("plain").is_err());
    }

    #[test]
    fn modules_with_more_tensors_are_left_to_others() {
        assert!(read(&group(&[(DOWN, &[1, 1]), (UP, &[1, 1]), ("scalar", &[1])])).is_none());
        assert!(read(&group(&[("hada_w1_a", &[1])])).is_none());
        assert!(read(&group(&[("alpha", &[])])).is_none());
    }
}
