use super::{dotted, group::Address, kohya};

/// The names of LyCORIS on its own: `lycoris_`, then kohya's prefix and path, or the path alone
/// (LyCORIS `wrapper.py`).
pub(super) fn address(key: &str) -> Option<Address> {
    let rest = key.strip_prefix("lycoris_")?;
    kohya::prefixed(rest).or_else(|| {
        let (path, role) = rest.split_once('.')?;
        let part = dotted::root(path, '_')?;
        Some(Address { part, path: path.into(), role: role.into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;

    #[test]
    fn the_part_is_said_or_follows_from_the_path() {
        for (key, part, path) in [
            ("lycoris_unet_conv_in.diff", Part::UNet, "conv_in"),
            ("lycoris_down_blocks_0_x.lokr_w1", Part::UNet, "down_blocks_0_x"),
            ("lycoris_text_model_encoder.lokr_w1", Part::TextEncoder1, "text_model_encoder"),
        ] {
            let a = address(key).expect("lycoris");
            assert_eq!((a.part, a.path.as_str()), (part, path));
        }
        assert!(address("lycoris_transformer_blocks_0.lokr_w1").is_none());
    }
}
