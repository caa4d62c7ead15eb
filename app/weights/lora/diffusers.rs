use super::{
    Part, dotted,
    group::Address,
    low_rank::{DOWN, UP},
};

/// diffusers' names from before PEFT: `….attn1.processor.to_q_lora.down.weight`, `….to_q.lora.down.weight` and
/// `….mlp.fc1.lora_linear_layer.down.weight` (diffusers `state_dict_utils.py`).
pub(super) fn address(key: &str) -> Option<Address> {
    const ENDINGS: [(&str, &str); 3] = [(".down.weight", DOWN), (".up.weight", UP), (".alpha", "alpha")];
    let (part, key) = dotted::part(key)?;
    let (stem, role) = ENDINGS.iter().find_map(|(ending, role)| Some((key.strip_suffix(ending)?, *role)))?;
    let path = [".lora_linear_layer", ".lora", "_lora"].iter().find_map(|ending| stem.strip_suffix(ending))?;
    Some(Address { part, path: weight_path(part, path), role: role.into() })
}

/// Where the weight lies: the processors of that time had names of their own for the four matrices of an attention.
fn weight_path(part: Part, path: &str) -> String {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let parent = parent.strip_suffix(".processor").unwrap_or(parent);
    let name = match (part, name) {
        (Part::UNet, "to_out") => "to_out.0",
        (Part::UNet, name) => name,
        (_, "to_q") => "q_proj",
        (_, "to_k") => "k_proj",
        (_, "to_v") => "v_proj",
        (_, "to_out") => "out_proj",
        (_, name) => name,
    };
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (key, part, path, role) in [
            ("unet.mid_block.attn1.processor.to_q_lora.down.weight", Part::UNet, "mid_block.attn1.to_q", DOWN),
            ("mid_block.attn1.processor.to_out_lora.up.weight", Part::UNet, "mid_block.attn1.to_out.0", UP),
            ("unet.a.to_out.0.lora.down.weight", Part::UNet, "a.to_out.0", DOWN),
            ("unet.conv_in.lora.alpha", Part::UNet, "conv_in", "alpha"),
            ("text_encoder.text_model.x.to_q_lora.up.weight", Part::TextEncoder1, "text_model.x.q_proj", UP),
            ("text_encoder_2.x.self_attn.to_out_lora.up.weight", Part::TextEncoder2, "x.self_attn.out_proj", UP),
            ("text_encoder.x.fc1.lora_linear_layer.down.weight", Part::TextEncoder1, "x.fc1", DOWN),
        ] {
            let a = address(key).expect(key);
            assert_eq!((a.part, a.path.as_str(), a.role.as_str()), (part, path, role), "{key}");
        }
        assert!(address("unet.conv_in.down.weight").is_none());
    }
}
