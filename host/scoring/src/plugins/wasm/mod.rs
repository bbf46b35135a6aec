//! The sandboxed loader: WebAssembly components of the world `plugin-api/wit/v1/challenge.wit`.
//!
//! A component reaches nothing but the host's functions in [`imports`]: a file that asks for more is refused. Its
//! memory is bounded ([`limits`]), its stack too, its results are checked, and its time is the worker's deadline.
//! Nothing in [`engine`] lets a result depend on the machine that it runs on.

mod call;
mod code_cache;
mod compile;
mod engine;
mod imports;
mod limits;
mod plugin;
mod surface;

pub(crate) use code_cache::{code_folder, forget_code, private_code_folder};
pub use plugin::WasmPlugin;
pub use surface::{Surface, surface};
