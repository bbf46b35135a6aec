//! The events that are scored.

use crate::state::Predictions;
use crate::{AssetState, Breakout, BreakoutRules, Direction, Pending, Tracker};
use mantis_plugin_api::{Label, Market, PluginError, Reading, Targets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One resolved breakout.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Index of the asset.
    pub asset: usize,
    /// Sampled block of the trigger.
    pub sidx: i64,
    /// Whether it went on.
    pub continued: bool,
    /// Row of the market in which that was decided; `None` for an event older than the stored prices.
    pub decided: Option<usize>,
    /// The place of what miners sent about it.
    pub said: Said,
}

/// The place of the predictions of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// In this row of the history.
    Row(usize),
    /// In the ledger's own state, for an event older than the stored prices.
    Carried(Predictions),
}

/// All events, by asset, then as resolved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// The events.
    pub events: Vec<Event>,
    /// Sampled blocks of the first and of the last row that were replayed.
    pub replayed: Option<(i64, i64)>,
    /// Breakouts that are not resolved then, by asset.
    pub open: Vec<Open>,
}

/// A breakout that waits for its resolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Index of the asset.
    pub asset: usize,
    /// Which way it went.
    pub direction: Direction,
    /// What it waits for.
    pub pending: Pending,
}

impl Breakout {
    /// The constants of the state machine in rows.
    #[must_use]
    pub fn rules(&self) -> BreakoutRules {
        let rows = |blocks: u32| i64::from(blocks / self.spec.sample_every.max(1));
        BreakoutRules {
            lookback: rows(self.params.range_lookback_blocks),
            min_prices: self.params.min_range_rows,
            min_range_pct: self.params.min_range_pct,
            barrier_pct: self.params.barrier_pct,
            max_pending: rows(self.params.max_pending_blocks),
        }
    }
}

impl Label for Breakout {
    type Labels = Labels;

    /// Replays every asset's stored prices; events from before the first of them come from the ledger's own state
    /// (scoring: breakout).
    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        market.require_assets(self.spec.assets.len())?;
        let priced = market.priced_rows();
        let kept = &priced[priced.len().saturating_sub(self.params.max_rows)..];
        let mut labels = Labels::default();
        let (Some(&first), Some(&last)) = (kept.first(), kept.last()) else { return Ok(labels) };
        let newest_block = market.sidx[last] * i64::from(self.spec.sample_every);
        labels.replayed = Some((market.sidx[first], market.sidx[last]));
        for (asset, name) in self.spec.assets.iter().enumerate() {
            self.carried(market, asset, name, market.sidx[first], newest_block, &mut labels.events)?;
            let mut tracker = Tracker::new(self.rules());
            for &row in kept {
                let Some(price) = market.usable(row, asset) else { continue };
                for resolved in tracker.step(market.sidx[row], price).into_iter().flatten() {
                    // A trigger's row is one of the kept rows.
                    let Some(trigger) = market.row_of(resolved.trigger_sidx) else { continue };
                    let (sidx, continued) = (resolved.trigger_sidx, resolved.continued);
                    let (decided, said) = (Some(row), Said::Row(trigger));
                    labels.events.push(Event { asset, sidx, continued, decided, said });
                }
            }
            let pending =
                [Direction::High, Direction::Low].into_iter().zip(tracker.pending(market.sidx[last]));
            let open =
                |(direction, pending): (_, Option<_>)| Some(Open { asset, direction, pending: pending? });
            labels.open.extend(pending.filter_map(open));
        }
        Ok(labels)
    }

    fn targets(&self, market: &Market, labels: &Labels) -> Option<Targets> {
        let mut rows: BTreeMap<usize, (usize, Vec<Option<u16>>)> = BTreeMap::new();
        for event in &labels.events {
            let (Said::Row(row), Some(decided)) = (&event.said, event.decided) else { continue };
            let none = || (decided, vec![None; market.assets]);
            let (known, values) = rows.entry(*row).or_insert_with(none);
            *known = decided.max(*known);
            if let Some(value) = values.get_mut(event.asset) {
                *value = Some(u16::from(event.continued));
            }
        }
        let mut targets = Targets::new(Reading::Event);
        for (row, (known, values)) in rows {
            targets.push(row, known, values);
        }
        Some(targets)
    }
}

impl Breakout {
    /// Adds the events of one asset that were triggered before the first stored price and resolved by now.
    fn carried(
        &self,
        market: &Market,
        asset: usize,
        name: &str,
        first_sidx: i64,
        newest_block: i64,
        events: &mut Vec<Event>,
    ) -> Result<(), PluginError> {
        for (_, json) in market.carried.iter().filter(|(carried, _)| carried == name) {
            let state = AssetState::carried(name, json)?;
            let old = state.completed.into_iter();
            for event in old.filter(|e| e.trigger_sidx < first_sidx && e.resolution_block <= newest_block) {
                let said = Said::Carried(event.embeddings);
                let (sidx, continued) = (event.trigger_sidx, event.label == 1);
                events.push(Event { asset, sidx, continued, decided: None, said });
            }
        }
        Ok(())
    }
}
