use super::*;
use crate::label::Said;
use mantis_kit::auc::auc;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MarketBuilder, MemoryHistory, Noise, spec_with_assets};
use mantis_plugin_api::{Challenge, Label, Score, Silent, Solver};
use std::collections::{BTreeMap, BTreeSet};

const ASSETS: usize = 4;
const ROWS: usize = 6_000;
const DIM: usize = ASSETS * PAIR;
/// Rows scored, and those of a later score.
const BEFORE: usize = 4_500;
const AFTER: usize = 5_900;
const SOLVERS: [Solver; 2] = [Solver::Exact, Solver::Network];

/// A market with many breakouts, miners of skill, and one that is often absent or broken.
struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

/// One score, and what it shows.
struct Scored {
    labels: Labels,
    paid: Paid,
    answers: BTreeMap<usize, Vec<Option<f64>>>,
}

fn challenge(params: &Value, solver: Solver) -> Breakout {
    let mut all = json!({
        "range_lookback_blocks": 200, "min_range_rows": 20, "max_pending_blocks": 300, "episode_gap_rows": 10,
    });
    all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    let spec = spec_with_assets(PAIR, ASSETS, 0, solver);
    Breakout::configure(spec, all.as_object().unwrap()).unwrap()
}

fn ways() -> [Value; 2] {
    [json!({}), json!({ "collapse_clones": true })]
}

impl World {
    fn new() -> Self {
        let mut noise = Noise::new(2);
        let step = |price: f64| price * (1.0 + 0.01 * noise.uniform());
        let mut market = MarketBuilder::new(ASSETS).walk(ROWS, 100.0, step).build();
        // An asset that is not traded at times.
        (0..ROWS).filter(|row| row / 100 % 5 == 3).for_each(|row| market.prices[row * ASSETS + 1] = f64::NAN);
        let events = challenge(&json!({}), Solver::Exact).label(&market).unwrap().events;
        let miner = |(skill, seed): (f64, u64)| {
            let mut noise = Noise::new(seed);
            let mut numbers: Vec<f32> =
                (0..ROWS * DIM).map(|_| (0.5 + 0.2 * noise.uniform()) as f32).collect();
            for event in &events {
                let at = event.sidx as usize * DIM + event.asset * PAIR;
                numbers[at] += (if event.continued { skill } else { -skill }) as f32;
            }
            numbers
        };
        let mut miners: Vec<Vec<f32>> = [(0.1, 1), (0.15, 2), (0.12, 3)].map(miner).into();
        for (row, numbers) in miners[2].chunks_mut(DIM).enumerate() {
            match row % 7 {
                0 => numbers.fill(0.0),
                1 => numbers[2] = f32::NAN,
                _ => {}
            }
        }
        // A clone.
        miners.push(miners[0].clone());
        Self { market, miners }
    }

    fn market(&self, rows: usize) -> Market {
        let mut market = Market { scored_rows: rows, ..self.market.clone() };
        market.submitted.truncate(rows);
        market
    }

    /// Some rows as a forecast is given them.
    fn rows(&self, rows: std::ops::Range<usize>) -> Market {
        Market {
            sidx: self.market.sidx[rows.clone()].to_vec(),
            prices: self.market.prices[rows.start * ASSETS..rows.end * ASSETS].to_vec(),
            assets: ASSETS,
            ..Market::default()
        }
    }

    fn history(&self, rows: usize) -> MemoryHistory {
        let mut history = MemoryHistory::new(rows, DIM);
        for (i, numbers) in self.miners.iter().enumerate() {
            history.push(&format!("m{i}"), &numbers[..rows * DIM]);
        }
        history
    }

    fn score(&self, challenge: &Breakout, rows: usize) -> Scored {
        let labels = challenge.label(&self.market(rows)).unwrap();
        let mut answers = BTreeMap::new();
        let mut watch = |miner: usize, shown: &[Option<f64>]| _ = answers.insert(miner, shown.to_vec());
        let (_, paid) = challenge.pay(&self.history(rows), &labels, &Silent, &mut watch).unwrap();
        Scored { labels, paid: paid.unwrap(), answers }
    }

    fn fit(&self, challenge: &Breakout, rows: usize) -> Vec<u8> {
        let labels = challenge.label(&self.market(rows)).unwrap();
        challenge.score_and_fit(&self.history(rows), &labels, &Silent).unwrap().1.unwrap()
    }

    fn latest(&self, row: usize) -> Vec<f32> {
        self.miners.iter().flat_map(|numbers| numbers[row * DIM..(row + 1) * DIM].to_vec()).collect()
    }

    fn forecast(&self, challenge: &Breakout, fit: &[u8], row: usize) -> Forecast {
        let from = (row + 1).saturating_sub(challenge.outlook().market_rows);
        challenge.forecast(fit, &self.latest(row), &self.rows(from..row + 1)).unwrap()
    }
}

/// What the model of one score says of an event by the answers that another one has.
fn expected(paid: &Paid, answers: &BTreeMap<usize, Vec<Option<f64>>>, event: usize) -> f64 {
    let column = |members: &Vec<(usize, Spread)>| {
        let scores: Vec<f64> =
            members.iter().map(|(miner, spread)| spread.z_score(answers[miner][event])).collect();
        mean(scores.into_iter())
    };
    paid.model.decide(&paid.columns.iter().map(column).collect::<Vec<_>>())
}

fn row_of(said: &Said) -> usize {
    match said {
        Said::Row(row) => *row,
        Said::Carried(_) => panic!("nothing is carried here"),
    }
}

#[test]
fn saliences_are_those_of_the_score() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            for rows in [BEFORE, 100] {
                let (labels, history) = (challenge.label(&world.market(rows)).unwrap(), world.history(rows));
                let alone = challenge.score(&history, &labels, &Silent).unwrap();
                let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
                assert_eq!(salience, alone);
                assert_eq!(fit.is_some(), rows == BEFORE);
            }
        }
    }
}

#[test]
fn triggers_that_follow_have_the_bits_of_the_model_on_what_a_later_score_knows_of_them() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            let (before, after) = (world.score(&challenge, BEFORE), world.score(&challenge, AFTER));
            assert_eq!(before.answers.len(), 4);
            let fit = world.fit(&challenge, BEFORE);
            let (mut compared, mut absent) = (0, 0);
            for (i, event) in after.labels.events.iter().enumerate() {
                let row = row_of(&event.said);
                if row < BEFORE {
                    continue;
                }
                let forecast = world.forecast(&challenge, &fit, row);
                let wanted = math::sigmoid(expected(&before.paid, &after.answers, i));
                assert_eq!(forecast.values[event.asset].map(f64::to_bits), Some(wanted.to_bits()), "{row}");
                let is_absent = after.answers[&2][i].is_none();
                assert_eq!(is_absent, row.is_multiple_of(7) || (row % 7 == 1 && event.asset == 1));
                compared += 1;
                absent += usize::from(is_absent);
            }
            assert!(compared > 50 && absent > 5, "{compared} {absent}");
        }
    }
}

#[test]
fn events_that_are_over_have_the_bits_of_their_own_score() {
    let world = World::new();
    for params in ways() {
        let challenge = challenge(&params, Solver::Exact);
        let scored = world.score(&challenge, BEFORE);
        let bytes = world.fit(&challenge, BEFORE);
        for (i, event) in scored.labels.events.iter().enumerate() {
            let latest = world.latest(row_of(&event.said));
            let (fit, row) = challenge.making().read::<Fit>(&bytes, &latest).unwrap();
            let decision = fit.decide(&row, event.asset, &mut Vec::new()).unwrap().unwrap();
            assert_eq!(decision.to_bits(), expected(&scored.paid, &scored.answers, i).to_bits());
        }
    }
}

/// In each row after those scored, as a replay of all rows has it.
#[test]
fn an_asset_has_a_forecast_while_a_breakout_is_open() {
    let world = World::new();
    let challenge = challenge(&json!({}), Solver::Exact);
    let fit = world.fit(&challenge, BEFORE);
    let mut count = 0;
    for row in BEFORE - 1..BEFORE + MAX_AGE {
        let labels = challenge.label(&world.market(row + 1)).unwrap();
        let open: BTreeSet<usize> = labels.open.iter().map(|open| open.asset).collect();
        let forecast = world.forecast(&challenge, &fit, row);
        let found: BTreeSet<usize> = (0..ASSETS).filter(|&asset| forecast.values[asset].is_some()).collect();
        assert_eq!(found, open, "{row}");
        count += open.len();
        let absent =
            usize::from(row.is_multiple_of(7) || (row % 7 == 1 && open.iter().all(|&asset| asset == 1)));
        assert_eq!(forecast.miners, if open.is_empty() { 0 } else { 4 - absent }, "{row}");
    }
    assert!(count > MAX_AGE / 2 && count < MAX_AGE * ASSETS, "{count}");
}

#[test]
fn nothing_is_said_where_the_replay_cannot_go_on() {
    let world = World::new();
    let challenge = challenge(&json!({}), Solver::Exact);
    let fit = world.fit(&challenge, BEFORE);
    let row = (BEFORE..).find(|&row| world.forecast(&challenge, &fit, row).miners == 4).unwrap();
    let said = |rows: std::ops::Range<usize>| {
        let forecast = challenge.forecast(&fit, &world.latest(row), &world.rows(rows)).unwrap();
        forecast.values.iter().any(Option::is_some)
    };
    // The range of the first row that follows looks 40 rows back.
    assert!(said(BEFORE - 40..row + 1) && said(0..row + 1));
    assert!(!said(BEFORE - 39..row + 1) && !said(BEFORE - 500..BEFORE - 1) && !said(0..0));
    let other = Market { assets: 2, ..world.rows(0..row + 1) };
    assert!(challenge.forecast(&fit, &world.latest(row), &other).is_err());
    let mut short = world.rows(0..row + 1);
    short.prices.pop();
    assert!(challenge.forecast(&fit, &world.latest(row), &short).is_err());
}

#[test]
fn missing_and_broken_miners_count_as_absent() {
    let world = World::new();
    let challenge = challenge(&json!({}), Solver::Exact);
    let scored = world.score(&challenge, BEFORE);
    let bytes = world.fit(&challenge, BEFORE);
    let (i, event) = scored.labels.events.iter().enumerate().next_back().unwrap();
    let decide = |latest: &[f32]| {
        let (fit, row) = challenge.making().read::<Fit>(&bytes, latest).unwrap();
        let mut there = Vec::new();
        (fit.decide(&row, event.asset, &mut there).unwrap().map(f64::to_bits), there.len())
    };
    let whole = world.latest(row_of(&event.said));
    let (all, miners) = decide(&whole);
    let mut answers = scored.answers.clone();
    answers.get_mut(&1).unwrap()[i] = None;
    for broken in [[0.0, 0.0], [-0.0, 0.0], [f32::NAN, 0.5], [f32::INFINITY, 0.5]] {
        let mut latest = whole.clone();
        latest[DIM + event.asset * PAIR..][..PAIR].copy_from_slice(&broken);
        let wanted = expected(&scored.paid, &answers, i).to_bits();
        assert_eq!(decide(&latest), (Some(wanted), miners - 1));
        assert_ne!(Some(wanted), all);
    }
    assert_eq!(decide(&[0.0; 4 * DIM]), (None, 0));
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    let world = World::new();
    let challenge = challenge(&json!({ "collapse_clones": true }), Solver::Exact);
    // A row after which something is open.
    let rows = (BEFORE..).find(|&rows| {
        let open = challenge.label(&world.market(rows)).unwrap().open;
        open.iter().any(|open| open.asset == 0)
    });
    let rows = rows.unwrap();
    let (fit, latest, market) =
        (world.fit(&challenge, rows), world.latest(rows), world.rows(rows - 60..rows + 1));
    let forecast = |fit: &[u8], latest: &[f32]| challenge.forecast(fit, latest, &market);
    assert!(forecast(&fit, &latest).is_ok());
    for length in [0, 4 * DIM - 1, 5 * DIM] {
        assert!(matches!(forecast(&fit, &vec![0.5; length]), Err(PluginError::Data { .. })));
    }
    for end in 0..fit.len() {
        assert!(matches!(forecast(&fit[..end], &latest), Err(PluginError::Data { .. })), "{end}");
    }
    for at in 0..fit.len() {
        for flip in [1, 2, 4, 16, 128] {
            let mut bent = fit.clone();
            bent[at] ^= flip;
            // A digit can become another one; what is said then are still probabilities.
            match forecast(&bent, &latest) {
                Ok(Forecast { values, .. }) => {
                    assert!(values.iter().flatten().all(|x| (0.0..=1.0).contains(x)))
                }
                Err(error) => assert!(matches!(error, PluginError::Data { .. }), "{error}"),
            }
        }
    }
    let text = String::from_utf8(fit).unwrap();
    for (from, to) in [
        ("breakout-1", "breakout-2"),
        ("\"members\":[[", "\"members\":[[4,{\"mean\":0,\"scale\":1}],["),
        ("\"members\":[[", "\"members\":[[4611686018427387904,{\"mean\":0,\"scale\":1}],["),
        ("\"asset\":0", "\"asset\":4"),
        ("\"pending\":{\"sidx\":", "\"pending\":{\"sidx\":-"),
        ("\"pending\":{\"sidx\":", "\"pending\":{\"sidx\":9"),
        ("\"replayed\":[", "\"replayed\":[-9"),
        ("\"coefficient\":", "\"coefficient\":1e999,\"x\":"),
    ] {
        assert!(text.contains(from), "{from} {text}");
        let bent = text.replacen(from, to, 1);
        assert!(matches!(forecast(bent.as_bytes(), &latest), Err(PluginError::Data { .. })), "{bent}");
    }
    let flat = text.replace("\"scale\":", "\"scale\":0,\"x\":");
    assert!(forecast(flat.as_bytes(), &latest).unwrap().values.iter().flatten().all(|p| p.is_finite()));
}

#[test]
fn forecasts_tell_continuations_from_reversals() {
    let world = World::new();
    for params in ways() {
        let challenge = challenge(&params, Solver::Exact);
        let fit = world.fit(&challenge, BEFORE);
        let later = challenge.label(&world.market(AFTER)).unwrap().events;
        let later = later.iter().filter(|event| row_of(&event.said) >= BEFORE);
        let (forecasts, continued): (Vec<f64>, Vec<bool>) = later
            .map(|event| {
                let forecast = world.forecast(&challenge, &fit, row_of(&event.said));
                (forecast.values[event.asset].unwrap(), event.continued)
            })
            .unzip();
        let auc = auc(&forecasts, &continued).unwrap();
        println!("AUC {auc:.3} over {}", continued.len());
        assert!(auc > 0.75, "{auc}");
    }
}

#[test]
fn what_comes_later_changes_no_fit() {
    let (world, challenge) = (World::new(), challenge(&json!({}), Solver::Exact));
    let before = world.fit(&challenge, BEFORE);
    let mut other = World::new();
    let mut noise = Noise::new(77);
    other.market.prices[BEFORE * ASSETS..].iter_mut().for_each(|price| *price *= 1.0 + 0.1 * noise.uniform());
    for numbers in &mut other.miners {
        numbers[BEFORE * DIM..].iter_mut().for_each(|x| *x = noise.uniform() as f32);
    }
    assert_eq!(other.fit(&challenge, BEFORE), before);
    // What came before does.
    other.market.prices[(BEFORE - 1) * ASSETS] *= 2.0;
    assert_ne!(other.fit(&challenge, BEFORE), before);
}
