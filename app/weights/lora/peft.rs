use super::{
    dotted,
    group::Address,
    low_rank::{DOWN, UP},
    magnitude,
};

/// PEFT's names, and diffusers' since it uses PEFT: `unet.conv_in.lora_A.weight`, with the adapter's name in between or
/// not (PEFT `save_and_load.py`).
pub(super) fn address(key: &str) -> Option<Address> {
    const ROLES: [(&str, &str); 3] = [("lora_A", DOWN), ("lora_B", UP), (magnitude::PEFT, magnitude::PEFT)];
    let (part, key) = dotted::part(key)?;
    let mut words = key.split('.');
    let mut length = 0;
    // What comes before the role is the path.
    let word = words.by_ref().find(|word| {
        let found = ROLES.iter().any(|(name, _)| name == word) || is_lycoris(word);
        length += if found { 0 } else { word.len() + 1 };
        found
    })?;
    let path = key.get(..length.checked_sub(1)?)?;
    let role = match ROLES.iter().find(|(name, _)| *name == word) {
        Some((_, role)) if *role == magnitude::PEFT => role,
        Some((_, role)) if key.ends_with(".weight") => role,
        Some(_) => return None,
        None => word,
    };
    // An adapter's name and `weight` at most.
    (words.count() <= 2).then(|| Address { part, path: path.into(), role: (*role).into() })
}

/// Whether PEFT's LoHa and LoKr have a tensor of this name.
fn is_lycoris(word: &str) -> bool {
    word.starts_with("hada_") || word.starts_with("lokr_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;

    #[test]
    fn names_are_taken_apart() {
        for (key, part, path, role) in [
            ("unet.conv_in.lora_A.weight", Part::UNet, "conv_in", DOWN),
            ("base_model.model.mid_block.to_q.lora_B.default.weight", Part::UNet, "mid_block.to_q", UP),
            ("unet.base_model.model.a.to_out.0.lora_A.default_0.weight", Part::UNet, "a.to_out.0", DOWN),
            ("text_encoder_2.text_model.x.lora_A.weight", Part::TextEncoder2, "text_model.x", DOWN),
            ("unet.x.lora_magnitude_vector", Part::UNet, "x", magnitude::PEFT),
            ("unet.x.lora_magnitude_vector.default.weight", Part::UNet, "x", magnitude::PEFT),
            ("base_model.model.text_model.x.hada_w1_a", Part::TextEncoder1, "text_model.x", "hada_w1_a"),
        ] {
            let a = address(key).expect(key);
            assert_eq!((a.part, a.path.as_str(), a.role.as_str()), (part, path, role), "{key}");
        }
        for key in
            ["unet.conv_in.weight", "unet.lora_A.weight", "unet.x.lora_A.bias", "unet.", "", "unet.x.lora_A.a.b.weight"]
        {
            assert!(address(key).is_none(), "{key}");
        }
    }
}
