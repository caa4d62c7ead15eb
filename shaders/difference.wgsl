// How much two pictures differ, as a heat map: black where they are equal, light yellow where they differ by half of the
// range or more. `difference.rs` beside the twin's views holds the same arithmetic for the processor.

@group(0) @binding(0) var fast: texture_2d<f32>;
@group(0) @binding(1) var slow: texture_2d<f32>;
@group(0) @binding(2) var between: sampler;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) at: vec2<f32>,
}

// One triangle that covers the whole target.
@vertex
fn corner(@builtin(vertex_index) index: u32) -> Corner {
    let at = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    return Corner(vec4<f32>(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), at);
}

// The `inferno` colours of matplotlib as a polynomial (Matt Zucker, https://www.shadertoy.com/view/WlfXRN, CC0).
fn heat(t: f32) -> vec3<f32> {
    let c0 = vec3<f32>(0.0002189403691192265, 0.001651004631001012, -0.01948089843709184);
    let c1 = vec3<f32>(0.1065134194856116, 0.5639564367884091, 3.932712388889277);
    let c2 = vec3<f32>(11.60249308247187, -3.972853965665698, -15.9423941062914);
    let c3 = vec3<f32>(-41.70399613139459, 17.43639888205313, 44.35414519872813);
    let c4 = vec3<f32>(77.162935699427, -33.40235894210092, -81.80730925738993);
    let c5 = vec3<f32>(-71.31942824499214, 32.62606426397723, 73.20951985803202);
    let c6 = vec3<f32>(25.13112622477341, -12.24266895238567, -23.07032500287172);
    return clamp(c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * (c5 + t * c6))))), vec3<f32>(0.0), vec3<f32>(1.0));
}

@fragment
fn difference(seen: Corner) -> @location(0) vec4<f32> {
    let a = textureSampleLevel(fast, between, seen.at, 0.0).rgb;
    let b = textureSampleLevel(slow, between, seen.at, 0.0).rgb;
    let apart = abs(a - b);
    let mean = (apart.r + apart.g + apart.b) / 3.0;
    return vec4<f32>(heat(clamp(mean * 2.0, 0.0, 1.0)), 1.0);
}
