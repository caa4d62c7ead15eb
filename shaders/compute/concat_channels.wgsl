// Channels of x, then channels of the second, at each position. Rows of both are padded with zeros to quads; where x has
// no whole quads of channels, what follows it is put together from two.

//! include flat.wgsl

struct Parameters {
    first_row: u32,
    rows: u32,
    // Channels of both, and their quads and those of the result.
    x_channels: u32,
    x_quads: u32,
    second_quads: u32,
    quads: u32,
    x_start: u32,
    second_start: u32,
    y_start: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element4>;
@group(0) @binding(1) var<storage, read> second: array<Element4>;
@group(0) @binding(2) var<storage, read_write> y: array<Element4>;
@group(0) @binding(3) var<uniform> p: Parameters;

@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    let row = p.first_row + at / p.quads;
    if row < p.rows {
        y[p.first_row * p.quads + at - p.y_start] = joined(row, at % p.quads);
    }
}

fn joined(row: u32, quad: u32) -> Element4 {
    let whole = p.x_channels / 4u;
    let shift = p.x_channels % 4u;
    if quad < whole {
        return x[row * p.x_quads + quad - p.x_start];
    }
    let after = second_quad(row, quad - whole);
    if shift == 0u {
        return after;
    }
    // The last channels of x, or the end of the quad before; then the beginning of this one.
    var value: Element4;
    let before = second_quad(row, max(quad - whole, 1u) - 1u);
    let begun = x[row * p.x_quads + min(quad, p.x_quads - 1u) - p.x_start];
    for (var i = 0u; i < 4u; i++) {
        if i >= shift {
            value[i] = after[i - shift];
        } else if quad == whole {
            value[i] = begun[i];
        } else {
            value[i] = before[4u + i - shift];
        }
    }
    return value;
}

fn second_quad(row: u32, quad: u32) -> Element4 {
    if quad >= p.second_quads {
        return Element4();
    }
    return second[row * p.second_quads + quad - p.second_start];
}
