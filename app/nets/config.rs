//! What the `config.json` files of diffusers and transformers have in common.

use fourstep_compute::{Activation, ComputeError, Result};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Reads a network's configuration.
///
/// # Errors
/// [`ComputeError::Unsupported`] with the parser's words where the text is not such a configuration.
pub fn parse<C: DeserializeOwned>(json: &str) -> Result<C> {
    serde_json::from_str(json).map_err(|e| ComputeError::Unsupported(format!("config.json: {e}")))
}

/// An option given once for all blocks, or once for each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PerBlock<T> {
    /// One value for each block.
    Each(Vec<T>),
    /// The same value for all.
    All(T),
}

impl<T: Clone> PerBlock<T> {
    /// One value for each of `blocks` blocks. `option` is for the error.
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] where there are more or fewer values.
    pub fn resolve(&self, option: &str, blocks: usize) -> Result<Vec<T>> {
        match self {
            Self::All(value) => Ok(vec![value.clone(); blocks]),
            Self::Each(values) if values.len() == blocks => Ok(values.clone()),
            Self::Each(values) => {
                Err(ComputeError::Unsupported(format!("{option} has {} values for {blocks} blocks", values.len())))
            }
        }
    }
}

/// The error for an option's value that no network here knows.
pub(crate) fn unsupported(option: &str, value: impl std::fmt::Display) -> ComputeError {
    ComputeError::Unsupported(format!("{option} = {value} is not supported"))
}

/// `act_fn` of diffusers and `hidden_act` of transformers.
pub(crate) fn activation(option: &str, name: &str) -> Result<Activation> {
    match name {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu" => Ok(Activation::Gelu),
        "quick_gelu" => Ok(Activation::QuickGelu),
        "relu" => Ok(Activation::Relu),
        _ => Err(unsupported(option, name)),
    }
}

/// Refuses options outside the one value that is implemented. Absent options have that value.
pub(crate) fn require_only(options: &Map<String, Value>, only: &[(&str, Value)]) -> Result<()> {
    for (option, implemented) in only {
        let found = options.get(*option).unwrap_or(implemented);
        let is_implemented = |value: &Value| value == implemented || numbers_agree(value, implemented);
        let all_are = match found {
            Value::Array(values) => values.iter().all(is_implemented),
            value => is_implemented(value),
        };
        if !all_are {
            return Err(unsupported(option, found));
        }
    }
    Ok(())
}

fn numbers_agree(a: &Value, b: &Value) -> bool {
    a.as_f64().is_some() && a.as_f64() == b.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_option_stands_for_all_blocks_or_for_each() {
        let nested: PerBlock<PerBlock<usize>> = serde_json::from_value(json!([1, [2, 2]])).expect("nested");
        let resolved = nested.resolve("depths", 2).expect("two");
        assert_eq!(resolved, [PerBlock::All(1), PerBlock::Each(vec![2, 2])]);
        assert!(nested.resolve("depths", 3).is_err());
        let one: PerBlock<PerBlock<usize>> = serde_json::from_value(json!(4)).expect("one");
        assert_eq!(one.resolve("depths", 2).expect("any"), [PerBlock::All(4), PerBlock::All(4)]);
    }

    #[test]
    fn other_values_are_refused_by_name() {
        let options = |value: Value| value.as_object().cloned().unwrap_or_default();
        let only = [("dual", json!(false)), ("scale", json!(1.0))];
        assert!(require_only(&options(json!({})), &only).is_ok());
        assert!(require_only(&options(json!({"dual": [false, false], "scale": 1})), &only).is_ok());
        let error = require_only(&options(json!({"dual": [false, true]})), &only).expect_err("true is not known");
        assert_eq!(error.to_string(), "dual = [false,true] is not supported");
    }
}
