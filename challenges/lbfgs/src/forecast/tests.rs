use super::*;
use crate::predictions::Predictions;
use mantis_kit::auc::auc;
use mantis_kit::math;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MemoryHistory, Noise, random_walk, spec};
use mantis_plugin_api::{Challenge, Label, Score, Silent, Solver};
use std::collections::BTreeMap;

const AHEAD: usize = 10;
const ROWS: usize = 3_600;
const SOLVERS: [Solver; 2] = [Solver::Exact, Solver::Network];
/// The labelled rows are the scored ones from here on, less a horizon: 300 returns of the deviation, a horizon before.
const FIRST: usize = 299 + AHEAD;

/// A market, miners of skill, and one that is often absent or broken.
struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

/// One score, and what it shows.
struct Scored {
    labels: Labels,
    voters: Vec<Voter>,
    /// By row of the market.
    votes: BTreeMap<usize, [f64; BUCKETS]>,
}

fn challenge(params: &Value, solver: Solver) -> Lbfgs {
    let mut all = json!({
        "min_rows": 500, "bucket_sigma_rows": 300, "excursion_sigma_rows": 300, "first_segment": 1_000,
        "segment_rows": 400, "min_segment_rows": 100, "train_rows": 1_000, "overlap_rows": 400, "recent_rows": 600,
    });
    all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    Lbfgs::configure(spec(DIM, AHEAD as u32, solver), all.as_object().unwrap()).unwrap()
}

/// The rules of May, those of July, and all options.
fn ways() -> [Value; 3] {
    let july =
        json!({ "cohorts": "on", "cohort_min_rows": 700, "cohort_min_joint": 700, "q_penalty": "L2-bias" });
    let mut options = july.clone();
    options["standardise"] = json!(true);
    options["collapse_clones"] = json!(true);
    [json!({}), july, options]
}

impl World {
    fn new() -> Self {
        let market = random_walk(ROWS + AHEAD, 1e-3, 3);
        let mut miners: Vec<Vec<f32>> =
            [(0.8, 1), (1.0, 2), (1.2, 3), (1.0, 4)].map(|(skill, seed)| miner(&market, skill, seed)).into();
        // A clone, for cohorts.
        miners.push(miners[1].clone());
        for (row, numbers) in miners[2].chunks_mut(DIM).enumerate() {
            match row % 7 {
                0 => numbers.fill(0.0),
                1 => numbers[2] = f32::NAN,
                2 => numbers[1] = f32::INFINITY,
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
        let mut history = MemoryHistory::new(rows, DIM);
        for (i, numbers) in self.miners.iter().enumerate() {
            history.push(&format!("m{i}"), &numbers[..rows * DIM]);
        }
        history
    }

    fn score(&self, challenge: &Lbfgs, rows: usize) -> Scored {
        let labels = challenge.label(&self.market(rows)).unwrap();
        let mut votes = BTreeMap::new();
        let mut watch = |i: usize, shown: [f64; BUCKETS]| _ = votes.insert(labels.rows[i].row, shown);
        let (_, voters) = challenge.pay(&self.history(rows), &labels, &Silent, &mut watch).unwrap();
        Scored { labels, voters, votes }
    }

    fn fit(&self, challenge: &Lbfgs, rows: usize) -> Vec<u8> {
        let labels = challenge.label(&self.market(rows)).unwrap();
        challenge.score_and_fit(&self.history(rows), &labels, &Silent).unwrap().1.unwrap()
    }

    fn latest(&self, row: usize) -> Vec<f32> {
        self.miners.iter().flat_map(|numbers| numbers[row * DIM..(row + 1) * DIM].to_vec()).collect()
    }
}

/// Numbers that lean to the bucket that will come, with some strength.
fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let deviation = 1e-3 * (AHEAD as f64).sqrt();
    let mut numbers = Vec::with_capacity(ROWS * DIM);
    for row in 0..ROWS {
        let z = (market.prices[row + AHEAD] / market.prices[row] - 1.0) / deviation;
        let bucket = [-2.0, -1.0, 1.0, 2.0].iter().filter(|&&edge| z > edge).count();
        let prior = [-1.5, -0.3, 1.0, -0.3, -1.5];
        let lean = |i: usize| if i == bucket { skill } else { 0.0 };
        let raised: Vec<f64> =
            (0..BUCKETS).map(|i| math::exp(1.5 * (lean(i) + noise.normal()) + prior[i])).collect();
        let sum: f64 = raised.iter().sum();
        numbers.extend(raised.iter().map(|p| (p / sum) as f32));
        numbers.extend((BUCKETS..DIM).map(|_| math::sigmoid(noise.normal()) as f32));
    }
    numbers
}

fn bits(votes: [f64; BUCKETS]) -> [u64; BUCKETS] {
    votes.map(|votes| votes.min(1.0).to_bits())
}

fn forecast(fit: &[u8], latest: &[f32]) -> (Option<[u64; BUCKETS]>, usize) {
    let challenge = challenge(&json!({}), Solver::Exact);
    let Forecast { values, miners } = challenge.forecast(fit, latest, &Market::default()).unwrap();
    let values: [Option<f64>; BUCKETS] = values.try_into().unwrap();
    let votes = values.iter().all(Option::is_some).then(|| bits(values.map(Option::unwrap)));
    assert!(votes.is_some() || values == [None; BUCKETS]);
    (votes, miners)
}

#[test]
fn saliences_are_those_of_the_score() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            for rows in [2_000, 1_300, 700] {
                let (labels, history) = (challenge.label(&world.market(rows)).unwrap(), world.history(rows));
                let alone = challenge.score(&history, &labels, &Silent).unwrap();
                let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
                assert_eq!(salience, alone);
                assert_eq!(fit.is_some(), rows == 2_000);
            }
        }
    }
}

/// In the midst of a segment, and with its last row.
#[test]
fn rows_of_the_newest_segment_have_the_bits_of_the_vote_on_them() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            for labelled in [1_650, 1_800] {
                let rows = FIRST + labelled + AHEAD;
                let (scored, fit) = (world.score(&challenge, rows), world.fit(&challenge, rows));
                assert_eq!(scored.labels.rows.len(), labelled);
                let newest = scored.votes.range(FIRST + 1_400..);
                assert_eq!(newest.clone().count(), labelled - 1_400);
                for (&row, &votes) in newest {
                    let (found, miners) = forecast(&fit, &world.latest(row));
                    assert_eq!(found, Some(bits(votes)), "{row} {params}");
                    let absent =
                        scored.voters.iter().filter(|voter| voter.miner == 2 && row % 7 == 0).count();
                    assert_eq!(miners, scored.voters.len() - absent);
                }
            }
        }
    }
}

/// A segment begins after row 1,800, which has the votes of the one before until it has 100 rows.
#[test]
fn rows_that_follow_have_the_bits_of_what_a_later_score_knows_of_them() {
    let world = World::new();
    for solver in SOLVERS {
        for params in ways() {
            let challenge = challenge(&params, solver);
            let rows = FIRST + 1_800 + AHEAD;
            let (fit, later) = (world.fit(&challenge, rows), world.score(&challenge, rows + 90));
            assert_eq!(world.fit(&challenge, rows + 90), fit);
            assert_ne!(world.fit(&challenge, rows + 150), fit);
            let history = world.history(rows + 90);
            let known = Predictions::read(&history, &later.labels, &challenge.params, &Silent).unwrap();
            for i in 1_800..1_890 {
                let voters = later.voters.iter().map(|one| (known.miners[one.miner].choice[i], one.share));
                let (found, _) = forecast(&fit, &world.latest(later.labels.rows[i].row));
                assert_eq!(found, Some(bits(tally(voters))), "{i}");
            }
        }
    }
}

#[test]
fn who_is_absent_votes_as_in_the_score() {
    let world = World::new();
    let challenge = challenge(&json!({}), Solver::Exact);
    let scored = world.score(&challenge, 2_200);
    let fit = world.fit(&challenge, 2_200);
    let row = 2_100;
    let (_, all) = forecast(&fit, &world.latest(row));
    assert!(scored.voters.iter().any(|voter| voter.miner == 3));
    for absent in [0.0, -0.0, f32::NAN, f32::INFINITY] {
        let mut other = World::new();
        other.miners[3][row * DIM..(row + 1) * DIM].fill(absent);
        let voters = scored.voters.iter().map(|one| {
            let raw = &other.latest(row)[one.miner * DIM..(one.miner + 1) * DIM];
            let sent = raw.iter().map(|&x| if x.is_finite() { x } else { 0.0 }).collect::<Vec<_>>();
            let best = (0..BUCKETS).rev().max_by(|&a, &b| sent[a].total_cmp(&sent[b])).unwrap();
            (if is_there(&sent) { best as u8 } else { 0 }, one.share)
        });
        let expected = bits(tally(voters));
        assert_eq!(forecast(&fit, &other.latest(row)), (Some(expected), all - 1));
    }
    assert_eq!(forecast(&fit, &[0.0; 5 * DIM]), (None, 0));
    assert_eq!(forecast(&fit, &[f32::NAN; 5 * DIM]), (None, 0));
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    let world = World::new();
    let challenge = challenge(&json!({}), Solver::Exact);
    let (fit, latest) = (world.fit(&challenge, 2_200), world.latest(2_200));
    let forecast = |fit: &[u8], latest: &[f32]| challenge.forecast(fit, latest, &Market::default());
    assert!(forecast(&fit, &latest).is_ok());
    for length in [0, 5 * DIM - 1, 6 * DIM] {
        assert!(matches!(forecast(&fit, &vec![0.5; length]), Err(PluginError::Data { .. })));
    }
    for end in 0..fit.len() {
        assert!(matches!(forecast(&fit[..end], &latest), Err(PluginError::Data { .. })), "{end}");
    }
    for at in 0..fit.len() {
        for flip in [1, 2, 4, 16, 128] {
            let mut bent = fit.clone();
            bent[at] ^= flip;
            // A digit can become another one; what is said then are still parts.
            match forecast(&bent, &latest) {
                Ok(Forecast { values, .. }) => {
                    assert!(values.iter().flatten().all(|x| (0.0..=1.0).contains(x)), "{values:?}");
                }
                Err(error) => assert!(matches!(error, PluginError::Data { .. }), "{error}"),
            }
        }
    }
    let text = String::from_utf8(fit).unwrap();
    for (from, to) in [
        ("lbfgs-1", "lbfgs-2"),
        ("\"voters\":[", "\"voters\":[[5,0.1],"),
        ("\"voters\":[", "\"voters\":[[18446744073709551615,0.1],"),
        ("\"voters\":[", "\"voters\":[[0,-0.1],"),
        ("\"voters\":[", "\"voters\":[[0,1e999],"),
    ] {
        assert!(text.contains(from), "{from} {text}");
        let bent = text.replacen(from, to, 1);
        assert!(matches!(forecast(bent.as_bytes(), &latest), Err(PluginError::Data { .. })), "{bent}");
    }
}

#[test]
fn forecasts_tell_buckets_apart() {
    let world = World::new();
    for params in ways() {
        let challenge = challenge(&params, Solver::Exact);
        let fit = world.fit(&challenge, 2_200);
        let later = world.score(&challenge, ROWS).labels;
        let rows = &later.rows[later.rows.partition_point(|row| row.row < 2_200)..];
        let votes: Vec<Vec<Option<f64>>> = rows
            .iter()
            .map(|row| challenge.forecast(&fit, &world.latest(row.row), &Market::default()).unwrap().values)
            .collect();
        for bucket in 0..BUCKETS {
            let column: Vec<f64> = votes.iter().map(|votes| votes[bucket].unwrap()).collect();
            let y: Vec<bool> = rows.iter().map(|row| usize::from(row.bucket) == bucket).collect();
            let auc = auc(&column, &y).unwrap();
            println!("bucket {bucket}: AUC {auc:.3} over {} rows", y.iter().filter(|&&y| y).count());
            assert!(auc > 0.6, "{bucket} {auc}");
        }
    }
}

#[test]
fn what_comes_later_changes_no_fit() {
    let (world, challenge, rows) = (World::new(), challenge(&json!({}), Solver::Exact), 2_300);
    let before = world.fit(&challenge, rows);
    let mut other = World::new();
    let mut noise = Noise::new(77);
    other.market.prices[rows..].iter_mut().for_each(|price| *price *= 1.0 + 0.1 * noise.uniform());
    for numbers in &mut other.miners {
        numbers[rows * DIM..].iter_mut().for_each(|x| *x = noise.uniform() as f32);
    }
    assert_eq!(other.fit(&challenge, rows), before);
    // What came before does.
    other.market.prices[rows - 1] *= 2.0;
    assert_ne!(other.fit(&challenge, rows), before);
}
