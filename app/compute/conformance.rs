//! What every backend has to get right: each operation against a naive reference in f64, over odd sizes, strides,
//! paddings, epilogues, heads and masks; cancelled tokens; operands that do not fit.

mod pictures;
mod reference;
mod refusals;
mod tokens;

use crate::{Activation, Backend, ComputeError, Conv2dSpec, HostTensor, Mask};
use reference::Array;
use std::{collections::BTreeMap, fmt};

/// Runs the whole suite.
///
/// # Errors
/// The first [`Failure`].
pub fn run<B: Backend>(backend: &B, tolerance: Tolerance) -> Result<Report, Failure> {
    let mut suite = Suite::new(backend, tolerance);
    pictures::check(&mut suite)?;
    tokens::check(&mut suite)?;
    pictures::shared_vectors(&mut suite)?;
    refusals::check(&mut suite)?;
    Ok(suite.report)
}

/// One operation of each kind on sizes of an ordinary network: a look at a device that nobody has tried before, in a
/// moment.
///
/// # Errors
/// The first [`Failure`].
pub fn glance<B: Backend>(backend: &B, tolerance: Tolerance) -> Result<Report, Failure> {
    let mut suite = Suite::new(backend, tolerance);
    let padded = Conv2dSpec::padded(1);
    pictures::convolution(&mut suite, ([1, 36, 20, 18], 72, [3, 3], padded), true)?;
    pictures::group_norm(&mut suite, [1, 64, 20, 18], 32, Some(Activation::Silu))?;
    tokens::geglu(&mut suite, [1, 130, 80], 160, true)?;
    tokens::attention(&mut suite, (1, 130, 77, 2, 40), Mask::None)?;
    Ok(suite.report)
}

/// How far results may be from the reference.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Largest difference, relative to the largest value of the reference.
    pub relative: f64,
}

impl Tolerance {
    /// For f32 throughout.
    pub const F32: Self = Self { relative: 3e-6 };
    /// For f16 operands, sums in f32.
    pub const F16: Self = Self { relative: 5e-3 };
    /// For bf16 operands, sums in f32: 0.2 % of each operand, of which sums average most out. Where an activation
    /// compresses the largest values it leaves the errors of the others as they are.
    pub const BF16: Self = Self { relative: 2e-2 };
    /// For weights and rows in 127 steps of their largest value, 0.4 % of it, other operands in bf16.
    pub const INT8: Self = Self { relative: 4e-2 };
}

/// The largest error of each operation, relative to the largest value of its result.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By the operation's name.
    pub errors: BTreeMap<&'static str, f64>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.errors.iter().try_for_each(|(operation, error)| writeln!(f, "{operation:20} {error:.1e}"))
    }
}

/// The first thing a backend got wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation}, {case}: {what}")]
pub struct Failure {
    /// The operation.
    pub operation: &'static str,
    /// Sizes and options of the case.
    pub case: String,
    /// What happened instead.
    pub what: String,
}

const ACTIVATIONS: [Option<Activation>; 6] = [
    None,
    Some(Activation::Silu),
    Some(Activation::Gelu),
    Some(Activation::QuickGelu),
    Some(Activation::Relu),
    Some(Activation::SoftClamp3),
];

/// A run of the suite: what is tested and what was found.
struct Suite<'a, B> {
    backend: &'a B,
    tolerance: Tolerance,
    report: Report,
    random: u64,
}

type Checked<T = ()> = Result<T, Failure>;

impl<'a, B: Backend> Suite<'a, B> {
    fn new(backend: &'a B, tolerance: Tolerance) -> Self {
        Self { backend, tolerance, report: Report::default(), random: 0x9E37_79B9 }
    }

    /// Values in ±1, the same on every run.
    fn array(&mut self, shape: &[usize]) -> Array {
        let next = || {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from((self.random >> 40) as f32 / (1 << 23) as f32 - 1.0)
        };
        let values = std::iter::repeat_with(next).take(shape.iter().product()).collect();
        Array { shape: shape.to_vec(), values }
    }

    /// A weight, and as it lies in a checkpoint.
    fn weight(&mut self, shape: &[usize]) -> (Array, HostTensor) {
        let array = self.array(shape);
        let host = HostTensor::from_f32(shape, &array.to_f32());
        (array, host)
    }

    /// A picture `[n, c, h, w]`, and on the device.
    fn picture(&mut self, shape: [usize; 4]) -> Checked<(Array, B::Tensor)> {
        let array = self.array(&shape);
        let on_device = self.backend.upload_image(&array.to_f32(), shape);
        Ok((array, on_device.map_err(|e| failure("upload_image", &shape, &e))?))
    }

    /// Tokens `[n, l, c]`, and on the device.
    fn tokens(&mut self, shape: [usize; 3]) -> Checked<(Array, B::Tensor)> {
        let array = self.array(&shape);
        let on_device = self.backend.upload_tokens(&array.to_f32(), shape);
        Ok((array, on_device.map_err(|e| failure("upload_tokens", &shape, &e))?))
    }

    /// Holds a picture against the reference.
    fn same_picture(
        &mut self,
        operation: &'static str,
        case: &dyn fmt::Debug,
        found: crate::Result<B::Tensor>,
        expected: &Array,
    ) -> Checked {
        let found = found.and_then(|x| self.backend.download_image(&x)).map_err(|e| failure(operation, case, &e))?;
        self.same(operation, case, &found.0, &found.1, expected)
    }

    /// Holds tokens against the reference.
    fn same_tokens(
        &mut self,
        operation: &'static str,
        case: &dyn fmt::Debug,
        found: crate::Result<B::Tensor>,
        expected: &Array,
    ) -> Checked {
        let found = found.and_then(|x| self.backend.download_tokens(&x)).map_err(|e| failure(operation, case, &e))?;
        self.same(operation, case, &found.0, &found.1, expected)
    }

    fn same(
        &mut self,
        operation: &'static str,
        case: &dyn fmt::Debug,
        found: &[f32],
        shape: &[usize],
        expected: &Array,
    ) -> Checked {
        if shape != expected.shape || found.len() != expected.values.len() {
            let what = format!("shape {shape:?} of {} values instead of {:?}", found.len(), expected.shape);
            return Err(Failure { operation, case: format!("{case:?}"), what });
        }
        let largest = expected.values.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
        let error = found.iter().zip(&expected.values).map(|(a, b)| (f64::from(*a) - b).abs() / largest);
        // A NaN must not hide behind a maximum.
        let error = error.fold(0.0, |m: f64, e| if e.is_nan() || e > m { e } else { m });
        let worst = self.report.errors.entry(operation).or_default();
        *worst = worst.max(error);
        if error <= self.tolerance.relative {
            return Ok(());
        }
        let what = format!("off by {error:.2e} of the largest value, {:.1e} allowed", self.tolerance.relative);
        Err(Failure { operation, case: format!("{case:?}"), what })
    }
}

fn failure(operation: &'static str, case: &dyn fmt::Debug, error: &ComputeError) -> Failure {
    Failure { operation, case: format!("{case:?}"), what: error.to_string() }
}
