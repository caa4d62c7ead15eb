//! The networks that a LoRA was made for, from the shapes and places of its modules.

use super::{Module, Part};
use fourstep_protocol::Family;

/// The one family of several candidates: SDXL's LoRAs often touch only what SSD-1B has too.
pub(super) fn one(families: &[Family]) -> Option<Family> {
    match families {
        [family] => Some(*family),
        [Family::Sdxl, Family::Ssd1b] => Some(Family::Sdxl),
        _ => None,
    }
}

/// Every family the modules fit; none where they fit no family that is known, or all of them.
pub(super) fn of(modules: &[Module]) -> Vec<Family> {
    const ALL: [Family; 4] = [Family::Sd15, Family::Sd2, Family::Sdxl, Family::Ssd1b];
    let places: Vec<Place<'_>> = modules.iter().map(Place::of).collect();
    let mut families = ALL.to_vec();
    families.retain(|family| places.iter().all(|place| place.fits(*family)));
    if families.contains(&Family::Ssd1b) && is_whole_ssd1b(&places) {
        families.retain(|family| *family != Family::Sdxl);
    }
    if families.len() == ALL.len() { Vec::new() } else { families }
}

/// What tells families apart about a module.
struct Place<'a> {
    part: Part,
    path: &'a str,
    /// `[out, in, …kernel]`
    shape: &'a [usize],
    block: Option<Block>,
}

/// A block of the U-Net that has attention in some family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    level: Level,
    /// Which attention of the level.
    attention: usize,
    /// Which transformer layer of the attention.
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Down(usize),
    Mid,
    Up(usize),
}

impl<'a> Place<'a> {
    fn of(module: &'a Module) -> Self {
        let path = module.path.strip_suffix(".weight").unwrap_or(&module.path);
        let block = (module.part == Part::UNet).then(|| Block::of(path)).flatten();
        Self { part: module.part, path, shape: module.delta.shape(), block }
    }

    fn fits(&self, family: Family) -> bool {
        let xl = matches!(family, Family::Sdxl | Family::Ssd1b);
        match self.part {
            Part::UNet => self.fits_unet(family, xl),
            Part::TextEncoder1 => self.fits_text_encoder(if family == Family::Sd2 { 1024 } else { 768 }),
            Part::TextEncoder2 => xl && self.fits_text_encoder(1280),
        }
    }

    fn fits_unet(&self, family: Family, xl: bool) -> bool {
        let cross = match family {
            Family::Sd15 => 768,
            Family::Sd2 => 1024,
            _ => 2048,
        };
        let ends = |names: &[&str]| names.iter().any(|name| self.path.ends_with(name));
        let [out, inputs] = [self.shape.first(), self.shape.get(1)].map(|side| side.copied().unwrap_or(0));
        if ends(&["_attn2_to_k", "_attn2_to_v"]) && inputs != cross {
            return false;
        }
        let channels = [
            "_to_q",
            "_to_k",
            "_to_v",
            "_to_out_0",
            "_conv1",
            "_conv2",
            "_time_emb_proj",
            "_in_layers_2",
            "_out_layers_3",
            "_emb_layers_1",
        ];
        if ends(&channels) && ![320, 640, 1280].contains(&out) {
            return false;
        }
        if self.path.starts_with("add_embedding") || self.path.starts_with("label_emb") {
            return xl;
        }
        let lowest = [
            "down_blocks_3_",
            "up_blocks_3_",
            "input_blocks_9_",
            "input_blocks_1",
            "output_blocks_9_",
            "output_blocks_1",
        ];
        let four_levels = lowest.iter().any(|start| {
            self.path.strip_prefix(start).is_some_and(|rest| start.ends_with('_') || rest.starts_with(['0', '1']))
        });
        if four_levels && xl {
            return false;
        }
        self.block.is_none_or(|block| block.depth < block.depth_of(family))
    }

    fn fits_text_encoder(&self, width: usize) -> bool {
        let attention = ["_q_proj", "_k_proj", "_v_proj", "_out_proj"];
        let square = attention.iter().any(|name| self.path.ends_with(name));
        !square || self.shape.first() == Some(&width)
    }
}

impl Block {
    /// Of a path by diffusers' or ldm's names.
    fn of(path: &str) -> Option<Self> {
        let depth = || Some(numbers::<1>(path.split_once("transformer_blocks_")?.1).map_or(0, |[depth]| depth));
        if let Some(rest) = path.strip_prefix("down_blocks_") {
            let [level, attention] = numbers(&rest.replacen("attentions_", "", 1))?;
            rest.contains("attentions_").then_some(())?;
            Some(Self { level: Level::Down(level), attention, depth: depth().unwrap_or(0) })
        } else if let Some(rest) = path.strip_prefix("up_blocks_") {
            let [level, attention] = numbers(&rest.replacen("attentions_", "", 1))?;
            rest.contains("attentions_").then_some(())?;
            Some(Self { level: Level::Up(level), attention, depth: depth().unwrap_or(0) })
        } else if path.starts_with("mid_block_attentions_") || path.starts_with("middle_block_1_") {
            Some(Self { level: Level::Mid, attention: 0, depth: depth().unwrap_or(0) })
        } else if let Some(rest) = path.strip_prefix("input_blocks_") {
            // 3i + j + 1: two residual blocks and what samples down, after the first convolution.
            let [block, 1] = numbers(rest)? else { return None };
            let block = block.checked_sub(1)?;
            Some(Self { level: Level::Down(block / 3), attention: block % 3, depth: depth().unwrap_or(0) })
        } else {
            let [block, 1] = numbers(path.strip_prefix("output_blocks_")?)? else { return None };
            Some(Self { level: Level::Up(block / 3), attention: block % 3, depth: depth()? })
        }
    }

    /// How many transformer layers a family has there.
    fn depth_of(self, family: Family) -> usize {
        match (family, self.level, self.attention) {
            (Family::Sd15 | Family::Sd2, Level::Down(0..=2) | Level::Up(1..=3) | Level::Mid, _) => 1,
            (Family::Sdxl | Family::Ssd1b, Level::Down(1), _) | (Family::Sdxl, Level::Up(1), _) => 2,
            (Family::Sdxl, Level::Down(2) | Level::Up(0) | Level::Mid, _) | (Family::Ssd1b, Level::Up(0), 2) => 10,
            (Family::Ssd1b, Level::Down(2) | Level::Up(0), _) => 4,
            (Family::Ssd1b, Level::Up(1), 0) => 2,
            (Family::Ssd1b, Level::Up(1), _) => 1,
            _ => 0,
        }
    }
}

/// Whether the modules end where SSD-1B's layers end: at 4 where SDXL has 10, and at 10 where both have.
fn is_whole_ssd1b(places: &[Place<'_>]) -> bool {
    let last = |level, attention| {
        let blocks = places.iter().filter_map(|place| place.block);
        blocks.filter(|b| b.level == level && b.attention == attention).map(|b| b.depth).max()
    };
    last(Level::Down(2), 0) == Some(3) && last(Level::Up(0), 2) == Some(9)
}

/// The numbers a path begins with, `_` between them.
fn numbers<const N: usize>(path: &str) -> Option<[usize; N]> {
    let mut words = path.split('_');
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(path: &str) -> Option<(Level, usize, usize)> {
        Block::of(path).map(|b| (b.level, b.attention, b.depth))
    }

    #[test]
    fn both_namings_name_the_same_block() {
        for (diffusers, ldm, expected) in [
            (
                "down_blocks_1_attentions_0_transformer_blocks_1_x",
                "input_blocks_4_1_transformer_blocks_1_x",
                (Level::Down(1), 0, 1),
            ),
            (
                "down_blocks_2_attentions_1_transformer_blocks_9_x",
                "input_blocks_8_1_transformer_blocks_9_x",
                (Level::Down(2), 1, 9),
            ),
            (
                "mid_block_attentions_0_transformer_blocks_3_x",
                "middle_block_1_transformer_blocks_3_x",
                (Level::Mid, 0, 3),
            ),
            (
                "up_blocks_1_attentions_2_transformer_blocks_0_x",
                "output_blocks_5_1_transformer_blocks_0_x",
                (Level::Up(1), 2, 0),
            ),
        ] {
            assert_eq!(block(diffusers), Some(expected), "{diffusers}");
            assert_eq!(block(ldm), Some(expected), "{ldm}");
        }
        for path in [
            "down_blocks_1_resnets_0_conv1",
            "input_blocks_4_0_in_layers_2",
            "up_blocks_x",
            "output_blocks_2_1_conv",
            "conv_in",
            "",
        ] {
            assert_eq!(block(path), None, "{path}");
        }
    }
}
