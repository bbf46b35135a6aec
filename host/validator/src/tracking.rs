//! Live states of challenges about events: the plugin takes in matured rows, an hour of them at a time.

use mantis_config::{Challenge, Config, Sidx};
use mantis_ledger::{Ledger, LedgerError, Row, Vector};
use mantis_plugin_api::{States, Storage, TrackedRow};
use mantis_scoring::session;
use mantis_scoring::worker::{Launcher, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::time::Instant;

/// States come up to a `sidx` that is a multiple of this: an hour of rows. So what is stored depends on the rows alone,
/// not on when a validator was started.
const EVERY: u32 = 60;
/// Rows of a ledger without live states that are taken in, counted back from the newest: old ones add nothing that
/// scoring does not find in the stored prices, and would hold up steps.
const REACH: i64 = 10_000;
/// Rows handed to a plugin at once.
const MAX_ROWS: usize = 2_000;
/// Numbers handed to a plugin at once, but for one row: they cross as text of some 10 bytes each.
const MAX_NUMBERS: usize = 2_000_000;

/// Keeps the live states of challenges without a horizon.
pub struct Tracking {
    config: Arc<Config>,
    launcher: Launcher,
    /// By ticker: up to where it was tried in vain, and why it failed. Tried again when there are more rows.
    failed: BTreeMap<String, (Sidx, String)>,
}

impl Tracking {
    /// The challenges of a configuration; `launcher` starts their plugins, with the time that one call may take.
    #[must_use]
    pub fn new(config: Arc<Config>, launcher: Launcher) -> Self {
        Self { config, launcher, failed: BTreeMap::new() }
    }

    /// Goes on with another configuration; what failed is tried again.
    pub fn set_config(&mut self, config: Arc<Config>) {
        self.config = config;
        self.failed.clear();
    }

    /// Takes in what has matured, until `until`; what is left is taken in the next time. Gives why a plugin did not do
    /// it: its states stay as they were, and the rows are handed to it again.
    ///
    /// # Errors
    /// If the ledger fails.
    pub fn go_on(&mut self, ledger: &mut Ledger, until: Instant) -> Result<Option<String>, LedgerError> {
        let config = self.config.clone();
        let mut taken = BTreeSet::new();
        for challenge in config.challenges.iter().filter(|challenge| challenge.blocks_ahead == 0) {
            // The network's table has one state per asset: the first challenge about it has it.
            let keys: Vec<&str> = keys(challenge).collect();
            if !keys.iter().any(|key| taken.contains(key)) {
                taken.extend(keys);
                self.challenge(challenge, ledger, until)?;
            }
        }
        Ok(self.failed.iter().next().map(|(ticker, (_, why))| format!("the live states of {ticker}: {why}")))
    }

    fn challenge(
        &mut self,
        challenge: &Challenge,
        ledger: &mut Ledger,
        until: Instant,
    ) -> Result<(), LedgerError> {
        let ticker = challenge.ticker.as_str();
        let Some(matured) = self.matured(challenge, ledger)? else { return Ok(()) };
        let target = matured.floor_to(EVERY);
        let mut done = ledger.tracked(ticker)?.unwrap_or(target - REACH);
        if target <= done || self.failed.get(ticker).is_some_and(|(tried, _)| *tried >= target) {
            return Ok(());
        }
        // Ended afterwards: it is an hour to the next question.
        let mut session = match session(&self.config, ticker, &self.launcher) {
            Ok(session) => session,
            Err(error) => {
                self.failed.insert(ticker.into(), (target, format!("{error:#}")));
                return Ok(());
            }
        };
        while done < target && Instant::now() < until {
            let (rows, to) = rows(challenge, ledger, done + 1, target)?;
            let states = match ask(challenge, ledger, &mut session, rows)? {
                Ok(states) => states,
                Err(why) => {
                    self.failed.insert(ticker.into(), (target, why));
                    return Ok(());
                }
            };
            ledger.store_states(ticker, to, &states)?;
            done = to;
        }
        self.failed.remove(ticker);
        Ok(())
    }

    /// The last `sidx` of a challenge's prices up to which nothing waits to be opened.
    fn matured(&self, challenge: &Challenge, ledger: &Ledger) -> Result<Option<Sidx>, LedgerError> {
        let newest = ledger.max_sidx(challenge.price_ticker())?;
        let waiting = ledger.first_pending()?;
        let before = waiting.map(|block| block.sidx(self.config.network.sample_every) - 1);
        Ok(newest.map(|newest| before.map_or(newest, |before| newest.min(before))))
    }
}

/// The keys of a challenge's states.
fn keys(challenge: &Challenge) -> impl Iterator<Item = &str> {
    let single = challenge.assets.is_empty().then_some(challenge.ticker.as_str());
    challenge.assets.iter().map(String::as_str).chain(single)
}

/// The states after some rows, or why there are none.
fn ask(
    challenge: &Challenge,
    ledger: &Ledger,
    session: &mut Session,
    rows: Vec<TrackedRow>,
) -> Result<Result<States, String>, LedgerError> {
    let known: BTreeSet<&str> = keys(challenge).collect();
    let mut states: States = ledger.breakout_state()?.into_iter().collect();
    states.retain(|key, _| known.contains(key.as_str()));
    if rows.is_empty() {
        return Ok(Ok(states));
    }
    let states = match session.track(states, rows) {
        Ok(states) => states,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let stranger = states.keys().find(|key| !known.contains(key.as_str()));
    Ok(match stranger {
        Some(stranger) => {
            Err(format!("the plugin broke its contract: a state of `{stranger}`, no asset of it"))
        }
        None => Ok(states),
    })
}

/// The rows from one `sidx` to another, as many as may be handed over at once, and the `sidx` up to which they go.
fn rows(
    challenge: &Challenge,
    ledger: &Ledger,
    from: Sidx,
    to: Sidx,
) -> Result<(Vec<TrackedRow>, Sidx), LedgerError> {
    let (mut rows, mut end) = (Vec::new(), to);
    let mut prices = vec![f64::NAN; challenge.assets.len().max(1)];
    ledger.prices(challenge.price_ticker(), from..=to, |row: Row<'_>| {
        // What is not an object leaves no number, which is what a bad price is.
        let _is_object = row.read_prices(&challenge.assets, &mut prices);
        let prices = prices.iter().map(|&price| price.is_finite().then_some(price)).collect();
        rows.push(TrackedRow { sidx: row.sidx.0, prices, vectors: BTreeMap::new() });
        if rows.len() < MAX_ROWS {
            return Ok::<_, LedgerError>(ControlFlow::Continue(()));
        }
        end = row.sidx;
        Ok(ControlFlow::Break(()))
    })?;
    let (mut at, mut numbers) = (0, 0);
    ledger.rows(&challenge.ticker, from..=end, challenge.storage_dim(), |row: Row<'_>| {
        while rows.get(at).is_some_and(|priced| priced.sidx < row.sidx.0) {
            at += 1;
        }
        if let Some(priced) = rows.get_mut(at).filter(|priced| priced.sidx == row.sidx.0) {
            for (hotkey, vector) in row.submissions.iter() {
                let vector = finite(vector, row.submissions.storage());
                numbers += vector.len();
                priced.vectors.insert(hotkey.into(), vector);
            }
        }
        if numbers < MAX_NUMBERS {
            return Ok::<_, LedgerError>(ControlFlow::Continue(()));
        }
        end = row.sidx;
        Ok(ControlFlow::Break(()))
    })?;
    rows.retain(|row| row.sidx <= end.0);
    Ok((rows, end))
}

/// Stored numbers; 0, which says nothing, where another program stored something else.
fn finite(stored: &[u8], storage: Storage) -> Vec<f32> {
    let numbers = Vector::from_bytes(stored, storage).to_f32().into_iter();
    numbers.map(|x| if x.is_finite() { x } else { 0.0 }).collect()
}
