use fourstep_protocol::Request;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// `fourstep-00042-a-blue-apple-7.png`: a number, the prompt's first words, the seed.
///
/// `number` comes from [`next_number`], so that names sort by age without a clock.
pub fn suggested_name(request: &Request, number: u32) -> String {
    let words = slug(&request.prompt);
    let gap = if words.is_empty() { "" } else { "-" };
    format!("fourstep-{number:05}{gap}{words}-{}.png", request.seed)
}

/// One more than the largest number among the pictures of a folder; 1 in a folder that is empty or not there yet.
///
/// # Errors
/// Where the folder is there and cannot be read.
pub fn next_number(folder: &Path) -> io::Result<u32> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(1),
        entries => entries?,
    };
    let number = |name: &str| -> Option<u32> { name.strip_prefix("fourstep-")?.split(['-', '.']).next()?.parse().ok() };
    let largest = entries.flatten().filter_map(|e| number(e.file_name().to_str()?)).max();
    Ok(largest.unwrap_or(0).saturating_add(1))
}

/// Where pictures go if nobody says otherwise: `Fourstep` in the person's pictures folder. [`save`](crate::save)
/// creates this folder and no other.
pub fn default_folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    Some(dirs.picture_dir().unwrap_or_else(|| dirs.home_dir()).join("Fourstep"))
}

/// Where the program keeps what it can make again or what is too large for its settings: the timeline and the index.
pub fn data_folder() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "fourstep")?.data_local_dir().to_path_buf())
}

/// Longest slug in bytes: with number and seed far from the 255 that file systems take.
const SLUG_BYTES: usize = 48;

/// The first words of a prompt: letters and digits of any script in lower case, `-` between them, `<…>` tags left out.
fn slug(prompt: &str) -> String {
    let mut depth = 0u32;
    let text: String = prompt
        .chars()
        .map(|c| {
            depth += u32::from(c == '<');
            let inside = depth > 0;
            depth = depth.saturating_sub(u32::from(c == '>'));
            if inside || !c.is_alphanumeric() { ' ' } else { c }
        })
        .flat_map(char::to_lowercase)
        .collect();
    let mut slug = String::new();
    for word in text.split_whitespace() {
        let gap = usize::from(!slug.is_empty());
        if slug.len() + gap + word.len() > SLUG_BYTES {
            if slug.is_empty() {
                slug.extend(word.char_indices().take_while(|(i, c)| i + c.len_utf8() <= SLUG_BYTES).map(|(_, c)| c));
            }
            break;
        }
        slug.push_str(if gap == 1 { "-" } else { "" });
        slug.push_str(word);
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_and_safe() {
        assert_eq!(slug("A blue Apple, (shiny:1.2) <lora:x:1>"), "a-blue-apple-shiny-1-2");
        assert_eq!(slug("../../etc/passwd\0"), "etc-passwd");
        assert_eq!(slug("一顆藍色的蘋果"), "一顆藍色的蘋果");
        assert_eq!(slug("!?"), "");
        assert_eq!(slug(&"蘋".repeat(100)).len(), SLUG_BYTES);
        assert!(slug(&"word ".repeat(100)).len() <= SLUG_BYTES);
    }

    #[test]
    fn numbers_go_on_where_the_folder_ends() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert_eq!(next_number(folder.path()).expect("readable"), 1);
        for name in ["fourstep-00041-a-7.png", "fourstep-9.png", "fourstep-x.png", "other-99999.png"] {
            fs::write(folder.path().join(name), b"").expect("writes");
        }
        assert_eq!(next_number(folder.path()).expect("readable"), 42);
        assert_eq!(next_number(&folder.path().join("none")).expect("not there yet"), 1);
    }
}
