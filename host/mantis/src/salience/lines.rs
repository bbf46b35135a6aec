//! Submissions as JSON lines: each an object with `block` or `sidx`, and beside it what a payload would have.

use super::SalienceError;
use mantis_config::{Block, Config, Sidx};
use mantis_ledger::guest_file::{At, GuestFileError};
use mantis_payload::json::{JsonLimits, parse};
use mantis_payload::submission::split_object;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Hands every submission to `visit`: line, row of the ledger, ticker, and what was sent.
pub(super) fn read(
    path: &Path,
    config: &Config,
    mut visit: impl FnMut(u64, At, &str, Value) -> Result<(), SalienceError>,
) -> Result<(), SalienceError> {
    let io = |reason| GuestFileError::Io { path: path.into(), reason };
    let limits = JsonLimits::of_plaintext(config.collect.plaintext_bytes);
    let mut reader = BufReader::new(File::open(path).map_err(io)?);
    let (mut text, mut row) = (Vec::new(), 0);
    loop {
        text.clear();
        // One byte more than is taken, and the end of the line.
        let longest = limits.bytes as u64 + 2;
        if reader.by_ref().take(longest).read_until(b'\n', &mut text).map_err(io)? == 0 {
            return Ok(());
        }
        row += 1;
        let line = text.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let wrong = |reason: String| GuestFileError::Line { path: path.into(), row, reason };
        if line.len() > limits.bytes {
            let most = limits.bytes;
            return Err(wrong(format!("more than {most} bytes, which no payload may have; send less")).into());
        }
        let (at, object) = match parse(line, &limits).map_err(|error| wrong(error.to_string()))? {
            Value::Object(mut object) => (place(&mut object).map_err(wrong)?, object),
            _ => return Err(wrong("it is not a JSON object".into()).into()),
        };
        let split = split_object(object, &config.challenges);
        if let Some(key) = split.unknown.first().or(split.shadowed.first()) {
            let key: String = key.chars().take(40).collect();
            let reason = format!(
                "`{key}` is neither ticker nor name of a challenge, or its challenge stands there twice"
            );
            return Err(wrong(reason).into());
        }
        for (ticker, value) in split.submissions {
            visit(row, at, &ticker, value)?;
        }
    }
}

/// Takes out for which row it is.
fn place(object: &mut Map<String, Value>) -> Result<At, String> {
    let mut whole = |key: &str| match object.remove(key) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(format!("`{key}` is no whole number")),
        },
    };
    match (whole("block")?, whole("sidx")?) {
        (Some(block), _) => Ok(At::Block(Block(block))),
        (None, Some(sidx)) => Ok(At::Sidx(Sidx(sidx))),
        (None, None) => Err("it says neither `block` nor `sidx`".into()),
    }
}
