//! What the metrics are taken from, all read already.

use super::process::Process;
use crate::standing::{Ranked, Standing};
use mantis_config::Block;
use mantis_ledger::{AgreementRecord, Ledger, LedgerError, PayloadTotals};
use mantis_validator::Status;
use std::collections::BTreeMap;
use std::fs;

/// What the metrics are taken from.
pub(super) struct Sources<'a> {
    /// Requests that were answered, by status.
    pub(super) traffic: BTreeMap<u16, u64>,
    /// `None` if the system does not say.
    pub(super) process: Option<Process>,
    pub(super) ledger: LedgerNumbers,
    /// `None` without a validator.
    pub(super) status: Option<&'a Status>,
    /// `None` until it was read.
    pub(super) market: Option<Market<'a>>,
}

/// What the ledger holds.
pub(super) struct LedgerNumbers {
    pub(super) totals: PayloadTotals,
    /// Stage, code and how often.
    pub(super) refusals: Vec<(String, String, u64)>,
    /// Sampled blocks whose payloads wait to be opened.
    pub(super) waiting: usize,
    pub(super) sampled: u64,
    pub(super) last_block: Option<Block>,
    /// When weights were last set; before the first time, since when that is waited for. Unix time, s.
    pub(super) weights_since: Option<u64>,
    /// How our weights stood with those of other validators; `None` where that was not looked at.
    pub(super) agreement: Option<AgreementRecord>,
    /// Size of the file, bytes; `None` if the system does not say.
    pub(super) size: Option<u64>,
}

/// What was computed last.
pub(super) struct Market<'a> {
    pub(super) standing: &'a Standing,
    /// What each challenge counts for, by ticker.
    pub(super) counts: BTreeMap<String, f64>,
    pub(super) ranking: Vec<Ranked>,
}

impl LedgerNumbers {
    pub(super) fn read(ledger: &Ledger) -> Result<Self, LedgerError> {
        Ok(Self {
            totals: ledger.totals()?,
            refusals: ledger.refusals_by_code()?,
            waiting: ledger.pending()?.len(),
            sampled: ledger.sampled_blocks()?,
            last_block: ledger.last_block()?,
            weights_since: ledger.weights_since()?,
            agreement: ledger.last_agreement()?,
            size: fs::metadata(ledger.path()).ok().map(|file| file.len()),
        })
    }
}

impl<'a> Market<'a> {
    pub(super) fn new(standing: &'a Standing) -> Self {
        Self { standing, counts: standing.counts(), ranking: standing.ranking() }
    }
}
