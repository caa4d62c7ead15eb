// Softmax attention with the softmax found as keys come along (arXiv 1805.02867, 2205.14135): scores are never in memory.
//
// A workgroup has one head and QUERIES queries, 4 to each of its ROW_LANES; each of LANES has its own keys of a block while
// scores are computed, and its own quads of the head while values are added up. Where sums over 4 queries are one vector,
// its components are the queries.
//
// From the table of head sizes: HEAD quads of a head, LANES, ROW_LANES, KEYS_PER_LANE, VALUES quads of a head for a lane,
// SLICE quads of queries and keys in workgroup memory at a time. Heads that are no whole quads are read value by value.

struct Parameters {
    sample: u32,
    queries: u32,
    keys: u32,
    // Channels of a head, quads of all heads.
    channels: u32,
    quads: u32,
    heads: u32,
    // Blocks of queries in this part, the first of them, and the first of all pairs of block and head in this dispatch.
    blocks: u32,
    first_block: u32,
    first_item: u32,
    causal: u32,
    // 1/√channels · log₂e
    scale: f32,
    q_start: u32,
    k_start: u32,
    v_start: u32,
    y_start: u32,
}

const QUERIES = ROW_LANES * 4u;
const KEYS = LANES * KEYS_PER_LANE;
const THREADS = LANES * ROW_LANES;
const SLICES = (HEAD + SLICE - 1u) / SLICE;
// Odd, so that rows lie in different banks.
const STRIDE = SLICE | 1u;
// Less than any score, and no infinity: what a shader does with those is not told.
const NOTHING = -1e30;

//! if SCALARS
@group(0) @binding(0) var<storage, read> q: array<Element>;
@group(0) @binding(1) var<storage, read> k: array<Element>;
@group(0) @binding(2) var<storage, read> v: array<Element>;
@group(0) @binding(3) var<storage, read_write> y: array<Element>;
//! else
@group(0) @binding(0) var<storage, read> q: array<Element4>;
@group(0) @binding(1) var<storage, read> k: array<Element4>;
@group(0) @binding(2) var<storage, read> v: array<Element4>;
@group(0) @binding(3) var<storage, read_write> y: array<Element4>;
//! end
@group(0) @binding(4) var<uniform> p: Parameters;

var<workgroup> q_tile: array<vec4<f32>, QUERIES * STRIDE>;
// A slice of keys, then values of one quad for each lane.
var<workgroup> kv_tile: array<vec4<f32>, max(KEYS * STRIDE, KEYS * LANES)>;
var<workgroup> weights: array<vec4<f32>, KEYS * ROW_LANES>;
var<workgroup> shared_lanes: array<vec4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let item = p.first_item + group.x;
    let head = item / p.blocks;
    let first_query = (p.first_block + item % p.blocks) * QUERIES;
    let lane = thread % LANES;
    let row_lane = thread / LANES;
    let own_query = first_query + row_lane * 4u;

    var largest = vec4<f32>(NOTHING);
    var total = vec4<f32>();
    var sums: array<vec4<f32>, VALUES * 4u>;
    let keys = select(p.keys, min(p.keys, first_query + QUERIES), p.causal != 0u);
    for (var first_key = 0u; first_key < keys; first_key += KEYS) {
        var scores = scores_of(first_key, first_query, head, thread);
        let block_largest = mask(&scores, first_key + lane, own_query);
        let now_largest = max(largest, largest_of_lanes(block_largest, thread));
        let correction = exp2(largest - now_largest);
        largest = now_largest;
        total *= correction;
        for (var i = 0u; i < KEYS_PER_LANE; i++) {
            let weight = exp2(scores[i] - largest);
            total += weight;
            weights[(lane + i * LANES) * ROW_LANES + row_lane] = weight;
        }
        for (var j = 0u; j < VALUES; j++) {
            for (var row = 0u; row < 4u; row++) {
                sums[j * 4u + row] *= correction[row];
            }
            fill_values(first_key, head, j, thread);
            workgroupBarrier();
            add_values(&sums, j, lane, row_lane);
            workgroupBarrier();
        }
    }
    let factor = 1.0 / sum_of_lanes(total, thread);
    for (var j = 0u; j < VALUES; j++) {
        for (var row = 0u; row < 4u; row++) {
            if own_query + row < p.queries {
                store(own_query + row, head, lane + j * LANES, sums[j * 4u + row] * factor[row]);
            }
        }
    }
}

// For each of this lane's keys, the scores of its 4 queries.
fn scores_of(first_key: u32, first_query: u32, head: u32, thread: u32) -> array<vec4<f32>, KEYS_PER_LANE> {
    let lane = thread % LANES;
    let row_lane = thread / LANES;
    var scores: array<vec4<f32>, KEYS_PER_LANE>;
    for (var slice = 0u; slice < SLICES; slice++) {
        if SLICES > 1u || first_key == 0u {
            fill_queries(first_query, head, slice, thread);
        }
        fill_keys(first_key, head, slice, thread);
        workgroupBarrier();
        for (var quad = 0u; quad < SLICE; quad++) {
            let at = row_lane * 4u * STRIDE + quad;
            let q0 = q_tile[at];
            let q1 = q_tile[at + STRIDE];
            let q2 = q_tile[at + 2u * STRIDE];
            let q3 = q_tile[at + 3u * STRIDE];
            for (var i = 0u; i < KEYS_PER_LANE; i++) {
                let key = kv_tile[(lane + i * LANES) * STRIDE + quad];
                scores[i] += vec4<f32>(dot(q0, key), dot(q1, key), dot(q2, key), dot(q3, key));
            }
        }
        workgroupBarrier();
    }
    return scores;
}

// Scales scores, takes away keys that a query may not look at, and tells the largest that are left.
fn mask(scores: ptr<function, array<vec4<f32>, KEYS_PER_LANE>>, first_key: u32, own_query: u32) -> vec4<f32> {
    var largest = vec4<f32>(NOTHING);
    for (var i = 0u; i < KEYS_PER_LANE; i++) {
        let key = first_key + i * LANES;
        let last = select(vec4<u32>(p.keys), own_query + vec4<u32>(0u, 1u, 2u, 3u), p.causal != 0u);
        let seen = vec4<u32>(key) <= last & vec4<bool>(key < p.keys);
        (*scores)[i] = select(vec4<f32>(NOTHING), (*scores)[i] * p.scale, seen);
        largest = max(largest, (*scores)[i]);
    }
    return largest;
}

fn largest_of_lanes(own: vec4<f32>, thread: u32) -> vec4<f32> {
    shared_lanes[thread] = own;
    workgroupBarrier();
    var largest = own;
    for (var i = 0u; i < LANES; i++) {
        largest = max(largest, shared_lanes[thread / LANES * LANES + i]);
    }
    return largest;
}

fn sum_of_lanes(own: vec4<f32>, thread: u32) -> vec4<f32> {
    shared_lanes[thread] = own;
    workgroupBarrier();
    var sum = vec4<f32>();
    for (var i = 0u; i < LANES; i++) {
        sum += shared_lanes[thread / LANES * LANES + i];
    }
    return sum;
}

fn add_values(sums: ptr<function, array<vec4<f32>, VALUES * 4u>>, j: u32, lane: u32, row_lane: u32) {
    var own: array<vec4<f32>, 4>;
    for (var key = 0u; key < KEYS; key++) {
        let weight = weights[key * ROW_LANES + row_lane];
        let value = kv_tile[key * LANES + lane];
        own[0] = fma(vec4<f32>(weight.x), value, own[0]);
        own[1] = fma(vec4<f32>(weight.y), value, own[1]);
        own[2] = fma(vec4<f32>(weight.z), value, own[2]);
        own[3] = fma(vec4<f32>(weight.w), value, own[3]);
    }
    for (var row = 0u; row < 4u; row++) {
        (*sums)[j * 4u + row] += own[row];
    }
}

fn fill_queries(first_query: u32, head: u32, slice: u32, thread: u32) {
    for (var at = thread; at < QUERIES * SLICE; at += THREADS) {
        let query = first_query + at / SLICE;
        let quad = slice * SLICE + at % SLICE;
        var value = vec4<f32>();
        if query < p.queries && quad < HEAD {
            let row = (p.sample * p.queries + query) * p.quads;
//! if SCALARS
            for (var i = 0u; i < 4u && quad * 4u + i < p.channels; i++) {
                value[i] = f32(q[(row - p.q_start) * 4u + head * p.channels + quad * 4u + i]);
            }
//! else
            value = vec4<f32>(q[row + head * HEAD + quad - p.q_start]);
//! end
        }
        q_tile[at / SLICE * STRIDE + at % SLICE] = value;
    }
}

fn fill_keys(first_key: u32, head: u32, slice: u32, thread: u32) {
    for (var at = thread; at < KEYS * SLICE; at += THREADS) {
        let key = first_key + at / SLICE;
        let quad = slice * SLICE + at % SLICE;
        var value = vec4<f32>();
        if key < p.keys && quad < HEAD {
            let row = (p.sample * p.keys + key) * p.quads;
//! if SCALARS
            for (var i = 0u; i < 4u && quad * 4u + i < p.channels; i++) {
                value[i] = f32(k[(row - p.k_start) * 4u + head * p.channels + quad * 4u + i]);
            }
//! else
            value = vec4<f32>(k[row + head * HEAD + quad - p.k_start]);
//! end
        }
        kv_tile[at / SLICE * STRIDE + at % SLICE] = value;
    }
}

fn fill_values(first_key: u32, head: u32, j: u32, thread: u32) {
    for (var at = thread; at < KEYS * LANES; at += THREADS) {
        let key = first_key + at / LANES;
        let quad = j * LANES + at % LANES;
        var value = vec4<f32>();
        if key < p.keys && quad < HEAD {
            let row = (p.sample * p.keys + key) * p.quads;
//! if SCALARS
            for (var i = 0u; i < 4u && quad * 4u + i < p.channels; i++) {
                value[i] = f32(v[(row - p.v_start) * 4u + head * p.channels + quad * 4u + i]);
            }
//! else
            value = vec4<f32>(v[row + head * HEAD + quad - p.v_start]);
//! end
        }
        kv_tile[at] = value;
    }
}

fn store(query: u32, head: u32, quad: u32, value: vec4<f32>) {
    if quad >= HEAD {
        return;
    }
    let row = (p.sample * p.queries + query) * p.quads - p.y_start;
//! if SCALARS
    for (var i = 0u; i < 4u && quad * 4u + i < p.channels; i++) {
        y[row * 4u + head * p.channels + quad * 4u + i] = Element(value[i]);
    }
    // Channels that only fill the last quad stay zero.
    if head + 1u == p.heads && quad == 0u {
        for (var i = p.heads * p.channels; i < p.quads * 4u; i++) {
            y[row * 4u + i] = Element();
        }
    }
//! else
    y[row + head * HEAD + quad] = Element4(value);
//! end
}
