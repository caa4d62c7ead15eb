// The sums of a product whose inner dimension was split, added up and finished.

//! include product_parameters.wgsl
//! include epilogue.wgsl
//! include flat.wgsl

@group(0) @binding(0) var<storage, read> sums: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<Element4>;

@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let count = (p.rows - p.first_row) * p.quads;
    let at = flat_index(id);
    if at >= count {
        return;
    }
    var sum = vec4<f32>();
    for (var split = 0u; split < p.splits; split++) {
        sum += sums[split * count + at];
    }
    let row = p.first_row + at / p.quads;
    let quad = at % p.quads;
    y[row * p.quads + quad - p.y_start] = finished(sum, row, quad);
}
