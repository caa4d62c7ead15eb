use crate::{Bytes, Fault, Result};
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::Metadata};
use std::{collections::HashMap, ops::Range};

/// Bytes of the length that a safetensors file begins with.
const LENGTH_BYTES: usize = 8;

/// One safetensors file whose header was checked against its length: every tensor lies inside, none overlap.
pub(crate) struct SafetensorsFile {
    pub(crate) bytes: Bytes,
    pub(crate) tensors: Vec<Entry>,
    /// What its maker wrote into it: title, trigger words, kind of prediction.
    pub(crate) metadata: HashMap<String, String>,
}

/// Where a tensor lies in its file.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
}

impl SafetensorsFile {
    /// Reads the header only. `name` is for errors.
    pub(crate) fn open(name: &str, bytes: Bytes) -> Result<Self> {
        let all = (*bytes).as_ref();
        let (header_len, metadata) = SafeTensors::read_metadata(all).map_err(|e| explain(all, e).of(name))?;
        let data_start = LENGTH_BYTES + header_len;
        let mut tensors: Vec<Entry> = metadata
            .tensors()
            .into_iter()
            .map(|(key, info)| Entry {
                key,
                dtype: info.dtype,
                shape: info.shape.clone(),
                range: data_start + info.data_offsets.0..data_start + info.data_offsets.1,
            })
            .collect();
        tensors.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { bytes, tensors, metadata: metadata.metadata().clone().unwrap_or_default() })
    }
}

/// What the library's error means for the person who has the file.
fn explain(bytes: &[u8], error: SafeTensorError) -> Fault {
    let found = bytes.len() as u64;
    let Some(length) = bytes.first_chunk::<LENGTH_BYTES>() else {
        return match found {
            0 => Fault::NotSafetensors("it is empty".into()),
            _ => Fault::Truncated { expected: LENGTH_BYTES as u64, found },
        };
    };
    if let Some(what) = recognise(bytes) {
        return Fault::NotSafetensors(what.into());
    }
    let header_len = u64::from_le_bytes(*length);
    match error {
        SafeTensorError::HeaderTooLarge => Fault::NotSafetensors("it does not begin as one".into()),
        SafeTensorError::InvalidHeaderLength => {
            Fault::Truncated { expected: header_len.saturating_add(LENGTH_BYTES as u64), found }
        }
        SafeTensorError::MetadataIncompleteBuffer => match promised_len(bytes) {
            Some(expected) if expected > found => Fault::Truncated { expected, found },
            _ => Fault::Header("bytes follow that belong to no tensor".into()),
        },
        SafeTensorError::InvalidOffset(key) => Fault::Header(format!("{key} overlaps another tensor or leaves a gap")),
        SafeTensorError::TensorInvalidInfo => {
            Fault::Header("a tensor's offsets do not match its shape and number format".into())
        }
        other => Fault::Header(other.to_string()),
    }
}

/// Other files that are often found under a `.safetensors` name.
fn recognise(bytes: &[u8]) -> Option<&'static str> {
    const SIGNS: [(&[u8], &str); 5] = [
        (b"version https://git-lfs", "it is a Git LFS pointer, the weights themselves were not downloaded"),
        (b"<!", "it is a web page, probably an error message saved in place of the weights"),
        (b"<html", "it is a web page, probably an error message saved in place of the weights"),
        (b"PK\x03\x04", "it is a PyTorch pickle, which is refused"),
        (b"GGUF", "it is a GGUF file"),
    ];
    SIGNS.iter().find(|(sign, _)| bytes.starts_with(sign)).map(|(_, what)| *what)
}

/// Bytes the whole file should have by its header.
fn promised_len(bytes: &[u8]) -> Option<u64> {
    let header_len = usize::try_from(u64::from_le_bytes(*bytes.first_chunk::<LENGTH_BYTES>()?)).ok()?;
    let end = header_len.checked_add(LENGTH_BYTES)?;
    let metadata: Metadata = serde_json::from_slice(bytes.get(LENGTH_BYTES..end)?).ok()?;
    end.checked_add(metadata.data_len())?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    fn fault(bytes: Vec<u8>) -> Fault {
        SafetensorsFile::open("x.safetensors", Arc::new(bytes)).map(|_| ()).expect_err("refused").fault
    }

    const TWO: &str = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[1],"data_offsets":[8,10]}}"#;

    #[test]
    fn every_cut_of_a_file_is_refused_and_none_panics() {
        let whole = file(TWO, &[0; 10]);
        assert!(SafetensorsFile::open("x", Arc::new(whole.clone())).is_ok());
        assert!(matches!(fault(Vec::new()), Fault::NotSafetensors(_)), "empty");
        for len in 1..whole.len() {
            assert!(matches!(fault(whole[..len].to_vec()), Fault::Truncated { .. }), "cut to {len}");
        }
        assert!(matches!(fault(file(TWO, &[0; 11])), Fault::Header(_)), "one byte too many");
    }

    #[test]
    fn wrong_headers_are_refused() {
        let one = |dtype: &str, shape: &str, offsets: &str| {
            format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        let cases = [
            one("F99", "[2]", "[0,8]"),
            one("F32", "[3]", "[0,8]"),
            one("F32", "[2]", "[4,12]"),
            one("F32", "[2]", "[8,0]"),
            one("F32", "[-2]", "[0,8]"),
            one("F32", "[18446744073709551615,18446744073709551615]", "[0,8]"),
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#.into(),
            "[1]".into(),
            "not json".into(),
        ];
        for header in cases {
            assert!(matches!(fault(file(&header, &[0; 8])), Fault::Header(_)), "{header}");
        }
        assert!(matches!(fault(file(&one("F32", "[2]", "[0,9000]"), &[0; 8])), Fault::Header(_)));
    }

    #[test]
    fn a_header_longer_than_any_is_refused_without_reading_it() {
        let mut bytes = u64::MAX.to_le_bytes().to_vec();
        bytes.extend([b'{'; 100]);
        assert!(matches!(fault(bytes), Fault::NotSafetensors(_)));
    }

    #[test]
    fn other_kinds_of_files_are_named() {
        for (bytes, word) in [
            (&b"version https://git-lfs.github.com/spec/v1\n"[..], "Git LFS"),
            (b"<!DOCTYPE html><title>403</title>", "web page"),
            (b"PK\x03\x04aaaaaaaaaaaaaa", "pickle"),
        ] {
            let fault = fault(bytes.to_vec());
            assert!(fault.to_string().contains(word), "{fault}");
        }
    }
}
