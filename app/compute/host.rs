use crate::{ComputeError, Result};
use half::{bf16, f16};
use std::{ops::Range, sync::Arc};

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

/// A weight as it lies in a file (memory-mapped, embedded or made by merging): row-major, little-endian.
#[derive(Clone)]
pub struct HostTensor {
    shape: Vec<usize>,
    element: Element,
    bytes: Bytes,
}

/// A range of some owner that keeps the bytes alive: a memory map, a static array, a vector.
#[derive(Clone)]
struct Bytes {
    owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
    start: usize,
    len: usize,
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
        owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
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
        Ok(Self { shape, element, bytes: Bytes { owner, start, len } })
    }

    /// A tensor of its own.
    ///
    /// # Panics
    /// Where `values` does not hold `shape`.
    pub fn from_f32(shape: impl Into<Vec<usize>>, values: &[f32]) -> Self {
        let shape = shape.into();
        assert_eq!(shape.iter().product::<usize>(), values.len(), "values do not fill the shape");
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let len = bytes.len();
        Self { shape, element: Element::F32, bytes: Bytes { owner: Arc::new(bytes), start: 0, len } }
    }

    /// The shape, outermost first, as in PyTorch.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number format.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The bytes as they lie in the file.
    pub fn bytes(&self) -> &[u8] {
        &(*self.bytes.owner).as_ref()[self.bytes.start..self.bytes.start + self.bytes.len]
    }

    /// The values, widened.
    pub fn to_f32(&self) -> Vec<f32> {
        let bytes = self.bytes();
        match self.element {
            Element::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Element::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Element::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        }
    }

    /// The same values under another shape of the same length.
    ///
    /// # Errors
    /// [`ComputeError::Shape`] where the lengths differ.
    pub fn reshape(&self, shape: impl Into<Vec<usize>>) -> Result<Self> {
        let shape = shape.into();
        if shape.iter().product::<usize>() != self.shape.iter().product::<usize>() {
            return Err(ComputeError::Shape {
                what: "reshape".into(),
                expected: format!("{shape:?}"),
                found: format!("{:?}", self.shape),
            });
        }
        Ok(Self { shape, ..self.clone() })
    }

    /// Part of the outermost dimension, as a view of the same bytes.
    ///
    /// # Errors
    /// [`ComputeError::Shape`] where there are fewer rows.
    pub fn rows(&self, rows: Range<usize>) -> Result<Self> {
        let [all, rest @ ..] = self.shape.as_slice() else { return Err(self.no_rows(&rows)) };
        if rows.start > rows.end || rows.end > *all {
            return Err(self.no_rows(&rows));
        }
        // Of no rows, a file may say that they are longer than memory.
        let row_bytes = rest.iter().try_fold(self.element.size_bytes(), |n, side| n.checked_mul(*side));
        let row_bytes = row_bytes.ok_or_else(|| self.no_rows(&rows))?;
        let shape = [&[rows.len()], rest].concat();
        let (start, len) = (self.bytes.start + rows.start * row_bytes, rows.len() * row_bytes);
        Ok(Self { shape, element: self.element, bytes: Bytes { owner: self.bytes.owner.clone(), start, len } })
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
        let (size, bytes) = (self.element.size_bytes(), self.bytes());
        let mut turned = Vec::with_capacity(bytes.len());
        // Without rows a file may say that there are more columns than can be counted.
        let columns_filled = if rows == 0 { 0 } else { columns };
        for column in 0..columns_filled {
            for row in 0..rows {
                let at = (row * columns + column) * size;
                turned.extend_from_slice(&bytes[at..at + size]);
            }
        }
        let len = turned.len();
        Ok(Self {
            shape: vec![columns, rows],
            element: self.element,
            bytes: Bytes { owner: Arc::new(turned), start: 0, len },
        })
    }

    fn no_rows(&self, rows: &Range<usize>) -> ComputeError {
        ComputeError::Shape { what: "rows".into(), expected: format!("{rows:?}"), found: format!("{:?}", self.shape) }
    }
}

impl std::fmt::Debug for HostTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostTensor({:?} {:?})", self.shape, self.element)
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
