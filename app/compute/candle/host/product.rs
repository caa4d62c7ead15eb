use super::{
    Values, for_rows, functions,
    panels::{Stored, product},
    tensor,
};
use crate::{
    Activation, CancelToken,
    candle::{fault::Outcome, weights},
    shapes::Tokens,
};
use candle_core::Tensor;

/// The epilogue of a product whose rows are positions and whose columns are channels.
pub(in crate::candle) struct Finish<'a> {
    bias: Option<Values<'a>>,
    /// `[n, c]` and how many rows belong to one sample.
    per_sample: Option<(Values<'a>, usize)>,
    residual: Option<Values<'a>>,
    activation: Option<Activation>,
    channels: usize,
}

impl<'a> Finish<'a> {
    pub(in crate::candle) fn new(
        bias: Option<&'a Tensor>,
        per_sample: Option<(&'a Tensor, usize)>,
        residual: Option<&'a Tensor>,
        activation: Option<Activation>,
        channels: usize,
    ) -> Outcome<Self> {
        Ok(Self {
            bias: bias.map(Values::of).transpose()?,
            per_sample: per_sample.map(|(x, rows)| Values::of(x).map(|v| (v, rows.max(1)))).transpose()?,
            residual: residual.map(Values::of).transpose()?,
            activation,
            channels,
        })
    }

    /// On these rows, the first of which is row `first` of the whole output.
    pub(super) fn rows(&self, first: usize, rows: &mut [f32]) {
        let c = self.channels.max(1);
        if self.bias.is_some() || self.per_sample.is_some() || self.residual.is_some() {
            for (i, row) in rows.chunks_mut(c).enumerate() {
                self.row(first + i, row);
            }
        }
        if let Some(activation) = self.activation {
            functions::activate(activation, rows);
        }
    }

    fn row(&self, at: usize, row: &mut [f32]) {
        let c = self.channels;
        if let Some(bias) = &self.bias {
            functions::add(row, bias.slice());
        }
        if let Some((x, rows)) = &self.per_sample {
            functions::add(row, &x.slice()[at / rows * c..]);
        }
        if let Some(x) = &self.residual {
            functions::add(row, &x.slice()[at * c..]);
        }
    }

    /// On a whole output.
    pub(super) fn all(&self, out: &mut [f32]) {
        for_rows(out, self.channels, |first, rows| self.rows(first, rows));
    }
}

/// `x · w`, then `finish`.
pub(in crate::candle) fn linear(
    x: &Tensor,
    shape: Tokens,
    w: &weights::Linear,
    finish: &Finish<'_>,
    cancel: &CancelToken,
) -> Outcome<Tensor> {
    let input = Values::of(x)?;
    let rows = Stored { values: input.slice(), k: w.matrix.inputs };
    let out =
        product(&rows, (shape.n * shape.l, w.matrix.outputs, w.matrix.inputs), w.weight.panels()?, finish, cancel)?;
    tensor(out, &[shape.n, shape.l, w.matrix.outputs])
}

/// `a · gelu(g)` of `[a, g] = x · w + bias`.
pub(in crate::candle) fn geglu(
    x: &Tensor,
    shape: Tokens,
    w: &weights::Linear,
    cancel: &CancelToken,
) -> Outcome<Tensor> {
    let input = Values::of(x)?;
    let rows = Stored { values: input.slice(), k: w.matrix.inputs };
    let finish = Finish::new(w.bias.as_ref(), None, None, None, w.matrix.outputs)?;
    let both =
        product(&rows, (shape.n * shape.l, w.matrix.outputs, w.matrix.inputs), w.weight.panels()?, &finish, cancel)?;
    let half = w.matrix.outputs / 2;
    let mut out = vec![0.0; shape.n * shape.l * half];
    for_rows(&mut out, half, |first, rows| {
        for (row, both) in rows.chunks_mut(half).zip(both[first * 2 * half..].chunks(2 * half)) {
            let (a, gate) = both.split_at(half);
            row.copy_from_slice(gate);
            functions::activate(Activation::Gelu, row);
            row.iter_mut().zip(a).for_each(|(gate, a)| *gate *= a);
        }
    });
    tensor(out, &[shape.n, shape.l, half])
}
