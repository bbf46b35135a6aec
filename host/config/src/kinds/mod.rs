//! The kinds of values that keys have: how each is read, what is allowed, how the documentation shows it.

mod command;
mod json;
mod kind;
mod names;
mod number;
mod text;
mod word;

pub(crate) use command::{Arguments, SharedFolder, VARIABLE};
pub(crate) use json::{ParamsOrName, read_params};
pub(crate) use kind::{Kind, Optional};
pub(crate) use names::{ASSET, AssetsOrName, BaseUrls, HOST, NAME, PLUGIN, SIDE_FILE, SS58, TICKER, URL};
pub(crate) use number::{AboveTo, Between, Seconds};
pub(crate) use text::{Folder, Hex, ListOf, TextKind, bytes_of};
pub(crate) use word::{Flag, Words};
