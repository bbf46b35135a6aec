//! Releases as the owner and validators meet them: made, compared, published, agreed to; and two validators that take one at the
//! same row, though one of them was away.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_config::{Block, Sidx};
use mantis_ledger::{Computation, Ledger, LedgerError, Row, SampledBlock};
use mantis_network::loopback::ObjectServer;
use mantis_tests::need::Need;
use mantis_tests::owner::Owner;
use mantis_tests::stage::{Running, Stage, VALIDATOR, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, root, runtime, stdout, trial};
use mantis_weights::Scored;
use serde_json::Value;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(an_owner_makes_compares_reverts_and_publishes).needs(Need::Wasm).takes(15),
        trial!(two_validators_take_a_release_at_the_same_row).needs(Need::Wasm).takes(60),
    ]
}

fn release(arguments: &[&str]) -> Command {
    let mut command = mantis();
    command.arg("release").args(arguments);
    command
}

fn an_owner_makes_compares_reverts_and_publishes() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Owner::new(dir.path(), "//SubnetOwner");
    let shipped = root().join("challenges.toml");
    owner.make("release-1", None, &shipped, 1000, &[]);
    let text = fs::read_to_string(owner.path("release-1").join("challenges.toml")).unwrap();
    assert!(text.contains("# blocks between two rows") && !text.contains("[collect]"), "{text}");
    assert_eq!(text.matches("sha256 = ").count(), 12, "{text}");

    // Two weights change, and a challenge goes.
    let second = dir.path().join("second.toml");
    let mut table: Table = toml::from_str(&fs::read_to_string(&shipped).unwrap()).unwrap();
    let challenges = table["challenge"].as_array_mut().unwrap();
    challenges.retain(|challenge| challenge["ticker"].as_str() != Some("XAGUSD"));
    challenges[0].as_table_mut().unwrap().insert("weight".into(), 2.0.into());
    fs::write(&second, table.to_string()).unwrap();
    owner.make("release-2", Some("release-1"), &second, 2000, &["--host", ">=0.1, <0.5"]);
    let (one, two) = (owner.path("release-1"), owner.path("release-2"));
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    let said = stdout(&mut release(&["diff", one, two]));
    for line in [
        "ETH has weight 2, before weight 1",
        "XAGUSD is gone; its rows stay in the ledger",
        "`number` of the release is 2, before 1",
        "`host` of the release is >=0.1, <0.5, before",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let diff = json(&mut release(&["diff", "--json", one, two]));
    let shares = diff["shares"].as_array().unwrap();
    let sum: f64 = shares.iter().filter_map(|share| share["after"].as_f64()).sum();
    assert!((sum - 1.0).abs() < 1e-9 && shares.len() == 12, "{diff}");
    assert!(shares[0]["version_after"].is_string() && shares[11]["after"].is_null(), "{diff}");
    assert!(stdout(&mut release(&["diff", one, one])).starts_with("nothing is changed\n"));

    // Held to all that a validator holds it to.
    let key = owner.key();
    let checked = stdout(&mut release(&["check", two, "--from", one, "--key", key.address()]));
    assert!(checked.contains("release 2, 11 challenges, no fault; signed by 5"), "{checked}");
    let stranger = mantis_network::wallet::Hotkey::from_uri("//Mallory").unwrap();
    let refused = failure(&mut release(&["check", two, "--key", stranger.address()]));
    assert!(refused.contains("release.toml is not signed by"), "{refused}");
    let refused = failure(&mut release(&["check", two, "--from", two]));
    assert!(refused.contains("was not made from release 2"), "{refused}");

    // Going back is going on.
    let third = owner.path("release-3");
    let third = third.to_str().unwrap();
    stdout(&mut release(&["revert", one, "--from", two, "--activate", "3000", "--out", third]));
    let back = json(&mut release(&["diff", "--json", one, third]));
    let changes = back["changes"].as_array().unwrap();
    assert!(changes.iter().all(|line| line.as_str().unwrap().contains("of the release")), "{back}");

    runtime().block_on(async {
        let server = ObjectServer::start().await.unwrap();
        let place = dir.path().join("site");
        let publish = |name: &str| {
            let mut command = release(&["publish", "--hotkey-uri", "//SubnetOwner", "--to"]);
            command.arg(&place).arg(owner.path(name)).args(["--bucket", ObjectServer::BUCKET]);
            command.args(["--endpoint", &server.endpoint(), "--public-url", &server.public_url()]);
            command.env("AWS_ACCESS_KEY_ID", ObjectServer::ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", "s");
            command
        };
        let tried = |name: &str| {
            let mut command = publish(name);
            tokio::task::block_in_place(|| failure(&mut command))
        };
        assert!(tried("release-3").contains("release 3 is not signed by"));
        owner.sign("release-3");
        for name in ["release-1", "release-2"] {
            tokio::task::block_in_place(|| stdout(&mut publish(name)));
        }
        assert!(tried("release-1").contains("the next one is 3, and this is 1"));
        tokio::task::block_in_place(|| stdout(&mut publish("release-3")));
        let served = server.objects();
        let index = String::from_utf8(served.get("index.toml").unwrap().to_vec()).unwrap();
        assert!(index.contains("newest = 3") && index.matches("[[release]]").count() == 3, "{index}");
        assert!(
            served.get("2/plugins/mantis_binary.wasm").is_some() && served.get("index.toml.sig").is_some()
        );
        server.stop().await;
    });
}

const SEED: u64 = 8;
const HISTORY: usize = 3 * 1440;
/// Blocks between two computations.
const EVERY: u32 = 50;

fn small(table: &mut Table) {
    keep(table, &["ETH", "CADUSD", "ETHHITFIRST"]);
    for (key, value) in [
        ("weight_calc_interval", i64::from(EVERY)),
        ("weight_set_interval", 1000),
        ("task_interval", 25),
        ("lag", 10),
        ("young_blocks", 100),
    ] {
        set(table, "network", key, value);
    }
    set(table, "", "solver", "exact");
}

/// A validator of the two.
struct Player {
    running: Running,
}

impl Player {
    /// With a ledger and a configuration of its own.
    fn start(stage: &Stage, (ledger, config): (&Path, &Path), more: &[&str]) -> Self {
        let (own, file) = (stage.ledger(), stage.dir.join("challenges.toml"));
        let command = stage.validator(None);
        let arguments = command.get_args().map(|argument| match argument {
            argument if argument == own => ledger.as_os_str(),
            argument if argument == file => config.as_os_str(),
            argument => argument,
        });
        let mut command = mantis();
        command.args(arguments).args(["--listen", "off"]).args(more);
        Self { running: Running::start(&mut command) }
    }

    /// Waits until the row of a block is sampled, and, where it is one that weights are computed for, until they are.
    async fn samples(&mut self, block: Block) {
        let is_sampled = |line: &Value| line["message"] == "sampled" && line["block"] == block.0;
        let is_computed = |line: &Value| line["message"] == "weights computed" && line["block"] == block.0;
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            self.running.read();
            let log = &self.running.log;
            let is_due = block == block.floor_to(EVERY);
            if log.iter().any(is_sampled) && (!is_due || log.iter().any(is_computed)) {
                return;
            }
            assert!(Instant::now() < until, "{block} is not done: {:#?}", self.running.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A world that goes on row by row.
struct Play<'a> {
    stage: &'a Stage,
    simulator: Simulator<'a>,
    crowd: Crowd<'a>,
    block: Block,
}

impl Play<'_> {
    /// Goes on by a row, which all of these sample.
    async fn row(&mut self, players: &mut [&mut Player]) {
        let step: SampledBlock = self.simulator.step().expect("enough rows");
        self.crowd.act(&step, self.stage.world.advance(&step), false).await.unwrap();
        self.stage.advance(&step);
        self.block = step.block;
        for player in players {
            player.samples(step.block).await;
        }
    }

    async fn until(&mut self, block: Block, players: &mut [&mut Player]) {
        while self.block < block {
            self.row(players).await;
        }
    }
}

fn two_validators_take_a_release_at_the_same_row() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 12, SEED, &[], small).await;
        let owner = Owner::new(&dir.path().join("owner"), "//SubnetOwner");
        stage.chain.set_owner(owner.key().address()).unwrap();
        let file = stage.dir.join("challenges.toml");
        let mut table: Table = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let url = format!("{}/index.toml", stage.world.store.public_url());
        set(&mut table, "release", "url", url.as_str());
        fs::write(&file, table.to_string()).unwrap();
        // The other operator wants to be asked.
        let asking = stage.dir.join("asking.toml");
        let mut asks = table.clone();
        set(&mut asks, "release", "take", "ask");
        fs::write(&asking, asks.to_string()).unwrap();

        let config = stage.world.config();
        let rows = HISTORY + 200;
        let simulation = Simulation { config: &config, only: None, rows, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        simulator.write(HISTORY, &mut Ledger::open(stage.ledger()).unwrap(), |_| {}).unwrap();
        let (first, second) = (stage.ledger(), stage.dir.join("second.db"));
        fs::copy(&first, &second).unwrap();
        let crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let mut play = Play { stage: &stage, simulator, crowd, block: Block(0) };
        play.row(&mut []).await;
        let start_a = || Player::start(&stage, (&first, &file), &["--hotkey-uri", VALIDATOR]);
        let start_b = || Player::start(&stage, (&second, &asking), &["--dry-run"]);
        let (mut a, mut b) = (start_a(), start_b());
        a.samples(play.block).await;
        b.samples(play.block).await;
        let begun = (play.block + 10).next_multiple(EVERY);
        play.until(begun, &mut [&mut a, &mut b]).await;

        // Two weights change and a challenge goes, from a row between two that weights are computed for.
        let next = dir.path().join("next.toml");
        let challenges = table["challenge"].as_array_mut().unwrap();
        challenges.retain(|challenge| challenge["ticker"].as_str() != Some("CADUSD"));
        for (challenge, weight) in challenges.iter_mut().zip([3.0, 1.0]) {
            challenge.as_table_mut().unwrap().insert("weight".into(), weight.into());
        }
        fs::write(&next, table.to_string()).unwrap();
        let activate = begun + i64::from(EVERY) + 10;
        owner.make("release-1", None, &next, activate.0, &[]);
        owner.publish("release-1", "site", stage.world.store.objects());
        play.row(&mut [&mut a, &mut b]).await;
        let minutes = Duration::from_secs(120);
        let staged = "a release is staged: signed, whole, and taken by its plugins";
        a.running.wait_for(staged, 0, minutes).await;
        b.running.wait_for("a release waits for you to agree, and counts soon", 0, minutes).await;
        assert_eq!(b.running.count(staged), 0);
        let take = |number: &str| {
            let mut command = release(&["take", number, "--ledger"]);
            command.arg(&second);
            command
        };
        assert!(failure(&mut take("2")).contains("release 2 is not in"));
        assert!(stdout(&mut take("1")).contains("will be taken"));
        b.running.wait_for(staged, 0, minutes).await;
        play.until(activate - 5, &mut [&mut a, &mut b]).await;

        // One of them is away as it begins to count, and comes back to that row.
        b.running.kill();
        play.row(&mut [&mut a]).await;
        assert_eq!(play.block, activate);
        b = start_b();
        b.samples(activate).await;
        play.until(activate + 10, &mut [&mut a, &mut b]).await;
        // The other one is ended while payloads wait that were sampled before, and nobody serves the release any more.
        a.running.kill();
        stage.world.store.objects().put("index.toml", "gone");
        a = start_a();
        let last = (activate + 150).floor_to(EVERY);
        play.until(last, &mut [&mut a, &mut b]).await;
        for player in [&mut a, &mut b] {
            assert_eq!(player.running.terminate().0, Some(0));
        }

        same_rows(&first, &second, activate);
        let mut paid = 0;
        for k in 0..=(last - begun) / i64::from(EVERY) {
            let block = begun + k * i64::from(EVERY);
            let (x, y) = (computation(&first, block), computation(&second, block));
            assert_eq!((&x.basis, &x.settlements), (&y.basis, &y.settlements), "{block}");
            let weights = |scored: &Scored| (scored.ticker.clone(), scored.weight);
            let scored: Vec<(String, f64)> = x.scored.iter().map(weights).collect();
            let expected: &[(&str, f64)] = if block >= activate {
                &[("ETH", 3.0), ("ETHHITFIRST", 1.0)]
            } else {
                &[("ETH", 1.0), ("CADUSD", 1.0), ("ETHHITFIRST", 2.5)]
            };
            let expected: Vec<_> =
                expected.iter().map(|(ticker, weight)| ((*ticker).to_owned(), *weight)).collect();
            assert_eq!(scored, expected, "{block}");
            assert!(x.scored.iter().all(|scored| scored.failure.is_none()), "{x:#?}");
            let earns = x.settlements.iter().filter(|step| step.salience > 0.0).count();
            paid += if block >= activate { earns } else { 0 };
        }
        assert!(paid > 0, "nothing was earned by the release");
        for ledger in [&first, &second] {
            let taken = Ledger::read(ledger).unwrap().releases().unwrap();
            assert_eq!((taken.len(), taken[0].number, taken[0].activate), (1, 1, activate));
        }
        // Both histories come out again, the release and all; what was written of the first days at once was open too early for
        // the first computation of all.
        for (ledger, config) in [(&first, &file), (&second, &asking)] {
            let mut command = mantis();
            command.args(["replay", "--json", "--from", &(begun + i64::from(EVERY)).to_string(), "--ledger"]);
            let document =
                tokio::task::block_in_place(|| json(command.arg(ledger).arg("--base").arg(config)));
            let computations = document["candidates"][0]["computations"].as_array().unwrap();
            assert_eq!(computations.len() as i64, (last - begun) / i64::from(EVERY), "{document:#}");
            for computed in computations {
                let number =
                    if computed["block"].as_i64().unwrap() >= activate.0 { 1.into() } else { Value::Null };
                assert_eq!(
                    (&computed["recorded"]["same"], &computed["release"]),
                    (&true.into(), &number),
                    "{computed:#}"
                );
            }
        }
        stage.world.stop().await;
    });
}

/// What was computed for a block.
fn computation(ledger: &Path, block: Block) -> Computation {
    let ledger = Ledger::read(ledger).unwrap();
    let mut computation =
        ledger.computation_for(block).unwrap().unwrap_or_else(|| panic!("nothing for {block}"));
    computation.scored = ledger.scored(block).unwrap();
    computation
}

/// Both have the same rows, and the challenge that went has none from the block of the release on.
fn same_rows(a: &Path, b: &Path, activate: Block) {
    let read = |path: &Path, ticker: &str, dim: usize| {
        let mut rows: Vec<(Sidx, Option<f64>, Vec<u8>)> = Vec::new();
        let each = |row: Row<'_>| {
            let vectors =
                row.submissions.iter().flat_map(|(name, vector)| [name.as_bytes(), vector].concat());
            rows.push((row.sidx, row.price, vectors.collect()));
            Ok::<_, LedgerError>(ControlFlow::Continue(()))
        };
        Ledger::read(path).unwrap().rows(ticker, Sidx(0)..=Sidx::MAX, dim, each).unwrap();
        rows
    };
    for (ticker, dim, goes) in [("ETH", 2, false), ("ETHHITFIRST", 3, false), ("CADUSD", 2, true)] {
        let (x, y) = (read(a, ticker, dim), read(b, ticker, dim));
        let end = activate.sidx(5);
        assert_eq!(x.last().unwrap().0 < end, goes, "{ticker}");
        // What the row before the release holds was decoded by what counted for it.
        let opened = x.iter().rev().filter(|(sidx, _, vectors)| *sidx < end && !vectors.is_empty());
        assert_eq!(opened.map(|(sidx, ..)| *sidx).next(), Some(end - 1), "{ticker}");
        let until = x.len().min(y.len());
        assert_eq!(x[..until], y[..until], "{ticker}");
    }
}
