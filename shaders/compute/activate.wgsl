// An activation on its own.

//! include elementwise.wgsl
//! include activation.wgsl

@group(0) @binding(1) var<storage, read_write> y: array<Element4>;
@group(0) @binding(2) var<uniform> p: Parameters;

@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if flat_index(id) < p.count {
        let at = p.first + flat_index(id);
        y[at - p.y_start] = Element4(activated(vec4<f32>(x[at - p.x_start]), p.activation));
    }
}
