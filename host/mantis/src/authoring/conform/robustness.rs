//! What a plugin must refuse with a sentence, or bear without harm.

use super::bench::{Bench, Case, is_orderly};
use super::report::{Report, Verdict};
use super::world::SuiteMarket;
use mantis_plugin_api::{Description, Market, ParamMap, PluginError, States, TrackedRow, f16};
use mantis_scoring::plugins::Source;
use mantis_scoring::worker::{Failure, Session, Task, WorkerError};
use serde_json::{Value, json};

/// Parameters: unknown ones and those of a wrong type are refused, the defaults are accepted.
pub(super) fn params(bench: &Bench, source: &Source, about: &Description, report: &mut Report) {
    let configure = |params: ParamMap| {
        let bench = Bench { params, ..bench.clone() };
        bench.launcher.run(&bench.job(source, Task::Inspect), |_| {}, |_| {}).map(|_| ())
    };
    let with = |key: &str, value: Value| ParamMap::from_iter([(key.to_owned(), value)]);
    let refused = |key: &str, value: Value| match configure(with(key, value.clone())) {
        Err(WorkerError::Failed(Failure::Plugin(PluginError::Parameter { key: named, .. })))
            if named == key =>
        {
            Ok(())
        }
        Err(WorkerError::Failed(Failure::Plugin(PluginError::Parameter { key: named, .. }))) => {
            Err(format!("`{key} = {value}` is refused, but the message names `{named}`"))
        }
        Err(WorkerError::Failed(Failure::Plugin(error))) if is_orderly(&error) => {
            Err(format!("`{key} = {value}` is refused, but not as a parameter: {error}"))
        }
        Err(error) => Err(format!("`{key} = {value}`: {error}")),
        Ok(()) => Err(format!("`{key} = {value}` is accepted; name what is wrong instead")),
    };
    let tried = || {
        refused("no_such_parameter", json!(1))?;
        for param in &about.params {
            // No parameter is an object.
            refused(&param.key, json!({}))?;
        }
        let defaults = about.params.iter().map(|param| (param.key.clone(), param.default.clone())).collect();
        configure(defaults).map_err(|e| format!("its own defaults are refused: {e}"))?;
        let count = about.params.len();
        Ok(format!(
            "an unknown one and {count} of a wrong type are refused by name; the defaults are accepted"
        ))
    };
    report.record("parameters", tried());
}

/// Submissions: what simulated miners store can be sent in one of the usual shapes; nonsense does no harm.
pub(super) fn submissions(bench: &Bench, source: &Source, world: &SuiteMarket, report: &mut Report) {
    let decode = |submissions: Vec<Value>| {
        let job = bench.job(source, Task::Decode { submissions });
        bench.launcher.run(&job, |_| {}, |_| {}).map(|finished| finished.vectors)
    };
    let nonsense = [
        json!(null),
        json!(true),
        json!("text"),
        json!({}),
        json!([]),
        json!([[[]]]),
        json!([null]),
        json!(["0.5"]),
        json!(vec![0.5; 10_000]),
        json!([1e308, -1e308]),
        json!({"BTC": "up"}),
        json!({"": [0.1, {}]}),
    ];
    let outcome = match decode(nonsense.to_vec()) {
        Ok(outcomes) => {
            let bad = nonsense.iter().zip(&outcomes).find_map(|(sent, outcome)| match outcome {
                Err(error) if !is_orderly(error) => Some(format!("{}: {error}", cut(sent))),
                _ => None,
            });
            let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
            let says =
                format!("of {} pieces of nonsense {refused} are refused with a sentence", nonsense.len());
            bad.map_or(Ok(says), Err)
        }
        Err(error) => Err(format!("nonsense ends the plugin: {error}")),
    };
    report.record("nonsense", outcome);

    let dim = bench.spec.storage_dim();
    let miner = world.skilled().first().copied().unwrap_or_default();
    let sent = world.miners[miner].2.chunks(dim).find(|numbers| numbers.iter().any(|x| *x != f16::ZERO));
    let stored: Vec<f16> = sent.unwrap_or_default().to_vec();
    match decode(shapes(bench, &stored)) {
        Ok(outcomes) => {
            let halves = |vector: &Vec<f32>| vector.iter().map(|x| f16::from_f32(*x)).collect::<Vec<f16>>();
            if outcomes.iter().flatten().any(|vector| halves(vector) == stored) {
                report.add("submission", Verdict::Pass, "what a simulated miner sends is stored as it is");
            } else {
                let why =
                    outcomes.into_iter().find_map(Result::err).map_or_else(String::new, |e| format!(": {e}"));
                let says = format!("what the simulated miners send is stored otherwise, or refused{why}");
                report.add("submission", Verdict::Note, says);
            }
        }
        Err(error) => report.add("submission", Verdict::Fail, error.to_string()),
    }
}

/// The shapes in which a miner may send its numbers: a list, or an object by asset.
fn shapes(bench: &Bench, stored: &[f16]) -> Vec<Value> {
    let numbers: Vec<f64> = stored.iter().map(|x| x.to_f64()).collect();
    let assets = &bench.spec.assets;
    let by_asset = || assets.iter().zip(numbers.chunks(bench.spec.dim.max(1)));
    let lists = by_asset().map(|(asset, list)| (asset.clone(), json!(list))).collect();
    let single = by_asset().map(|(asset, list)| (asset.clone(), json!(list[0]))).collect();
    let list = json!(numbers);
    if assets.is_empty() { vec![list] } else { vec![Value::Object(single), Value::Object(lists), list] }
}

/// Live states: rows in one call or in two make the same.
pub(super) fn tracking(bench: &Bench, source: &Source, world: &SuiteMarket, report: &mut Report) {
    let market = &world.market;
    let (rows, dim) = (market.scored_rows.min(TRACKED), bench.spec.storage_dim());
    let vectors = |row: usize| {
        let numbers =
            |column: &[f16]| column[row * dim..(row + 1) * dim].iter().map(|x| x.to_f32()).collect();
        let senders = world.columns().into_iter().take(3);
        senders.map(|(hotkey, column)| (hotkey.to_owned(), numbers(column))).collect()
    };
    let tracked = |row: usize| TrackedRow {
        sidx: market.sidx[row],
        prices: (0..market.assets)
            .map(|asset| Some(market.price(row, asset)).filter(|p| p.is_finite()))
            .collect(),
        vectors: vectors(row),
    };
    let rows: Vec<TrackedRow> = (0..rows).map(tracked).collect();
    let mut session = Session::new(bench.launcher.clone(), bench.job(source, Task::Serve));
    let mut tried = || -> Result<String, WorkerError> {
        let (first, second) = rows.split_at(rows.len() / 3);
        let once = session.track(States::new(), rows.clone())?;
        let part = session.track(States::new(), first.to_vec())?;
        let twice = session.track(part, second.to_vec())?;
        Ok(match (once == twice, once.len()) {
            (true, 0) => "it keeps no live state".into(),
            (true, assets) => format!("rows in one call or in two make the same states of {assets} assets"),
            (false, _) => return Err(Failure::Plugin(PluginError::data(SPLIT)).into()),
        })
    };
    report.record("tracking", tried().map_err(|e| e.to_string()));
}

/// Rows that are tracked.
const TRACKED: usize = 400;
const SPLIT: &str =
    "rows in two calls make other states than in one: a state must hold all that later rows need";

/// Ledgers that are too small or full of holes: a score, an empty one, or an error in a sentence.
pub(super) fn small_ledgers(bench: &Bench, source: &Source, world: &SuiteMarket, report: &mut Report) {
    let market = |rows: usize| Market {
        sidx: world.market.sidx[..rows].to_vec(),
        prices: world.market.prices[..rows * world.market.assets].to_vec(),
        submitted: world.market.submitted[..rows].to_vec(),
        scored_rows: rows,
        ..world.market.clone()
    };
    let dim = bench.spec.storage_dim();
    let miners = |rows: usize| {
        world
            .columns()
            .into_iter()
            .map(|(hotkey, numbers)| (hotkey, &numbers[..rows * dim]))
            .collect::<Vec<_>>()
    };
    let rows = world.market.scored_rows.min(600);
    let broken = |bad: [f64; 4]| {
        let mut market = market(rows);
        market.prices.iter_mut().enumerate().for_each(|(i, price)| *price = bad[i % 4]);
        market
    };
    let strange =
        [f16::NAN, f16::INFINITY, f16::NEG_INFINITY, f16::MAX, f16::MIN_POSITIVE_SUBNORMAL, f16::NEG_ZERO];
    let strange: Vec<f16> = (0..rows * dim).map(|i| strange[i % strange.len()]).collect();
    let mut with_strange = miners(rows);
    with_strange.push(("5Strange", &strange));
    let none = [f64::NAN; 4];
    let holes = [f64::NAN, 0.0, 1.0, -1.0];
    let markets = [market(0), market(1), market(rows), broken(none), broken(holes), market(rows)];
    let columns = [miners(0), miners(1), Vec::new(), miners(rows), miners(rows), with_strange];
    let names = [
        "no row",
        "one row",
        "no miner",
        "no price",
        "bad prices",
        "a miner whose numbers are none, or infinite",
    ];
    let cases: Vec<Case<'_>> =
        markets.iter().zip(columns).map(|(market, miners)| Case { source, market, miners }).collect();
    let bad: Vec<String> = names
        .iter()
        .zip(bench.score_all(&cases))
        .filter_map(|(name, outcome)| match outcome {
            Err(error) if !error.is_orderly() => Some(format!("{name}: {error}")),
            _ => None,
        })
        .collect();
    let says = format!("borne: {}", names.join(", "));
    report.record("small ledgers", if bad.is_empty() { Ok(says) } else { Err(bad.join("; ")) });
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}
