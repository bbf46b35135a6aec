//! One challenge's part of a file: judged by its plugin as a payload's would be, and rounded as the ledger rounds.

use super::SalienceError;
use super::entry::Entry;
use crate::miner::review::{differing, numbers};
use mantis_config::{Challenge, Sidx};
use mantis_ledger::guest_file::GuestFileError;
use mantis_ledger::snapshot::Guest;
use mantis_ledger::{Ledger, Vector};
use mantis_scoring::session;
use mantis_scoring::worker::Session;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Numbers that are judged at once: they cross to the plugin's process and back as JSON.
const BATCH: usize = 1 << 16;

/// A guest of one challenge.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// The challenge.
    pub ticker: String,
    /// The column.
    pub guest: Arc<Guest>,
    /// What became of the file's rows.
    pub taken: Taken,
}

/// What became of the rows of one challenge in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Rows in the file.
    pub rows: u64,
    /// Of those, the ones that the ledger would have stored.
    pub stored: u64,
    /// Of those, empty or all zero: they count as not sent.
    pub silent: u64,
    /// Of those, for rows that the ledger does not have: they are passed over.
    pub unknown: u64,
    /// The first such row's block.
    pub first_unknown: Option<i64>,
    /// Of the stored ones, such as are stored otherwise than they were sent, but for rounding.
    pub changed: u64,
    /// The first of them, in words.
    pub first_changed: Option<String>,
}

/// What a file has of one row.
pub(super) enum Sent<'a> {
    /// Numbers in the order of storage.
    Numbers(&'a [f64]),
    /// Numbers that a ledger had stored.
    Stored(&'a [f64]),
    /// What a payload would have for the challenge.
    Submission(Value),
}

/// How numbers are put before the plugin.
#[derive(Clone, Copy)]
enum Form {
    /// As one list.
    List,
    /// As an object of lists, by asset.
    ByAsset,
}

/// A row that waits to be judged.
struct Waiting {
    row: u64,
    sidx: Sidx,
    value: Value,
    /// What a ledger had stored of it.
    stored: Option<Vec<f32>>,
}

/// Collects the rows of one challenge.
pub(super) struct Collector<'a> {
    challenge: &'a Challenge,
    entry: &'a Entry<'a>,
    /// Rows that the ledger has, in order.
    known: Vec<Sidx>,
    session: Session,
    form: Option<Form>,
    seen: HashSet<Sidx>,
    waiting: Vec<Waiting>,
    vectors: BTreeMap<Sidx, Vector>,
    taken: Taken,
}

impl<'a> Collector<'a> {
    /// Begins; refuses a name that a hotkey of the ledger has.
    pub(super) fn new(
        entry: &'a Entry<'a>,
        ledger: &Ledger,
        challenge: &'a Challenge,
    ) -> Result<Self, SalienceError> {
        let ticker = challenge.ticker.as_str();
        let all = Sidx::MIN..=Sidx::MAX;
        let mut known = ledger.sidx(ticker, all.clone())?;
        if let Some(source) = &challenge.prices_from {
            let priced: HashSet<Sidx> = ledger.sidx(source, all)?.into_iter().collect();
            known.retain(|sidx| priced.contains(sidx));
        }
        let refuse = |reason: String| SalienceError::Challenge { ticker: ticker.into(), reason };
        if known.is_empty() {
            let ledger = ledger.path().display();
            return Err(refuse(format!("{ledger} has no rows of it; leave it out, or take another ledger")));
        }
        let is_registered = entry.active.is_none_or(|active| active.contains(entry.name));
        if !entry.in_place && is_registered {
            let hotkeys = ledger.hotkeys(ticker, Sidx::MAX)?;
            if hotkeys.iter().any(|hotkey| hotkey == entry.name) {
                return Err(SalienceError::Name {
                    name: entry.name.into(),
                    reason: format!(
                        "a hotkey of the ledger has it in {ticker}; choose another with --as, or take its place with --replace"
                    ),
                });
            }
        }
        let session =
            session(entry.config, ticker, entry.launcher).map_err(|error| refuse(format!("{error:#}")))?;
        Ok(Self {
            challenge,
            entry,
            known,
            session,
            form: None,
            seen: HashSet::new(),
            waiting: Vec::new(),
            vectors: BTreeMap::new(),
            taken: Taken::default(),
        })
    }

    /// Takes what the file has of a row.
    pub(super) fn take(&mut self, row: u64, sidx: Sidx, sent: Sent<'_>) -> Result<(), SalienceError> {
        self.taken.rows += 1;
        let width = self.challenge.storage_dim();
        let (sent_numbers, is_stored) = match &sent {
            Sent::Numbers(numbers) => (Some(*numbers), false),
            Sent::Stored(numbers) => (Some(*numbers), true),
            Sent::Submission(_) => (None, false),
        };
        if let Some(numbers) = sent_numbers.filter(|numbers| !numbers.is_empty() && numbers.len() != width) {
            return Err(self.at(row, self.width(numbers.len())));
        }
        if !self.seen.insert(sidx) {
            let block = sidx.block(self.entry.config.network.sample_every);
            let ticker = &self.challenge.ticker;
            return Err(
                self.at(row, format!("block {block} of {ticker} stands there twice; keep one of them"))
            );
        }
        if self.known.binary_search(&sidx).is_err() {
            self.taken.unknown += 1;
            let block = sidx.block(self.entry.config.network.sample_every);
            self.taken.first_unknown.get_or_insert(block.0);
            return Ok(());
        }
        let value = match sent {
            Sent::Submission(value) if value.is_null() => Value::Null,
            Sent::Submission(value) => value,
            Sent::Numbers(numbers) | Sent::Stored(numbers) if numbers.iter().all(|x| *x == 0.0) => {
                Value::Null
            }
            Sent::Numbers(numbers) | Sent::Stored(numbers) => self.put(numbers)?,
        };
        if value.is_null() {
            self.taken.silent += 1;
            return Ok(());
        }
        let narrowed = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect();
        let stored = sent_numbers.filter(|_| is_stored).map(narrowed);
        self.waiting.push(Waiting { row, sidx, value, stored });
        if self.waiting.len() * width >= BATCH { self.judge() } else { Ok(()) }
    }

    /// What a miner would have to send to say these numbers.
    fn put(&mut self, numbers: &[f64]) -> Result<Value, SalienceError> {
        let form = match self.form {
            Some(form) => form,
            None => {
                let form = self.find_form(numbers)?;
                *self.form.insert(form)
            }
        };
        Ok(self.written(numbers, form))
    }

    /// A list, if the plugin takes it; an object by asset, if it takes that as it is meant.
    fn find_form(&mut self, numbers: &[f64]) -> Result<Form, SalienceError> {
        if self.challenge.assets.is_empty() {
            return Ok(Form::List);
        }
        let both = [Form::List, Form::ByAsset].map(|form| self.written(numbers, form));
        let decoded = self.decode(&both)?;
        let storage = self.challenge.storage;
        let is_meant = |decoded: &Vec<f32>| {
            let stored = Vector::new(decoded, storage).to_f32();
            stored.len() == numbers.len() && differing(numbers, &stored, storage).next().is_none()
        };
        Ok(match decoded.as_slice() {
            [Err(_), Ok(by_asset)] if is_meant(by_asset) => Form::ByAsset,
            _ => Form::List,
        })
    }

    fn written(&self, numbers: &[f64], form: Form) -> Value {
        match form {
            Form::List => Value::from(numbers),
            Form::ByAsset => {
                let by_asset = numbers.chunks_exact(self.challenge.dim).map(Value::from);
                Value::Object(self.challenge.assets.iter().cloned().zip(by_asset).collect::<Map<_, _>>())
            }
        }
    }

    fn decode(&mut self, values: &[Value]) -> Result<mantis_scoring::worker::Decoded, SalienceError> {
        let ticker = &self.challenge.ticker;
        self.session
            .decode(values)
            .map_err(|error| SalienceError::Challenge { ticker: ticker.clone(), reason: error.to_string() })
    }

    /// Has the plugin judge what waits.
    fn judge(&mut self) -> Result<(), SalienceError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let values: Vec<Value> = waiting.iter_mut().map(|one| one.value.take()).collect();
        let decoded = self.decode(&values)?;
        for ((Waiting { row, sidx, stored, .. }, value), outcome) in
            waiting.into_iter().zip(&values).zip(decoded)
        {
            let ticker = &self.challenge.ticker;
            let decoded = match outcome {
                Ok(decoded) if decoded.len() == self.challenge.storage_dim() => decoded,
                Ok(decoded) => {
                    let found = decoded.len();
                    return Err(self.at(row, format!("the plugin of {ticker} made {found} numbers of it")));
                }
                Err(error) => return Err(self.at(row, format!("the plugin of {ticker} refuses it: {error}"))),
            };
            if stored.is_none() {
                self.compare(row, value, &decoded);
            }
            let vector = Vector::new(&stored.unwrap_or(decoded), self.challenge.storage);
            if vector.is_present() {
                self.taken.stored += 1;
                self.vectors.insert(sidx, vector);
            } else {
                self.taken.silent += 1;
            }
        }
        Ok(())
    }

    /// Counts what is stored otherwise than it was sent.
    fn compare(&mut self, row: u64, sent: &Value, decoded: &[f32]) {
        let stored = Vector::new(decoded, self.challenge.storage).to_f32();
        let what = match flat(self.challenge, sent) {
            Ok(sent) => {
                let mut differing = differing(&sent, &stored, self.challenge.storage);
                differing.next().map(|(i, a, b)| format!("number {}: {a} is stored as {b}", i + 1))
            }
            Err(what) => Some(what),
        };
        if let Some(what) = what {
            self.taken.changed += 1;
            self.taken.first_changed.get_or_insert_with(|| format!("row {row}: {what}"));
        }
    }

    /// The guest, once all was read.
    pub(super) fn finish(mut self) -> Result<Entrant, SalienceError> {
        self.judge()?;
        let Self { challenge, entry, vectors, taken, .. } = self;
        let ticker = challenge.ticker.clone();
        if vectors.is_empty() {
            let Taken { rows, unknown, silent, .. } = taken;
            let reason = format!(
                "nothing of {ticker} is left to score: of {rows} rows {unknown} are for blocks that the ledger does not \
                 have, and {silent} are empty or all zero"
            );
            return Err(SalienceError::Useless { path: PathBuf::from(entry.file), reason });
        }
        let guest = Guest { name: entry.name.into(), vectors, in_place: entry.in_place };
        Ok(Entrant { ticker, guest: Arc::new(guest), taken })
    }

    fn at(&self, row: u64, reason: String) -> SalienceError {
        GuestFileError::Line { path: self.entry.file.into(), row, reason }.into()
    }

    fn width(&self, found: usize) -> String {
        let Challenge { ticker, dim, assets, .. } = self.challenge;
        let width = self.challenge.storage_dim();
        let order = match assets.len() {
            0 => String::new(),
            n => format!(", {dim} for each of {n} assets in their order"),
        };
        format!("{found} numbers, and {ticker} has {width}{order}")
    }
}

/// The numbers of a submission in the order of storage, as it was meant; or why that cannot be said.
fn flat(challenge: &Challenge, sent: &Value) -> Result<Vec<f64>, String> {
    let Value::Object(by_asset) = sent else {
        return numbers(sent).ok_or_else(|| "it is no list of numbers alone".into());
    };
    if let Some(foreign) = by_asset.keys().find(|asset| !challenge.assets.contains(asset)) {
        let foreign: String = foreign.chars().take(40).collect();
        return Err(format!("`{foreign}` is no asset of the challenge and is ignored"));
    }
    let mut all = Vec::with_capacity(challenge.storage_dim());
    for asset in &challenge.assets {
        let Some(value) = by_asset.get(asset) else {
            all.resize(all.len() + challenge.dim, 0.0);
            continue;
        };
        let of_asset = numbers(value).filter(|numbers| numbers.len() == challenge.dim);
        all.extend(of_asset.ok_or_else(|| format!("`{asset}`: it is not {} numbers", challenge.dim))?);
    }
    Ok(all)
}
