//! Live states of breakouts, through the built plugin, on a simulated ledger.

use mantis::simulation::{SimulatedMiner, Simulation, Simulator, cast};
use mantis_breakout::{AssetState, BreakoutRules, Resolved, Tracker};
use mantis_config::{Config, Sidx};
use mantis_ledger::{Ledger, LedgerError, Row};
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Options, Quiet, score};
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, root, trial};
use mantis_validator::Tracking;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(live_events_are_those_of_a_replay_of_the_stored_prices),
        trial!(when_rows_come_makes_no_difference),
        trial!(a_plugin_that_refuses_loses_nothing),
        trial!(what_is_long_over_is_forgotten),
        trial!(states_add_nothing_to_prices_that_are_stored_and_stand_in_for_those_that_are_not),
    ]
}

const SEED: u64 = 3;
const TICKER: &str = "MULTIBREAKOUT";
const RULES: BreakoutRules =
    BreakoutRules { lookback: 20, min_prices: 5, min_range_pct: 1e-5, barrier_pct: 0.25, max_pending: 60 };

fn config() -> Arc<Config> {
    config_with(json!({}))
}

/// The network's challenges, with breakouts that come and go in minutes.
fn config_with(more: Value) -> Arc<Config> {
    let mut config = Config::load(root().join("challenges.toml")).unwrap();
    let breakout = config.challenges.iter_mut().find(|challenge| challenge.ticker == TICKER).unwrap();
    let params = json!({
        "range_lookback_blocks": 100, "min_range_rows": 5, "min_range_pct": 1e-5, "max_pending_blocks": 300,
        "episode_gap_rows": 1, "min_auc": 0.0,
    });
    breakout.params = params.as_object().unwrap().clone();
    breakout.params.extend(more.as_object().unwrap().clone());
    Arc::new(config)
}

fn launcher() -> Launcher {
    Launcher { program: bin_dir().join("mantis").into(), deadline: Duration::from_secs(60) }
}

fn tracking(config: &Arc<Config>) -> Tracking {
    Tracking::new(config.clone(), launcher())
}

fn go_on(tracking: &mut Tracking, ledger: &mut Ledger) -> Option<String> {
    tracking.go_on(ledger, Instant::now() + Duration::from_secs(300)).unwrap()
}

/// Plays a ledger of 605 rows; `at` is called where so many rows are stored.
fn play(config: &Config, stops: &[usize], mut at: impl FnMut(usize, &mut Ledger)) -> (TempDir, Ledger) {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path().join("ledger.db")).unwrap();
    let miners: Vec<SimulatedMiner> = cast(6, SEED);
    let only = Some([TICKER, "MULTIXSEC"].map(String::from).into());
    let simulation = Simulation { config, only, rows: 605, miners: &miners, seed: SEED };
    let prices = simulation.prices();
    let mut simulator = Simulator::new(&simulation, &prices);
    for &stop in stops {
        simulator.write(stop, &mut ledger, |_| ()).unwrap();
        at(stop, &mut ledger);
    }
    (dir, ledger)
}

fn states(ledger: &Ledger) -> BTreeMap<String, AssetState> {
    let parse = |(asset, json): (String, String)| (asset, AssetState::parse(&json).unwrap());
    ledger.breakout_state().unwrap().into_iter().map(parse).collect()
}

/// The asset's prices up to a sidx.
fn prices(ledger: &Ledger, asset: &str, to: Sidx) -> Vec<(i64, f64)> {
    let mut prices = Vec::new();
    let each = |row: Row<'_>| {
        let data: Value = serde_json::from_str(row.price_data.unwrap_or("{}")).unwrap();
        prices.extend(data[asset].as_f64().map(|price| (row.sidx.0, price)));
        Ok::<_, LedgerError>(ControlFlow::Continue(()))
    };
    ledger.prices("MULTIXSEC", Sidx(0)..=to, each).unwrap();
    prices
}

/// What miners have stored of the asset of some number in a row.
fn said(ledger: &Ledger, asset: usize, assets: usize, sidx: i64) -> BTreeMap<String, Vec<f64>> {
    let mut said = BTreeMap::new();
    let each = |row: Row<'_>| {
        for (hotkey, bytes) in row.submissions.iter() {
            let (words, _) = bytes.as_chunks::<2>();
            let pair: Vec<f64> = words[2 * asset..2 * asset + 2]
                .iter()
                .map(|&w| half::f16::from_le_bytes(w).to_f64())
                .collect();
            if pair != [0.0, 0.0] {
                said.insert(hotkey.to_owned(), pair);
            }
        }
        Ok::<_, LedgerError>(ControlFlow::Continue(()))
    };
    ledger.rows(TICKER, Sidx(sidx)..=Sidx(sidx), 2 * assets, each).unwrap();
    said
}

fn live_events_are_those_of_a_replay_of_the_stored_prices() {
    let config = config();
    let (_dir, ledger) = play(&config, &[605], |_, ledger| {
        assert_eq!(go_on(&mut tracking(&config), ledger), None);
    });
    let assets = &config.challenges.iter().find(|challenge| challenge.ticker == TICKER).unwrap().assets;
    let to = ledger.tracked(TICKER).unwrap().unwrap();
    let newest = ledger.max_sidx("MULTIXSEC").unwrap().unwrap();
    assert!(to == to.floor_to(60) && (0..60).contains(&(newest - to)), "{to} of {newest}");
    let states = states(&ledger);
    assert_eq!(states.len(), assets.len());
    let (mut completed, mut pending) = (0, 0);
    for (number, asset) in assets.iter().enumerate() {
        let state = &states[asset];
        let mut tracker = Tracker::new(RULES);
        let mut events: Vec<Resolved> = Vec::new();
        let prices = prices(&ledger, asset, to);
        for &(sidx, price) in &prices {
            events.extend(tracker.step(sidx, price).into_iter().flatten());
        }
        assert_eq!(state.completed.len(), events.len(), "{asset}");
        for (live, replayed) in state.completed.iter().zip(events) {
            assert_eq!(live.trigger_sidx, replayed.trigger_sidx, "{asset}");
            assert_eq!(live.resolution_block, replayed.resolved_sidx * 5, "{asset}");
            assert_eq!(live.label, u8::from(replayed.continued), "{asset}");
            assert_eq!(live.embeddings, said(&ledger, number, assets.len(), live.trigger_sidx), "{asset}");
        }
        for (live, replayed) in
            [(&state.pending_high, tracker.pending_high), (&state.pending_low, tracker.pending_low)]
        {
            assert_eq!(live.as_ref().map(|p| p.trigger_sidx), replayed.map(|p| p.sidx), "{asset}");
            pending += usize::from(live.is_some());
        }
        assert_eq!(state.price_history, prices[prices.len() - 21..], "{asset}");
        completed += state.completed.iter().filter(|event| event.embeddings.len() >= 3).count();
    }
    assert!(completed > 100 && pending > 5, "{completed} completed, {pending} pending");
}

fn when_rows_come_makes_no_difference() {
    let config = config();
    let (_dir, once) = play(&config, &[605], |_, ledger| {
        assert_eq!(go_on(&mut tracking(&config), ledger), None);
    });
    let expected = (once.tracked(TICKER).unwrap(), once.breakout_state().unwrap());

    // Through restarts.
    let (_dir, often) = play(&config, &[10, 130, 135, 310, 605], |_, ledger| {
        assert_eq!(go_on(&mut tracking(&config), ledger), None);
    });
    assert_eq!((often.tracked(TICKER).unwrap(), often.breakout_state().unwrap()), expected);

    // A block that waits to be opened holds back those after it.
    let (_dir, held) = play(&config, &[300, 605], |rows, ledger| {
        let other = Connection::open(ledger.path()).unwrap();
        if rows == 300 {
            other.execute("INSERT INTO raw_payloads VALUES (200, '5A', x'7b7d')", []).unwrap();
        }
        assert_eq!(go_on(&mut tracking(&config), ledger), None);
        let first: i64 =
            other.query_row("SELECT block / 5 FROM blocks WHERE idx = 0", [], |row| row.get(0)).unwrap();
        let tracked = ledger.tracked(TICKER).unwrap().unwrap();
        assert!((first + 140..first + 200).contains(&tracked.0), "{tracked} from {first}");
    });
    let (path, mut held) = (held.path().to_path_buf(), held);
    Connection::open(path).unwrap().execute("DELETE FROM raw_payloads", []).unwrap();
    assert_eq!(go_on(&mut tracking(&config), &mut held), None);
    assert_eq!((held.tracked(TICKER).unwrap(), held.breakout_state().unwrap()), expected);
}

fn a_plugin_that_refuses_loses_nothing() {
    let config = config();
    let mut tracking = tracking(&config);
    let (mut saved, mut whole) = (Vec::new(), None);
    let (_dir, ledger) = play(&config, &[200, 400, 605], |rows, ledger| {
        let other = Connection::open(ledger.path()).unwrap();
        let set = |json: &str| {
            other.execute("UPDATE breakout_state SET state_json = ?1 WHERE asset = 'ETH'", [json]).unwrap();
        };
        match rows {
            200 => {
                assert_eq!(go_on(&mut tracking, ledger), None);
                saved = ledger.breakout_state().unwrap();
                whole = ledger.tracked(TICKER).unwrap();
                set("{");
            }
            400 => {
                for _ in 0..2 {
                    let why = go_on(&mut tracking, ledger).unwrap();
                    assert!(
                        why.contains(TICKER) && why.contains("breakout_state of ETH is unreadable"),
                        "{why}"
                    );
                    assert_eq!(ledger.tracked(TICKER).unwrap(), whole);
                }
                let eth = saved.iter().find(|(asset, _)| asset == "ETH").unwrap();
                set(&eth.1);
                assert_eq!(ledger.breakout_state().unwrap(), saved);
            }
            _ => assert_eq!(go_on(&mut tracking, ledger), None),
        }
    });
    let (_dir, undisturbed) = play(&config, &[605], |_, ledger| {
        assert_eq!(go_on(&mut self::tracking(&config), ledger), None);
    });
    assert_eq!(ledger.breakout_state().unwrap(), undisturbed.breakout_state().unwrap());
}

fn what_is_long_over_is_forgotten() {
    let (config, short) = (config(), config_with(json!({ "completed_rows": 200 })));
    let (_dir, all) = play(&config, &[605], |_, ledger| {
        assert_eq!(go_on(&mut tracking(&config), ledger), None);
    });
    let (_dir, left) = play(&config, &[100, 305, 470, 605], |_, ledger| {
        assert_eq!(go_on(&mut tracking(&short), ledger), None);
    });
    let (all, left) = (states(&all), states(&left));
    let mut forgotten = 0;
    for (asset, mut expected) in all {
        let before = expected.completed.len();
        let newest = expected.price_history.last().unwrap().0;
        expected.completed.retain(|event| event.trigger_sidx >= newest - 200);
        forgotten += before - expected.completed.len();
        assert_eq!(left[&asset], expected, "{asset}");
    }
    assert!(forgotten > 100, "{forgotten}");
}

/// The breakouts' salience and number of events, as the whole program scores them.
fn scored(config: &Config, ledger: &Ledger) -> (Vec<(String, u64)>, f64) {
    let options = Options {
        ledger: ledger.path().to_path_buf(),
        max_block: None,
        as_of: None,
        only: Some([TICKER.to_owned()].into()),
        active: None,
        guests: BTreeMap::new(),
        solver: None,
        threads: 1,
        facts: Vec::new(),
        histories: None,
        saliences: None,
        scratch: std::env::temp_dir(),
        launcher: launcher(),
    };
    let scores = score(config, &options, &Quiet).unwrap();
    let [breakout] = &scores.challenges[..] else { panic!("one challenge") };
    let salience = breakout.salience.as_ref().expect(TICKER);
    let earned = salience.miners.iter().map(|miner| miner.salience.to_bits());
    let events = salience.facts.iter().find(|fact| fact.name == "events").unwrap().value;
    (breakout.hotkeys.iter().cloned().zip(earned).collect(), events)
}

fn states_add_nothing_to_prices_that_are_stored_and_stand_in_for_those_that_are_not() {
    let config = config();
    let (_dir, ledger) = play(&config, &[605], |_, ledger| {
        assert_eq!(go_on(&mut tracking(&config), ledger), None);
    });
    let tracked = scored(&config, &ledger);
    assert!(tracked.0.iter().any(|(_, salience)| f64::from_bits(*salience) > 0.0), "{tracked:?}");
    let other = Connection::open(ledger.path()).unwrap();
    let saved = ledger.breakout_state().unwrap();
    assert_eq!(saved.len(), 33);
    other.execute("DELETE FROM breakout_state", []).unwrap();
    assert_eq!(scored(&config, &ledger), tracked);

    // The older half of the rows is pruned.
    let newest = ledger.max_sidx("MULTIXSEC").unwrap().unwrap();
    other.execute("DELETE FROM challenge_data WHERE sidx < ?1", [(newest - 300).0]).unwrap();
    let without = scored(&config, &ledger).1;
    for state in &saved {
        other.execute("INSERT INTO breakout_state VALUES (?1, ?2)", (&state.0, &state.1)).unwrap();
    }
    let with = scored(&config, &ledger).1;
    // But for what was pending or in the range just there.
    assert!(without < 0.6 * tracked.1 && with > 0.9 * tracked.1, "{without}, {with} of {}", tracked.1);
}
