// Group norm by the factors that group_norm_factors.wgsl found, then the activation.

//! include group_norm_parameters.wgsl
//! include activation.wgsl
//! include flat.wgsl

@group(0) @binding(0) var<storage, read> x: array<Element4>;
@group(0) @binding(1) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<Element4>;
@group(0) @binding(3) var<uniform> p: Parameters;

@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if flat_index(id) >= p.count {
        return;
    }
    let at = p.first + flat_index(id);
    let sample = at / (p.positions * p.quads);
    let factor = (sample * p.quads + at % p.quads) * 2u;
    let value = fma(vec4<f32>(x[at - p.x_start]), factors[factor], factors[factor + 1u]);
    y[at - p.y_start] = Element4(activated(value, p.activation));
}
