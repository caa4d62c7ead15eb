// Layer norm: a row of channels to a workgroup. Squares are summed about the mean, which a row is read again for: it is in
// the cache, and digits would be lost otherwise.

const GROUP = 64u;

//! include sum_of_group.wgsl

struct Parameters {
    first_row: u32,
    channels: u32,
    quads: u32,
    epsilon: f32,
    x_start: u32,
    y_start: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element4>;
// Scale and shift of each quad in turn.
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<Element4>;
@group(0) @binding(3) var<uniform> p: Parameters;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, place: Place) {
    let row = (p.first_row + group.x) * p.quads;
    var sum = 0.0;
    for (var quad = place.thread; quad < p.quads; quad += GROUP) {
        sum += dot(vec4<f32>(x[row + quad - p.x_start]), vec4<f32>(1.0));
    }
    let mean = sum_of_group(vec2<f32>(sum, 0.0), place).x / f32(p.channels);

    var squares = 0.0;
    for (var quad = place.thread; quad < p.quads; quad += GROUP) {
        let apart = select(
            vec4<f32>(),
            vec4<f32>(x[row + quad - p.x_start]) - mean,
            quad * 4u + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.channels),
        );
        squares += dot(apart, apart);
    }
    let variance = sum_of_group(vec2<f32>(squares, 0.0), place).x / f32(p.channels);
    let factor = 1.0 / sqrt(variance + p.epsilon);

    for (var quad = place.thread; quad < p.quads; quad += GROUP) {
        let normal = (vec4<f32>(x[row + quad - p.x_start]) - mean) * factor;
        y[row + quad - p.y_start] = Element4(fma(normal, weights[2u * quad], weights[2u * quad + 1u]));
    }
}
