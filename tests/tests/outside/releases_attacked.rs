//! A validator that follows releases, and everything that may be wrong with one: each is refused with its sentence while the old one
//! runs on, and what is sound is taken afterwards.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_config::Block;
use mantis_ledger::{Ledger, SampledBlock};
use mantis_network::chain::Chain;
use mantis_network::loopback::Objects;
use mantis_release::{Digest, IndexEntry};
use mantis_tests::need::Need;
use mantis_tests::owner::Owner;
use mantis_tests::stage::{Running, Stage, keep, set};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, runtime, trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(what_is_wrong_is_refused_and_the_old_one_runs_on).needs(Need::Wasm).takes(60)]
}

const SEED: u64 = 21;
const ROWS: usize = 600;

/// A validator in a world, and the owner of its subnet.
struct Play<'a> {
    stage: &'a Stage,
    simulator: Simulator<'a>,
    crowd: Crowd<'a>,
    running: Running,
    owner: Owner,
}

impl Play<'_> {
    fn server(&self) -> &Objects {
        self.stage.world.store.objects()
    }

    /// Plays a row, and waits until it is sampled.
    async fn row(&mut self) -> Block {
        let step: SampledBlock = self.simulator.step().expect("enough rows");
        self.crowd.act(&step, self.stage.world.advance(&step), false).await.unwrap();
        let head = self.stage.advance(&step);
        let until = Instant::now() + Duration::from_secs(60);
        let is_sampled = |running: &Running| {
            running.log.iter().rev().any(|line| line["message"] == "sampled" && line["block"] == step.block.0)
        };
        while !is_sampled(&self.running) {
            self.running.read();
            assert!(Instant::now() < until, "not sampled: {:#?}", self.running.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        head.block
    }

    /// Plays rows until the validator says this.
    async fn hears(&mut self, message: &str, words: &str) {
        let since = self.running.log.len();
        for _ in 0..60 {
            self.row().await;
            let until = Instant::now() + Duration::from_secs(2);
            while Instant::now() < until {
                self.running.read();
                let mut said = self.running.log.iter().skip(since).filter(|line| line["message"] == message);
                if said.any(|line| line.to_string().contains(words)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        panic!("no `{message}` with `{words}`: {:#?}", self.running.tail());
    }

    async fn refuses(&mut self, words: &str) {
        self.hears("a release is not taken; the old one runs on", words).await;
    }

    async fn head(&self) -> i64 {
        self.stage.chain.head().await.unwrap().block.0
    }

    /// A configuration beside the validator's own, changed.
    fn config(&self, name: &str, from: &str, into: &str) -> PathBuf {
        let text = fs::read_to_string(self.stage.dir.join("challenges.toml")).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        let file = self.stage.dir.join(name);
        fs::write(&file, text.replacen(from, into, 1)).unwrap();
        file
    }

    /// Serves one release alone, as the first one there is.
    fn serve(&self, name: &str) {
        self.owner.upload(name, self.server());
        self.owner.list(123, &[self.owner.entry(name)], self.server());
    }
}

fn small(table: &mut Table) {
    keep(table, &["ETH", "ETHHITFIRST"]);
    set(table, "network", "lag", 10);
    set(table, "", "solver", "exact");
}

/// Where a file of a release is served.
fn of(number: u32, file: &str) -> String {
    format!("{number}/{file}")
}

fn flipped(server: &Objects, name: &str, at: usize) -> Vec<u8> {
    let mut bytes = server.get(name).unwrap().to_vec();
    bytes[at] ^= 1;
    bytes
}

fn what_is_wrong_is_refused_and_the_old_one_runs_on() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 4, SEED, &[], small).await;
        let owner = Owner::new(&dir.path().join("owner"), "//SubnetOwner");
        stage.chain.set_owner(owner.key().address()).unwrap();
        let file = stage.dir.join("challenges.toml");
        let mut table: Table = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let url = format!("{}/index.toml", stage.world.store.public_url());
        set(&mut table, "release", "url", url.as_str());
        fs::write(&file, table.to_string()).unwrap();
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: ROWS, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let first = simulator.step().unwrap();
        crowd.act(&first, stage.world.advance(&first), false).await.unwrap();
        stage.advance(&first);
        let running = Running::start(stage.validator(None).args(["--dry-run", "--listen", "off"]));
        let mut play = Play { stage: &stage, simulator, crowd, running, owner };

        before_any(&mut play, dir.path()).await;
        once_two_are_taken(&mut play).await;
        a_key_that_changes(&mut play).await;

        play.running.terminate();
        let ledger = Ledger::read(stage.ledger()).unwrap();
        let taken: Vec<(u32, Block)> =
            ledger.releases().unwrap().iter().map(|release| (release.number, release.activate)).collect();
        assert_eq!(taken.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(play.running.count("the release is taken"), 3);
        // No row was missed, whatever was served.
        let blocks = ledger.blocks().unwrap();
        assert!(blocks.windows(2).all(|pair| pair[1] - pair[0] == 5), "a block was missed");
        stage.world.stop().await;
    });
}

/// A validator that has taken none.
async fn before_any(play: &mut Play<'_>, dir: &Path) {
    play.refuses("index.toml cannot be fetched: the server answers with status 404").await;
    let config = play.config("one.toml", "weight = 2.5", "weight = 5.0");
    let soon = play.head().await + 4000;
    let far = soon.to_string();

    // Another's key, of the list and of the release.
    let mallory = Owner::new(&dir.join("mallory"), "//Mallory");
    mallory.make("m", None, &config, soon, &[]);
    mallory.upload("m", play.server());
    mallory.list(123, &[mallory.entry("m")], play.server());
    play.refuses("index.toml is not signed by").await;
    play.owner.list(123, &[mallory.entry("m")], play.server());
    play.refuses("release.toml of release 1 is not signed by").await;

    // Another subnet, and a list without an end.
    play.owner.make("good", None, &config, soon, &[]);
    play.owner.list(7, &[play.owner.entry("good")], play.server());
    play.refuses("index.toml is for subnet 7, and this validator is of subnet 123").await;
    play.server().put("index.toml", " ".repeat(200_000));
    play.refuses("index.toml is larger than 131072 bytes").await;

    // A release that is not what the list says, a changed byte, and half a file.
    play.serve("good");
    play.server().put(&of(1, "release.toml"), flipped(play.server(), &of(1, "release.toml"), 0));
    play.refuses("1/release.toml has the digest").await;
    play.serve("good");
    play.server().put(&of(1, "challenges.toml"), flipped(play.server(), &of(1, "challenges.toml"), 5));
    play.refuses("challenges.toml has the digest").await;
    play.serve("good");
    let plugin = of(1, "plugins/mantis_hitfirst.wasm");
    let whole = play.server().get(&plugin).unwrap();
    play.server().put(&plugin, whole.slice(..whole.len() / 2));
    play.refuses("of release 1 cannot be fetched: the answer ended after").await;
    play.server().put(&plugin, [whole.as_ref(), b"more"].concat());
    play.refuses("bytes, and release.toml says").await;

    // What cannot run here.
    for (name, more, says) in [
        ("old", &["--host", ">=9"][..], "release 1 is for versions >=9 of this program, and this is"),
        ("expired", &["--expires", "11"], "could be taken until block 11"),
    ] {
        let activate = if name == "expired" { 10 } else { soon };
        play.owner.make(name, None, &config, activate, more);
        play.serve(name);
        play.refuses(says).await;
    }
    let bad = play.config("bad.toml", "min_rows = 500", "min_rows = -500");
    play.owner.make("bad", None, &bad, soon, &[]);
    let check = failure(mantis().args(["release", "check"]).arg(play.owner.path("bad")));
    assert!(check.contains("min_rows"), "{check}");
    play.serve("bad");
    play.refuses("its challenges.toml is refused").await;
    let other = play.config("lag.toml", "lag = 10", "lag = 11");
    play.owner.make("lag", None, &other, soon, &[]);
    play.serve("lag");
    play.refuses("key `lag`: it cannot change").await;

    // A disk that is full, for one file.
    let next = play.head().await + 30;
    play.owner.make("one", None, &config, next, &["--expires", &far]);
    let digest = play.owner.digest("one");
    let part =
        play.stage.ledger().with_added_extension("releases").join(format!("1-{}.part", digest.short()));
    fs::create_dir_all(&part).unwrap();
    let full = part.join("challenges.toml.part");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    play.serve("one");
    play.refuses("No space left on device").await;
    // The link is gone with the attempt, and the next one goes on.
    play.hears("a release is staged: signed, whole, and taken by its plugins", "\"release\":1").await;
    play.hears("the release is taken", "\"release\":1").await;
}

/// A validator that has taken two.
async fn once_two_are_taken(play: &mut Play<'_>) {
    let config = play.config("two.toml", "weight = 2.5", "weight = 6.0");
    let next = play.head().await + 10;
    play.owner.make("two", Some("one"), &config, next, &[]);
    play.owner.upload("two", play.server());
    let entry = |name: &str| play.owner.entry(name);
    let (one, two) = (entry("one"), entry("two"));
    play.owner.list(123, &[one, two], play.server());
    play.hears("the release is taken", "\"release\":2").await;

    play.owner.list(123, &[one], play.server());
    play.refuses("the newest release there is 1, and release 2 was taken before").await;
    let again = IndexEntry { sha256: Digest::of(b"other"), ..two };
    play.owner.list(123, &[one, again], play.server());
    play.refuses("a number is never used again").await;
    let later = IndexEntry { number: 4, ..two };
    play.owner.list(123, &[later], play.server());
    play.refuses("after release 2 comes 4 in the list, and 3 is missing").await;

    // Made from another one than the one that was taken.
    let next = play.head().await + 4000;
    play.owner.make("other", Some("one"), &config, two.activate, &["--changes", "README.md"]);
    play.owner.make("stray", Some("other"), &config, next, &[]);
    play.owner.upload("stray", play.server());
    play.owner.list(123, &[one, two, play.owner.entry("stray")], play.server());
    play.refuses("release 3 names sha256:").await;
}

/// What was staged does not outlive the key that signed it.
async fn a_key_that_changes(play: &mut Play<'_>) {
    let config = play.config("three.toml", "weight = 2.5", "weight = 7.0");
    let next = play.head().await + 150;
    play.owner.make("three", Some("two"), &config, next, &[]);
    play.owner.upload("three", play.server());
    let list = ["one", "two", "three"].map(|name| play.owner.entry(name));
    play.owner.list(123, &list, play.server());
    play.hears("a release is staged: signed, whole, and taken by its plugins", "\"release\":3").await;
    let heir = Owner::new(&play.owner.path(""), "//Heir");
    play.stage.chain.set_owner(heir.key().address()).unwrap();
    play.refuses(&format!("index.toml is not signed by {}", heir.key().address())).await;
    while play.head().await <= next {
        play.row().await;
    }
    play.row().await;
    play.running.read();
    assert_eq!(play.running.count("the release is taken"), 2, "{:#?}", play.running.tail());
    let status = json(mantis().args(["release", "status", "--json", "--ledger"]).arg(play.stage.ledger()));
    let taken = status["releases"].as_array().unwrap().iter().filter(|release| release["taken"].is_number());
    assert_eq!(taken.count(), 2, "{status}");

    heir.sign("three");
    heir.upload("three", play.server());
    heir.list(123, &list, play.server());
    play.hears("the release is taken", "\"release\":3").await;
}
