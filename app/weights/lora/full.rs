use super::{
    Delta,
    group::{Group, Reading},
};
use fourstep_compute::HostTensor;

/// A difference stored whole: of weights (`diff`), of biases (`diff_b`) and of norms (LyCORIS `full.py`, `norms.py`).
struct Full(HostTensor);

/// A whole difference.
pub(super) fn read(group: &Group) -> Reading {
    const ROLES: [&str; 4] = ["diff", "diff_b", "w_norm", "b_norm"];
    let mut found = ROLES.iter().filter_map(|role| group.tensor(role));
    let (Some(diff), None, true) = (found.next(), found.next(), group.is(&ROLES, &[])) else { return None };
    Some(Ok(Box::new(Full(diff.clone()))))
}

impl Delta for Full {
    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn accumulate(&self, weight: f32, into: &mut [f32]) {
        into.iter_mut().zip(self.0.to_f32()).for_each(|(into, diff)| *into += weight * diff);
    }
}
