// The tile loop of every product: y = x · w, one tile of rows × columns to a workgroup, a slice of the inner dimension at
// a time in workgroup memory. Who includes it says how x is read:
//   fn begin_rows(first_row: u32, thread: u32)  which rows this invocation will read for all slices
//   fn begin_slice(depth: u32)                  where in a row: quads of the inner dimension
//   fn read_x(slot: u32) -> vec4<f32>             that place in its row number `slot`
// and what becomes of the sums:
//   fn column(quad: u32) -> u32                 where a quad of a tile's columns lies in it
//   fn store(sums: ptr<function, Sums>, row: u32, slot: u32, first_quad: u32, lane: u32, split: u32)
//
// Weights lie in panels of PANEL quads of columns, [panels, depth, PANEL], so that a tile reads one piece of memory.
//
// From the table of tiles: TILE_ROWS × TILE_QUADS to a workgroup, ROWS × QUADS to an invocation.

//! include product_parameters.wgsl

const PANEL = 8u;
// Quads of the inner dimension in a slice, 16 values.
const TILE_DEPTH = 4u;
const LANES = TILE_QUADS / QUADS;
const ROW_LANES = TILE_ROWS / ROWS;
const THREADS = LANES * ROW_LANES;
const X_READS = TILE_ROWS * TILE_DEPTH / THREADS;
const W_READS = TILE_QUADS * TILE_DEPTH * 4u / THREADS;
// One more than a row has, so that rows lie in different banks.
const X_STRIDE = TILE_DEPTH + 1u;

alias Sums = array<vec4<f32>, ROWS * QUADS>;

var<workgroup> x_tile: array<vec4<f32>, TILE_ROWS * X_STRIDE>;
var<workgroup> w_tile: array<vec4<f32>, TILE_DEPTH * 4u * TILE_QUADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let first_row = p.first_row + group.y * TILE_ROWS;
    let first_panel = p.first_panel + group.x * (TILE_QUADS / PANEL);
    let first_slice = group.z * p.slices_per_split;
    let last_slice = min(first_slice + p.slices_per_split, p.slices);
    let lane = thread % LANES;
    let row_lane = thread / LANES;

    var sums: Sums;
    begin_rows(first_row, thread);
    for (var slice = first_slice; slice < last_slice; slice++) {
        fill_x(slice, thread);
        fill_w(slice, first_panel, thread);
        workgroupBarrier();
        multiply(&sums, lane, row_lane);
        workgroupBarrier();
    }
    for (var i = 0u; i < ROWS; i++) {
        let row = first_row + row_lane + i * ROW_LANES;
        if row < p.rows {
            store(&sums, row, i, first_panel * PANEL, lane, group.z);
        }
    }
}

fn fill_x(slice: u32, thread: u32) {
    begin_slice(slice * TILE_DEPTH + thread % TILE_DEPTH);
    for (var i = 0u; i < X_READS; i++) {
        let row = thread / TILE_DEPTH + i * (THREADS / TILE_DEPTH);
        x_tile[row * X_STRIDE + thread % TILE_DEPTH] = read_x(i);
    }
}

fn fill_w(slice: u32, first_panel: u32, thread: u32) {
    let of_panel = TILE_DEPTH * 4u * PANEL;
    for (var i = 0u; i < W_READS; i++) {
        let at = thread + i * THREADS;
        let panel = at / of_panel;
        var value = vec4<f32>();
        if first_panel + panel < p.panels {
            value = vec4<f32>(w[((first_panel + panel) * p.slices + slice) * of_panel + at % of_panel]);
        }
        let depth = at % of_panel / PANEL;
        w_tile[depth * TILE_QUADS + column(panel * PANEL + at % PANEL)] = value;
    }
}

fn multiply(sums: ptr<function, Sums>, lane: u32, row_lane: u32) {
    for (var depth = 0u; depth < TILE_DEPTH; depth++) {
        var b: array<vec4<f32>, 4u * QUADS>;
        for (var j = 0u; j < QUADS; j++) {
            for (var k = 0u; k < 4u; k++) {
                b[k * QUADS + j] = w_tile[(depth * 4u + k) * TILE_QUADS + lane + j * LANES];
            }
        }
        for (var i = 0u; i < ROWS; i++) {
            let a = x_tile[(row_lane + i * ROW_LANES) * X_STRIDE + depth];
            for (var j = 0u; j < QUADS; j++) {
                var sum = (*sums)[i * QUADS + j];
                sum = fma(vec4<f32>(a.x), b[j], sum);
                sum = fma(vec4<f32>(a.y), b[QUADS + j], sum);
                sum = fma(vec4<f32>(a.z), b[2u * QUADS + j], sum);
                sum = fma(vec4<f32>(a.w), b[3u * QUADS + j], sum);
                (*sums)[i * QUADS + j] = sum;
            }
        }
    }
}
