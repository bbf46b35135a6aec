//! One `[[challenge]]`, as far as it can be judged alone.

use super::assets::find_asset_list;
use super::params::{ParamSet, find_param_set};
use crate::fault::KeyPositions;
use crate::section::Section;
use crate::source::{TomlTable, insert_positions};
use crate::{Challenge, QuoteKind, Runtime};
use mantis_plugin_api::Solver;
use std::collections::BTreeMap;

/// What the rest of the file says that a challenge refers to.
pub(super) struct FileContext {
    pub(super) runtime: Runtime,
    pub(super) solver: Solver,
    pub(super) sample_every: u32,
    pub(super) asset_lists: BTreeMap<String, Vec<String>>,
    pub(super) param_sets: BTreeMap<String, ParamSet>,
}

/// Reads a challenge. What is faulty is reported, and empty (a weight: NaN) in the result.
pub(super) fn read_challenge(table: &TomlTable<'_>, context: &FileContext) -> (Challenge, KeyPositions) {
    let mut challenge = Challenge::read(table);
    if !table.has("runtime") {
        challenge.runtime = context.runtime;
    }
    if !table.has("solver") {
        challenge.solver = context.solver;
    }
    resolve_prices(&mut challenge, table, context);
    check_quotes(&challenge, table);
    check_horizon(&challenge, table, context.sample_every);
    let mut positions = KeyPositions::new();
    if let Some(set) = find_param_set(table, &context.param_sets) {
        challenge.params = set.params.clone();
        positions = set.positions.clone();
    }
    insert_own_positions(&mut positions, table);
    (challenge, positions)
}

/// `price_key` or `assets`; without either, the ticker is the price's key.
fn resolve_prices(challenge: &mut Challenge, table: &TomlTable<'_>, context: &FileContext) {
    if !table.has("assets") {
        challenge.price_key.get_or_insert_with(|| challenge.ticker.clone());
        return;
    }
    if table.has("price_key") {
        let found = "stands beside `assets`";
        table.fault("price_key", found, "`price_key` (one price) or `assets` (a list), not both");
    }
    challenge.price_key = None;
    if let Some(list) = find_asset_list(table, &context.asset_lists) {
        challenge.assets.clone_from(list);
    }
}

/// Only a challenge that stores prices of its own for several assets has a choice of `quotes`.
fn check_quotes(challenge: &Challenge, table: &TomlTable<'_>) {
    if challenge.quotes == QuoteKind::FundingRates && !table.has("assets") {
        let found = "funding rates are stored by asset, and the challenge has no `assets`";
        table.fault("quotes", found, "\"prices\"");
    }
    if table.has("quotes") && table.has("prices_from") {
        let found = "stands beside `prices_from`, with which nothing is stored";
        table.fault("quotes", found, "`quotes` or `prices_from`, not both");
    }
}

/// The horizon is a whole number of rows.
fn check_horizon(challenge: &Challenge, table: &TomlTable<'_>, sample_every: u32) {
    let blocks = challenge.blocks_ahead;
    if !blocks.is_multiple_of(sample_every) {
        let found = format!("{blocks} blocks are no whole number of rows (sample_every is {sample_every})");
        table.fault("blocks_ahead", found, &format!("a multiple of {sample_every}"));
    }
}

/// The header under the empty path, and every key; what lies within a key, of `params` alone.
fn insert_own_positions(positions: &mut KeyPositions, table: &TomlTable<'_>) {
    positions.insert(String::new(), table.file.position(table.start));
    for (key, value) in table.entries {
        positions.insert(key.get_ref().to_string(), table.file.position(value.span().start));
    }
    if let Some(params) = table.get("params") {
        insert_positions(positions, table.file, "params", params);
    }
}
