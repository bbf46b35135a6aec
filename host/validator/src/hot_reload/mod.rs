//! A configuration that is edited while it runs: `challenges.toml` and the plugins it names, watched, checked, and taken
//! as a whole or not at all.
//!
//! [`HotReload`] looks at the files when it is asked to ([`watch`]), copies the plugins into a folder of its own and asks them
//! whether they take their challenges ([`generation`]), and says what is new ([`changes`]).

mod changes;
mod error;
mod generation;
mod running;
mod watch;

pub use changes::changes;
pub use error::HotReloadError;
pub use running::{Adjust, HotReload, Refreshed, Template};
