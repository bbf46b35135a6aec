//! What attacks earn by the network's rules, and with the parameters that are there against them.

#![allow(clippy::unwrap_used)] // a test that panics fails, which is what is wanted

use mantis_kit::math;
use mantis_lbfgs::Lbfgs;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{Noise, earned, fact, honest_and_attacked, random_walk, score, spec};
use mantis_plugin_api::{Market, Salience, Solver};

const ROWS: usize = 6_000;
const AHEAD: usize = 20;
const DIM: usize = 17;
const MARKETS: u64 = 3;
/// The miner that is honest in one world and attacks in another.
const ONE: usize = 9;

/// The network's parameters, with windows and segments that are as much shorter, and penalties as much weaker, as a test's
/// rows are fewer.
fn network() -> Value {
    json!({
        "min_rows": 1_000, "bucket_sigma_rows": 400, "excursion_sigma_rows": 600, "first_segment": 1_200,
        "segment_rows": 600, "train_rows": 1_800, "overlap_rows": 800, "recent_rows": 1_000, "classifier_c": 2.0, "excursion_c": 7.0,
    })
}

fn collapsed() -> Value {
    let mut params = network();
    params["collapse_clones"] = json!(true);
    params["standardise"] = json!(true);
    params
}

/// The same by the rules of July: correlated miners are a cohort.
fn july() -> Value {
    let mut params = network();
    params["cohorts"] = json!("on");
    params["cohort_min_rows"] = json!(700);
    params["cohort_min_joint"] = json!(700);
    params["q_penalty"] = json!("L2-bias");
    params
}

/// July's rules, with all that hardens them.
fn hardened() -> Value {
    let mut params = july();
    params["cohort_one_rank"] = json!(true);
    params["collapse_clones"] = json!(true);
    params["standardise"] = json!(true);
    params
}

/// Log-odds of the buckets, then of the excursions, per row.
fn odds(market: &Market, skill: f64, seed: u64) -> Vec<[f64; DIM]> {
    let mut noise = Noise::new(seed);
    let deviation = 1e-3 * (AHEAD as f64).sqrt();
    let prior = [-1.5, -0.3, 1.0, -0.3, -1.5];
    let of_row = |row: usize| {
        let z = match market.prices.get(row + AHEAD) {
            Some(later) => (later / market.prices[row] - 1.0) / deviation,
            None => 0.0,
        };
        let bucket = [-2.0, -1.0, 1.0, 2.0].iter().filter(|&&edge| z > edge).count();
        std::array::from_fn(|i| match i {
            0..5 => prior[i] + 1.5 * (if i == bucket { skill } else { 0.0 } + noise.normal()),
            _ => skill * (z.abs() - [0.5, 1.0, 2.0][(i - 5) % 3]) + noise.normal(),
        })
    };
    (0..ROWS).map(of_row).collect()
}

/// What a miner sends for its log-odds.
fn sent(odds: &[[f64; DIM]]) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(odds.len() * DIM);
    for row in odds {
        let raised: Vec<f64> = row[..5].iter().map(|&x| math::exp(x)).collect();
        let sum: f64 = raised.iter().sum();
        numbers.extend(raised.iter().map(|x| (x / sum) as f32));
        numbers.extend(row[5..].iter().map(|&x| math::sigmoid(x) as f32));
    }
    numbers
}

fn field(market: &Market) -> Vec<Vec<[f64; DIM]>> {
    (0..10).map(|i| odds(market, 0.5 + 0.03 * i as f64, 100 + i)).collect()
}

fn run(params: &Value, market: &Market, miners: &[Vec<f32>]) -> Salience {
    score::<Lbfgs>(spec(DIM, AHEAD as u32, Solver::Exact), params, market, miners).unwrap()
}

/// What an attacker sends instead of an honest miner's numbers: those of each hotkey.
type Attack<'a> = &'a dyn Fn(&[[f64; DIM]]) -> Vec<Vec<f32>>;

/// What attackers in the place of the honest miner earn together, over what it earns, on average over markets.
fn gain(params: &Value, attack: Attack) -> f64 {
    let (mut honest, mut attacked) = (0.0, 0.0);
    for seed in 0..MARKETS {
        let market = random_walk(ROWS, 1e-3, 50 + seed);
        let field = field(&market);
        let miners: Vec<Vec<f32>> = field.iter().map(|odds| sent(odds)).collect();
        let (one, all) =
            honest_and_attacked(&miners, attack(&field[ONE]), |miners| run(params, &market, miners));
        (honest, attacked) = (honest + one, attacked + all);
    }
    attacked / honest
}

/// Noise of some size on the log-odds of the buckets and on those of the excursions.
fn noisy(honest: &[[f64; DIM]], sizes: [f64; 2], seed: u64) -> Vec<[f64; DIM]> {
    let mut noise = Noise::new(900 + seed);
    let of_row =
        |row: &[f64; DIM]| std::array::from_fn(|i| row[i] + sizes[usize::from(i >= 5)] * noise.normal());
    honest.iter().map(of_row).collect()
}

fn late(honest: &[[f64; DIM]], rows: usize) -> Vec<[f64; DIM]> {
    [&honest[..rows], &honest[..ROWS - rows]].concat()
}

/// Probabilities nearer to even ones, of buckets and of excursions.
fn shrunk(odds: &[[f64; DIM]], scales: [f64; 2]) -> Vec<f32> {
    let mut numbers = sent(odds);
    for row in numbers.chunks_mut(DIM) {
        for (i, p) in row.iter_mut().enumerate() {
            let (even, scale) = if i < 5 { (0.2, scales[0]) } else { (0.5, scales[1]) };
            *p = even + scale as f32 * (*p - even);
        }
    }
    numbers
}

#[test]
fn nearly_even_probabilities_and_late_copies_earn_no_more_where_that_is_asked_for() {
    let attacks: [(&str, [f64; 2], Attack); 3] = [
        ("probabilities a tenth as far from even ones", [1.5, 1.1], &|honest| {
            vec![shrunk(honest, [0.1, 0.1])]
        }),
        ("a copy one row late, beside the original", [1.1, 1.1], &|honest| {
            vec![sent(honest), sent(&late(honest, 1))]
        }),
        // The best of five by luck stands for them.
        ("five copies, each a row later", [1.3, 1.15], &|honest| {
            (0..5).map(|rows| sent(&late(honest, rows))).collect()
        }),
    ];
    for (name, [bar, rest], attack) in attacks {
        let (before, after) = (gain(&network(), attack), gain(&collapsed(), attack));
        println!("{name}: {before:.2} times as much, standardised and collapsed {after:.2}");
        assert!(before > bar && after <= rest, "{name}: {before} {after}");
    }
}

/// The squares of what they weigh, and their equal choices, cost noisy copies more than they earn.
#[test]
fn noisy_copies_of_the_same_row_earn_less_than_one_either_way() {
    for (name, scale) in [("five noisy copies", 1.0), ("five noisy copies, nearly even", 0.1)] {
        let attack: Attack =
            &|honest| (0..5).map(|copy| shrunk(&noisy(honest, [0.8, 0.5], copy), [scale, scale])).collect();
        let (before, after) = (gain(&network(), attack), gain(&collapsed(), attack));
        println!("{name}: {before:.2} times as much, standardised and collapsed {after:.2}");
        assert!(before <= 1.1 && after <= 1.1, "{name}: {before} {after}");
    }
}

/// What is not closed: miners that know the same, each with noise of its own, are as little alike as honest ones are.
#[test]
fn miners_that_only_know_the_same_are_not_taken_for_copies() {
    for params in [network(), collapsed()] {
        let (mut one, mut five) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let market = random_walk(ROWS, 1e-3, 50 + seed);
            let mut miners: Vec<Vec<f32>> = field(&market).iter().map(|odds| sent(odds)).collect();
            one += earned(&run(&params, &market, &miners), &[ONE]);
            miners.extend((0..4).map(|i| sent(&odds(&market, 0.77, 300 + i))));
            let salience = run(&params, &market, &miners);
            five += earned(&salience, &[9, 10, 11, 12, 13]);
            assert!((9..14).all(|miner| fact(&salience, miner, "classifier_clones").is_none()));
        }
        println!("five of independent noise: {:.2} times as much", five / one);
        assert!(five > 1.5 * one, "{five} {one}");
    }
}

#[test]
fn skill_earns_clearly_more_than_noise() {
    for params in [network(), collapsed()] {
        let (mut noise, mut skilled) = (0.0, 0.0);
        for seed in 0..MARKETS {
            let market = random_walk(ROWS, 1e-3, 70 + seed);
            let mut miners = field(&market);
            miners.extend((0..4).map(|i| odds(&market, 0.0, 7 + i)));
            let salience = run(&params, &market, &miners.iter().map(|odds| sent(odds)).collect::<Vec<_>>());
            noise += earned(&salience, &[10, 11, 12, 13]) / 4.0;
            skilled += earned(&salience, &[7, 8, 9]) / 3.0;
        }
        println!("{params}: a noise miner earns {:.3} of a skilled one", noise / skilled);
        assert!(noise <= 0.25 * skilled, "{params}: {noise} {skilled}");
    }
}

#[test]
fn cohorts_split_what_copies_earn() {
    let attacks: [(&str, f64, [f64; 2], Attack); 6] = [
        ("probabilities a tenth as far from even ones", 0.0, [2.2, 1.15], &|honest| {
            vec![shrunk(honest, [0.1, 0.1])]
        }),
        ("five exact copies", 0.0, [1.1, 1.1], &|honest| (0..5).map(|_| sent(honest)).collect()),
        ("five copies with noise of a tenth of their size", 0.0, [1.1, 1.1], &|honest| {
            (0..5).map(|copy| sent(&noisy(honest, [0.15, 0.1], copy))).collect()
        }),
        ("five copies with noise of half their size", 0.0, [1.1, 1.1], &|honest| {
            (0..5).map(|copy| sent(&noisy(honest, [0.8, 0.5], copy))).collect()
        }),
        ("a copy one row late, beside the original", 0.0, [1.5, 1.15], &|honest| {
            vec![sent(honest), sent(&late(honest, 1))]
        }),
        ("five copies, each a row later", 0.0, [1.9, 1.25], &|honest| {
            (0..5).map(|rows| sent(&late(honest, rows))).collect()
        }),
    ];
    for (name, _, [bar, rest], attack) in attacks {
        let gains = [network(), july(), hardened()].map(|params| gain(&params, attack));
        println!("{name}: May {:.2}, July {:.2}, hardened {:.2}", gains[0], gains[1], gains[2]);
        assert!(gains[1] <= bar && gains[2] <= rest, "{name}: {gains:?}");
    }
}

/// With the intercept penalised, a constant miner's column is a second intercept.
#[test]
fn constants_earn_little_and_nothing_where_columns_are_standardised() {
    let constant = || [0.1, 0.5, 0.2, 0.1, 0.1].into_iter().chain([0.3; 12]).cycle().take(ROWS * DIM);
    let earns = |params: &Value| {
        let market = random_walk(ROWS, 1e-3, 50);
        let mut miners: Vec<Vec<f32>> = field(&market).iter().map(|odds| sent(odds)).collect();
        miners.extend((0..14).map(|_| constant().collect()));
        earned(&run(params, &market, &miners), &(10..24).collect::<Vec<_>>())
    };
    let earned = [network(), july(), hardened()].map(|params| earns(&params));
    println!(
        "14 constants earn of all: May {:.4}, July {:.4}, hardened {:.4}",
        earned[0], earned[1], earned[2]
    );
    assert!(earned[0] < 1e-6 && earned[1] > 1e-4 && earned[1] < 0.05 && earned[2] == 0.0, "{earned:?}");
}

/// What the rank decay makes of an equal split, and one rank for a cohort undoes.
#[test]
fn members_of_a_cohort_earn_the_same_where_it_has_one_rank() {
    let market = random_walk(ROWS, 1e-3, 50);
    let mut miners: Vec<Vec<f32>> = field(&market).iter().map(|odds| sent(odds)).collect();
    miners.resize(14, miners[ONE].clone());
    let mut one_rank = july();
    one_rank["cohort_one_rank"] = json!(true);
    let spread = |params: &Value| {
        let salience = run(params, &market, &miners);
        assert!((9..14).all(|miner| fact(&salience, miner, "cohort") == Some(5.0)));
        earned(&salience, &[13]) / earned(&salience, &[9])
    };
    let spreads = [july(), one_rank].map(|params| spread(&params));
    println!("the last of five exact copies earns of the first: {spreads:.3?}");
    assert!(spreads[0] < 0.8 && (spreads[1] - 1.0).abs() < 1e-9, "{spreads:?}");
}

/// What is not closed: who copies a miner is paid as that one is, out of its pay.
#[test]
fn a_cohort_pays_the_copier_half() {
    for params in [network(), july(), hardened()] {
        let (mut alone, mut copied, mut copier) = (0.0, 0.0, 0.0);
        for seed in 0..MARKETS {
            let market = random_walk(ROWS, 1e-3, 50 + seed);
            let mut miners: Vec<Vec<f32>> = field(&market).iter().map(|odds| sent(odds)).collect();
            alone += earned(&run(&params, &market, &miners), &[ONE]);
            miners.push(miners[ONE].clone());
            let salience = run(&params, &market, &miners);
            copied += earned(&salience, &[ONE]);
            copier += earned(&salience, &[10]);
        }
        println!("a copied miner keeps {:.2}, its copier earns {:.2}", copied / alone, copier / alone);
        assert!(copied + copier <= 1.1 * alone);
    }
}
