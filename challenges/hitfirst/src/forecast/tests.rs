use super::*;
use crate::Hit;
use mantis_kit::auc::auc;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MemoryHistory, Noise, random_walk, spec};
use mantis_plugin_api::{Challenge, Label, Score, Silent, Solver};

const AHEAD: usize = 30;
const ROWS: usize = 3_000;
const SOLVERS: [Solver; 2] = [Solver::Exact, Solver::Network];

/// A market, miners of skill, and one that is often absent or broken.
struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

/// One score, and what it shows.
struct Scored {
    labels: Labels,
    paid: Paid,
    /// Of each barrier.
    columns: [Vec<Vec<f64>>; 2],
}

fn challenge(params: &Value, solver: Solver) -> HitFirst {
    let mut all = json!({ "min_rows": 500, "sigma_rows": 300 });
    all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    HitFirst::configure(spec(OUTCOMES, AHEAD as u32, solver), all.as_object().unwrap()).unwrap()
}

/// Every way to be paid.
fn ways() -> [Value; 4] {
    [
        json!({}),
        json!({ "leave_out_blocks": 4, "clones": "on" }),
        json!({ "leave_out_blocks": 3, "standardise": true }),
        json!({ "held_out_blocks": 4, "standardise": true, "collapse_clones": true }),
    ]
}

impl World {
    fn new() -> Self {
        let market = random_walk(ROWS, 1e-3, 1);
        let labels = challenge(&json!({}), Solver::Exact).label(&market).unwrap();
        let mut miners: Vec<Vec<f32>> =
            [(0.5, 1), (0.7, 2), (0.6, 3), (0.8, 4)].map(|(skill, seed)| miner(&labels, skill, seed)).into();
        for (row, numbers) in miners[2].chunks_mut(OUTCOMES).enumerate() {
            match row % 7 {
                0 => numbers.fill(0.0),
                1 => numbers[2] = f32::NAN,
                2 => numbers[0] = f32::INFINITY,
                _ => {}
            }
        }
        Self { market, miners }
    }

    fn market(&self, rows: usize) -> Market {
        let mut market = Market { scored_rows: rows, ..self.market.clone() };
        market.submitted.truncate(rows);
        market
    }

    fn history(&self, rows: usize) -> MemoryHistory {
        let mut history = MemoryHistory::new(rows, OUTCOMES);
        for (i, numbers) in self.miners.iter().enumerate() {
            history.push(&format!("m{i}"), &numbers[..rows * OUTCOMES]);
        }
        history
    }

    fn score(&self, challenge: &HitFirst, rows: usize) -> Scored {
        let labels = challenge.label(&self.market(rows)).unwrap();
        let mut columns = [Vec::new(), Vec::new()];
        let mut watch = |outcome: usize, shown: &[&[f64]]| {
            columns[outcome] = shown.iter().map(|column| column.to_vec()).collect();
        };
        let paid = challenge.pay(&self.history(rows), &labels, &Silent, true, &mut watch).unwrap().1.unwrap();
        Scored { labels, paid, columns }
    }

    fn fit(&self, challenge: &HitFirst, rows: usize) -> Vec<u8> {
        let labels = challenge.label(&self.market(rows)).unwrap();
        challenge.score_and_fit(&self.history(rows), &labels, &Silent).unwrap().1.unwrap()
    }

    fn latest(&self, row: usize) -> Vec<f32> {
        self.miners
            .iter()
            .flat_map(|numbers| numbers[row * OUTCOMES..(row + 1) * OUTCOMES].to_vec())
            .collect()
    }
}

fn miner(labels: &Labels, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let mut odds: Vec<f64> = (0..ROWS * OUTCOMES).map(|_| 0.5 * noise.normal()).collect();
    for (&row, &hit) in labels.rows.iter().zip(&labels.hits) {
        odds[row * OUTCOMES + hit as usize] += skill;
    }
    odds.iter().map(|&x| (0.3 + 0.1 * x).clamp(0.01, 0.99) as f32).collect()
}

/// The decision values of a fit, of which its forecast are the probabilities.
fn decisions(fit: &[u8], latest: &[f32]) -> (Option<[u64; 2]>, usize) {
    let forecast = challenge(&json!({}), Solver::Exact).forecast(fit, latest, &Market::default()).unwrap();
    let (fit, row) = MAKING.read::<Fit>(fit, latest).unwrap();
    let (decisions, miners) = fit.decide(&row).unwrap();
    match decisions {
        Some(decisions) => {
            assert_eq!(forecast.values, fit.probabilities(decisions).map(Some));
            let sum: f64 = forecast.values.iter().flatten().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{forecast:?}");
        }
        None => assert_eq!(forecast.values, [None; OUTCOMES]),
    }
    assert_eq!(forecast.miners, miners);
    (decisions.map(|z| z.map(f64::to_bits)), miners)
}

/// What the models of one score say of a row of another one's columns.
fn expected(paid: &Paid, columns: &[Vec<Vec<f64>>; 2], at: usize) -> [u64; 2] {
    [0, 1].map(|outcome| {
        let row: Vec<f64> = columns[outcome].iter().map(|column| column[at]).collect();
        paid.barriers[outcome].model.decide(&row).to_bits()
    })
}

#[test]
fn saliences_are_those_of_the_score() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            for rows in [1_500, 700] {
                let (labels, history) = (challenge.label(&world.market(rows)).unwrap(), world.history(rows));
                let alone = challenge.score(&history, &labels, &Silent).unwrap();
                let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
                assert_eq!(salience, alone);
                assert_eq!(fit.is_some(), rows > 1_000);
            }
        }
    }
}

#[test]
fn rows_that_follow_have_the_bits_of_the_models_on_what_a_later_score_makes_of_them() {
    let world = World::new();
    for solver in SOLVERS {
        for params in [json!({}), json!({ "leave_out_blocks": 4, "clones": "on" })] {
            let challenge = challenge(&params, solver);
            let rows = 1_500;
            let (before, after) = (world.score(&challenge, rows), world.score(&challenge, rows + 80));
            let fit = world.fit(&challenge, rows);
            for row in rows..rows + 50 {
                let at = after.labels.rows.binary_search(&row).unwrap();
                let (found, miners) = decisions(&fit, &world.latest(row));
                assert_eq!(found, Some(expected(&before.paid, &after.columns, at)), "{row}");
                assert_eq!(miners, 4 - usize::from(row % 7 < 2));
            }
        }
    }
}

#[test]
fn rows_that_are_known_have_the_bits_of_their_own_score() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            let scored = world.score(&challenge, 1_500);
            let fit = world.fit(&challenge, 1_500);
            for (at, &row) in scored.labels.rows.iter().enumerate().rev().take(50) {
                let (found, _) = decisions(&fit, &world.latest(row));
                assert_eq!(found, Some(expected(&scored.paid, &scored.columns, at)), "{row} {params}");
            }
        }
    }
}

#[test]
fn missing_and_broken_miners_count_as_absent() {
    let world = World::new();
    let challenge = challenge(&json!({}), Solver::Exact);
    let (row, scored, fit) = (1_400, world.score(&challenge, 1_500), world.fit(&challenge, 1_500));
    assert_eq!(row % 7, 0, "miner 2 is absent");
    let at = scored.labels.rows.binary_search(&row).unwrap();
    let mut columns = scored.columns.clone();
    columns.iter_mut().for_each(|columns| columns[1][at] = 0.0);
    for broken in [[0.0; 3], [-0.0, 0.0, 0.0], [0.2, f32::NAN, 0.3]] {
        let mut latest = world.latest(row);
        latest[3..6].copy_from_slice(&broken);
        let (found, miners) = decisions(&fit, &latest);
        assert_eq!((found, miners), (Some(expected(&scored.paid, &columns, at)), 2));
    }
    assert_eq!(decisions(&fit, &[0.0; 12]), (None, 0));
    assert_eq!(decisions(&fit, &[f32::NAN; 12]), (None, 0));
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    let world = World::new();
    let challenge = challenge(&json!({ "standardise": true }), Solver::Exact);
    let (fit, latest) = (world.fit(&challenge, 1_500), world.latest(1_500));
    let forecast = |fit: &[u8], latest: &[f32]| challenge.forecast(fit, latest, &Market::default());
    assert!(forecast(&fit, &latest).is_ok());
    for length in [0, 11, 15] {
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
        ("hitfirst-1", "binary-1"),
        ("\"miner\":0", "\"miner\":4"),
        ("\"miner\":0", "\"miner\":6148914691236517206"),
        ("\"coefficients\":[", "\"coefficients\":[0.5,"),
        ("\"intercepts\":[", "\"intercepts\":[1e999,"),
    ] {
        assert!(text.contains(from), "{from} {text}");
        let bent = text.replacen(from, to, 1);
        assert!(matches!(forecast(bent.as_bytes(), &latest), Err(PluginError::Data { .. })), "{bent}");
    }
}

#[test]
fn forecasts_tell_which_barrier_is_hit() {
    let world = World::new();
    for params in ways() {
        let challenge = challenge(&params, Solver::Exact);
        let fit = world.fit(&challenge, 1_500);
        let later = world.score(&challenge, ROWS).labels;
        let from = later.rows.partition_point(|&row| row < 1_500);
        let mut columns = [const { Vec::new() }; OUTCOMES];
        for &row in &later.rows[from..] {
            let forecast = challenge.forecast(&fit, &world.latest(row), &Market::default()).unwrap();
            columns.iter_mut().zip(forecast.values).for_each(|(column, p)| column.push(p.unwrap()));
        }
        for (column, hit) in columns.iter().zip([Hit::Up, Hit::Down, Hit::Neither]) {
            let y: Vec<bool> = later.hits[from..].iter().map(|&other| other == hit).collect();
            let share = y.iter().filter(|&&y| y).count() as f64 / y.len() as f64;
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            let auc = auc(column, &y).unwrap();
            println!("{hit:?}: AUC {auc:.3}, mean {mean:.3} of {share:.3}");
            assert!(auc > if hit == Hit::Neither { 0.6 } else { 0.8 }, "{auc}");
            assert!((mean - share).abs() < 0.1, "{mean} {share}");
        }
    }
}

#[test]
fn what_comes_later_changes_no_fit() {
    let (world, challenge, rows) = (World::new(), challenge(&json!({}), Solver::Exact), 1_500);
    let before = world.fit(&challenge, rows);
    let mut other = World::new();
    let mut noise = Noise::new(77);
    other.market.prices[rows..].iter_mut().for_each(|price| *price *= 1.0 + 0.1 * noise.uniform());
    for numbers in &mut other.miners {
        numbers[rows * OUTCOMES..].iter_mut().for_each(|x| *x = noise.uniform() as f32);
    }
    assert_eq!(other.fit(&challenge, rows), before);
    // What came before does.
    other.market.prices[rows - 1] *= 2.0;
    assert_ne!(other.fit(&challenge, rows), before);
}
