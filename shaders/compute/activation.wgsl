// The activations of `Activation`, by its number. Arguments of exp are kept where its value is finite: what a shader does
// with infinities is not told.

fn activated(x: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: {
            return x * sigmoid(x);
        }
        case 2u: {
            return gelu(x);
        }
        case 3u: {
            return x * sigmoid(1.702 * x);
        }
        case 4u: {
            return max(x, vec4<f32>());
        }
        case 5u: {
            return 3.0 * (1.0 - 2.0 / (exp(clamp(x * (2.0 / 3.0), vec4<f32>(-30.0), vec4<f32>(30.0))) + 1.0));
        }
        default: {
            return x;
        }
    }
}

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-80.0), vec4<f32>(80.0))));
}

fn gelu(x: vec4<f32>) -> vec4<f32> {
    return 0.5 * x * (1.0 + erf(x * 0.70710678));
}

// Abramowitz and Stegun 7.1.26: off by 1.5e-7 at most.
fn erf(x: vec4<f32>) -> vec4<f32> {
    let size = min(abs(x), vec4<f32>(8.0));
    let t = 1.0 / (1.0 + 0.3275911 * size);
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - series * exp(-size * size));
}
