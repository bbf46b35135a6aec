//! What must hold for any miners, on a simulated market with many breakouts.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_breakout::{Breakout, Labels};
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{
    MISSING_PRICES, MarketBuilder, Noise, clone_gains, is_sound, order_effect, put_into_holes, score,
    spec_with_assets, why_zero,
};
use mantis_plugin_api::{Challenge, Label, Market, PluginError, Salience, Solver, Spec};
use proptest::prelude::*;

const ASSETS: usize = 4;
const ROWS: usize = 6_000;

fn challenge() -> Spec {
    spec_with_assets(2, ASSETS, 0, Solver::Exact)
}

fn params(collapse_clones: bool) -> Value {
    json!({
        "range_lookback_blocks": 200, "min_range_rows": 20, "max_pending_blocks": 300, "episode_gap_rows": 10,
        "collapse_clones": collapse_clones,
    })
}

fn labels(market: &Market) -> Labels {
    try_labels(market).unwrap()
}

fn try_labels(market: &Market) -> Result<Labels, PluginError> {
    Breakout::configure(challenge(), params(false).as_object().unwrap())?.label(market)
}

fn market(seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    MarketBuilder::new(ASSETS).walk(ROWS, 100.0, |price| price * (1.0 + 0.01 * noise.uniform())).build()
}

/// Answers that know the outcome with some strength; each seed has its own noise.
fn answers(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let mut numbers: Vec<f32> =
        (0..ROWS * ASSETS * 2).map(|_| (0.5 + 0.25 * noise.uniform()) as f32).collect();
    for event in labels(market).events {
        let at = event.sidx as usize * ASSETS * 2 + event.asset * 2;
        numbers[at] += (if event.continued { skill } else { -skill }) as f32;
    }
    numbers
}

fn run(market: &Market, miners: &[Vec<f32>], collapse_clones: bool) -> Salience {
    let events = labels(market).events.len();
    assert!(events > 100, "{events} events");
    score::<Breakout>(challenge(), &params(collapse_clones), market, miners).unwrap()
}

fn field(market: &Market) -> Vec<Vec<f32>> {
    (0..6).map(|i| answers(market, 0.05 + 0.02 * i as f64, 100 + i)).collect()
}

#[test]
fn clones_share_when_they_are_collapsed() {
    let market = market(1);
    let gains = |collapse| clone_gains(&field(&market), 5, [2, 5], |miners| run(&market, miners, collapse));
    let (apart, collapsed) = (gains(false), gains(true));
    println!("2 and 5 clones earn {apart:.3?} of one, {collapsed:.3?} collapsed");
    assert!(collapsed.iter().all(|gain| *gain <= 1.1), "{collapsed:?}");
}

#[test]
fn noise_earns_at_most_half_of_skill_and_constants_nothing() {
    let market = market(2);
    let mut miners = field(&market);
    miners.push(answers(&market, 0.0, 7));
    miners.push(vec![0.5; ROWS * ASSETS * 2]);
    miners.push(vec![0.0; ROWS * ASSETS * 2]);
    let salience = run(&market, &miners, false);
    let paid = |miner: usize| salience.miners[miner].salience;
    println!("noise earns {:.3} of skilled", paid(6) / paid(5));
    assert!(paid(6) <= 0.5 * paid(5));
    assert_eq!((paid(7), paid(8)), (0.0, 0.0));
    assert_eq!((why_zero(&salience, 7), why_zero(&salience, 8)), (Some("constant"), Some("absent")));
}

#[test]
fn the_order_of_miners_does_not_matter() {
    let market = market(3);
    let effect = order_effect(&field(&market), |miners| run(&market, miners, false));
    assert!(effect < 1e-9, "{effect}");
}

#[test]
fn events_older_than_the_prices_come_from_the_carried_state() {
    let whole = market(5);
    // The same market, whose first rows the ledger has no longer.
    let cut = 2_000;
    let mut recent = MarketBuilder::new(ASSETS).gap(cut as u32);
    for row in cut..ROWS {
        recent = recent.row(&whole.prices[row * ASSETS..(row + 1) * ASSETS]);
    }
    let event = json!({
        "trigger_sidx": 700, "trigger_block": 3_500, "resolution_block": 3_600, "direction": "high", "label": 1,
        "embeddings": { "miner0000": [0.75, 0.25] },
    });
    let unresolved = json!({ "trigger_sidx": 701, "trigger_block": 3_505, "resolution_block": 1_000_000,
        "direction": "low", "label": 0 });
    let known = json!({ "trigger_sidx": cut, "trigger_block": cut * 5, "resolution_block": cut * 5 + 50,
        "direction": "low", "label": 0 });
    let state = json!({
        "ticker": "A1", "range_lookback_blocks": 200, "barrier_pct": 0.25, "min_range_pct": 0.01,
        "max_pending_blocks": 300, "completed": [event, unresolved, known],
    });
    let plain = labels(&recent.clone().build()).events;
    let carried =
        labels(&recent.clone().carried("A1", &state.to_string()).carried("XXX", "{").build()).events;
    let old: Vec<_> = carried.iter().filter(|event| event.sidx < cut as i64).collect();
    assert_eq!((old.len(), carried.len()), (1, plain.len() + 1));
    assert_eq!((old[0].asset, old[0].sidx, old[0].continued), (1, 700, true));
    let error = try_labels(&recent.carried("A2", "{").build()).unwrap_err().to_string();
    assert!(error.contains("breakout_state of A2 is unreadable"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// One asset's, or a whole row's.
    #[test]
    fn a_missing_price_is_the_same_as_nan_and_as_zero(
        seed in any::<u64>(),
        holes in proptest::collection::vec((0..ROWS * ASSETS, 1..2 * ASSETS), 1..300),
    ) {
        let [(events, salience), zero] = MISSING_PRICES.map(|missing| {
            let mut market = market(seed);
            let miners = field(&market);
            put_into_holes(&mut market, &holes, missing);
            (labels(&market), run(&market, &miners, false))
        });
        prop_assert_eq!((events, salience), zero);
    }

    #[test]
    fn every_input_gives_finite_saliences_not_below_zero(seed in any::<u64>(), holes in proptest::collection::vec((0..ROWS * ASSETS, 0..5u8), 0..400)) {
        let mut market = market(4);
        let mut numbers = answers(&market, 0.1, seed);
        for (at, what) in holes {
            market.prices[at] = [f64::NAN, 0.0, f64::INFINITY, -1.0, 1e-300][usize::from(what)];
            numbers[at] = [f32::NAN, 0.0, f32::INFINITY, -1.0, 1e-7][usize::from(what)];
        }
        let miners = [numbers, answers(&market, 0.1, seed ^ 1)];
        let salience = score::<Breakout>(challenge(), &params(false), &market, &miners).unwrap();
        prop_assert!(is_sound(&salience));
    }
}
