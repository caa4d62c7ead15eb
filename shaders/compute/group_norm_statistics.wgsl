// Mean, and squares about it, of each channel over a chunk of positions. They are summed about the chunk's first value, so
// that a mean far from zero costs no digits.

//! include group_norm_parameters.wgsl

const QUADS = 8u;
const POSITIONS = 16u;

@group(0) @binding(0) var<storage, read> x: array<Element4>;
// [samples, chunks, quads, mean and squares]
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> p: Parameters;

var<workgroup> sums: array<array<vec4<f32>, 2>, QUADS * POSITIONS>;

@compute @workgroup_size(QUADS, POSITIONS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    // Chunks of all samples are counted together, for a part of a picture may be of several.
    let chunk = p.first_chunk + group.y;
    let begin = chunk % p.chunks * p.chunk;
    let end = min(begin + p.chunk, p.positions);
    let quad = min(group.x * QUADS + local.x, p.quads - 1u);
    let sample = chunk / p.chunks * p.positions;
    let pivot = vec4<f32>(x[(sample + begin) * p.quads + quad - p.x_start]);

    var sum = vec4<f32>();
    var squares = vec4<f32>();
    for (var at = begin + local.y; at < end; at += POSITIONS) {
        let value = vec4<f32>(x[(sample + at) * p.quads + quad - p.x_start]) - pivot;
        sum += value;
        squares = fma(value, value, squares);
    }
    let thread = local.y * QUADS + local.x;
    sums[thread] = array<vec4<f32>, 2>(sum, squares);
    workgroupBarrier();
    for (var half = POSITIONS / 2u; half > 0u; half /= 2u) {
        if local.y < half {
            sums[thread][0] += sums[thread + half * QUADS][0];
            sums[thread][1] += sums[thread + half * QUADS][1];
        }
        workgroupBarrier();
    }
    if local.y == 0u && group.x * QUADS + local.x < p.quads {
        let mean = sums[thread][0] / f32(end - begin);
        let at = (chunk * p.quads + quad) * 2u;
        statistics[at] = pivot + mean;
        statistics[at + 1u] = max(sums[thread][1] - sums[thread][0] * mean, vec4<f32>());
    }
}
