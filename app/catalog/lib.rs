//! Which models the program knows and where their files are.
