//! What host and strategy say to each other over two pipes; `docs/strategies.md` is the page for people.
//!
//! A record is its length (4 bytes, little-endian, of what follows), a byte for its kind, and a body. Everything that a
//! child says is bounded before it is held.

mod frame;
mod hello;
mod said;
mod told;

pub use frame::{FrameError, read_frame};
pub use hello::{Hello, PROTOCOL, Ready};
pub use said::{Said, SaidError};
pub use told::Told;

/// Bytes of a record that is no answer: logs, sentences, JSON.
pub const MAX_TEXT: usize = 1 << 16;
