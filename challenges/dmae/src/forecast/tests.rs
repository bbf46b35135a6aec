use super::*;
use mantis_plugin_api::serde_json::{Value, json};
use mantis_plugin_api::test_kit::{MarketBuilder, MemoryHistory, Noise, spec};
use mantis_plugin_api::{Challenge, Label, Score, Silent, Solver};
use std::collections::BTreeMap;

const ROWS: usize = 2_000;
const AHEAD: usize = 12;
const DIM: usize = 5;
const CHUNK: usize = 20;

fn challenge(change: &Value) -> Dmae {
    let mut params = json!({
        "stride": 1, "chunk_rows": CHUNK, "min_rows": 400, "learning_rate": 3e-3, "screen": 1,
    });
    let Value::Object(params) = &mut params else { panic!("no table") };
    params.extend(change.as_object().unwrap().clone());
    Dmae::configure(spec(DIM, AHEAD as u32, Solver::Exact), params).unwrap()
}

struct World {
    market: Market,
    miners: Vec<Vec<f32>>,
}

impl World {
    /// A market that is moved by factors: four miners know one each, one copies the first, one is there from row 700 on, one
    /// repeats itself now and then, one always, one sends broken numbers at times, one never came.
    fn new(seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let (mut now, mut level) = ([0.0; 4], 100.0);
        let (mut factors, mut prices) = (Vec::new(), Vec::new());
        for _ in 0..ROWS {
            now.iter_mut().for_each(|now| *now = 0.98 * *now + 0.2 * noise.normal());
            factors.push(now);
            prices.push([level]);
            level *= 1.0 + 0.0025 * (0.1 * now.iter().sum::<f64>() + 0.35 * noise.normal());
        }
        let market = MarketBuilder::new(1).rows(prices).build();
        let sends = |miner: u64, noise: f64, what: &dyn Fn(usize) -> f64| -> Vec<f32> {
            let mut draws = Noise::new(seed * 7_919 + miner);
            let lean: Vec<f64> = (0..DIM).map(|_| 0.3 * draws.normal()).collect();
            let number = |i: usize| (lean[i % DIM] * what(i / DIM) + noise * draws.normal()) as f32;
            (0..ROWS * DIM).map(number).collect()
        };
        let mut miners: Vec<Vec<f32>> =
            (0..4).map(|factor| sends(factor as u64, 0.15, &|row| factors[row][factor])).collect();
        miners.push(miners[0].clone());
        miners.push(sends(5, 0.3, &|_| 0.0));
        miners[5][..700 * DIM].fill(0.0);
        let held: Vec<f32> = (0..ROWS * DIM).map(|i| miners[1][i / DIM / 3 * 3 * DIM + i % DIM]).collect();
        miners.push(held);
        miners.push(vec![0.5; ROWS * DIM]);
        miners.push(sends(8, 0.3, &|_| 0.0));
        miners[8].iter_mut().step_by(17).for_each(|x| *x = f32::NAN);
        miners[8].iter_mut().step_by(11).for_each(|x| *x = 7.0);
        miners.push(vec![0.0; ROWS * DIM]);
        for miner in &mut miners {
            miner[1_408 * DIM..1_409 * DIM].fill(0.0);
        }
        Self { market, miners }
    }

    /// As it was when so many rows were there.
    fn at(&self, rows: usize) -> (Market, MemoryHistory) {
        let mut market = self.market.clone();
        market.sidx.truncate(rows);
        market.prices.truncate(rows);
        market.submitted.truncate(rows);
        market.scored_rows = rows;
        (market, self.history(rows))
    }

    fn history(&self, rows: usize) -> MemoryHistory {
        let mut history = MemoryHistory::new(rows, DIM);
        for (i, numbers) in self.miners.iter().enumerate() {
            history.push(&format!("miner{i}"), &numbers[..rows * DIM]);
        }
        history
    }

    fn fit(&self, challenge: &Dmae, rows: usize) -> Option<Vec<u8>> {
        let (market, history) = self.at(rows);
        let labels = challenge.label(&market).unwrap();
        challenge.score_and_fit(&history, &labels, &Silent).unwrap().1
    }

    /// What the score over so many rows forecast, by row, and its groups.
    fn computed(&self, challenge: &Dmae, rows: usize) -> (BTreeMap<usize, f64>, Vec<usize>) {
        let (market, history) = self.at(rows);
        let labels = challenge.label(&market).unwrap();
        let mut aside = Aside { outputs: Some(Vec::new()), ..Aside::default() };
        challenge.judge(&history, &labels, &Silent, &mut aside).unwrap();
        let outputs = aside.outputs.unwrap();
        let judged = &labels.rows[labels.rows.len() - outputs.len()..];
        (judged.iter().copied().zip(outputs.into_iter().map(f64::from)).collect(), aside.teams.unwrap())
    }

    fn sent(&self, row: usize) -> Vec<f32> {
        self.miners.iter().flat_map(|numbers| numbers[row * DIM..(row + 1) * DIM].to_vec()).collect()
    }

    fn forecast(&self, challenge: &Dmae, fit: &[u8], row: usize) -> Forecast {
        challenge.forecast(fit, &self.sent(row), &self.row(row)).unwrap()
    }

    fn row(&self, row: usize) -> Market {
        let prices = vec![self.market.prices[row]];
        Market { sidx: vec![row as i64], prices, assets: 1, ..Market::default() }
    }
}

fn bits(forecast: &Forecast) -> u64 {
    forecast.values[0].unwrap().to_bits()
}

#[test]
fn a_forecast_has_the_bits_of_the_score_that_comes_later() {
    for (change, stride) in
        [(json!({}), 1), (json!({"pay": "alone"}), 1), (json!({"stride": 2, "freeze_limit": 0}), 2)]
    {
        let (world, challenge) = (World::new(1), challenge(&change));
        let (computed, _) = world.computed(&challenge, ROWS);
        // In a chunk, at the first row of the next, and in that.
        let chunk = CHUNK * stride;
        for rows in [1_400 / chunk * chunk + 4, 1_440, 1_442] {
            let fit = world.fit(&challenge, rows).unwrap();
            let end = (rows / chunk + 1) * chunk;
            for row in (rows..end).step_by(stride) {
                assert_eq!(
                    bits(&world.forecast(&challenge, &fit, row)),
                    computed[&row].to_bits(),
                    "{change} {rows} {row}"
                );
            }
            assert_ne!(
                bits(&world.forecast(&challenge, &fit, end)),
                computed[&end].to_bits(),
                "another chunk"
            );
        }
        assert_eq!(world.fit(&challenge, 1_404), world.fit(&challenge, 1_418), "one chunk");
        assert_ne!(world.fit(&challenge, 1_418), world.fit(&challenge, 1_440));
    }
}

/// Where rows are dropped for new ones chunks move with them, and who repeats itself is told by all rows before.
#[test]
fn a_forecast_has_the_bits_of_the_score_whose_last_row_it_is() {
    for (change, rows) in [
        (json!({"max_rows": 650}), 900),
        (json!({"max_rows": 650}), 907),
        (json!({"max_unchanged": 2}), 1_003),
    ] {
        for rows in rows..rows + 4 {
            let (world, challenge) = (World::new(2), challenge(&change));
            let (computed, _) = world.computed(&challenge, rows + 1 + AHEAD);
            let fit = world.fit(&challenge, rows).unwrap();
            let forecast = world.forecast(&challenge, &fit, rows);
            assert_eq!(bits(&forecast), computed[&rows].to_bits(), "{change} {rows}");
            // The one that says the same all the time, and the one that does for three rows, in the third.
            let absent = if change["max_unchanged"] == 2 { 1 + usize::from(rows % 3 == 2) } else { 0 };
            let broken = world.miners[8][rows * DIM..(rows + 1) * DIM].iter().any(|x| x.is_nan());
            assert_eq!(forecast.miners, 9 - absent - usize::from(broken), "{change} {rows}");
        }
    }
}

#[test]
fn a_fit_changes_no_salience_and_comes_only_of_enough() {
    let (world, challenge) = (World::new(3), challenge(&json!({})));
    for (rows, is_fitted) in [(411, false), (412, true), (1_000, true)] {
        let (market, history) = world.at(rows);
        let labels = challenge.label(&market).unwrap();
        let (salience, fit) = challenge.score_and_fit(&history, &labels, &Silent).unwrap();
        assert_eq!(salience, challenge.score(&history, &labels, &Silent).unwrap());
        assert_eq!(fit.is_some(), is_fitted, "{rows}");
    }
}

#[test]
fn those_who_are_absent_are_left_out() {
    let (world, challenge) = (World::new(1), challenge(&json!({})));
    let fit = world.fit(&challenge, 1_400).unwrap();
    let all = world.forecast(&challenge, &fit, 1_401);
    let mut sent = world.sent(1_401);
    sent[..DIM].fill(0.0);
    let one_less = challenge.forecast(&fit, &sent, &world.row(1_401)).unwrap();
    assert_eq!(one_less.miners, all.miners - 1);
    assert_ne!(bits(&one_less), bits(&all));
    let nobody = world.forecast(&challenge, &fit, 1_408);
    assert_eq!(nobody.miners, 0);
    for broken in [f32::NAN, f32::INFINITY, 1e9, 1e-12, -0.0] {
        let forecast = challenge.forecast(&fit, &[broken; 10 * DIM], &world.row(1_401)).unwrap();
        assert_eq!(forecast, nobody, "{broken}");
    }
    let priceless = Market { prices: vec![f64::NAN], ..world.row(1_401) };
    assert_eq!(challenge.forecast(&fit, &sent, &priceless).unwrap().values, [None]);
}

#[test]
fn what_comes_later_changes_no_fit() {
    let (mut world, challenge) = (World::new(4), challenge(&json!({})));
    let fit = world.fit(&challenge, 1_000).unwrap();
    let mut noise = Noise::new(5);
    world.market.prices[1_000..].fill_with(|| 100.0 + noise.normal());
    world.miners.iter_mut().for_each(|miner| miner[1_000 * DIM..].fill_with(|| noise.uniform() as f32));
    let market = Market { scored_rows: 1_000, ..world.at(ROWS).0 };
    let market = Market { submitted: market.submitted[..1_000].to_vec(), ..market };
    // Labels of the last rows are known by now, of rows that nothing is learnt from yet.
    let labels = challenge.label(&market).unwrap();
    assert!(labels.waiting.is_empty() && labels.rows.len() == 1_000);
    let teams: Vec<usize> = world.computed(&challenge, 1_000).1;
    let again = challenge.train_ahead(&world.history(1_000), &labels, &teams).unwrap().unwrap();
    assert_eq!(challenge.making().write(10, &again).unwrap(), Some(fit));
}

#[test]
fn forecasts_follow_returns() {
    let (world, challenge) = (World::new(6), challenge(&json!({})));
    let fit = world.fit(&challenge, 1_500).unwrap();
    let pairs: Vec<(f64, f64)> = (1_500..1_900)
        .map(|row| {
            let price = |row: usize| world.market.prices[row];
            (world.forecast(&challenge, &fit, row).values[0].unwrap(), price(row + AHEAD) / price(row) - 1.0)
        })
        .collect();
    let mean = |x: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(x).sum::<f64>() / pairs.len() as f64;
    let (said, came) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
    let product =
        |a: &dyn Fn(&(f64, f64)) -> f64, b: &dyn Fn(&(f64, f64)) -> f64| mean(&|pair| a(pair) * b(pair));
    let (x, y) = (|pair: &(f64, f64)| pair.0 - said, |pair: &(f64, f64)| pair.1 - came);
    let correlation = product(&x, &y) / (product(&x, &x) * product(&y, &y)).sqrt();
    println!("correlation {correlation:.3}");
    assert!(correlation > 0.3, "{correlation}");
}

#[test]
fn what_is_no_fit_is_refused() {
    let (world, challenge) = (World::new(1), challenge(&json!({"max_unchanged": 2})));
    let (fit, row) = (world.fit(&challenge, 600).unwrap(), world.row(600));
    let sent = world.sent(600);
    let refused = |fit: &[u8], sent: &[f32], row: &Market| match challenge.forecast(fit, sent, row) {
        Err(PluginError::Data { .. }) => true,
        Err(error) => panic!("{error}"),
        Ok(forecast) => {
            assert!(forecast.values.len() == 1 && forecast.values[0].unwrap().is_finite());
            false
        }
    };
    assert!(!refused(&fit, &sent, &row));
    assert!(refused(&fit, &sent[1..], &row) && refused(&fit, &[], &row));
    assert!(refused(&fit, &sent, &Market { assets: 1, ..Market::default() }));
    for end in 0..fit.len() {
        assert!(refused(&fit[..end], &sent, &row), "cut at {end}");
    }
    for at in 0..fit.len() {
        let mut fit = fit.clone();
        fit[at] ^= 1 << (at % 8);
        refused(&fit, &sent, &row);
    }
    let text = String::from_utf8(fit).unwrap();
    for (from, to) in [
        ("dmae-1", "dmae-2"),
        ("\"miner\":1,", "\"miner\":0,"),
        ("\"miner\":8,", "\"miner\":10,"),
        ("\"head\":\"", "\"head\":\"AAAAAAAAAAAAAAAA"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(refused(text.replace(from, to).as_bytes(), &sent, &row), "{from}");
    }
    // One that was made where repeating is no matter.
    let other = world.fit(&self::challenge(&json!({})), 600).unwrap();
    assert!(refused(&other, &sent, &row));
}

#[test]
fn a_full_field_is_forecast_in_time() {
    let (miners, dim) = (256, 100);
    let mut model = Model::new(dim, &(0..miners).collect::<Vec<_>>(), &[], &start::head(1));
    let mut noise = Noise::new(1);
    model.fill_weights(|| 0.01 * noise.uniform() as f32);
    let challenge = Dmae::configure(spec(dim, 60, Solver::Exact), &Default::default()).unwrap();
    let fit = challenge.making().write(miners, &Network::new(&model, miners, None)).unwrap().unwrap();
    let sent: Vec<f32> = (0..miners * dim).map(|_| noise.uniform() as f32).collect();
    let row = Market { sidx: vec![0], prices: vec![1.0], assets: 1, ..Market::default() };
    let begun = std::time::Instant::now();
    let forecast = challenge.forecast(&fit, &sent, &row).unwrap();
    let took = begun.elapsed();
    println!("{} bytes, {took:?}", fit.len());
    assert_eq!(forecast.miners, miners);
    assert!(fit.len() < 5 << 20 && took.as_secs() < 1, "{took:?}");
}
