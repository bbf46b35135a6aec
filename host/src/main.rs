//! The `mantis` program.
fn main() {}
