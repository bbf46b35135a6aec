//! A tracker's state as the network's ledger keeps it: `breakout_state.state_json`.

use crate::{BreakoutRules, Direction, Pending, Tracker};
use mantis_plugin_api::{PluginError, serde_json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Predictions of an event: the asset's pair per hotkey.
pub type Predictions = BTreeMap<String, Vec<f64>>;

/// The state of one asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetState {
    /// The asset.
    pub ticker: String,
    /// Blocks that the range looks back.
    pub range_lookback_blocks: i64,
    /// Distance of the barriers, as a part of the range's width.
    pub barrier_pct: f64,
    /// Width that a range needs, as a part of the price.
    pub min_range_pct: f64,
    /// Blocks after which an unresolved breakout is dropped.
    pub max_pending_blocks: i64,
    /// The upward breakout that waits.
    #[serde(default)]
    pub pending_high: Option<PendingEvent>,
    /// The downward one.
    #[serde(default)]
    pub pending_low: Option<PendingEvent>,
    /// What was resolved, oldest first.
    #[serde(default)]
    pub completed: Vec<CompletedEvent>,
    /// Sampled block and price, oldest first.
    #[serde(default)]
    pub price_history: Vec<(i64, f64)>,
}

/// A breakout that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingEvent {
    /// Sampled block of the trigger.
    pub trigger_sidx: i64,
    /// Its block.
    pub trigger_block: i64,
    /// Its price.
    pub trigger_price: f64,
    /// `high` or `low`.
    pub direction: String,
    /// Highest price of the range.
    pub range_high: f64,
    /// Lowest price of the range.
    pub range_low: f64,
    /// Price at which it continues.
    pub continuation_barrier: f64,
    /// Price at which it reverses.
    pub reversal_barrier: f64,
    /// What miners said at the trigger.
    #[serde(default)]
    pub embeddings: Predictions,
}

/// A breakout that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletedEvent {
    /// Sampled block of the trigger.
    pub trigger_sidx: i64,
    /// Its block.
    pub trigger_block: i64,
    /// Block of the resolution.
    pub resolution_block: i64,
    /// `high` or `low`.
    pub direction: String,
    /// 1: it went on; 0: it turned back.
    pub label: u8,
    /// What miners said at the trigger.
    #[serde(default)]
    pub embeddings: Predictions,
}

impl AssetState {
    /// The state of an asset that nothing is known of.
    #[must_use]
    pub fn new(asset: &str, rules: &BreakoutRules, sample_every: i64) -> Self {
        Self {
            ticker: asset.into(),
            range_lookback_blocks: rules.lookback * sample_every,
            barrier_pct: rules.barrier_pct,
            min_range_pct: rules.min_range_pct,
            max_pending_blocks: rules.max_pending * sample_every,
            pending_high: None,
            pending_low: None,
            completed: Vec::new(),
            price_history: Vec::new(),
        }
    }

    /// Reads a stored state.
    ///
    /// # Errors
    /// A sentence with the place in the JSON text.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    /// Reads the state that the ledger carries for an asset.
    pub(crate) fn carried(asset: &str, json: &str) -> Result<Self, PluginError> {
        let unreadable = |e| format!("the ledger's breakout_state of {asset} is unreadable: {e}");
        Self::parse(json).map_err(|e| PluginError::data(unreadable(e)))
    }

    /// The text that is stored.
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn to_json(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|e| e.to_string())
    }

    /// Takes a sampled block: its price (above zero) and what miners say about this asset. Resolves and triggers as
    /// [`Tracker::step`] does, so that live events are those that a replay of the stored prices finds.
    pub fn advance(
        &mut self,
        rules: &BreakoutRules,
        sample_every: i64,
        sidx: i64,
        price: f64,
        said: &Predictions,
    ) {
        self.advance_many(rules, sample_every, [(sidx, price, || said.clone())]);
    }

    /// Takes sampled blocks in order: [`AssetState::advance`] for each, but the prices of the past are gone through
    /// once for all. What miners say is asked for only if a breakout is triggered.
    pub fn advance_many<S: FnOnce() -> Predictions>(
        &mut self,
        rules: &BreakoutRules,
        sample_every: i64,
        rows: impl IntoIterator<Item = (i64, f64, S)>,
    ) {
        let mut tracker = Tracker::new(*rules);
        for &(sidx, price) in &self.price_history {
            tracker.remember(sidx, price);
        }
        tracker.pending_high = self.pending_high.as_ref().map(PendingEvent::tracked);
        tracker.pending_low = self.pending_low.as_ref().map(PendingEvent::tracked);
        for (sidx, price, said) in rows {
            self.take(&mut tracker, sample_every, sidx, price, said);
            self.price_history.push((sidx, price));
        }
        let oldest = self.price_history.last().map_or(i64::MIN, |&(sidx, _)| sidx - rules.lookback);
        self.price_history.retain(|&(sidx, _)| sidx >= oldest);
    }

    /// Forgets breakouts that are over and were triggered more than `rows` sampled blocks before the newest price. What
    /// is left depends on the prices taken in alone, not on how often this is called on the way.
    pub fn forget(&mut self, rows: i64) {
        let Some(&(newest, _)) = self.price_history.last() else { return };
        self.completed.retain(|event| event.trigger_sidx >= newest - rows);
    }

    /// One sampled block, without its place in the price history.
    fn take(
        &mut self,
        tracker: &mut Tracker,
        sample_every: i64,
        sidx: i64,
        price: f64,
        said: impl FnOnce() -> Predictions,
    ) {
        let resolved = tracker.step(sidx, price);
        for (event, slot) in resolved.into_iter().zip([&mut self.pending_high, &mut self.pending_low]) {
            if let (Some(event), Some(pending)) = (event, slot.take_if(|_| event.is_some())) {
                self.completed.push(CompletedEvent {
                    trigger_sidx: pending.trigger_sidx,
                    trigger_block: pending.trigger_block,
                    resolution_block: sidx * sample_every,
                    direction: pending.direction,
                    label: u8::from(event.continued),
                    embeddings: pending.embeddings,
                });
            }
        }
        // A price leaves its range on one side only, so that this is needed once at most.
        let mut said = Some(said);
        for (slot, now, direction) in [
            (&mut self.pending_high, tracker.pending_high, Direction::High),
            (&mut self.pending_low, tracker.pending_low, Direction::Low),
        ] {
            match now {
                None => *slot = None,
                Some(now) if slot.as_ref().is_none_or(|old| old.trigger_sidx != now.sidx) => {
                    let embeddings = said.take().map(|said| said()).unwrap_or_default();
                    *slot = Some(PendingEvent::new(&now, direction, sample_every, embeddings));
                }
                Some(_) => {}
            }
        }
    }
}

impl PendingEvent {
    fn new(pending: &Pending, direction: Direction, sample_every: i64, embeddings: Predictions) -> Self {
        let (direction, continuation_barrier, reversal_barrier) = match direction {
            Direction::High => ("high", pending.upper, pending.lower),
            Direction::Low => ("low", pending.lower, pending.upper),
        };
        Self {
            trigger_sidx: pending.sidx,
            trigger_block: pending.sidx * sample_every,
            trigger_price: pending.price,
            direction: direction.into(),
            range_high: pending.high,
            range_low: pending.low,
            continuation_barrier,
            reversal_barrier,
            embeddings,
        }
    }

    fn tracked(&self) -> Pending {
        Pending {
            sidx: self.trigger_sidx,
            price: self.trigger_price,
            low: self.range_low,
            high: self.range_high,
            upper: self.continuation_barrier.max(self.reversal_barrier),
            lower: self.continuation_barrier.min(self.reversal_barrier),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Resolved;
    use proptest::prelude::*;

    const RULES: BreakoutRules = BreakoutRules {
        lookback: 40,
        min_prices: 10,
        min_range_pct: 0.01,
        barrier_pct: 0.25,
        max_pending: 60,
    };

    #[test]
    fn live_events_are_those_of_a_replay() {
        let price = |sidx: i64| 100.0 + ((sidx * 7919) % 31) as f64 + ((sidx / 50) * 13 % 40) as f64;
        let mut tracker = Tracker::new(RULES);
        let mut state = AssetState::new("BTC", &RULES, 5);
        let mut replayed: Vec<Resolved> = Vec::new();
        for sidx in 1_000..2_000 {
            replayed.extend(tracker.step(sidx, price(sidx)).into_iter().flatten());
            // Through the stored text, as after a restart.
            state = AssetState::parse(&state.to_json().unwrap()).unwrap();
            let said = Predictions::from([("5A".into(), vec![sidx as f64, 0.0])]);
            state.advance(&RULES, 5, sidx, price(sidx), &said);
        }
        assert!(replayed.len() > 10, "{} events", replayed.len());
        assert_eq!(state.completed.len(), replayed.len());
        for (live, replayed) in state.completed.iter().zip(replayed) {
            assert_eq!(live.trigger_sidx, replayed.trigger_sidx);
            assert_eq!(live.trigger_block, replayed.trigger_sidx * 5);
            assert_eq!(live.resolution_block, replayed.resolved_sidx * 5);
            assert_eq!(live.label, u8::from(replayed.continued));
            assert_eq!(live.embeddings["5A"][0], replayed.trigger_sidx as f64);
        }
        assert!(state.price_history.len() <= 41);
    }

    fn said(sidx: i64) -> Predictions {
        Predictions::from([("5A".into(), vec![sidx as f64, 0.5])])
    }

    proptest! {
        #[test]
        fn many_rows_at_once_are_each_of_them(
            prices in prop::collection::vec((1_i64..90, 90.0_f64..110.0), 1..300),
            cuts in prop::collection::vec(0_usize..300, 0..5),
        ) {
            // Gaps of one row, mostly; some wider than the range looks back.
            let mut sidx = 1_000;
            let rows: Vec<(i64, f64)> = prices
                .into_iter()
                .map(|(gap, price)| {
                    sidx += (gap - 84).max(1) * if gap == 89 { 10 } else { 1 };
                    (sidx, price)
                })
                .collect();
            let mut single = AssetState::new("BTC", &RULES, 5);
            for &(sidx, price) in &rows {
                // A new tracker for each row.
                single.advance(&RULES, 5, sidx, price, &said(sidx));
            }
            let mut many = AssetState::new("BTC", &RULES, 5);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
            cuts.extend([0, rows.len()]);
            cuts.sort_unstable();
            for cut in cuts.windows(2) {
                let part = rows[cut[0]..cut[1]].iter().map(|&(sidx, price)| (sidx, price, move || said(sidx)));
                many.advance_many(&RULES, 5, part);
            }
            prop_assert_eq!(many, single);
        }
    }

    #[test]
    fn text_that_is_not_a_state_is_refused_with_its_place() {
        let error = AssetState::parse("{\"ticker\": 7}").unwrap_err();
        assert!(error.contains("line 1"), "{error}");
    }
}
