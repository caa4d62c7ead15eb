use super::{
    Delta,
    factor::Factor,
    group::{Group, Reading},
};

/// `alpha / rank · w1 ⊙ w2`, both of low rank (LyCORIS `loha.py`; arXiv 2108.06098).
struct LoHa {
    factors: [Factor; 2],
    /// alpha / rank.
    scale: f32,
    shape: Vec<usize>,
}

/// A Hadamard product of two low-rank matrices.
pub(super) fn read(group: &Group) -> Reading {
    let mark = ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"];
    group.is(&mark, &["hada_t1", "hada_t2"]).then(|| LoHa::new(group).map(|delta| Box::new(delta) as Box<dyn Delta>))
}

impl LoHa {
    fn new(group: &Group) -> Result<Self, String> {
        let [first, second] = [
            Factor::read(group, "hada_w1", Some("hada_t1")).map_err(|why| format!("hada_w1: {why}"))?,
            Factor::read(group, "hada_w2", Some("hada_t2")).map_err(|why| format!("hada_w2: {why}"))?,
        ];
        let shape = first.shape();
        if shape != second.shape() {
            return Err(format!("hada_w1 makes {shape:?} and hada_w2 {:?}", second.shape()));
        }
        Ok(Self { scale: group.scale(first.rank().unwrap_or(1))?, shape, factors: [first, second] })
    }
}

impl Delta for LoHa {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn accumulate(&self, weight: f32, into: &mut [f32]) {
        let [first, second] = self.factors.each_ref().map(Factor::values);
        let scale = weight * self.scale;
        for ((into, first), second) in into.iter_mut().zip(first).zip(second) {
            *into += scale * first * second;
        }
    }
}
