// Operations on values one by one: an invocation for each quad, in lines that no device finds too long.

const FLAT = 64u;
const LINE = FLAT * 32768u;

fn flat_index(id: vec3<u32>) -> u32 {
    return id.x + id.y * LINE;
}
