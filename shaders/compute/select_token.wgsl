// One token of a sample.

//! include elementwise.wgsl

@group(0) @binding(1) var<storage, read_write> y: array<Element4>;
@group(0) @binding(2) var<uniform> p: Parameters;

// `first` is where the token begins in x, `second_start` where it goes.
@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at < p.count {
        y[p.second_start + at - p.y_start] = x[p.first + at - p.x_start];
    }
}
