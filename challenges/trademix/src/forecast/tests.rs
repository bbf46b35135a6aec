use super::*;
use crate::Params;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MarketBuilder, MemoryHistory, Noise, spec_with_assets};
use mantis_plugin_api::{Challenge, Label, Silent, Solver};

const ASSETS: usize = 3;
const ROWS: usize = 6_000;
/// No divisor of a fold's first row, so that a gate there knows no return that ends at it.
const AHEAD: usize = 11;
const MODELS: [&str; 3] = ["skillw", "gbdt", "moe"];

fn challenge(meta_model: &str, window_rows: usize) -> TradeMix {
    let params = json!({
        "window_rows": window_rows, "fee": 0.0001, "meta_model": meta_model, "gbdt_every": 10, "min_skill": 0.0,
    });
    let Value::Object(params) = params else { panic!("no table") };
    TradeMix::configure(spec_with_assets(1, ASSETS, AHEAD as u32, Solver::Exact), &params).unwrap()
}

struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

impl World {
    /// Seven whose skill falls from one to the next, a copy of the third, one that never came.
    fn new(seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let walk = MarketBuilder::new(ASSETS);
        let market = walk.walk(ROWS, 100.0, |price| price * (1.0 + 1e-3 * noise.normal())).build();
        // So far apart that their order by skill is the same in every window.
        let skills = [1.5, 1.0, 0.7, 0.4, 0.25, 0.12, 0.0];
        let mut miners: Vec<Vec<f32>> =
            skills.iter().zip(seed + 10..).map(|(skill, seed)| miner(&market, *skill, seed)).collect();
        miners.push(miners[2].iter().map(|x| 0.5 * x).collect());
        miners.push(vec![0.0; ROWS * ASSETS]);
        miners[1].iter_mut().step_by(13).for_each(|x| *x = f32::NAN);
        for miner in &mut miners {
            miner[4_222 * ASSETS..4_223 * ASSETS].fill(0.0);
        }
        Self { market, miners }
    }

    /// As it was when so many rows were there.
    fn at(&self, rows: usize) -> (Market, MemoryHistory) {
        let mut market = self.market.clone();
        market.sidx.truncate(rows);
        market.prices.truncate(rows * ASSETS);
        market.submitted.truncate(rows);
        market.scored_rows = rows;
        (market, self.history(rows))
    }

    fn history(&self, rows: usize) -> MemoryHistory {
        let mut history = MemoryHistory::new(rows, ASSETS);
        for (i, numbers) in self.miners.iter().enumerate() {
            history.push(&format!("miner{i}"), &numbers[..rows * ASSETS]);
        }
        history
    }

    fn fit(&self, challenge: &TradeMix, rows: usize) -> Option<Vec<u8>> {
        let (market, history) = self.at(rows);
        let labels = challenge.label(&market).unwrap();
        challenge.score_and_fit(&history, &labels, &Silent).unwrap().1
    }

    fn sent(&self, row: usize) -> Vec<f32> {
        self.miners.iter().flat_map(|numbers| numbers[row * ASSETS..(row + 1) * ASSETS].to_vec()).collect()
    }

    fn forecast(&self, challenge: &TradeMix, fit: &[u8], row: usize) -> Forecast {
        challenge.forecast(fit, &self.sent(row), &self.row(row)).unwrap()
    }

    fn row(&self, row: usize) -> Market {
        let prices = self.market.prices[row * ASSETS..(row + 1) * ASSETS].to_vec();
        Market { sidx: vec![row as i64], prices, assets: ASSETS, ..Market::default() }
    }
}

fn miner(market: &Market, skill: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    let rises = |row: usize, asset: usize| {
        (row + AHEAD < ROWS).then(|| market.price(row + AHEAD, asset) > market.price(row, asset))
    };
    let position = |i: usize| {
        let knows = rises(i / ASSETS, i % ASSETS).map_or(0.0, |rises| if rises { skill } else { -skill });
        (0.4 * (knows + noise.normal())).clamp(-1.0, 1.0) as f32
    };
    (0..ROWS * ASSETS).map(position).collect()
}

/// The fold of 6,000 rows that begins at row 4,200 is the one that the fit of 4,200 rows stands for, if it learns from the
/// same rows: a hole in a price takes those out that the fit cannot know.
#[test]
fn a_forecast_has_the_bits_of_the_fold_that_begins_there() {
    let first = 4_200;
    for model in MODELS {
        let mut world = World::new(1);
        for row in first..first + AHEAD {
            world.market.prices[row * ASSETS + 2] = f64::NAN;
        }
        let whole = challenge(model, ROWS);
        let Labels::Desk(window) = whole.label(&world.market).unwrap() else { panic!("no desk") };
        let mut aside = Aside { held: Some(Vec::new()), ..Aside::default() };
        whole.staff(&world.history(ROWS), &window, &Silent, &mut aside).unwrap();
        let held = aside.held.unwrap();
        let challenge = challenge(model, first);
        let fit = world.fit(&challenge, first).unwrap();
        let mut compared = 0;
        for (asset, row, holding) in held.into_iter().filter(|(_, row, _)| (first..5_100).contains(row)) {
            // A gate moves on with each return that it learns.
            if model == "moe" && row > first {
                continue;
            }
            let forecast = world.forecast(&challenge, &fit, row).values[asset].unwrap();
            assert_eq!(forecast.to_bits(), holding.to_bits(), "{model} {row} {asset}: {forecast} {holding}");
            compared += 1;
        }
        let rebalances = if model == "moe" { 1 } else { (900 - AHEAD).div_ceil(AHEAD) };
        assert_eq!(compared, ASSETS * rebalances);
        // A little earlier the fold is another.
        let other = world.fit(&self::challenge(model, first - 20), first - 20).unwrap();
        let values = |fit: &[u8]| world.forecast(&challenge, fit, first).values;
        assert_ne!(values(&other), values(&fit), "{model}");
    }
}

#[test]
fn a_fit_changes_no_salience_and_comes_only_of_enough() {
    let world = World::new(2);
    for model in MODELS {
        let challenge = challenge(model, 2_000);
        for (rows, is_fitted) in [(1_999, false), (2_000, true), (3_000, true)] {
            let (market, history) = world.at(rows);
            let labels = challenge.label(&market).unwrap();
            let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
            assert_eq!(salience, challenge.score(&history, &labels, &Silent).unwrap());
            assert_eq!(fit.is_some(), is_fitted, "{model} {rows}");
        }
    }
    let few = TradeMix {
        params: Params { min_train_rows: 2_000, ..challenge("moe", 2_000).params },
        ..challenge("moe", 2_000)
    };
    assert_eq!(world.fit(&few, 2_000), None);
}

#[test]
fn evidence_mixes_nothing() {
    let world = World::new(2);
    let Value::Object(params) = json!({ "mechanism": "evidence" }) else { panic!("no table") };
    let spec = spec_with_assets(1, ASSETS, AHEAD as u32, Solver::Exact);
    let challenge = TradeMix::configure(spec, &params).unwrap();
    let (market, history) = world.at(ROWS);
    let labels = challenge.label(&market).unwrap();
    let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
    assert_eq!((salience, fit), (challenge.score(&history, &labels, &Silent).unwrap(), None));
}

#[test]
fn those_who_hold_nothing_are_left_out() {
    let world = World::new(3);
    for model in MODELS {
        let challenge = challenge(model, 4_000);
        let fit = world.fit(&challenge, 4_000).unwrap();
        // The copy is not a seed, and who never came neither; the least skilled may weigh nothing.
        let all = world.forecast(&challenge, &fit, 4_100);
        assert!((5..=7).contains(&all.miners), "{model}: {all:?}");
        let mut sent = world.sent(4_100);
        sent[..ASSETS].fill(0.0);
        let one_less = challenge.forecast(&fit, &sent, &world.row(4_100)).unwrap();
        assert_eq!(one_less.miners, all.miners - 1, "{model}");
        assert_ne!(one_less.values, all.values, "{model}");
        let nobody = world.forecast(&challenge, &fit, 4_222);
        assert_eq!(nobody.miners, 0, "{model}");
        if model != "gbdt" {
            assert!(nobody.values.iter().all(|holding| *holding == Some(0.0)), "{model}: {nobody:?}");
        }
        for broken in [f32::NAN, f32::INFINITY, 1e9, 1e-12, -0.0] {
            let forecast = challenge.forecast(&fit, &[broken; 9 * ASSETS], &world.row(4_100)).unwrap();
            assert_eq!(forecast, nobody, "{model} {broken}");
        }
    }
}

#[test]
fn what_comes_later_changes_no_fit() {
    for model in MODELS {
        let (mut world, challenge) = (World::new(4), challenge(model, 3_000));
        let fit = world.fit(&challenge, 3_000).unwrap();
        let mut noise = Noise::new(5);
        world.market.prices[3_000 * ASSETS..].fill_with(|| 100.0 + noise.normal());
        world
            .miners
            .iter_mut()
            .for_each(|miner| miner[3_000 * ASSETS..].fill_with(|| noise.uniform() as f32));
        let market = Market { scored_rows: 3_000, ..world.market.clone() };
        let labels = challenge.label(&market).unwrap();
        let again = challenge.score_and_fit(&world.history(3_000), &labels, &Silent).unwrap().1;
        assert_eq!(again.as_ref(), Some(&fit), "{model}");
    }
}

#[test]
fn what_the_desk_would_hold_makes_money() {
    let world = World::new(6);
    for model in MODELS {
        let challenge = challenge(model, 3_000);
        let fit = world.fit(&challenge, 3_000).unwrap();
        let (mut right, mut of) = (0, 0);
        for row in (3_000..5_900).step_by(AHEAD) {
            for (asset, holding) in world.forecast(&challenge, &fit, row).values.into_iter().enumerate() {
                let holding = holding.unwrap();
                assert!(holding.abs() <= 1.0);
                let rise = world.market.price(row + AHEAD, asset) - world.market.price(row, asset);
                right += usize::from(holding * rise > 0.0);
                of += 1;
            }
        }
        println!("{model}: {right} of {of} on the right side");
        // Chance is a half, with a deviation of 0.018.
        assert!(right as f64 > 0.6 * of as f64, "{model}: {right} of {of}");
    }
}

#[test]
fn what_is_no_fit_is_refused() {
    let world = World::new(1);
    let sent = world.sent(1_300);
    for model in MODELS {
        let mut challenge = challenge(model, 1_000);
        challenge.params.gbdt_trees = 3;
        let fit = world.fit(&challenge, 1_000).unwrap();
        let refused = |fit: &[u8], sent: &[f32]| match challenge.forecast(fit, sent, &Market::default()) {
            Err(PluginError::Data { .. }) => true,
            Err(error) => panic!("{error}"),
            Ok(forecast) => {
                assert_eq!(forecast.values.len(), ASSETS);
                assert!(forecast.values.iter().flatten().all(|x| x.abs() <= 1.0), "{forecast:?}");
                false
            }
        };
        assert!(!refused(&fit, &sent));
        assert!(refused(&fit, &sent[1..]) && refused(&fit, &[]));
        for end in 0..fit.len() {
            assert!(refused(&fit[..end], &sent), "{model}: cut at {end}");
        }
        for at in 0..fit.len() {
            for bit in 0..8 {
                let mut fit = fit.clone();
                fit[at] ^= 1 << bit;
                refused(&fit, &sent);
            }
        }
        for other in MODELS.into_iter().filter(|other| *other != model) {
            let other = self::challenge(other, 1_000);
            assert!(other.forecast(&fit, &sent, &Market::default()).is_err());
        }
        let other = String::from_utf8(fit).unwrap().replace("trademix-1", "trademix-2");
        assert!(refused(other.as_bytes(), &sent));
    }
}
