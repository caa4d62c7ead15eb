use super::{
    Delta,
    factor::Factor,
    group::{Group, Reading},
};

/// `alpha / rank · w1 ⊗ w2`, a Kronecker product whose factors are whole or of low rank (LyCORIS `lokr.py`). Where
/// both are whole there is no rank, and no scale.
struct LoKr {
    /// `[a, b]`
    left: Factor,
    /// `[c, d, …kernel]`
    right: Factor,
    scale: f32,
    /// `[a · c, b · d, …kernel]`
    shape: Vec<usize>,
}

/// A Kronecker product.
pub(super) fn read(group: &Group) -> Reading {
    let mark = ["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"];
    group.is(&mark, &["lokr_t2"]).then(|| LoKr::new(group).map(|delta| Box::new(delta) as Box<dyn Delta>))
}

impl LoKr {
    fn new(group: &Group) -> Result<Self, String> {
        let left = Factor::read(group, "lokr_w1", None).map_err(|why| format!("lokr_w1: {why}"))?;
        let right = Factor::read(group, "lokr_w2", Some("lokr_t2")).map_err(|why| format!("lokr_w2: {why}"))?;
        let (a, mut shape) = (left.shape(), right.shape());
        if a[2..].iter().any(|k| *k != 1) {
            return Err(format!("lokr_w1 makes {a:?}, which is no matrix"));
        }
        for (side, times) in shape.iter_mut().zip(&a[..2]) {
            *side = side.checked_mul(*times).ok_or("lokr_w1 and lokr_w2 make a weight larger than any")?;
        }
        let scale = match right.rank().or(left.rank()) {
            Some(rank) => group.scale(rank)?,
            None => 1.0,
        };
        Ok(Self { left, right, scale, shape })
    }
}

impl Delta for LoKr {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn accumulate(&self, weight: f32, into: &mut [f32]) {
        let (left, right) = (self.left.values(), self.right.values());
        let (left_shape, scale) = (self.left.shape(), weight * self.scale);
        let rows = self.right.shape()[0];
        let columns = right.len() / rows;
        for (row, into) in into.chunks_mut(left_shape[1] * columns).enumerate() {
            let right = &right[row % rows * columns..][..columns];
            let left = &left[row / rows * left_shape[1]..][..left_shape[1]];
            for (into, left) in into.chunks_mut(columns).zip(left) {
                into.iter_mut().zip(right).for_each(|(into, right)| *into += scale * left * right);
            }
        }
    }
}
