//! Shaders out of their files: `//! include FILE` puts a file in once, `//! if FLAG`, `//! else` and `//! end` choose lines.
//! What a variant fixes stands in front as aliases and constants, so that compilers see loops of known length.

use super::open::Width;
use std::{collections::BTreeSet, fmt::Write};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../shaders/compute/", $name)))),*];
    };
}

files![
    "activate.wgsl",
    "activation.wgsl",
    "add.wgsl",
    "attention.wgsl",
    "concat_channels.wgsl",
    "conv2d.wgsl",
    "elementwise.wgsl",
    "epilogue.wgsl",
    "flat.wgsl",
    "geglu.wgsl",
    "group_norm.wgsl",
    "group_norm_factors.wgsl",
    "group_norm_parameters.wgsl",
    "group_norm_statistics.wgsl",
    "layer_norm.wgsl",
    "linear.wgsl",
    "product.wgsl",
    "product_parameters.wgsl",
    "read_rows.wgsl",
    "select_token.wgsl",
    "show.wgsl",
    "store_product.wgsl",
    "sum_of_group.wgsl",
    "sum_splits.wgsl",
    "upsample_nearest.wgsl",
];

/// What a variant of a shader fixes.
pub(super) struct Fixed<'a> {
    pub(super) width: Width,
    pub(super) subgroups: bool,
    pub(super) flags: &'a [&'static str],
    pub(super) constants: &'a [(&'static str, u32)],
}

/// The text of a variant of `file`.
pub(super) fn text(file: &str, fixed: &Fixed<'_>) -> String {
    let mut out = String::new();
    let element = match fixed.width {
        Width::F16 => {
            out.push_str("enable f16;\n");
            "f16"
        }
        Width::F32 => "f32",
    };
    // A string takes what is written to it.
    let _ = writeln!(out, "alias Element = {element};\nalias Element4 = vec4<{element}>;");
    for (name, value) in fixed.constants {
        let _ = writeln!(out, "const {name} = {value}u;");
    }
    append(file, fixed, &mut BTreeSet::new(), &mut out);
    out
}

fn append<'a>(file: &'a str, fixed: &Fixed<'_>, included: &mut BTreeSet<&'a str>, out: &mut String)
where
    'static: 'a,
{
    let Some((_, text)) = FILES.iter().find(|(name, _)| *name == file) else {
        unreachable!("{file} is not in the list of shaders")
    };
    if !included.insert(file) {
        return;
    }
    // Of each `if` that is open, whether its lines are chosen.
    let mut chosen: Vec<bool> = Vec::new();
    for line in text.lines() {
        let mut words = line.strip_prefix("//! ").unwrap_or_default().split_whitespace();
        match (words.next(), words.next()) {
            (Some("if"), Some(flag)) => {
                let set = fixed.flags.contains(&flag) || flag == "SUBGROUPS" && fixed.subgroups;
                chosen.push(set);
            }
            (Some("else"), _) => chosen.iter_mut().last().into_iter().for_each(|last| *last = !*last),
            (Some("end"), _) => drop(chosen.pop()),
            (Some("include"), Some(file)) if chosen.iter().all(|c| *c) => append(file, fixed, included, out),
            _ if chosen.iter().all(|c| *c) => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {}
        }
    }
}
