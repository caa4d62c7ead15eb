// What is done to each value of a product before it is stored: bias, a vector for all positions of a picture, a residual,
// an activation.

//! include activation.wgsl

@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> vectors: array<Element4>;
@group(0) @binding(4) var<storage, read> residual: array<Element4>;

const HAS_VECTORS = 1u;
const HAS_RESIDUAL = 2u;

fn finished(sum: vec4<f32>, row: u32, quad: u32) -> Element4 {
    var value = sum + bias[quad];
    if (p.flags & HAS_VECTORS) != 0u {
        value += vec4<f32>(vectors[row / p.rows_per_vector * p.quads + quad]);
    }
    if (p.flags & HAS_RESIDUAL) != 0u {
        value += vec4<f32>(residual[row * p.quads + quad - p.residual_start]);
    }
    return Element4(activated(value, p.activation));
}
