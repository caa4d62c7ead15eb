//! A place on a pad as the parts of a mix. The first prompt stands at the top left, then come top right, bottom left and
//! bottom right.

use fourstep_protocol::Blended;

/// The parts of the other prompts, of which there are up to three, at a place: from the left and from the top, 0 … 1.
///
/// Four prompts are mixed bilinearly; of fewer, the corners that are missing leave their parts to the others.
pub fn parts_at([x, y]: [f32; 2], others: usize) -> Vec<f32> {
    let (x, y) = (x.clamp(0.0, 1.0), y.clamp(0.0, 1.0));
    match others {
        0 => Vec::new(),
        1 => vec![x],
        2 => {
            let corners = [(1.0 - x) * (1.0 - y), x * (1.0 - y), (1.0 - x) * y];
            let sum: f32 = corners.iter().sum();
            // Opposite the first corner there is nobody: halfway between the two beside it.
            if sum > 0.0 { corners[1..].iter().map(|part| part / sum).collect() } else { vec![0.5, 0.5] }
        }
        _ => vec![x * (1.0 - y), (1.0 - x) * y, x * y],
    }
}

/// The place of these parts.
pub fn place_of(blend: &[Blended]) -> [f32; 2] {
    let part = |at: usize| blend.get(at).map_or(0.0, |other| other.weight);
    let (b, c, d) = (part(0), part(1), part(2));
    let a = (1.0 - b - c - d).max(0.0);
    let share = |of: f32, and: f32| if of + and > 0.0 { of / (of + and) } else { 0.0 };
    match blend.len() {
        0 | 1 => [b, 0.0],
        2 => [share(b, a), share(c, a)],
        _ => [b + d, c + d],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_its_parts() {
        for others in 1..=3 {
            for (x, y) in [(0.0, 0.0), (0.25, 0.5), (0.9, 0.1), (1.0, 0.0), (0.0, 1.0), (0.7, 0.8)] {
                let parts = parts_at([x, y], others);
                assert!(parts.iter().sum::<f32>() <= 1.0 + 1e-6 && parts.iter().all(|part| *part >= 0.0));
                let part = |weight: &f32| Blended { prompt: String::new(), weight: *weight };
                let [x2, y2] = place_of(&parts.iter().map(part).collect::<Vec<_>>());
                let y = if others == 1 { 0.0 } else { y };
                assert!((x - x2).abs() < 1e-5 && (y - y2).abs() < 1e-5, "{others}: {x} {y} is {x2} {y2}");
            }
        }
    }

    #[test]
    fn each_prompt_has_a_corner() {
        let corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let at = |others: usize| corners.map(|corner| parts_at(corner, others));
        assert_eq!(at(3), [vec![0.0; 3], vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0]]);
        assert_eq!(at(2), [vec![0.0; 2], vec![1.0, 0.0], vec![0.0, 1.0], vec![0.5, 0.5]]);
        assert_eq!(at(1)[..2], [vec![0.0], vec![1.0]]);
        assert_eq!(parts_at([0.5, 0.5], 0), [0.0; 0]);
    }
}
