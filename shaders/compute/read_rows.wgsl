// Rows of x as they lie, for product.wgsl.

@group(0) @binding(0) var<storage, read> x: array<Element4>;
@group(0) @binding(1) var<storage, read> w: array<Element4>;

var<private> own_row: u32;
var<private> own_depth: u32;

fn begin_rows(first_row: u32, thread: u32) {
    own_row = first_row + thread / TILE_DEPTH;
}

fn begin_slice(depth: u32) {
    own_depth = depth;
}

fn read_x(slot: u32) -> vec4<f32> {
    let row = own_row + slot * (THREADS / TILE_DEPTH);
    if row >= p.rows || own_depth >= p.inner {
        return vec4<f32>();
    }
    return vec4<f32>(x[row * p.inner + own_depth - p.x_start]);
}
