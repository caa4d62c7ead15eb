/// ‖golden − ours‖ / ‖golden‖ of golden f32 in bytes.
pub(crate) fn relative_l2(golden: &[u8], ours: &[f32]) -> f64 {
    let golden = golden.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b)));
    let (mut difference, mut norm) = (0.0, 0.0);
    for (golden, ours) in golden.zip(ours) {
        difference += (golden - f64::from(*ours)).powi(2);
        norm += golden.powi(2);
    }
    (difference / norm).sqrt()
}
