//! The catalog on made-up machines: models told from their headers, what other programs left, what a person adds.

mod inspect;
mod scan;
mod support;
