// Chunks and channels of a group put together (Chan, Golub, LeVeque 1979): what each of its channels is multiplied by, and
// what is added then. One workgroup for each group of each sample.

const GROUP = 64u;

//! include group_norm_parameters.wgsl
//! include sum_of_group.wgsl

// As group_norm_statistics.wgsl writes them, value by value.
@group(0) @binding(0) var<storage, read> statistics: array<f32>;
// Scale and shift of each quad in turn.
@group(0) @binding(1) var<storage, read> weights: array<f32>;
// The same, of each sample.
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;
@group(0) @binding(3) var<uniform> p: Parameters;

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, place: Place) {
    let channels = p.channels / p.groups;
    let first = group.x * channels;
    let values = f32(p.positions) * f32(channels);

    var sum = 0.0;
    for (var i = place.thread; i < channels * p.chunks; i += GROUP) {
        sum += in_chunk(i / channels) * statistics[place_of(group.y * p.chunks + i / channels, first + i % channels)];
    }
    let mean = sum_of_group(vec2<f32>(sum, 0.0), place).x / values;

    var squares = 0.0;
    for (var i = place.thread; i < channels * p.chunks; i += GROUP) {
        let at = place_of(group.y * p.chunks + i / channels, first + i % channels);
        let apart = statistics[at] - mean;
        squares += statistics[at + 4u] + in_chunk(i / channels) * apart * apart;
    }
    let variance = sum_of_group(vec2<f32>(squares, 0.0), place).x / values;
    let factor = 1.0 / sqrt(variance + p.epsilon);

    for (var i = place.thread; i < channels; i += GROUP) {
        let at = place_of(0u, first + i);
        let to = place_of(group.y, first + i);
        factors[to] = weights[at] * factor;
        factors[to + 4u] = weights[at + 4u] - mean * factor * weights[at];
    }
    // Channels that only fill a quad stay zero.
    let last = place.thread == 0u && group.x + 1u == p.groups;
    for (var channel = p.channels; last && channel < p.quads * 4u; channel++) {
        factors[place_of(group.y, channel)] = 0.0;
        factors[place_of(group.y, channel) + 4u] = 0.0;
    }
}

// How many positions a chunk has.
fn in_chunk(chunk: u32) -> f32 {
    return f32(min(p.positions - chunk * p.chunk, p.chunk));
}

// Where the first of a channel's two values lies among those of `row`.
fn place_of(row: u32, channel: u32) -> u32 {
    return (row * p.quads + channel / 4u) * 8u + channel % 4u;
}
