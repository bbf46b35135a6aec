//! What a validator shows of itself.

pub mod assets;
pub mod pages;
