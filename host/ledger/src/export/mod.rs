//! `mantis export`: a ledger's tables as Parquet or CSV.
//!
//! A [`Table`] says where its columns come from; its rows pass in batches through one builder into a file of either
//! form, so that memory stays bounded for a ledger of any size. The ledger is read as it is at one moment.

mod batch;
mod error;
mod file;
mod rows;
mod run;
mod sheet;
mod table;

#[cfg(test)]
mod round_trip_test;

pub use batch::Value;
pub use error::ExportError;
pub use file::Format;
pub use run::{Export, Exported, Written};
pub use sheet::Sheet;
pub use table::{Column, Kind, Table};
