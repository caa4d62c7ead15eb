use super::{Part, dotted, group::Address};

/// ComfyUI's generic names: the path with its dots, then kohya's roles: `diffusion_model.conv_in.lora_down.weight`,
/// `text_encoder.text_model.….lora_up.weight`.
pub(super) fn address(key: &str) -> Option<Address> {
    const ROLES: [&str; 9] = [
        "lora_down.weight",
        "lora_up.weight",
        "lora_mid.weight",
        "alpha",
        "dora_scale",
        "diff",
        "diff_b",
        "w_norm",
        "b_norm",
    ];
    let (part, key) = dotted::part(key)?;
    let (path, role) = ROLES.iter().find_map(|role| Some((key.strip_suffix(role)?.strip_suffix('.')?, *role)))?;
    (part != Part::UNet || dotted::root(path, '.').is_some()).then(|| Address {
        part,
        path: path.into(),
        role: role.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let a = address("diffusion_model.input_blocks.4.1.proj_in.lora_mid.weight").expect("comfy");
        assert_eq!(
            (a.part, a.path.as_str(), a.role.as_str()),
            (Part::UNet, "input_blocks.4.1.proj_in", "lora_mid.weight")
        );
        assert!(address("diffusion_model.blocks.0.self_attn.q.lora_down.weight").is_none());
        assert!(address("unet.conv_in.weight").is_none());
    }
}
