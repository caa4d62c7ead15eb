//! The paths that ldm and sgm have for the weights of a U-Net with diffusers' keys (CompVis `openaimodel.py`).

use crate::KeyedSource;
use std::collections::BTreeMap;

/// Paths with `_` for every dot but the last, each with the key of the base. Blocks are counted in the base itself, so
/// any number of levels and of residual blocks is right.
pub(crate) fn of(base: &dyn KeyedSource) -> Vec<(String, &str)> {
    let blocks = Blocks::count(base);
    base.keys().filter_map(|key| Some((blocks.path(key)?, key))).collect()
}

/// How many residual blocks each level has, and whether it samples down or up at its end.
#[derive(Default)]
struct Blocks {
    down: BTreeMap<usize, Level>,
    up: BTreeMap<usize, Level>,
}

#[derive(Default)]
struct Level {
    resnets: usize,
    attends: bool,
    samples: bool,
}

impl Blocks {
    fn count(base: &dyn KeyedSource) -> Self {
        let mut blocks = Self::default();
        for key in base.keys() {
            let mut words = key.split('.');
            let levels = match words.next() {
                Some("down_blocks") => &mut blocks.down,
                Some("up_blocks") => &mut blocks.up,
                _ => continue,
            };
            let (Some(level), Some(kind), Some(index)) = (number(words.next()), words.next(), number(words.next()))
            else {
                continue;
            };
            let level = levels.entry(level).or_default();
            match kind {
                "resnets" => level.resnets = level.resnets.max(index.saturating_add(1)),
                "attentions" => level.attends = true,
                _ => level.samples = true,
            }
        }
        blocks
    }

    fn path(&self, key: &str) -> Option<String> {
        let (stem, last) = key.rsplit_once('.')?;
        let words: Vec<&str> = stem.split('.').collect();
        let path = match words.as_slice() {
            ["conv_in"] => "input_blocks_0_0".into(),
            ["conv_norm_out"] => "out_0".into(),
            ["conv_out"] => "out_2".into(),
            ["time_embedding", linear] => format!("time_embed_{}", embedding(linear)?),
            ["add_embedding", linear] => format!("label_emb_0_{}", embedding(linear)?),
            ["mid_block", "resnets", index, inner @ ..] => {
                format!("middle_block_{}_{}", number(Some(index))?.checked_mul(2)?, resnet(inner))
            }
            ["mid_block", "attentions", index, inner @ ..] => {
                format!("middle_block_{}_{}", number(Some(index))?.checked_mul(2)?.checked_add(1)?, inner.join("_"))
            }
            ["down_blocks", level, kind, index, inner @ ..] => {
                let level = number(Some(level))?;
                let before = self.down.range(..level).map(|(_, l)| l.resnets + usize::from(l.samples)).sum::<usize>();
                self.down_path(before.checked_add(1)?, level, kind, number(Some(index))?, inner)?
            }
            ["up_blocks", level, kind, index, inner @ ..] => {
                let level = number(Some(level))?;
                let before = self.up.range(..level).map(|(_, l)| l.resnets).sum::<usize>();
                self.up_path(before, level, kind, number(Some(index))?, inner)?
            }
            _ => return None,
        };
        Some(format!("{path}.{last}"))
    }

    fn down_path(&self, first: usize, level: usize, kind: &str, index: usize, inner: &[&str]) -> Option<String> {
        let block = first.checked_add(index)?;
        match kind {
            "resnets" => Some(format!("input_blocks_{block}_0_{}", resnet(inner))),
            "attentions" => Some(format!("input_blocks_{block}_1_{}", inner.join("_"))),
            "downsamplers" => Some(format!("input_blocks_{}_0_op", first + self.down.get(&level)?.resnets)),
            _ => None,
        }
    }

    /// What samples up follows the last residual block and its attention.
    fn up_path(&self, first: usize, level: usize, kind: &str, index: usize, inner: &[&str]) -> Option<String> {
        let block = first.checked_add(index)?;
        let counts = self.up.get(&level)?;
        match kind {
            "resnets" => Some(format!("output_blocks_{block}_0_{}", resnet(inner))),
            "attentions" => Some(format!("output_blocks_{block}_1_{}", inner.join("_"))),
            "upsamplers" => {
                let last = (first + counts.resnets).checked_sub(1)?;
                Some(format!("output_blocks_{last}_{}_{}", 1 + usize::from(counts.attends), inner.join("_")))
            }
            _ => None,
        }
    }
}

/// The layers of a residual block.
fn resnet(inner: &[&str]) -> String {
    let inner = inner.join("_");
    let ldm = match inner.as_str() {
        "norm1" => "in_layers_0",
        "conv1" => "in_layers_2",
        "time_emb_proj" => "emb_layers_1",
        "norm2" => "out_layers_0",
        "conv2" => "out_layers_3",
        "conv_shortcut" => "skip_connection",
        _ => return inner,
    };
    ldm.to_owned()
}

/// The two layers of an embedding, an activation between them.
fn embedding(linear: &str) -> Option<usize> {
    match linear {
        "linear_1" => Some(0),
        "linear_2" => Some(2),
        _ => None,
    }
}

fn number(word: Option<&str>) -> Option<usize> {
    word?.parse().ok()
}
