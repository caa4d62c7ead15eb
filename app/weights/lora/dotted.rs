//! What the namings with dots have in common.

use super::Part;

/// The part that a key belongs to, and the key within it.
pub(super) fn part(key: &str) -> Option<(Part, &str)> {
    const WRAPPER: &str = "base_model.model.";
    const PREFIXES: [(&str, Part); 4] = [
        ("unet.", Part::UNet),
        ("diffusion_model.", Part::UNet),
        ("text_encoder.", Part::TextEncoder1),
        ("text_encoder_2.", Part::TextEncoder2),
    ];
    let key = key.strip_prefix(WRAPPER).unwrap_or(key);
    let said = PREFIXES.iter().find_map(|(prefix, part)| Some((*part, key.strip_prefix(prefix)?)));
    match said {
        Some((part, rest)) => Some((part, rest.strip_prefix(WRAPPER).unwrap_or(rest))),
        None => Some((root(key, '.')?, key)),
    }
}

/// The part that a path belongs to by its first word, for files that do not say it. `dot` is what stands between words.
pub(super) fn root(path: &str, dot: char) -> Option<Part> {
    const UNET: [&str; 13] = [
        "down_blocks",
        "mid_block",
        "up_blocks",
        "conv_in",
        "conv_norm_out",
        "conv_out",
        "time_embedding",
        "add_embedding",
        "input_blocks",
        "middle_block",
        "output_blocks",
        "time_embed",
        "label_emb",
    ];
    let starts = |word: &str| path.strip_prefix(word).is_some_and(|rest| rest.starts_with(dot));
    // conv_in and the like may be all there is of the path.
    let is = |word: &&str| starts(word) || path == *word;
    if UNET.iter().any(is) { Some(Part::UNet) } else { starts("text_model").then_some(Part::TextEncoder1) }
}
