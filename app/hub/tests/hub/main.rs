//! Downloads from a hub on this machine that misbehaves in every way we know.

mod keeping;
mod refusals;
mod support;
mod transfers;
