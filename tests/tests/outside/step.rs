//! The validator's step in a simulated world where things fail: beacon, market feed, miners' store.

use mantis::demo::{Crowd, DemoWorld};
use mantis::simulation::{SimulatedMiner, Simulation, Simulator, cast};
use mantis_config::{Config, Sidx};
use mantis_ledger::{Ledger, LedgerError, Row};
use mantis_network::chain::Chain;
use mantis_payload::{SealOptions, seal};
use mantis_scoring::worker::Launcher;
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, root, runtime, trial};
use mantis_validator::{PassReport, Pipeline};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Map;
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_beacon_that_is_down_loses_nothing),
        trial!(a_round_that_is_not_given_holds_its_payloads_alone),
        trial!(a_round_long_past_is_refused_when_it_is_met_first),
        trial!(without_a_feed_steps_go_on),
        trial!(a_store_that_is_dead_for_half_the_miners_takes_only_theirs),
    ]
}

const MINERS: usize = 8;
const SEED: u64 = 11;

fn config() -> Config {
    Config::load(root().join("challenges.toml")).unwrap()
}

/// Plays so many rows into a new ledger; `each` may break the world before a row, and sees what the row's step did.
async fn play(
    config: &Config,
    rows: usize,
    mut each: impl FnMut(&DemoWorld, usize, Option<&PassReport>),
) -> Ledger {
    let miners: Vec<SimulatedMiner> = cast(MINERS, SEED);
    let world = DemoWorld::start(config, &miners, SEED).await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let mut ledger = Ledger::open(folder.keep().join("ledger.db")).unwrap();
    let config = world.config();
    let simulation = Simulation { config: &config, only: None, rows, miners: &miners, seed: SEED };
    let prices = simulation.prices();
    let mut simulator = Simulator::new(&simulation, &prices);
    let mut crowd = Crowd::new(&world, &miners, SEED).unwrap();
    let launcher = Launcher { program: bin_dir().join("mantis").into(), deadline: Duration::from_secs(60) };
    let mut pipeline = Pipeline::new(config.clone(), launcher).unwrap();
    while let Some(step) = simulator.step() {
        let row = simulator.row() - 1;
        let head = world.advance(&step);
        crowd.act(&step, head, true).await.unwrap();
        each(&world, row, None);
        let stepped = pipeline.step(world.chain.as_ref(), &mut ledger).await.unwrap();
        each(&world, row, Some(&stepped));
    }
    world.stop().await;
    ledger
}

fn stored(ledger: &Ledger, ticker: &str, dim: usize) -> Vec<(Option<f64>, Vec<String>, Vec<u8>)> {
    let mut rows = Vec::new();
    let each = |row: Row<'_>| {
        let names = row.submissions.iter().map(|(hotkey, _)| hotkey.to_owned()).collect();
        let numbers = row.submissions.iter().flat_map(|(_, numbers)| numbers.to_vec()).collect();
        rows.push((row.price, names, numbers));
        Ok::<_, LedgerError>(ControlFlow::Continue(()))
    };
    ledger.rows(ticker, Sidx(0)..=Sidx::MAX, dim, each).unwrap();
    rows
}

fn done(ledger: Ledger) {
    let folder = ledger.path().parent().unwrap().to_path_buf();
    drop(ledger);
    std::fs::remove_dir_all(folder).unwrap();
}

fn a_beacon_that_is_down_loses_nothing() {
    runtime().block_on(async {
        let config = config();
        let undisturbed = play(&config, 80, |_, _, _| ()).await;
        // A row is a minute, 20 rounds: down from row 58, just before the first payloads mature, for 240 rounds.
        let mut most_waiting = 0;
        let disturbed = play(&config, 80, |world, row, stepped| {
            world.beacon.set_down((58..70).contains(&row));
            if let Some(stepped) = stepped {
                most_waiting = most_waiting.max(stepped.progress.waiting);
                let is_down = (60..70).contains(&row);
                assert_eq!(stepped.progress.waiting > 0, is_down, "row {row}: {:?}", stepped.progress);
                assert_eq!(stepped.progress.why.is_some(), is_down);
            }
        })
        .await;
        assert_eq!(most_waiting, 10);
        for (ticker, dim) in [("ETH", 2), ("ETHLBFGS", 17), ("MULTIBREAKOUT", 66)] {
            let (a, b) = (stored(&undisturbed, ticker, dim), stored(&disturbed, ticker, dim));
            assert_eq!(a.len(), 80);
            assert!(a[..20].iter().all(|(_, names, _)| names.len() >= 4), "{ticker}: opened");
            assert!(a[20..].iter().all(|(_, names, _)| names.is_empty()), "{ticker}: not out yet");
            assert_eq!(a, b, "{ticker}");
        }
        assert_eq!(undisturbed.totals().unwrap(), disturbed.totals().unwrap());
        done(undisturbed);
        done(disturbed);
    });
}

/// The time of the world.
fn now(world: &DemoWorld) -> u64 {
    block_in_place(|| Handle::current().block_on(world.chain.head())).unwrap().unix
}

fn a_round_that_is_not_given_holds_its_payloads_alone() {
    runtime().block_on(async {
        let mut config = config();
        // Ten rows.
        config.beacon.wait = 600;
        config.network.suggested_lock = 30;
        let undisturbed = play(&config, 82, |_, _, _| ()).await;
        let (mut rounds, mut delayed) = (Vec::new(), Vec::new());
        let disturbed = play(&config, 82, |world, row, stepped| {
            let Some(stepped) = stepped else {
                // The rounds of rows 2 and 3, as miners have chosen them.
                if let 2 | 3 = row {
                    rounds.push(world.scheme().round_at(now(world) + 30));
                    world.beacon.set_fault(rounds[row - 2], Some(if row == 2 { 500 } else { 404 }));
                }
                if row == 68 {
                    world.beacon.set_fault(rounds[0], None);
                }
                return;
            };
            assert_eq!((stepped.progress.waiting, &stepped.progress.why), (0, &None), "row {row}");
            delayed.push(stepped.progress.delayed);
        })
        .await;
        assert!(delayed[62] >= 4 && delayed[63] > delayed[62], "{delayed:?}");
        assert!(delayed[71] < delayed[63] && delayed[71] > 0, "one row came late: {delayed:?}");
        assert_eq!(delayed[81], 0, "the other was given up: {delayed:?}");
        for (ticker, dim) in [("ETH", 2), ("ETHLBFGS", 17), ("MULTIBREAKOUT", 66)] {
            let (mut a, mut b) = (stored(&undisturbed, ticker, dim), stored(&disturbed, ticker, dim));
            let (whole, rest) = (a.remove(3).1, b.remove(3).1);
            assert!(rest.len() < whole.len(), "{ticker}: {rest:?}");
            assert_eq!(a, b, "{ticker}");
        }
        let refused = disturbed.rejections(None).unwrap();
        let missing: Vec<_> = refused.iter().filter(|r| r.last.code == "round_missing").collect();
        assert!(missing.len() >= 4, "{refused:?}");
        assert!(missing[0].last.detail.contains(&format!("round {}", rounds[1])), "{:?}", missing[0]);
        assert_eq!(disturbed.delayed().unwrap(), 0);
        done(undisturbed);
        done(disturbed);
    });
}

fn a_round_long_past_is_refused_when_it_is_met_first() {
    runtime().block_on(async {
        let miner = cast(MINERS, SEED)[0].hotkey.clone();
        let ledger = play(&config(), 4, |world, row, stepped| {
            if stepped.is_some() || row == 0 {
                return;
            }
            // An hour and a minute, then half an hour.
            let ago = if row < 3 { 3660 } else { 1800 };
            let scheme = world.scheme();
            let mut rng = ChaCha20Rng::seed_from_u64(SEED);
            let (round, owner) = (scheme.round_at(now(world) - ago), world.config().network.owner_key);
            let sealed = seal(&Map::new(), &miner, round, &owner, scheme, SealOptions::default(), &mut rng);
            world.store.objects().put(&miner, sealed.unwrap());
        })
        .await;
        let refused = ledger.rejections(Some(&miner)).unwrap();
        assert_eq!((refused[0].last.code.as_str(), refused[0].times), ("round_too_old", 2), "{refused:?}");
        assert_eq!(refused.len(), 1);
        done(ledger);
    });
}

fn without_a_feed_steps_go_on() {
    runtime().block_on(async {
        let mut faults = Vec::new();
        let ledger = play(&config(), 66, |world, row, stepped| {
            if (2..5).contains(&row) && stepped.is_none() {
                world.set_feed(b"<html>gone</html>".to_vec());
            }
            if let Some(stepped) = stepped {
                faults.push(stepped.sampled.feed_fault.is_some());
            }
        })
        .await;
        assert_eq!(faults.iter().filter(|fault| **fault).count(), 3, "{faults:?}");
        let rows = stored(&ledger, "ETH", 2);
        let priced: Vec<bool> =
            rows.iter().map(|(price, _, _)| price.is_some_and(|price| price > 0.0)).collect();
        assert_eq!(priced[..6], [true, true, false, false, false, true]);
        assert!(rows[..6].iter().all(|(_, names, _)| names.len() >= 4), "payloads are opened all the same");
        done(ledger);
    });
}

fn a_store_that_is_dead_for_half_the_miners_takes_only_theirs() {
    runtime().block_on(async {
        let mut config = config();
        config.collect.timeout = Duration::from_millis(700);
        config.collect.idle_timeout = Duration::from_millis(500);
        config.collect.connect_timeout = Duration::from_millis(500);
        // Takes connections and never says a word.
        let dead = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = dead.local_addr().unwrap();
        let miners = cast(MINERS, SEED);
        let mut accepted = Vec::new();
        let ledger = play(&config, 3, |world, row, stepped| {
            for miner in miners.iter().take(MINERS / 2).filter(|_| row == 1 && stepped.is_none()) {
                world.chain.commit_as(&miner.hotkey, &format!("http://{address}/{}", miner.hotkey)).unwrap();
            }
            accepted.extend(stepped.map(|stepped| stepped.sampled.accepted));
        })
        .await;
        assert_eq!(accepted, [MINERS, MINERS / 2, MINERS / 2]);
        let silent = ledger.rejections(Some(&miners[0].hotkey)).unwrap();
        assert_eq!((silent[0].last.code.as_str(), silent[0].times), ("timed_out", 2), "{silent:?}");
        done(ledger);
    });
}
