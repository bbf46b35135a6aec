//! One `[[challenge]]`, as far as it can be judged alone.

use super::fault::Places;
use super::params::{self, Set, one_of};
use super::reader::{Table, Text, closest};
use super::sections::ASSET;
use super::{Challenge, QuoteKind, Runtime, Weight};
use mantis_plugin_api::Solver;
use std::collections::BTreeMap;

pub(super) const KEYS: [&str; 15] = [
    "name",
    "ticker",
    "plugin",
    "runtime",
    "solver",
    "sha256",
    "price_key",
    "assets",
    "quotes",
    "prices_from",
    "dim",
    "blocks_ahead",
    "weight",
    "share",
    "params",
];
pub(super) const RUNTIMES: [(&str, Runtime); 2] = [("native", Runtime::Native), ("wasm", Runtime::Wasm)];
pub(super) const SOLVERS: [(&str, Solver); 2] = [("exact", Solver::Exact), ("network", Solver::Network)];

const QUOTES: [(&str, QuoteKind); 2] =
    [("prices", QuoteKind::Prices), ("funding_rates", QuoteKind::FundingRates)];

const NAME: Text = Text {
    allowed: "a string of 1 to 64 letters, digits, `_`, `-` or `.`, but not \"hotkey\"",
    // A submission holds the miner's hotkey beside the challenges.
    fits: |s| s != "hotkey" && word(s, 64, |b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)),
};
const TICKER: Text = Text {
    allowed: "a string of 1 to 32 capital letters, digits, `_` or `-`",
    fits: |s| word(s, 32, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_-".contains(&b)),
};
const PLUGIN: Text = Text {
    allowed: "a plugin's name, a string of 1 to 64 small letters, digits, `_` or `-`",
    fits: |s| word(s, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)),
};
const DIM: std::ops::RangeInclusive<usize> = 1..=4096;
const DIM_ALLOWED: &str = "a whole number from 1 to 4096";
const WEIGHT_ALLOWED: &str = "a number from 0 to 1000000000";
const SHARE_ALLOWED: &str = "a number above 0 and below 1";

/// What the rest of the file says that a challenge refers to.
pub(super) struct Around {
    pub(super) runtime: Runtime,
    pub(super) solver: Solver,
    pub(super) sample_every: u32,
    pub(super) assets: BTreeMap<String, Vec<String>>,
    pub(super) sets: BTreeMap<String, Set>,
}

/// Reads a challenge. What is faulty is reported, and empty (a weight: NaN) in the result.
pub(super) fn read(table: &Table<'_>, around: &Around) -> (Challenge, Places) {
    let misspelt = table.refuse_unknown(&KEYS);
    let needed = [
        ("name", NAME.allowed),
        ("ticker", TICKER.allowed),
        ("plugin", PLUGIN.allowed),
        ("dim", DIM_ALLOWED),
    ];
    table.need(&needed, &misspelt);
    let set = params::of_challenge(table, &around.sets);
    let mut places = set.places;
    places.insert(String::new(), table.doc.place(table.start));
    for (key, value) in table.entries {
        places.insert(key.get_ref().to_string(), table.doc.place(value.span().start));
    }
    let text = |key, form| table.text(key, form).unwrap_or_default().to_owned();
    let ticker = text("ticker", &TICKER);
    let (price_key, assets) = prices(table, &ticker, around);
    let challenge = Challenge {
        name: text("name", &NAME),
        plugin: text("plugin", &PLUGIN),
        runtime: table.choice("runtime", &RUNTIMES).unwrap_or(around.runtime),
        solver: table.choice("solver", &SOLVERS).unwrap_or(around.solver),
        sha256: table.hex("sha256"),
        price_key,
        assets,
        quotes: quotes(table),
        prices_from: table.text("prices_from", &TICKER).map(String::from),
        dim: table.whole("dim", DIM).unwrap_or_default(),
        blocks_ahead: blocks_ahead(table, around.sample_every),
        weight: weight(table, &misspelt),
        params: set.map,
        ticker,
    };
    (challenge, places)
}

/// `price_key` or `assets`; without either, the ticker is the price's key.
fn prices(table: &Table<'_>, ticker: &str, around: &Around) -> (Option<String>, Vec<String>) {
    let key = table.text("price_key", &ASSET);
    let Some(value) = table.get("assets") else {
        return (Some(key.unwrap_or(ticker).to_owned()), Vec::new());
    };
    if table.has("price_key") {
        let found = "stands beside `assets`";
        table.fault("price_key", found, "`price_key` (one price) or `assets` (a list), not both");
    }
    let Some(name) = value.get_ref().as_str() else {
        return (None, table.texts("assets", &ASSET).unwrap_or_default());
    };
    let list = around.assets.get(name);
    if list.is_none() {
        let known: Vec<_> = around.assets.keys().map(String::as_str).collect();
        let allowed = format!("a list, or the name of one in [assets]: {}", one_of(&known, "a list there"));
        let found = format!("[assets] has no list \"{name}\"");
        table.push(value.span().start, "assets", found, &allowed, closest(name, &known));
    }
    (None, list.cloned().unwrap_or_default())
}

/// `quotes`; only a challenge that stores prices of its own for several assets has a choice.
fn quotes(table: &Table<'_>) -> QuoteKind {
    let quotes = table.choice("quotes", &QUOTES).unwrap_or_default();
    if quotes == QuoteKind::FundingRates && !table.has("assets") {
        table.fault(
            "quotes",
            "funding rates are stored by asset, and the challenge has no `assets`",
            "\"prices\"",
        );
    }
    if table.has("quotes") && table.has("prices_from") {
        let found = "stands beside `prices_from`, with which nothing is stored";
        table.fault("quotes", found, "`quotes` or `prices_from`, not both");
    }
    quotes
}

fn blocks_ahead(table: &Table<'_>, sample_every: u32) -> u32 {
    let Some(blocks) = table.whole("blocks_ahead", 0..=10_000_000) else { return 0 };
    if blocks % sample_every != 0 {
        let found = format!("{blocks} blocks are no whole number of rows (sample_every is {sample_every})");
        table.fault("blocks_ahead", found, &format!("a multiple of {sample_every}"));
    }
    blocks
}

/// The weight or share; one that was reported is NaN.
fn weight(table: &Table<'_>, misspelt: &[String]) -> Weight {
    let weight = table.number("weight", WEIGHT_ALLOWED, |x| (0.0..=1e9).contains(&x));
    let share = table.number("share", SHARE_ALLOWED, |x| x > 0.0 && x < 1.0);
    let faulty = Weight::Fixed(f64::NAN);
    match (table.has("weight"), table.has("share")) {
        (false, false) => {
            if !misspelt.iter().any(|word| word == "share") {
                let allowed = format!("{WEIGHT_ALLOWED}; or `share`: {SHARE_ALLOWED}");
                table.need(&[("weight", &allowed)], misspelt);
            }
            faulty
        }
        (true, true) => {
            table.fault("share", "stands beside `weight`", "`weight` or `share`, not both");
            faulty
        }
        (true, false) => weight.map_or(faulty, Weight::Fixed),
        (false, true) => share.map_or(faulty, Weight::Share),
    }
}

fn word(text: &str, longest: usize, fits: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(fits)
}
