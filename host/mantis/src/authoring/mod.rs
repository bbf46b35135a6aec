//! For authors of challenges: a crate to start from, what a plugin's file holds, and whether it keeps the contract.
//!
//! [`create`] writes the crate, `mantis_plugin_build` builds it, [`inspect()`] looks into the file that comes of it, and
//! [`conform()`] tries it out.

mod conform;
mod inspect;
mod new;

pub use conform::{Bars, Check, Plan, Recorded, RecordedError, Report, Verdict, conform};
pub use inspect::{Inspection, form, inspect};
pub use new::{Api, Created, NewError, create};
