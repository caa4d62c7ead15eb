//! A matrix that is stored in factors.

use super::group::Group;
use crate::product::add_product;
use fourstep_compute::HostTensor;

/// A matrix `[rows, columns]`, where the columns of a convolution are its inputs × its kernel.
pub(super) enum Factor {
    /// As it is.
    Whole(HostTensor),
    /// `left · right`.
    Product {
        /// `[rows, rank]`
        left: HostTensor,
        /// `[rank, columns]`
        right: HostTensor,
    },
    /// `Σᵢⱼ core[i, j, k] · left[p, i] · right[j, r]`, a Tucker decomposition of a kernel (LyCORIS `rebuild_tucker`).
    Tucker {
        /// `[rank, rank, …kernel]`
        core: HostTensor,
        /// `[rank, rows]`, or `[rows, rank]` as [`left_is_upright`](Self::Tucker::left_is_upright) says.
        left: HostTensor,
        /// `[rank, inputs]`
        right: HostTensor,
        /// Whether `left` is `[rows, rank]`.
        left_is_upright: bool,
    },
}

impl Factor {
    /// A factor stored whole under `name`, or as `name_a`, `name_b` and perhaps the core `core`.
    ///
    /// # Errors
    /// What is missing or does not fit together.
    pub(super) fn read(group: &Group, name: &str, core: Option<&str>) -> Result<Self, String> {
        let (a, b) = (format!("{name}_a"), format!("{name}_b"));
        if let Some(whole) = group.tensor(name) {
            if let Some(other) = [a.as_str(), &b].into_iter().chain(core).find(|role| group.tensor(role).is_some()) {
                return Err(format!("{name} and {other} contradict each other"));
            }
            return Self::Whole(whole.clone()).checked();
        }
        let (left, right) = (group.need(&a)?, group.need(&b)?);
        match core.and_then(|core| group.tensor(core)) {
            Some(core) => Self::Tucker { core: core.clone(), left, right, left_is_upright: false }.checked(),
            None => Self::Product { left, right }.checked(),
        }
    }

    /// # Errors
    /// Shapes that do not fit together, and matrices without elements.
    pub(super) fn checked(self) -> Result<Self, String> {
        let shapes = || match &self {
            Self::Whole(whole) => format!("{:?}", whole.shape()),
            Self::Product { left, right } => format!("{:?} and {:?}", left.shape(), right.shape()),
            Self::Tucker { core, left, right, .. } => {
                format!("{:?}, {:?} and {:?}", core.shape(), left.shape(), right.shape())
            }
        };
        let fits = match &self {
            Self::Whole(whole) => whole.shape().len() >= 2,
            Self::Product { left, right } => {
                right.shape().len() >= 2 && matrix(left).is_some_and(|[_, rank]| rank == right.shape()[0])
            }
            Self::Tucker { core, left, right, left_is_upright } => {
                let rank = matrix(left).map(|[a, b]| if *left_is_upright { b } else { a });
                let inner = matrix(right).map(|[rank, _]| rank);
                matches!(core.shape(), &[i, j, _, ..] if rank == Some(i) && inner == Some(j))
            }
        };
        let filled = || self.shape().into_iter().chain([self.rank().unwrap_or(1)]).all(|side| side > 0);
        let counted = || self.shape().into_iter().try_fold(1usize, usize::checked_mul).is_some();
        if fits && filled() && counted() { Ok(self) } else { Err(format!("{} do not fit together", shapes())) }
    }

    /// `[rows, inputs, …kernel]`, or `[rows, inputs · kernel]` where that is how it is stored.
    pub(super) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Whole(whole) => whole.shape().to_vec(),
            Self::Product { left, right } => [&left.shape()[..1], &right.shape()[1..]].concat(),
            Self::Tucker { core, left, right, left_is_upright } => {
                let rows = left.shape()[usize::from(!left_is_upright)];
                [&[rows, right.shape()[1]], &core.shape()[2..]].concat()
            }
        }
    }

    /// The inner dimension, by which alpha is divided; `None` where it is stored whole.
    pub(super) fn rank(&self) -> Option<usize> {
        match self {
            Self::Whole(_) => None,
            Self::Product { right, .. } => Some(right.shape()[0]),
            Self::Tucker { right, .. } => Some(right.shape()[0]),
        }
    }

    /// All values, row-major.
    pub(super) fn values(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.shape().iter().product()];
        match self {
            Self::Whole(whole) => return whole.to_f32(),
            Self::Product { left, right } => {
                let sides = [left.shape()[0], right.shape()[0]];
                add_product(&mut values, 1.0, &left.to_f32(), &right.to_f32(), sides);
            }
            Self::Tucker { core, left, right, left_is_upright } => {
                let (outer, inner) = (core.shape()[0], core.shape()[1]);
                let kernel: usize = core.shape()[2..].iter().product();
                let inputs = right.shape()[1];
                // Per row of the core: right turned by it, `[inputs, kernel]`; then one product with left.
                let (core, turned) = (core.to_f32(), transposed(&right.to_f32(), [inner, inputs]));
                let mut rows = vec![0.0; outer * inputs * kernel];
                for (row, core) in rows.chunks_mut(inputs * kernel).zip(core.chunks(inner * kernel)) {
                    add_product(row, 1.0, &turned, core, [inputs, inner]);
                }
                let flat = left.to_f32();
                let left = if *left_is_upright { flat } else { transposed(&flat, [outer, flat.len() / outer]) };
                add_product(&mut values, 1.0, &left, &rows, [left.len() / outer, outer]);
            }
        }
        values
    }
}

/// The sides of a matrix; a 1×1 convolution is one.
fn matrix(tensor: &HostTensor) -> Option<[usize; 2]> {
    match tensor.shape() {
        &[rows, columns, ref kernel @ ..] if kernel.iter().all(|k| *k == 1) => Some([rows, columns]),
        _ => None,
    }
}

fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..rows * columns).map(|at| values[at % rows * columns + at / rows]).collect()
}
