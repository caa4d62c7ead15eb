// [a, g] = x · Wᵀ + bias, then a · gelu(g) (arXiv 2002.05202). Quads of columns of a and g lie in turn in the panels; in a
// tile those of a come first, so that each invocation has both of a pair.

//! include product.wgsl
//! include read_rows.wgsl
//! include activation.wgsl

@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<Element4>;

fn column(quad: u32) -> u32 {
    return quad / 2u + quad % 2u * (TILE_QUADS / 2u);
}

fn store(sums: ptr<function, Sums>, row: u32, slot: u32, first_quad: u32, lane: u32, split: u32) {
    for (var j = 0u; j < QUADS / 2u; j++) {
        let pair = (p.first_quad + first_quad) / 2u + lane + j * LANES;
        if pair < p.quads {
            let a = (*sums)[slot * QUADS + j] + bias[2u * pair];
            let g = (*sums)[slot * QUADS + QUADS / 2u + j] + bias[2u * pair + 1u];
            y[row * p.quads + pair - p.y_start] = Element4(a * gelu(g));
        }
    }
}
