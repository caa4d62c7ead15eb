// Sums of a product where columns are as they are: finished, or, where the inner dimension is split, put aside for
// sum_splits.wgsl.

fn column(quad: u32) -> u32 {
    return quad;
}

//! if SPLIT
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
//! else
//! include epilogue.wgsl
@group(0) @binding(5) var<storage, read_write> y: array<Element4>;
//! end

fn store(sums: ptr<function, Sums>, row: u32, slot: u32, first_quad: u32, lane: u32, split: u32) {
    for (var j = 0u; j < QUADS; j++) {
        let quad = p.first_quad + first_quad + lane + j * LANES;
        if quad < p.quads {
            let sum = (*sums)[slot * QUADS + j];
//! if SPLIT
            y[(split * (p.rows - p.first_row) + row - p.first_row) * p.quads + quad] = sum;
//! else
            y[row * p.quads + quad - p.y_start] = finished(sum, row, quad);
//! end
        }
    }
}
