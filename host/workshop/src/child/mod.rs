//! The strategy's process: where it runs, what it may reach, and what it says.

mod limits;
mod mounts;
mod process;
mod program;
mod sandbox;

pub use limits::Limits;
pub use process::{Child, ChildError};
pub use program::{Program, ProgramError};
pub use sandbox::{Sandbox, SandboxError};
