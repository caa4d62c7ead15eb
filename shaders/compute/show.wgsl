// A picture in −1…1, its first three channels, into a texture for the screen.

//! include flat.wgsl

struct Parameters {
    height: u32,
    width: u32,
    quads: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element4>;
@group(0) @binding(1) var shown: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(2) var<uniform> p: Parameters;

@compute @workgroup_size(FLAT)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at < p.height * p.width {
        let colour = clamp(vec3<f32>(x[at * p.quads].xyz) * 0.5 + 0.5, vec3<f32>(), vec3<f32>(1.0));
        textureStore(shown, vec2<u32>(at % p.width, at / p.width), vec4<f32>(colour, 1.0));
    }
}
