/// `into += scale · left · right`, row-major: `left` is `[rows, inner]`, `right` `[inner, columns]`, where
/// `shape` is `[rows, inner]` and `into` tells the columns.
///
/// # Panics
/// Where the lengths do not agree.
pub(crate) fn add_product(into: &mut [f32], scale: f32, left: &[f32], right: &[f32], [rows, inner]: [usize; 2]) {
    if rows == 0 || inner == 0 || into.is_empty() {
        return;
    }
    let columns = into.len() / rows;
    assert_eq!(into.len(), rows * columns, "the sum has {rows} whole rows");
    assert_eq!(left.len(), rows * inner, "the left factor has {rows} rows of {inner}");
    assert_eq!(right.len(), inner * columns, "the right factor has {inner} rows of {columns}");
    // SAFETY: the three lengths were checked against the strides (rows one after another, columns side by side) just
    // above, and `into` cannot overlap the factors because it is borrowed mutably.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            into.as_mut_ptr(),
            1,
            columns as isize,
            true,
            left.as_ptr(),
            1,
            inner as isize,
            right.as_ptr(),
            1,
            columns as isize,
            1.0f32,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_three_loops() {
        for [rows, inner, columns] in [[1, 1, 1], [3, 2, 5], [17, 16, 33], [64, 4, 300]] {
            let left: Vec<f32> = (0..rows * inner).map(|i| (i as f32 * 0.7).sin()).collect();
            let right: Vec<f32> = (0..inner * columns).map(|i| (i as f32 * 0.3).cos()).collect();
            let mut sum: Vec<f32> = (0..rows * columns).map(|i| i as f32 * 0.01).collect();
            let expected: Vec<f32> = (0..rows * columns)
                .map(|at| {
                    let (r, c) = (at / columns, at % columns);
                    let dot: f32 = (0..inner).map(|k| left[r * inner + k] * right[k * columns + c]).sum();
                    sum[at] + 0.5 * dot
                })
                .collect();
            add_product(&mut sum, 0.5, &left, &right, [rows, inner]);
            for (a, b) in sum.iter().zip(&expected) {
                assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} {b}");
            }
        }
    }
}
