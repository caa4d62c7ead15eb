// Convolution of a picture as a product: a row is an output pixel's patch, gathered as it is read. Upsampling in front is
// part of where a pixel is read.

//! include product.wgsl
//! include store_product.wgsl

@group(0) @binding(0) var<storage, read> x: array<Element4>;
@group(0) @binding(1) var<storage, read> w: array<Element4>;

// For each row that this invocation reads: the sample's first row of pixels, and where the patch begins; -1 is no row.
var<private> patches: array<vec3<i32>, X_READS>;
// Where in a patch it reads, and which quad of channels; a tap beyond the last is nowhere.
var<private> tap: vec2<i32>;
var<private> quad: u32;
var<private> inside: bool;

fn begin_rows(first_row: u32, thread: u32) {
    for (var i = 0u; i < X_READS; i++) {
        let row = first_row + thread / TILE_DEPTH + i * (THREADS / TILE_DEPTH);
        let line = row / p.out_width;
        let sample = line / p.out_height;
        let corner = vec2<u32>(line % p.out_height, row % p.out_width) * p.stride;
        patches[i] = vec3<i32>(vec3<u32>(sample * p.height, corner)) - vec3<i32>(0, vec2<i32>(i32(p.padding)));
        if row >= p.rows {
            patches[i].x = -1;
        }
    }
}

fn begin_slice(depth: u32) {
    let index = depth / p.inner;
    quad = depth % p.inner;
    tap = vec2<i32>(vec2<u32>(index / p.kernel_width, index % p.kernel_width));
    inside = index < p.taps;
}

fn read_x(slot: u32) -> vec4<f32> {
    let corner = patches[slot];
    let at = corner.yz + tap;
    let size = vec2<i32>(vec2<u32>(p.resized_height, p.resized_width));
    if !inside || corner.x < 0 || any(at < vec2<i32>()) || any(at >= size) {
        return vec4<f32>();
    }
    var pixel = vec2<u32>(at);
//! if RESIZED
    pixel = pixel * vec2<u32>(p.height, p.width) / vec2<u32>(p.resized_height, p.resized_width);
//! end
    return vec4<f32>(x[((u32(corner.x) + pixel.x) * p.width + pixel.y) * p.inner + quad - p.x_start]);
}
