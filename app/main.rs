//! Fourstep: paints while you type.

fn main() {}
