//! From a file to a checked configuration.

mod assets;
mod challenge;
mod file;
mod params;
mod rules;
