//! A made-up market, and miners of many kinds who trade on it.

#![allow(dead_code)] // each test takes what it needs

use mantis_plugin_api::test_kit::{MarketBuilder, Noise, spec};
use mantis_plugin_api::{FactList, FactRow, Market, Solver, Spec, Storage};

pub(crate) const NUMBERS: usize = 28;
/// Minutes between two rows.
pub(crate) const EVERY: i64 = 6;
/// Sampled block of the first row; its hour is not whole.
const START: i64 = 1_771_931;
const HORIZONS: [(f64, f64); 4] = [(1.0, 24.0), (24.0, 48.0), (72.0, 168.0), (168.0, 336.0)];
/// Mean hours from one intent to the next, by regime.
const PAUSES: [f64; 4] = [5.0, 26.0, 70.0, 150.0];

/// What a miner does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Knows the direction so well: 1 always, 0 not at all, -1 the wrong one.
    Knows(f64),
    /// Uses the same three ids again and again.
    Recycles,
    /// Every other intent has a number that is out of bounds.
    Breaks,
    /// Numbers at their bounds, and halves.
    Borders,
    /// Distances and horizons near the least ones, intents in a hurry.
    Tight,
    /// Nothing in two of five rows.
    Gappy,
    /// Starts, or stops, after three fifths.
    Late,
    Stops,
}

pub(crate) const KINDS: [Kind; 13] = [
    Kind::Knows(0.7),
    Kind::Knows(0.5),
    Kind::Knows(0.2),
    Kind::Knows(0.0),
    Kind::Knows(0.0),
    Kind::Knows(-0.6),
    Kind::Recycles,
    Kind::Breaks,
    Kind::Borders,
    Kind::Tight,
    Kind::Gappy,
    Kind::Late,
    Kind::Stops,
];

pub(crate) struct World {
    /// With the lists `bets` and `static` for miners as the test kit names them.
    pub(crate) market: Market,
    pub(crate) miners: Vec<Vec<f32>>,
}

pub(crate) fn flow_spec() -> Spec {
    Spec {
        assets: vec!["BTC".into()],
        storage: Storage::F32,
        channels: vec!["BTC_HIGH".into(), "BTC_LOW".into()],
        facts: vec!["bets".into(), "static".into()],
        ..spec(NUMBERS, 0, Solver::Exact)
    }
}

/// A number from `low` to `high`.
fn between(noise: &mut Noise, low: f64, high: f64) -> f64 {
    low + (high - low) * (noise.uniform() + 1.0) / 2.0
}

/// Closes of every row, as if none were missing.
fn closes(rows: usize, noise: &mut Noise) -> Vec<f64> {
    let mut price: f64 = 60_000.0;
    let storm = |row: usize| if row % 2_500 > 2_300 { 6.0 } else { 1.0 };
    let step = |row| {
        price *= 1.0 + 1e-3 * storm(row) * noise.normal();
        (price * 100.0).round() / 100.0
    };
    (0..rows).map(step).collect()
}

/// A market of so many days with holes, and a miner of each kind.
pub(crate) fn world(days: usize, kinds: &[Kind], seed: u64) -> World {
    let rows = days * 1_440 / EVERY as usize;
    let mut noise = Noise::new(seed);
    let closes = closes(rows, &mut noise);
    let is_hole = |row: usize| row % 1_900 > 1_850 || row % 4_000 > 3_700 || row % 251 == 9;
    let kept: Vec<usize> = (0..rows).filter(|&row| !is_hole(row)).collect();
    let mut market = MarketBuilder::new(1)
        .rows(kept.iter().map(|&row| [if row % 311 == 5 { f64::NAN } else { closes[row] }]))
        .at(&kept.iter().map(|&row| START + EVERY * row as i64).collect::<Vec<_>>())
        .build();
    market.channels = kept.iter().flat_map(|&row| wick(&closes, row, &mut noise)).collect();
    let mut bets = Vec::new();
    let mut amounts = Vec::new();
    let mut miners = Vec::new();
    for (at, &kind) in kinds.iter().enumerate() {
        let mut noise = Noise::new(1_000 * seed + at as u64);
        let hotkey = format!("miner{at:04}");
        let mut numbers = vec![0.0; kept.len() * NUMBERS];
        for regime in 0..4 {
            trade(kind, regime, &closes, &kept, &mut noise, &mut numbers, |id, row, size| {
                bets.push(bet(&hotkey, regime, id, row, size, &mut Noise::new(7 * row as u64 + at as u64)));
            });
        }
        let rows = numbers.chunks_mut(NUMBERS).zip(&kept);
        rows.filter(|(_, row)| !is_there(kind, **row, closes.len())).for_each(|(sent, _)| sent.fill(0.0));
        if at % 7 != 6 {
            let alpha = [4.0, 1.5, -2.0, 0.0, 9.0, 0.25][at % 6];
            amounts.push(FactRow { hotkey, numbers: vec![alpha], ..FactRow::default() });
        }
        miners.push(numbers);
    }
    bets.sort_by(|a, b| a.time.partial_cmp(&b.time).unwrap());
    let last = START + EVERY * *kept.last().unwrap() as i64;
    let list = |name: &str, rows| FactList {
        name: name.into(),
        block: Some(5 * last + 525),
        time: Some(unix(last) + 6_300.0),
        rows,
    };
    market.facts = vec![list("bets", bets), list("static", amounts)];
    World { market, miners }
}

fn unix(sidx: i64) -> f64 {
    1_787_004_000.0 + 60.0 * (sidx - START) as f64
}

fn is_there(kind: Kind, row: usize, rows: usize) -> bool {
    match kind {
        Kind::Gappy => row % 5 > 1,
        Kind::Late => row > rows * 3 / 5,
        Kind::Stops => row < rows * 3 / 5,
        _ => row % 83 != 1,
    }
}

/// High and low of a row: mostly right, some missing, inverted, or beside the close.
fn wick(closes: &[f64], row: usize, noise: &mut Noise) -> [f64; 2] {
    let (close, before) = (closes[row], closes[row.saturating_sub(1)]);
    let high = close.max(before) * (1.0 + 4e-4 * noise.uniform().abs());
    let low = close.min(before) * (1.0 - 4e-4 * noise.uniform().abs());
    match row % 61 {
        7 => [high, f64::NAN],
        17 => [low, high],
        27 => [close * 0.9995, close * 0.999],
        _ => [high, low],
    }
}

/// A bet on most trades, in time on most of these.
fn bet(hotkey: &str, regime: usize, id: u32, row: usize, size: f64, noise: &mut Noise) -> FactRow {
    let opened = START + EVERY * row as i64;
    let late = if noise.uniform() > 0.7 { 15_000.0 } else { -600.0 };
    let is_missing = noise.uniform() > 0.6;
    let alpha = if is_missing { f64::NAN } else { size * between(noise, 0.5, 4.0) };
    FactRow {
        hotkey: hotkey.into(),
        block: Some(5 * opened + (late / 12.0) as i64),
        time: Some(unix(opened) + late),
        numbers: vec![regime as f64, f64::from(id), alpha],
    }
}

/// Writes one regime of a miner's intents, each sent until the next one.
fn trade(
    kind: Kind,
    regime: usize,
    closes: &[f64],
    kept: &[usize],
    noise: &mut Noise,
    numbers: &mut [f32],
    mut note: impl FnMut(u32, usize, f64),
) {
    let mut row = between(noise, 0.0, 100.0) as usize;
    let mut count = 0;
    while row < closes.len() {
        count += 1;
        let id = if kind == Kind::Recycles { 1 + count % 3 } else { 100 * regime as u32 + count };
        let mut intent = intent(kind, regime, closes, row, noise);
        intent[6] = id as f32;
        if kind == Kind::Borders && count % 5 == 0 {
            intent[6] += 0.5;
        }
        note(id, row, f64::from(intent[1]));
        let hurry = if kind == Kind::Tight { 0.1 } else { 1.0 };
        let pause = hurry * PAUSES[regime] * between(noise, 0.2, 1.8) * 60.0 / EVERY as f64;
        let next = row + 1 + pause as usize;
        let [from, to] = [row, next].map(|row| kept.partition_point(|&at| at < row));
        for sent in numbers[from * NUMBERS..to * NUMBERS].chunks_mut(NUMBERS) {
            sent[7 * regime..7 * regime + 7].copy_from_slice(&intent);
        }
        row = next;
    }
}

/// One intent without its id.
fn intent(kind: Kind, regime: usize, closes: &[f64], row: usize, noise: &mut Noise) -> [f32; 7] {
    let (low, high) = HORIZONS[regime];
    let mut hours = between(noise, low, if kind == Kind::Tight { low + 2.0 } else { high });
    let later = (row + (hours * 60.0 / EVERY as f64) as usize).min(closes.len() - 1);
    let rises = if closes[later] > closes[row] { 1.0 } else { -1.0 };
    let skill = if let Kind::Knows(skill) = kind { skill } else { 0.4 };
    let side = if between(noise, -1.0, 1.0) < skill { rises } else { -rises };
    let width = 1.2e-3 * (hours * 60.0 / EVERY as f64).sqrt();
    let mut stop = width * between(noise, 0.4, 1.3);
    if kind == Kind::Tight {
        stop = between(noise, 1.2e-4, 4e-4);
    }
    let mut target = stop * between(noise, 0.4, 1.2);
    let mut size = between(noise, 0.02, 0.25);
    let mut side = side;
    match (kind, (between(noise, 0.0, 10.0)) as usize) {
        (Kind::Breaks, 0) => side *= 2.0,
        (Kind::Breaks, 1) => size = 0.26,
        (Kind::Breaks, 2) => stop = 0.6,
        (Kind::Breaks, 3) => target = 5e-5,
        (Kind::Breaks, 4) => hours = high + 0.01,
        (Kind::Breaks, 5) => stop = target / 400.0,
        (Kind::Borders, 0) => hours = low,
        (Kind::Borders, 1) => hours = high,
        (Kind::Borders, 2) => size = 0.25,
        (Kind::Borders, 3) => size = 0.01,
        (Kind::Borders, 4) => side *= 0.5,
        (Kind::Borders, 5) => side *= 1.49,
        (Kind::Borders, 6) => stop = 1e-4,
        _ => (),
    }
    [side, size, stop, target, target * between(noise, 1.2, 2.5), hours, 0.0].map(|x| x as f32)
}
