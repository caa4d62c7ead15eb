// A picture at another size, PyTorch's `nearest`: source = floor(i · in / out).

//! include flat.wgsl

struct Parameters {
    // Lines of the result, of all samples one after the other.
    first_line: u32,
    lines: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    quads: u32,
    x_start: u32,
    y_start: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element4>;
@group(0) @binding(1) var<storage, read_write> y: array<Element4>;
@group(0) @binding(2) var<uniform> p: Parameters;

@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let of_line = p.out_width * p.quads;
    let at = flat_index(id);
    let line = p.first_line + at / of_line;
    if line >= p.lines {
        return;
    }
    let column = at % of_line / p.quads;
    let source_line = line / p.out_height * p.height + line % p.out_height * p.height / p.out_height;
    let source = source_line * p.width + column * p.width / p.out_width;
    y[p.first_line * of_line + at - p.y_start] = x[source * p.quads + at % p.quads - p.x_start];
}
