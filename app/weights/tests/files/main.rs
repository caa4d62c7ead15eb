//! Models in every file format, and what is none.

mod folders;
mod fuzz;
mod golden;
mod others;
mod single;
