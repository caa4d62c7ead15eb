use super::{Part, group::Address};

/// kohya-ss' names: a prefix for the part, then the path of the weight with `_` for every dot, by diffusers' or by
/// ldm's names (sd-scripts `networks/lora.py`; diffusers `lora_conversion_utils.py`).
pub(super) fn address(key: &str) -> Option<Address> {
    prefixed(key.strip_prefix("lora_")?)
}

/// What follows `lora_`.
pub(super) fn prefixed(key: &str) -> Option<Address> {
    const PREFIXES: [(&str, Part); 4] = [
        ("unet_", Part::UNet),
        ("te_", Part::TextEncoder1),
        ("te1_", Part::TextEncoder1),
        ("te2_", Part::TextEncoder2),
    ];
    let (part, rest) = PREFIXES.iter().find_map(|(prefix, part)| Some((*part, key.strip_prefix(prefix)?)))?;
    let (path, role) = rest.split_once('.')?;
    Some(Address { part, path: path.into(), role: role.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let a = address("lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight").expect("kohya");
        assert_eq!(a.part, Part::TextEncoder2);
        assert_eq!(a.path, "text_model_encoder_layers_0_mlp_fc1");
        assert_eq!(a.role, "lora_down.weight");
        assert_eq!(address("lora_te_x.alpha").expect("kohya").part, Part::TextEncoder1);
        assert!(address("unet.down_blocks.0.lora_A.weight").is_none());
        assert!(address("lora_unet_without_role").is_none());
    }
}
