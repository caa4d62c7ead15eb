use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// How AUTOMATIC1111 names the contents of a LoRA file: what its training wrote into it, else the SHA-256 of all that
/// follows the header. 64 hexadecimal digits, of which infotext has the first [`SHORT`]
/// (`extensions-builtin/Lora/network.py`, `modules/hashes.py`).
///
/// # Errors
/// Where the file cannot be read or is no safetensors file.
pub fn lora_hash(path: &Path) -> io::Result<String> {
    hash(File::open(path)?)
}

/// [`lora_hash`] of a file in memory.
///
/// # Errors
/// Where it is no safetensors file.
pub fn lora_hash_of(bytes: &[u8]) -> io::Result<String> {
    hash(bytes)
}

/// Digits in infotext.
pub(crate) const SHORT: usize = 12;
/// Headers are not longer: what says so is no safetensors file.
const MAX_HEADER_BYTES: u64 = 100 << 20;
/// Where kohya's scripts leave the hash.
const TRAINED: &str = "sshs_model_hash";

fn hash(mut file: impl Read) -> io::Result<String> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no safetensors file"));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)?;
    let header: serde_json::Value = serde_json::from_slice(&header)?;
    let trained = header["__metadata__"][TRAINED].as_str().filter(|hash| hash.len() >= SHORT);
    if let Some(hash) = trained.filter(|hash| hash.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Ok(hash.to_lowercase());
    }
    let mut sum = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => sum.update(&block[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    #[test]
    fn the_header_does_not_count_but_what_training_wrote_into_it() {
        // printf 'numbers' | sha256sum
        let plain = "f3c7807d475073ba009bf4801b2d934e9f0126cb96dd19a27dbffcae23a7f5a3";
        let one = lora_hash_of(&file("{}", b"numbers")).expect("a hash");
        let other = lora_hash_of(&file(r#"{"__metadata__":{"ss_tag":"x"}}"#, b"numbers")).expect("a hash");
        assert_eq!((one.as_str(), other.as_str()), (plain, plain));
        let trained = file(r#"{"__metadata__":{"sshs_model_hash":"ABCDEF0123456789"}}"#, b"numbers");
        assert_eq!(lora_hash_of(&trained).expect("a hash"), "abcdef0123456789");
        assert!(lora_hash_of(b"PK\x03\x04 a zip file of some kind").is_err());
    }
}
