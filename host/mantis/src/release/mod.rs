//! The owner's side of releases: making them of a configuration and its plugins, comparing them, publishing them.

mod compare;
mod error;
mod make;
mod publish;
mod strip;

pub use compare::{Comparison, Side, compare};
pub use error::ReleaseError;
pub use make::{Files, Recipe, make, of_configuration, of_release};
pub use publish::{Published, publish};
pub use strip::to_release;
