use super::*;
use crate::CrossSection;
use mantis_kit::auc::auc;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MarketBuilder, MemoryHistory, Noise, ranking_miner, spec_with_assets};
use mantis_plugin_api::{Challenge, Label, Silent, Solver};
use std::collections::BTreeMap;

const ASSETS: usize = 6;
const ROWS: usize = 2_100;
const AHEAD: usize = 20;
const SEGMENT: usize = 400;
const MINERS: usize = 9;

fn challenge(solver: Solver, max_rows: usize) -> CrossSection {
    let params = json!({ "segment_rows": SEGMENT, "embargo_rows": 20, "max_rows": max_rows, "top_k": 7 });
    let Value::Object(params) = params else { panic!("no table") };
    CrossSection::configure(spec_with_assets(1, ASSETS, AHEAD as u32, solver), &params).unwrap()
}

struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

impl World {
    /// Six who know something, one whose numbers are broken here and there, one that comes late, one that never came.
    fn new(seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let walk = MarketBuilder::new(ASSETS);
        let mut market = walk.walk(ROWS, 100.0, |price| price * (1.0 + 1e-3 * noise.normal())).build();
        for hole in [3_000, 7_777, 9_241, 9_242] {
            market.prices[hole] = f64::NAN;
        }
        let miner =
            |i: u64| ranking_miner(&market, AHEAD, |now, later| later / now - 1.0, 0.15 * i as f64, seed + i);
        let mut miners: Vec<Vec<f32>> = (0..MINERS as u64 - 1).map(miner).collect();
        miners[5].iter_mut().step_by(7).for_each(|x| *x = f32::NAN);
        miners[6][..1_000 * ASSETS].fill(0.0);
        miners.push(vec![0.0; ROWS * ASSETS]);
        // Some rows in which one, or nobody, said anything.
        for miner in &mut miners {
            miner[1_510 * ASSETS..1_512 * ASSETS].fill(0.0);
        }
        miners[2][1_640 * ASSETS..1_700 * ASSETS].fill(0.0);
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

    fn fit(&self, challenge: &CrossSection, rows: usize) -> Option<Vec<u8>> {
        let (market, history) = self.at(rows);
        let labels = challenge.label(&market).unwrap();
        challenge.score_and_fit(&history, &labels, &Silent).unwrap().1
    }

    /// What the score over so many rows computed, bit by bit, by row of the market and asset.
    fn computed(&self, challenge: &CrossSection, rows: usize) -> BTreeMap<(usize, usize), u64> {
        let (market, history) = self.at(rows);
        let labels = challenge.label(&market).unwrap();
        let mut seen = BTreeMap::new();
        let watch = |place: usize, asset, z: f64| {
            seen.insert((labels.rows[place], asset), z.to_bits());
        };
        challenge.score_watched(&history, &labels, &Silent, watch).unwrap();
        seen
    }

    /// The forecast of a row of it.
    fn forecast(&self, challenge: &CrossSection, fit: &[u8], row: usize) -> Forecast {
        let sent: Vec<f32> = self
            .miners
            .iter()
            .flat_map(|numbers| numbers[row * ASSETS..(row + 1) * ASSETS].to_vec())
            .collect();
        challenge.forecast(fit, &sent, &self.row(row)).unwrap()
    }

    fn row(&self, row: usize) -> Market {
        let prices = self.market.prices[row * ASSETS..(row + 1) * ASSETS].to_vec();
        Market { sidx: vec![row as i64], prices, assets: ASSETS, ..Market::default() }
    }
}

/// Samples of some rows, and how many of them the forecast by a fit has other bits for.
fn compare(
    world: &World,
    challenge: &CrossSection,
    fit: &[u8],
    computed: &BTreeMap<(usize, usize), u64>,
    rows: std::ops::Range<usize>,
) -> (usize, usize) {
    let (mut samples, mut off) = (0, 0);
    for row in rows {
        let forecast = world.forecast(challenge, fit, row);
        for (asset, value) in forecast.values.iter().enumerate() {
            if let Some(bits) = computed.get(&(row, asset)) {
                samples += 1;
                off += usize::from(value.map(f64::to_bits) != Some(*bits));
            }
        }
    }
    (samples, off)
}

#[test]
fn a_forecast_has_the_bits_of_the_score_that_comes_later() {
    for solver in [Solver::Exact, Solver::Network] {
        let (world, challenge) = (World::new(1), challenge(solver, 432_000));
        let computed = world.computed(&challenge, ROWS);
        // The first row that can have the ensemble of segment 3, and rows further on in it.
        for rows in [1_240, 1_241, 1_500, 1_599] {
            let fit = world.fit(&challenge, rows).unwrap();
            let (samples, off) = compare(&world, &challenge, &fit, &computed, rows..1_600);
            assert!(samples > 5 * (1_600 - rows) && off == 0, "{rows}: {off} of {samples}");
        }
        // The next one begins to ask at row 1,620, but is fitted on labels that are not known before row 1,640.
        let fit = world.fit(&challenge, 1_599).unwrap();
        assert_eq!(world.fit(&challenge, 1_600).as_ref(), Some(&fit));
        assert_eq!(world.fit(&challenge, 1_639).as_ref(), Some(&fit));
        let next = world.fit(&challenge, 1_640).unwrap();
        let (samples, off) = compare(&world, &challenge, &next, &computed, 1_640..2_000);
        assert!(samples > 1_900 && off == 0, "{off} of {samples}");
        let (samples, off) = compare(&world, &challenge, &fit, &computed, 1_640..2_000);
        assert!(off > samples / 2, "another segment has another ensemble: {off} of {samples}");
    }
}

/// Where rows are dropped for new ones, the segments move with them.
#[test]
fn a_forecast_has_the_bits_of_the_score_that_gives_its_row_a_label() {
    let (world, challenge) = (World::new(2), challenge(Solver::Exact, 1_300));
    for rows in [1_279, 1_280, 1_295, 1_300, 1_700] {
        let computed = world.computed(&challenge, rows + AHEAD + 1);
        let fit = world.fit(&challenge, rows).unwrap();
        let (samples, off) = compare(&world, &challenge, &fit, &computed, rows..rows + 1);
        assert!(samples >= 5 && off == 0, "{rows}: {off} of {samples}");
    }
}

#[test]
fn a_fit_changes_no_salience_and_comes_only_of_enough() {
    let (world, challenge) = (World::new(3), challenge(Solver::Exact, 432_000));
    for (rows, is_fitted) in [(300, false), (839, false), (840, true), (1_700, true)] {
        let (market, history) = world.at(rows);
        let labels = challenge.label(&market).unwrap();
        let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
        assert_eq!(salience, challenge.score(&history, &labels, &Silent).unwrap());
        assert_eq!(fit.is_some(), is_fitted, "{rows}");
    }
}

#[test]
fn those_who_are_absent_are_left_out() {
    let (world, challenge) = (World::new(1), challenge(Solver::Exact, 432_000));
    let fit = world.fit(&challenge, 1_500).unwrap();
    assert_eq!(world.forecast(&challenge, &fit, 1_505).miners, 7);
    let nobody = world.forecast(&challenge, &fit, 1_510);
    assert_eq!(nobody.miners, 0);
    let [Some(first), rest @ ..] = &nobody.values[..] else { panic!("{nobody:?}") };
    assert!(rest.iter().all(|value| *value == Some(*first)), "nothing but the intercept: {nobody:?}");
    for broken in [0.0, f32::NAN, f32::NEG_INFINITY, 1e30] {
        let forecast = challenge.forecast(&fit, &[broken; MINERS * ASSETS], &world.row(1_505)).unwrap();
        assert_eq!(forecast, nobody, "{broken}");
    }
    // Row 1,540 has no price of the second and third.
    let holes: Vec<bool> =
        world.forecast(&challenge, &fit, 1_540).values.iter().map(Option::is_none).collect();
    assert_eq!(holes, [false, true, true, false, false, false]);
}

#[test]
fn what_comes_later_changes_no_fit() {
    let (mut world, challenge) = (World::new(4), challenge(Solver::Exact, 432_000));
    let fit = world.fit(&challenge, 1_300).unwrap();
    let forecast = world.forecast(&challenge, &fit, 1_300);
    let mut noise = Noise::new(5);
    world.market.prices[1_300 * ASSETS..].fill_with(|| 100.0 + noise.normal());
    for miner in &mut world.miners {
        miner[1_301 * ASSETS..].fill_with(|| noise.uniform() as f32);
    }
    let market = Market { scored_rows: 1_300, ..world.market.clone() };
    let labels = challenge.label(&market).unwrap();
    let again = challenge.score_and_fit(&world.history(1_300), &labels, &Silent).unwrap().1.unwrap();
    assert_eq!(again, fit);
    assert_eq!(world.forecast(&challenge, &again, 1_300), forecast);
}

#[test]
fn forecasts_tell_which_assets_do_better() {
    let (world, challenge) = (World::new(6), challenge(Solver::Exact, 432_000));
    let fit = world.fit(&challenge, 1_300).unwrap();
    let labels = challenge.label(&world.market).unwrap();
    let (mut said, mut above) = (Vec::new(), Vec::new());
    for row in 1_300..1_700 {
        let forecast = world.forecast(&challenge, &fit, row);
        for (value, label) in forecast.values.iter().zip(&labels.above[row * ASSETS..]) {
            if let (Some(value), Some(label)) = (value, label) {
                said.push(*value);
                above.push(*label);
            }
        }
    }
    let auc = auc(&said, &above).unwrap();
    println!("AUC {auc:.3} of {} forecasts", said.len());
    assert!(auc > 0.7, "{auc}");
}

#[test]
fn what_is_no_fit_is_refused() {
    let (world, challenge) = (World::new(1), challenge(Solver::Exact, 432_000));
    let (fit, row) = (world.fit(&challenge, 1_300).unwrap(), world.row(1_300));
    let sent = [0.25; MINERS * ASSETS];
    let refused = |fit: &[u8], sent: &[f32], row: &Market| match challenge.forecast(fit, sent, row) {
        Err(PluginError::Data { .. }) => true,
        Err(error) => panic!("{error}"),
        Ok(forecast) => {
            assert!(
                forecast.values.len() == ASSETS && forecast.values.iter().flatten().all(|x| x.is_finite())
            );
            false
        }
    };
    assert!(!refused(&fit, &sent, &row));
    assert!(refused(&fit, &sent[1..], &row) && refused(&fit, &[], &row));
    assert!(refused(&fit, &sent, &Market { assets: ASSETS, ..Market::default() }));
    assert!(refused(
        &fit,
        &sent,
        &Market { sidx: vec![0], prices: vec![1.0], assets: 1, ..Market::default() }
    ));
    for end in 0..fit.len() {
        assert!(refused(&fit[..end], &sent, &row), "cut at {end}");
    }
    for at in 0..fit.len() {
        for bit in 0..8 {
            let mut fit = fit.clone();
            fit[at] ^= 1 << bit;
            refused(&fit, &sent, &row);
        }
    }
    let other = String::from_utf8(fit).unwrap().replace("xsec-1", "funding-1");
    assert!(refused(other.as_bytes(), &sent, &row));
}
