//! `mantis doctor`: looks at everything that a validator needs, says what is wrong and what to do about it, and changes
//! nothing.
//!
//! Each file is about one thing: it takes readings, and a pure function judges them. [`Doctor`] runs all of them, those
//! that wait for the network side by side, each within its time.

mod beacon;
mod chain;
mod clock;
mod configuration;
mod disk;
mod engine;
mod examine;
mod feed;
mod finding;
mod ledger;
mod limits;
mod plugins;
mod size;
mod stamp;
mod wallet;
mod walls;

pub use examine::{Doctor, Key};
pub use finding::{Finding, Status};
