// What products and the sum of their parts are told. Rows and quads of columns are counted in the whole tensor; `…_start`
// is the quad at which a binding begins.

struct Parameters {
    // The first row of this dispatch, and the row after its last.
    first_row: u32,
    rows: u32,
    // Quads of a row of x.
    inner: u32,
    // Slices of the inner dimension, and how many of them each split sums.
    slices: u32,
    slices_per_split: u32,
    // Panels of columns in this binding, the first of them in this dispatch, and the quad of columns it begins with.
    panels: u32,
    first_panel: u32,
    first_quad: u32,
    // Quads of a row of y.
    quads: u32,
    x_start: u32,
    y_start: u32,
    residual_start: u32,
    // How many sums make a value, where an inner dimension was split.
    splits: u32,
    // The epilogue: HAS_VECTORS, HAS_RESIDUAL; rows that share a vector.
    flags: u32,
    rows_per_vector: u32,
    activation: u32,
    // A convolution: pictures [height, width] are read as [resized_height, resized_width].
    height: u32,
    width: u32,
    resized_height: u32,
    resized_width: u32,
    out_height: u32,
    out_width: u32,
    kernel_width: u32,
    taps: u32,
    stride: u32,
    padding: u32,
}

@group(0) @binding(6) var<uniform> p: Parameters;
