// What the three parts of a group norm are told.

struct Parameters {
    // Positions of a sample, how many of them a workgroup looks at, and which part of them this dispatch begins with.
    positions: u32,
    chunk: u32,
    first_chunk: u32,
    chunks: u32,
    channels: u32,
    quads: u32,
    groups: u32,
    epsilon: f32,
    activation: u32,
    // Quads of the tensor, from the beginning of its first sample.
    first: u32,
    count: u32,
    x_start: u32,
    y_start: u32,
}
