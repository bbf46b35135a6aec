//! From a file of embeddings to guests.

use super::collector::{Collector, Entrant, Sent};
use super::entry::{Entry, check_name};
use super::{SalienceError, lines};
use mantis_config::{Block, Challenge, Sidx};
use mantis_ledger::Ledger;
use mantis_ledger::guest_file::{self, At, GuestFileError, GuestLine};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Reads the file and has the plugins judge every vector: a guest for each challenge in it, by ticker.
///
/// # Errors
/// [`SalienceError`] at the first line that is wrong, that a plugin refuses, or where nothing is left to score.
pub fn enter(entry: &Entry<'_>) -> Result<Vec<Entrant>, SalienceError> {
    check_name(entry.name)?;
    let ledger = Ledger::read(entry.ledger)?;
    ledger.check_layout(entry.config)?;
    ledger.attach_sides(entry.config)?;
    let mut reading = Reading { entry, ledger, named: None, hotkey: None, collectors: BTreeMap::new() };
    reading.named = entry.challenge.map(|name| reading.find(name)).transpose()?;
    let extension = entry.file.extension().and_then(|extension| extension.to_str());
    if extension == Some("jsonl") {
        lines::read(entry.file, entry.config, |row, at, ticker, value| {
            let challenge = reading.find(ticker)?;
            reading.take(row, at, challenge, Sent::Submission(value))
        })?;
    } else {
        guest_file::read(entry.file, |line| reading.line(&line))?;
    }
    reading.finish()
}

/// A file that is being read.
struct Reading<'a> {
    entry: &'a Entry<'a>,
    ledger: Ledger,
    /// The challenge that the caller names.
    named: Option<&'a Challenge>,
    /// Whose numbers they are, where the file says it.
    hotkey: Option<String>,
    collectors: BTreeMap<&'a str, Collector<'a>>,
}

impl<'a> Reading<'a> {
    /// The challenge of this ticker or name; tickers first.
    fn find(&self, name: &str) -> Result<&'a Challenge, SalienceError> {
        let all = &self.entry.config.challenges;
        let by_ticker = all.iter().find(|challenge| challenge.ticker == name);
        by_ticker.or_else(|| all.iter().find(|challenge| challenge.name == name)).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|challenge| challenge.ticker.as_str()).collect();
            let name: String = name.chars().take(40).collect();
            self.useless(format!(
                "no challenge has the ticker or name `{name}`; {} has {}",
                self.entry.config.file.display(),
                known.join(", ")
            ))
        })
    }

    /// A line of a table.
    fn line(&mut self, line: &GuestLine<'_>) -> Result<(), SalienceError> {
        let challenge = match (line.challenge, self.named, self.entry.only) {
            (Some(name), ..) => self.find(name).map_err(|error| self.at(line.row, error.to_string()))?,
            (None, Some(named), _) => named,
            (None, None, Some(only)) if only.len() == 1 => {
                self.find(only.first().map_or("", String::as_str))?
            }
            (None, None, _) if self.entry.config.challenges.len() == 1 => &self.entry.config.challenges[0],
            (None, None, _) => {
                let reason = "it does not say of which challenge it is; name that with --challenge, or in a column `ticker`";
                return Err(self.at(line.row, reason.into()));
            }
        };
        if let Some(hotkey) = line.hotkey {
            match &self.hotkey {
                None => self.hotkey = Some(hotkey.to_owned()),
                Some(known) if known != hotkey => {
                    let reason =
                        format!("it is of {hotkey}, and others are of {known}; keep one hotkey's rows");
                    return Err(self.at(line.row, reason));
                }
                Some(_) => {}
            }
        }
        let sent = match line.hotkey {
            Some(_) => Sent::Stored(line.numbers),
            None => Sent::Numbers(line.numbers),
        };
        self.take(line.row, line.at, challenge, sent)
    }

    /// What is sent for a challenge in a row.
    fn take(
        &mut self,
        row: u64,
        at: At,
        challenge: &'a Challenge,
        sent: Sent<'_>,
    ) -> Result<(), SalienceError> {
        let ticker = challenge.ticker.as_str();
        let is_other = self.named.is_some_and(|named| named.ticker != ticker);
        if is_other || self.entry.only.is_some_and(|only| !only.contains(ticker)) {
            return Ok(());
        }
        let sidx = self.sidx(row, at)?;
        if !self.collectors.contains_key(ticker) {
            let collector = Collector::new(self.entry, &self.ledger, challenge)?;
            self.collectors.insert(ticker, collector);
        }
        match self.collectors.get_mut(ticker) {
            Some(collector) => collector.take(row, sidx, sent),
            None => Ok(()),
        }
    }

    fn sidx(&self, row: u64, at: At) -> Result<Sidx, SalienceError> {
        let every = self.entry.config.network.sample_every;
        match at {
            At::Sidx(sidx) => Ok(sidx),
            At::Block(block) if block.sidx(every).block(every) == block => Ok(block.sidx(every)),
            At::Block(Block(block)) => Err(self.at(
                row,
                format!("block {block} is never sampled: only multiples of {every} are; move each row to the next one"),
            )),
        }
    }

    fn finish(self) -> Result<Vec<Entrant>, SalienceError> {
        if self.collectors.is_empty() {
            return Err(self.useless("there is nothing in it for the challenges that are asked for".into()));
        }
        self.collectors.into_values().map(Collector::finish).collect()
    }

    fn at(&self, row: u64, reason: String) -> SalienceError {
        GuestFileError::Line { path: self.entry.file.into(), row, reason }.into()
    }

    fn useless(&self, reason: String) -> SalienceError {
        SalienceError::Useless { path: PathBuf::from(self.entry.file), reason }
    }
}
