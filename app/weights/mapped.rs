use crate::KeyedSource;
use fourstep_compute::{ComputeError, HostTensor, Result, TensorSource};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// Tensors of another source under other keys, some as parts or in another shape. Nothing is read or copied before a
/// key is asked for.
pub(crate) struct Mapped {
    base: Arc<dyn KeyedSource>,
    tensors: BTreeMap<String, Origin>,
}

/// What of a tensor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// All of it.
    Whole,
    /// All of it; a convolution of 1 px as the matrix it is.
    Matrix,
    /// One of three equal parts, one above the other.
    Third(usize),
    /// Rows and columns exchanged.
    Transposed,
}

struct Origin {
    key: String,
    view: View,
    shape: Vec<usize>,
}

impl Mapped {
    /// `names` says what the tensor of a key is called here, and which views of it there are; none for a key that is
    /// left out.
    pub(crate) fn new(base: Arc<dyn KeyedSource>, names: impl Fn(&str) -> Vec<(String, View)>) -> Self {
        let mut tensors = BTreeMap::new();
        for key in base.keys() {
            for (name, view) in names(key) {
                let shape = view.shape(base.shape(key).unwrap_or_default());
                tensors.insert(name, Origin { key: key.to_owned(), view, shape });
            }
        }
        Self { base, tensors }
    }
}

impl TensorSource for Mapped {
    fn tensor(&self, key: &str) -> Result<HostTensor> {
        let Origin { key, view, shape } = self.tensors.get(key).ok_or_else(|| ComputeError::Missing(key.to_owned()))?;
        let tensor = self.base.tensor(key)?;
        match view {
            View::Whole => Ok(tensor),
            View::Matrix => tensor.reshape(shape.clone()),
            View::Third(index) => tensor.rows(third(*index, tensor.shape())),
            View::Transposed => tensor.transposed(),
        }
    }

    fn contains(&self, key: &str) -> bool {
        self.tensors.contains_key(key)
    }

    fn version(&self, key: &str) -> Option<u64> {
        self.tensors.get(key).map_or(Some(0), |origin| self.base.version(&origin.key))
    }
}

impl KeyedSource for Mapped {
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.tensors.keys().map(String::as_str))
    }

    fn shape(&self, key: &str) -> Option<&[usize]> {
        self.tensors.get(key).map(|origin| origin.shape.as_slice())
    }
}

impl View {
    fn shape(self, base: &[usize]) -> Vec<usize> {
        match (self, base) {
            (Self::Matrix, [output, input, rest @ ..]) if rest.iter().all(|px| *px == 1) => vec![*output, *input],
            (Self::Third(index), [_, rest @ ..]) => [&[third(index, base).len()], rest].concat(),
            (Self::Transposed, [rows, columns]) => vec![*columns, *rows],
            _ => base.to_vec(),
        }
    }
}

fn third(index: usize, shape: &[usize]) -> Range<usize> {
    let rows = shape.first().map_or(0, |rows| rows / 3);
    index * rows..(index + 1) * rows
}
