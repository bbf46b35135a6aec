use super::*;
use mantis_kit::auc::auc;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MemoryHistory, Noise, random_walk, spec};
use mantis_plugin_api::{Challenge, Label, Score, Silent, Solver};
use std::collections::BTreeMap;

const AHEAD: usize = 10;
const ROWS: usize = 1_500;
const DIM: usize = 2;
const SOLVERS: [Solver; 2] = [Solver::Exact, Solver::Network];

/// A market with miners of skill, one that is hardly ever there, and one that is broken at times.
struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

/// One score, and what it shows.
struct Scored {
    labels: Labels,
    paid: Option<Paid>,
    values: BTreeMap<usize, Vec<f64>>,
}

impl World {
    fn new() -> Self {
        let market = random_walk(ROWS + AHEAD, 1e-3, 5);
        let mut noise = Noise::new(9);
        let mut miner = |skill: f64| -> Vec<f32> {
            let number = |i: usize| {
                let (now, later) = (market.prices[i / DIM], market.prices[i / DIM + AHEAD]);
                let lean = if later > now { skill } else { -skill };
                (0.3 * (lean + noise.normal())).clamp(-1.0, 1.0) as f32
            };
            (0..ROWS * DIM).map(number).collect()
        };
        let mut miners: Vec<Vec<f32>> = [0.4, 0.3, 0.3, 0.5].map(&mut miner).into();
        for (row, numbers) in miners[3].chunks_mut(DIM).enumerate() {
            match row % 7 {
                0 | 4 => numbers.fill(0.0),
                5 => numbers[1] = f32::NAN,
                _ => {}
            }
        }
        Self { market, miners }
    }

    fn challenge(params: &Value, solver: Solver) -> Binary {
        let mut all = json!({
            "min_rows": 100, "segment_rows": 200, "embargo_rows": AHEAD, "half_life_days": 5, "rows_per_day": 100,
        });
        all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        Binary::configure(spec(DIM, AHEAD as u32, solver), all.as_object().unwrap()).unwrap()
    }

    /// The market with so many scored rows.
    fn market(&self, rows: usize) -> Market {
        let mut market = Market { scored_rows: rows, ..self.market.clone() };
        market.submitted.truncate(rows);
        market
    }

    fn history(&self, rows: usize) -> MemoryHistory {
        let mut history = MemoryHistory::new(rows, DIM);
        for (i, numbers) in self.miners.iter().enumerate() {
            history.push(&format!("m{i}"), &numbers[..rows * DIM]);
        }
        history
    }

    fn score(&self, challenge: &Binary, rows: usize) -> Scored {
        let labels = challenge.label(&self.market(rows)).unwrap();
        let mut values = BTreeMap::new();
        let mut watch = |one: &crate::ensemble::Selected| _ = values.insert(one.miner, one.values.clone());
        let (_, paid) = challenge.pay(&self.history(rows), &labels, &Silent, &mut watch).unwrap();
        Scored { labels, paid, values }
    }

    fn fit(&self, challenge: &Binary, rows: usize) -> Option<Vec<u8>> {
        let labels = challenge.label(&self.market(rows)).unwrap();
        challenge.score_and_fit(&self.history(rows), &labels, &Silent).unwrap().1
    }

    fn latest(&self, row: usize) -> Vec<f32> {
        self.miners.iter().flat_map(|numbers| numbers[row * DIM..(row + 1) * DIM].to_vec()).collect()
    }

    /// The decision value of a fit, the forecast being its logistic function.
    fn decision(&self, challenge: &Binary, fit: &[u8], latest: &[f32]) -> (Option<f64>, usize) {
        let forecast = challenge.forecast(fit, latest, &Market::default()).unwrap();
        let (fit, row) = challenge.making().read::<Fit>(fit, latest).unwrap();
        let (decision, miners) = fit.decide(&row, DIM).unwrap();
        assert_eq!(forecast, Forecast { values: vec![decision.map(math::sigmoid)], miners });
        (decision, miners)
    }

    /// What `before` paid by says of the values that `after` has in a row with a label.
    fn expected(before: &Scored, after: &Scored, row: usize) -> f64 {
        let at = after.labels.rows.binary_search(&row).unwrap();
        let paid = before.paid.as_ref().unwrap();
        let value = |&(miner, scale): &(usize, f64)| after.values[&miner][at] / scale;
        paid.model.decide(&paid.columns.iter().map(value).collect::<Vec<_>>())
    }
}

#[test]
fn saliences_are_those_of_the_score() {
    let world = World::new();
    for solver in SOLVERS {
        for params in
            [json!({}), json!({ "meta_bootstrap": 3, "meta_bootstrap_max_iter": 20, "standardise": true })]
        {
            let challenge = World::challenge(&params, solver);
            for rows in [900, 1_105, 60] {
                let (labels, history) = (challenge.label(&world.market(rows)).unwrap(), world.history(rows));
                let alone = challenge.score(&history, &labels, &Silent).unwrap();
                let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
                assert_eq!(salience, alone);
                assert_eq!(fit.is_some(), rows > 100);
            }
        }
    }
}

/// In the midst of a segment and at its end, and from the first row after the embargo of a new one on.
#[test]
fn the_next_row_has_the_bits_of_the_score_that_has_it() {
    let world = World::new();
    for solver in SOLVERS {
        for params in [json!({}), json!({ "meta_bootstrap": 3, "meta_bootstrap_max_iter": 20 })] {
            let challenge = World::challenge(&params, solver);
            for row in [955, 999, 1_000 + AHEAD, 1_001 + AHEAD, 1_199] {
                let (before, after) = (world.score(&challenge, row), world.score(&challenge, row + 1));
                let fit = world.fit(&challenge, row).unwrap();
                let (decision, miners) = world.decision(&challenge, &fit, &world.latest(row));
                let expected = World::expected(&before, &after, row);
                assert_eq!(decision.map(f64::to_bits), Some(expected.to_bits()), "{row} {solver:?}");
                assert_eq!(miners, 4 - usize::from([0, 4, 5].contains(&(row % 7))), "{row}");
                assert!(expected != before.paid.unwrap().model.intercept);
            }
        }
    }
}

#[test]
fn a_new_segment_begins_with_its_own_model() {
    let world = World::new();
    let challenge = World::challenge(&json!({}), Solver::Exact);
    // The embargo's rows have no value in any score; all of them are forecast by the model of their segment.
    let later = world.score(&challenge, 1_000 + AHEAD + 1);
    for row in [1_000, 1_000 + AHEAD - 1] {
        assert!(later.values.values().all(|values| values[row] == 0.0));
        let fit = world.fit(&challenge, row).unwrap();
        let first = world.latest(1_000 + AHEAD);
        let (decision, _) = world.decision(&challenge, &fit, &first);
        let expected = World::expected(&world.score(&challenge, row), &later, 1_000 + AHEAD);
        // But for the age of the rows, it is the model that the segment's first value comes of.
        assert!((decision.unwrap() - expected).abs() < 1e-3, "{decision:?} {expected}");
        // The segment before has another one.
        let last = world.fit(&challenge, 999).unwrap();
        assert!((decision.unwrap() - world.decision(&challenge, &last, &first).0.unwrap()).abs() > 1e-3);
    }
}

#[test]
fn rows_that_follow_differ_by_the_age_of_the_rows_only() {
    let world = World::new();
    for params in [json!({}), json!({ "standardise": true, "collapse_clones": true })] {
        let challenge = World::challenge(&params, Solver::Exact);
        let (before, after) = (world.score(&challenge, 1_030), world.score(&challenge, 1_100));
        let fit = world.fit(&challenge, 1_030).unwrap();
        for row in 1_030..1_100 {
            let (decision, miners) = world.decision(&challenge, &fit, &world.latest(row));
            let expected = World::expected(&before, &after, row);
            let off = (decision.unwrap() - expected).abs();
            assert!(off < 0.02 * (1.0 + expected.abs()), "{row} {miners}: {decision:?} {expected}");
        }
    }
}

#[test]
fn the_oldest_rows_make_room_as_in_the_score() {
    let world = World::new();
    let challenge = World::challenge(&json!({ "max_rows": 1_000 }), Solver::Exact);
    for row in [1_000, 1_300] {
        let (before, after) = (world.score(&challenge, row), world.score(&challenge, row + 1));
        assert_eq!(after.labels.rows, (row - 999..=row).collect::<Vec<_>>());
        let fit = world.fit(&challenge, row).unwrap();
        let (decision, _) = world.decision(&challenge, &fit, &world.latest(row));
        assert_eq!(decision.map(f64::to_bits), Some(World::expected(&before, &after, row).to_bits()));
    }
}

#[test]
fn rows_that_wait_for_their_price_count_as_rows() {
    let world = World::new();
    let challenge = World::challenge(&json!({}), Solver::Exact);
    let row = 955;
    let mut market = world.market(row);
    market.sidx.truncate(row);
    market.prices.truncate(row);
    let labels = challenge.label(&market).unwrap();
    assert_eq!((labels.rows.len(), labels.pending), (row - AHEAD, AHEAD));
    let (_, paid) = challenge.pay(&world.history(row), &labels, &Silent, &mut |_| ()).unwrap();
    let (_, fit) = challenge.score_and_fit(&world.history(row), &labels, &Silent).unwrap();
    let before = Scored { paid, ..world.score(&challenge, row) };
    let after = world.score(&challenge, row + 1);
    let (decision, _) = world.decision(&challenge, &fit.unwrap(), &world.latest(row));
    assert_eq!(decision.map(f64::to_bits), Some(World::expected(&before, &after, row).to_bits()));
}

#[test]
fn missing_and_broken_miners_count_as_absent() {
    let world = World::new();
    let challenge = World::challenge(&json!({}), Solver::Exact);
    let scored = world.score(&challenge, 958);
    let fit = world.fit(&challenge, 958).unwrap();
    let whole = world.latest(958);
    let (all, miners) = world.decision(&challenge, &fit, &whole);
    assert_eq!(miners, 4);
    for (first, second) in [(0.0, 0.0), (-0.0, 0.0), (f32::NAN, 0.5), (0.5, f32::INFINITY), (1e9, 0.1)] {
        let mut latest = whole.clone();
        latest[2..4].copy_from_slice(&[first, second]);
        let (decision, miners) = world.decision(&challenge, &fit, &latest);
        // As in a score whose miner has no value there.
        let mut after = world.score(&challenge, 959);
        after.values.get_mut(&1).unwrap()[958] = 0.0;
        let expected = World::expected(&scored, &after, 958);
        assert_eq!((decision.map(f64::to_bits), miners), (Some(expected.to_bits()), 3));
        assert_ne!(decision, all);
    }
    assert_eq!(world.decision(&challenge, &fit, &[0.0; 8]), (None, 0));
    assert_eq!(world.decision(&challenge, &fit, &[f32::NAN; 8]), (None, 0));
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    let world = World::new();
    let challenge = World::challenge(&json!({ "standardise": true }), Solver::Exact);
    let (fit, latest) = (world.fit(&challenge, 958).unwrap(), world.latest(958));
    let forecast = |fit: &[u8], latest: &[f32]| challenge.forecast(fit, latest, &Market::default());
    assert!(forecast(&fit, &latest).is_ok());
    for length in [0, 7, 9] {
        assert!(matches!(forecast(&fit, &vec![0.5; length]), Err(PluginError::Data { .. })));
    }
    for end in 0..fit.len() {
        assert!(matches!(forecast(&fit[..end], &latest), Err(PluginError::Data { .. })), "{end}");
    }
    for at in 0..fit.len() {
        for flip in [1, 2, 4, 16, 128] {
            let mut bent = fit.clone();
            bent[at] ^= flip;
            // A digit can become another one; what is said then is still a number.
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
        ("binary-1", "binary-2"),
        ("\"miner\":0", "\"miner\":4"),
        ("\"miner\":0", "\"miner\":18446744073709551615"),
        ("\"weights\":[", "\"weights\":[0.5,"),
        ("\"scales\":[", "\"scales\":[{\"largest\":1,\"mean\":0,\"deviation\":1},"),
        ("\"coefficient\":", "\"coefficient\":1e999,\"x\":"),
    ] {
        assert!(text.contains(from), "{from} {text}");
        let bent = text.replacen(from, to, 1);
        assert!(matches!(forecast(bent.as_bytes(), &latest), Err(PluginError::Data { .. })), "{bent}");
    }
    let huge = text.replacen("\"coefficient\":", "\"coefficient\":1e308,\"x\":", 4);
    assert!(forecast(huge.as_bytes(), &latest).is_ok());
    let other = Binary::configure(spec(1, AHEAD as u32, Solver::Exact), &Default::default()).unwrap();
    assert!(other.forecast(text.as_bytes(), &[0.5; 4], &Market::default()).is_err());
}

#[test]
fn forecasts_tell_rises_from_falls() {
    let world = World::new();
    for params in [json!({}), json!({ "standardise": true, "meta_bootstrap": 4 })] {
        let challenge = World::challenge(&params, Solver::Exact);
        let fit = world.fit(&challenge, 900).unwrap();
        let rows = 900 + AHEAD..ROWS;
        let forecasts: Vec<f64> =
            rows.clone().map(|row| world.decision(&challenge, &fit, &world.latest(row)).0.unwrap()).collect();
        let prices = &world.market.prices;
        let rose: Vec<bool> = rows.map(|row| prices[row + AHEAD] > prices[row]).collect();
        let auc = auc(&forecasts, &rose).unwrap();
        println!("AUC {auc:.3}");
        assert!(auc > 0.7, "{auc}");
    }
}

#[test]
fn what_comes_later_changes_no_fit() {
    let world = World::new();
    let challenge = World::challenge(&json!({}), Solver::Exact);
    let row = 955;
    let before = world.fit(&challenge, row).unwrap();
    let mut other = World::new();
    let mut noise = Noise::new(77);
    // The price of the last scored row's label is that of `row + AHEAD - 1`.
    other.market.prices[row + AHEAD..].iter_mut().for_each(|price| *price *= 1.0 + 0.1 * noise.uniform());
    for numbers in &mut other.miners {
        numbers[row * DIM..].iter_mut().for_each(|x| *x = noise.uniform() as f32);
    }
    assert_eq!(other.fit(&challenge, row).unwrap(), before);
    // What came before does.
    other.market.prices[row + AHEAD - 1] *= 2.0;
    assert_ne!(other.fit(&challenge, row).unwrap(), before);
}
