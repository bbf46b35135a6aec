//! Tables as CSV.

use super::header::{Header, Numbers, check};
use super::{At, GuestFileError, GuestLine};
use csv::StringRecord;
use mantis_config::{Block, Sidx};
use std::path::Path;

/// As [`super::read`].
pub(super) fn read<E: From<GuestFileError>>(
    path: &Path,
    mut visit: impl FnMut(GuestLine<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(reason) => GuestFileError::Io { path: path.into(), reason },
        kind => {
            let reason = reason(kind);
            GuestFileError::Damaged { path: path.into(), form: "CSV", reason }
        }
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(damaged)?;
    let names = reader.headers().map_err(damaged)?.clone();
    let header = Header::new(names.iter().map(|name| name.trim_start_matches('\u{feff}')))
        .map_err(|reason| GuestFileError::Columns { path: path.into(), reason })?;
    let (mut record, mut numbers, mut row) = (StringRecord::new(), Vec::new(), 0);
    while reader.read_record(&mut record).map_err(damaged)? {
        row += 1;
        let line = line(&header, &record, row, &mut numbers);
        visit(line.map_err(|reason| GuestFileError::Line { path: path.into(), row, reason })?)?;
    }
    Ok(())
}

fn reason(kind: csv::ErrorKind) -> String {
    match kind {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or_else(String::new, |pos| format!("line {}: ", pos.line()));
            format!("{line}{len} values where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { pos, err } => {
            let line = pos.map_or_else(String::new, |pos| format!("line {}: ", pos.line()));
            format!("{line}it is not UTF-8: {err}")
        }
        other => format!("{other:?}"),
    }
}

fn line<'a>(
    header: &Header,
    record: &'a StringRecord,
    row: u64,
    numbers: &'a mut Vec<f64>,
) -> Result<GuestLine<'a>, String> {
    let cell = |place: usize| record.get(place).unwrap_or_default();
    let text = |place: Option<usize>| place.map(cell).filter(|text| !text.is_empty());
    let whole = |name: &str, place: Option<usize>| match text(place) {
        None => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("`{name}` is {}, no whole number", shortened(text))),
        },
    };
    let at = match (whole("block", header.block)?, whole("sidx", header.sidx)?) {
        (Some(block), _) => At::Block(Block(block)),
        (None, Some(sidx)) => At::Sidx(Sidx(sidx)),
        (None, None) => return Err("it says neither `block` nor `sidx`".into()),
    };
    numbers.clear();
    match &header.numbers {
        Numbers::List(place) => {
            let text = cell(*place);
            if !text.is_empty() {
                *numbers = serde_json::from_str(text)
                    .map_err(|error| format!("`vector` is no JSON list of numbers: {error}"))?;
            }
            check(numbers, &vec![false; numbers.len()])?;
        }
        Numbers::Columns(places) => {
            let mut missing = Vec::with_capacity(places.len());
            for (place, column) in places.iter().enumerate() {
                let text = cell(*column);
                let number = match text {
                    "" => f64::NAN,
                    _ => text.parse().map_err(|_| format!("`v{place}` is {}, no number", shortened(text)))?,
                };
                numbers.push(number);
                missing.push(text.is_empty());
            }
            check(numbers, &missing)?;
        }
    }
    Ok(GuestLine { row, at, challenge: text(header.challenge), hotkey: text(header.hotkey), numbers })
}

fn shortened(text: &str) -> String {
    format!("`{}`", text.chars().take(40).collect::<String>())
}
