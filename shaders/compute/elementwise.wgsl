// What operations on values one by one are told: how many quads, and which; `…_start` is the quad at which a binding begins.

//! include flat.wgsl

struct Parameters {
    first: u32,
    count: u32,
    x_start: u32,
    second_start: u32,
    y_start: u32,
    activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element4>;
