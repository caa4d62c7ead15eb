//! Key names: those of single files (ldm for Stable Diffusion, sgm for SDXL, OpenCLIP, the original TAESD) in terms of
//! diffusers' (`diffusers/loaders/single_file_utils.py` maps the same).

pub(crate) mod open_clip;
pub(crate) mod tiny;
pub(crate) mod unet;
pub(crate) mod vae;

/// The rest of a key behind the first name of the table that begins it, under that name's other name.
fn renamed(key: &str, table: &[(&str, &str)]) -> Option<String> {
    table.iter().find_map(|(old, new)| {
        let rest = key.strip_prefix(old)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{new}{rest}"))
    })
}

/// `"3.rest"` as 3 and `"rest"`.
fn number(key: &str) -> Option<(usize, &str)> {
    let (number, rest) = key.split_once('.')?;
    Some((number.parse().ok()?, rest))
}
