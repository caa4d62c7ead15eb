use crate::{ComputeError, Result};
use half::{f16, slice::HalfFloatSliceExt};
use pulp::bytemuck;
use rayon::prelude::*;
use std::{
    borrow::Cow,
    ops::Range,
    sync::{Arc, OnceLock},
};

/// Number format of a [`HostTensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// 4 bytes.
    F32,
    /// 2 bytes, IEEE half.
    F16,
    /// 2 bytes, truncated f32.
    Bf16,
}

impl Element {
    /// Bytes of one value.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// A weight on the host, row-major: as it lies in a file (memory-mapped or embedded), numbers of its own, or made when
/// it is read. Cloning shares.
#[derive(Clone)]
pub struct HostTensor {
    shape: Vec<usize>,
    values: Values,
}

#[derive(Clone)]
enum Values {
    /// A range of some owner that keeps the bytes alive, little-endian.
    Stored {
        element: Element,
        owner: Arc<dyn Owner>,
        start: usize,
        len: usize,
    },
    Owned(Arc<Vec<f32>>),
    /// And all of its values, once somebody wanted them at once.
    Made(Arc<dyn Blocks>, Arc<OnceLock<Vec<f32>>>),
}

/// Bytes that tensors are views of.
pub trait Owner: AsRef<[u8]> + Send + Sync {
    /// These will not be read soon: memory that only mirrors a file may go.
    fn release(&self, range: Range<usize>) {
        let _ = range;
    }
}

impl Owner for Vec<u8> {}
impl Owner for &'static [u8] {}

/// A weight whose values are made when they are read, a block at a time: an original with something added. The whole
/// of it need never be in memory, and whoever packs it makes its blocks on several threads.
pub trait Blocks: Send + Sync {
    /// Writes a block, row after row. Rows are those of a matrix: the first dimension of the weight, and all others
    /// together. `columns` begins at a multiple of [`PANEL`](crate::panels::PANEL).
    ///
    /// # Errors
    /// [`ComputeError::NotFinite`] where a value is no number; `out` is written all the same.
    fn read(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) -> Result<()>;
}

impl HostTensor {
    /// A view of `len` bytes of `owner` from `start`. `name` is for the error.
    ///
    /// # Errors
    /// [`ComputeError::Shape`] where the range is outside the owner or does not hold `shape`.
    pub fn view(
        name: &str,
        shape: Vec<usize>,
        element: Element,
        owner: Arc<dyn Owner>,
        start: usize,
        len: usize,
    ) -> Result<Self> {
        let expected = shape.iter().try_fold(element.size_bytes(), |n, d| n.checked_mul(*d));
        let inside = start.checked_add(len).is_some_and(|end| end <= (*owner).as_ref().len());
        if expected != Some(len) || !inside {
            return Err(ComputeError::Shape {
                what: name.into(),
                expected: format!("{shape:?} of {element:?}"),
                found: format!("{len} bytes"),
            });
        }
        Ok(Self { shape, values: Values::Stored { element, owner, start, len } })
    }

    /// A tensor of its own.
    ///
    /// # Panics
    /// Where `values` does not hold `shape`.
    pub fn from_f32(shape: impl Into<Vec<usize>>, values: &[f32]) -> Self {
        Self::from_vec(shape, values.to_vec())
    }

    /// A tensor of its own, of values that need not be copied.
    ///
    /// # Panics
    /// Where `values` does not hold `shape`.
    pub fn from_vec(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let shape = shape.into();
        assert_eq!(shape.iter().product::<usize>(), values.len(), "values do not fill the shape");
        Self { shape, values: Values::Owned(Arc::new(values)) }
    }

    /// A tensor that is made when it is read.
    pub fn made(shape: impl Into<Vec<usize>>, blocks: Arc<dyn Blocks>) -> Self {
        Self { shape: shape.into(), values: Values::Made(blocks, Arc::default()) }
    }

    /// The shape, outermost first, as in PyTorch.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// The number format.
    pub fn element(&self) -> Element {
        match self.values {
            Values::Stored { element, .. } => element,
            Values::Owned(_) | Values::Made(..) => Element::F32,
        }
    }

    /// The bytes, as they would lie in a file.
    pub fn bytes(&self) -> &[u8] {
        match &self.values {
            Values::Stored { owner, start, len, .. } => &(**owner).as_ref()[*start..*start + *len],
            Values::Owned(values) => bytemuck::cast_slice(values),
            Values::Made(blocks, all) => bytemuck::cast_slice(all.get_or_init(|| self.make(&**blocks))),
        }
    }

    /// The values, widened.
    pub fn to_f32(&self) -> Vec<f32> {
        self.values().into_owned()
    }

    /// The values, widened where they are stored narrower.
    pub fn values(&self) -> Cow<'_, [f32]> {
        match bytemuck::try_cast_slice(self.bytes()) {
            Ok(values) if self.element() == Element::F32 => Cow::Borrowed(values),
            _ => {
                let mut out = vec![0.0; self.len()];
                widen(self.element(), self.bytes(), &mut out);
                Cow::Owned(out)
            }
        }
    }

    /// Writes the values of a block, as [`Blocks::read`] says.
    ///
    /// # Errors
    /// [`ComputeError::NotFinite`] where a tensor is made of numbers whose sum is none.
    ///
    /// # Panics
    /// Where the block is outside the matrix or `out` is not as large.
    pub fn read(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) -> Result<()> {
        if let Values::Made(blocks, _) = &self.values {
            return blocks.read(rows, columns, out);
        }
        let (element, width) = (self.element(), self.width());
        let row_bytes = width * element.size_bytes();
        let part = columns.start * element.size_bytes()..columns.end * element.size_bytes();
        let rows = &self.bytes()[rows.start * row_bytes..rows.end * row_bytes];
        for (row, out) in rows.chunks_exact(row_bytes.max(1)).zip(out.chunks_exact_mut(columns.len().max(1))) {
            widen(element, &row[part.clone()], out);
        }
        Ok(())
    }

    /// Gives back the memory that only mirrors a file; what is read again comes from there again.
    pub fn release(&self) {
        if let Values::Stored { owner, start, len, .. } = &self.values {
            owner.release(*start..*start + *len);
        }
    }

    /// Values of a row: all dimensions but the first.
    pub fn width(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The same values under another shape of the same length.
    ///
    /// # Errors
    /// [`ComputeError::Shape`] where the lengths differ.
    pub fn reshape(&self, shape: impl Into<Vec<usize>>) -> Result<Self> {
        let shape = shape.into();
        let reshaped = Self { shape, values: self.values.clone() };
        // What is made by rows is made by the rows it has.
        let same_rows = !matches!(self.values, Values::Made(..)) || reshaped.width() == self.width();
        if reshaped.len() == self.len() && same_rows {
            return Ok(reshaped);
        }
        Err(ComputeError::Shape {
            what: "reshape".into(),
            expected: format!("{:?}", reshaped.shape),
            found: format!("{:?}", self.shape),
        })
    }

    /// Part of the outermost dimension; of what lies in a file, a view.
    ///
    /// # Errors
    /// [`ComputeError::Shape`] where there are fewer rows.
    pub fn rows(&self, rows: Range<usize>) -> Result<Self> {
        let wrong = || ComputeError::Shape {
            what: "rows".into(),
            expected: format!("{rows:?}"),
            found: format!("{:?}", self.shape),
        };
        let [all, rest @ ..] = self.shape.as_slice() else { return Err(wrong()) };
        if rows.start > rows.end || rows.end > *all {
            return Err(wrong());
        }
        // Of no rows, a file may say that they are longer than memory.
        let width = rest.iter().try_fold(1usize, |n, side| n.checked_mul(*side)).ok_or_else(wrong)?;
        let shape = [&[rows.len()], rest].concat();
        match &self.values {
            Values::Stored { element, owner, start, .. } => {
                let row_bytes = width.checked_mul(element.size_bytes()).ok_or_else(wrong)?;
                let (start, len) = (start + rows.start * row_bytes, rows.len() * row_bytes);
                Ok(Self { shape, values: Values::Stored { element: *element, owner: owner.clone(), start, len } })
            }
            _ => Ok(Self::from_vec(shape, self.values()[rows.start * width..rows.end * width].to_vec())),
        }
    }

    /// A matrix with rows and columns exchanged, as a tensor of its own in the same number format.
    ///
    /// # Errors
    /// [`ComputeError::Shape`] where it is no matrix.
    pub fn transposed(&self) -> Result<Self> {
        let [rows, columns] = *self.shape.as_slice() else {
            let expected = "rows and columns".into();
            return Err(ComputeError::Shape { what: "transpose".into(), expected, found: format!("{:?}", self.shape) });
        };
        let (element, bytes) = (self.element(), self.bytes());
        let size = element.size_bytes();
        let mut turned = Vec::with_capacity(bytes.len());
        // Without rows a file may say that there are more columns than can be counted.
        let filled = if rows == 0 { 0 } else { columns };
        for column in 0..filled {
            for row in 0..rows {
                let at = (row * columns + column) * size;
                turned.extend_from_slice(&bytes[at..at + size]);
            }
        }
        let len = turned.len();
        Self::view("transpose", vec![columns, rows], element, Arc::new(turned), 0, len)
    }

    /// Every value of a tensor that is made.
    fn make(&self, blocks: &dyn Blocks) -> Vec<f32> {
        let width = self.width();
        let mut out = vec![0.0; self.len()];
        out.par_chunks_mut(width.max(1)).enumerate().for_each(|(row, out)| {
            // What is no number is among the values, which is where those who want all at once look for it.
            let _ = blocks.read(row..row + 1, 0..width, out);
        });
        out
    }
}

/// Little-endian numbers as f32.
fn widen(element: Element, bytes: &[u8], out: &mut [f32]) {
    match element {
        Element::F32 => bytes.as_chunks().0.iter().zip(out).for_each(|(b, out)| *out = f32::from_le_bytes(*b)),
        Element::Bf16 => bytes.as_chunks().0.iter().zip(out).for_each(|(b, out)| {
            *out = f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16);
        }),
        Element::F16 => match bytemuck::try_cast_slice::<u8, f16>(bytes) {
            Ok(halves) if cfg!(target_endian = "little") => halves.convert_to_f32_slice(out),
            _ => bytes.as_chunks().0.iter().zip(out).for_each(|(b, out)| *out = f16::from_le_bytes(*b).to_f32()),
        },
    }
}

impl std::fmt::Debug for HostTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostTensor({:?} {:?})", self.shape, self.element())
    }
}

/// Where a network reads its weights from, by checkpoint key.
pub trait TensorSource: Send + Sync {
    /// The tensor of this key.
    ///
    /// # Errors
    /// [`ComputeError::Missing`] where there is none.
    fn tensor(&self, key: &str) -> Result<HostTensor>;

    /// Whether there is a tensor of this key.
    fn contains(&self, key: &str) -> bool;

    /// What tells the tensor of this key from others that were or will be read under it: 0 is the original, and two
    /// of the same version are equal bit for bit. `None`: not known, so nothing made from the tensor can be kept.
    fn version(&self, key: &str) -> Option<u64> {
        let _ = key;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;

    #[test]
    fn views_widen_every_element() {
        let f16s: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        let bf16s: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect();
        for (element, bytes) in [(Element::F16, f16s), (Element::Bf16, bf16s)] {
            let t = HostTensor::view("w", vec![2], element, Arc::new(bytes), 0, 4).expect("fits");
            assert_eq!(t.to_f32(), [1.5, -2.0]);
        }
        assert_eq!(HostTensor::from_f32([2], &[1.5, -2.0]).to_f32(), [1.5, -2.0]);
    }

    #[test]
    fn rows_and_transposes_are_those_of_the_matrix() {
        let bytes: Vec<u8> = (1..=6u16).flat_map(u16::to_le_bytes).collect();
        let t = HostTensor::view("w", vec![3, 2], Element::F16, Arc::new(bytes), 0, 12).expect("fits");
        let rows = t.rows(1..3).expect("inside");
        assert_eq!((rows.shape(), rows.bytes()), (&[2, 2][..], &t.bytes()[4..]));
        assert_eq!(rows.rows(1..2).expect("inside").bytes(), &t.bytes()[8..]);
        assert!(t.rows(2..4).is_err() && HostTensor::from_f32([], &[1.0]).rows(0..1).is_err());
        let turned = t.transposed().expect("a matrix");
        assert_eq!((turned.shape(), turned.bytes()), (&[2, 3][..], &[1, 0, 3, 0, 5, 0, 2, 0, 4, 0, 6, 0][..]));
        assert_eq!(turned.transposed().expect("a matrix").bytes(), t.bytes());
        assert!(t.reshape([6]).expect("same length").transposed().is_err());
    }

    #[test]
    fn views_outside_their_owner_are_refused() {
        let owner = Arc::new(vec![0u8; 8]);
        assert!(HostTensor::view("w", vec![2], Element::F32, owner.clone(), 4, 8).is_err());
        assert!(HostTensor::view("w", vec![3], Element::F32, owner.clone(), 0, 8).is_err());
        assert!(HostTensor::view("w", vec![usize::MAX, 2], Element::F32, owner, 0, 8).is_err());
    }
}
