//! A validator beside a node that lies: whatever it says, nothing is lost and nothing is set, and two minutes after it is
//! honest again all goes on. The schedules of lies come from seeds; `MANTIS_SCHEDULES` says how many.

use super::node_that_lies::{FIRST, Lie, NodeThatLies, OWN, START, Seeded, neurons};
use super::{Service, ServiceError, ServiceOptions};
use crate::belief::Belief;
use crate::{Board, Pipeline, Status, TakeOver};
use mantis_config::{Block, Config};
use mantis_ledger::{ChainRecord, Computation, Ledger, NewRow, Pruned, SampledBlock};
use mantis_network::chain::DAY_BLOCKS;
use mantis_payload::beacon::Scheme;
use mantis_scoring::worker::Launcher;
use mantis_weights::Settlement;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Schedules of the ordinary test.
const SCHEDULES: u64 = 1000;
/// Seconds between two looks.
const LOOK: u64 = 6;
/// Seconds of honesty after which it must sample again.
const AGAIN: u64 = 120;

const TEXT: &str = "[network]\nweight_set_interval = 5\nweight_calc_interval = 100\ntask_interval = 10\nlag = 2\n\
    min_sampled = 1\n[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\n\
    blocks_ahead=300\nweight=1";

/// What all schedules share.
struct Theatre {
    config: Arc<Config>,
    dir: tempfile::TempDir,
    pipeline: Option<Pipeline>,
}

impl Theatre {
    fn new() -> Self {
        let config = Arc::new(Config::parse(TEXT, Path::new("a.toml")).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let pipeline = Pipeline::new(config.clone(), launcher()).unwrap();
        let theatre = Self { config, dir, pipeline: Some(pipeline) };
        theatre.write_history();
        theatre
    }

    /// 66 days of history, with little in it; and weights to set.
    fn write_history(&self) {
        let mut ledger = Ledger::open(self.dir.path().join("history.db")).unwrap();
        let row = || NewRow { ticker: "A".into(), dim: 2, price: Some(1.0), ..NewRow::default() };
        let sampled = |k: i64| {
            let block = Block(FIRST - k * DAY_BLOCKS).floor_to(5);
            SampledBlock { block, sidx: block.sidx(5), rows: vec![row()] }
        };
        ledger.append_many((0..=66).rev().map(sampled), 100).unwrap();
        let settlements = neurons("hk").into_iter().map(|neuron| Settlement {
            uid: neuron.uid,
            hotkey: neuron.hotkey,
            salience: 0.25,
            young: false,
            share: 0.25,
            burned: 0.0,
            previous: None,
            weight: 0.25,
        });
        let block = Block(FIRST).floor_to(100);
        let computation = Computation { block, settlements: settlements.collect(), ..Computation::default() };
        ledger.store_computation(&computation).unwrap();
        let pruned = Pruned { block: Block(FIRST - 66 * DAY_BLOCKS - 5), unix: START - 86_400, days: 65 };
        let head = Some((Block(FIRST), START));
        let record = ChainRecord { genesis: Some("0x01".into()), head, pruned: Some(pruned) };
        ledger.store_chain_record(&record).unwrap();
    }

    fn service(&mut self, node: &Arc<NodeThatLies>) -> Service {
        let run = ServiceOptions {
            hotkey: Some(OWN.into()),
            dry_run: false,
            take_over: TakeOver::default(),
            poll: Duration::ZERO,
            threads: 1,
            histories: None,
            scratch: self.dir.path().into(),
            launcher: launcher(),
        };
        let ledger = Ledger::open(self.dir.path().join("ledger.db")).unwrap();
        let board = Board::new(Status::default(), self.config.clone());
        let scheme = Scheme::from_config(&self.config.beacon).unwrap();
        let pipeline = self.pipeline.take().unwrap();
        Service::with(run, (self.config.clone(), None), (scheme, pipeline), node.clone(), ledger, board)
            .unwrap()
    }

    fn play(&mut self, seed: u64, counts: &Counts) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.dir.path().join(format!("ledger.db{suffix}")));
        }
        std::fs::copy(self.dir.path().join("history.db"), self.dir.path().join("ledger.db")).unwrap();
        let node = Arc::new(NodeThatLies::new());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play { seeded: Seeded(seed), seed, service: self.service(&node), node };
            let seconds = 180 + play.seeded.below(600);
            play.honest(seconds).await;
            for _ in 0..=play.seeded.below(3) {
                let lie = Lie::any(&mut play.seeded);
                let usual = [LOOK, LOOK, 60, 200, 400];
                let seconds = if play.seeded.below(20) == 0 { 4000 } else { play.seeded.one_of(&usual) };
                play.dishonest(lie, seconds).await;
                if play.seeded.below(4) == 0 {
                    let Play { service, .. } = play;
                    self.pipeline = Some(service.pipeline);
                    play = Play { service: self.service(&play.node), ..play };
                }
                let honest = AGAIN + 60 + play.seeded.below(300);
                play.honest(honest).await;
                counts.lies.fetch_add(1, Ordering::Relaxed);
            }
            counts.set.fetch_add(play.node.world().set.len() as u64, Ordering::Relaxed);
            let old =
                67 - play.service.ledger.blocks().unwrap().iter().filter(|block| block.0 <= FIRST).count();
            counts.pruned.fetch_add(old as u64, Ordering::Relaxed);
            self.pipeline = Some(play.service.pipeline);
        });
    }
}

/// What came of all schedules: a test in which nothing happens shows nothing.
#[derive(Default)]
struct Counts {
    lies: AtomicU64,
    set: AtomicU64,
    pruned: AtomicU64,
}

struct Play {
    seed: u64,
    seeded: Seeded,
    service: Service,
    node: Arc<NodeThatLies>,
}

/// What must stay as it is where the chain is not believed.
#[derive(Debug, PartialEq)]
struct Standing {
    rows: u64,
    sampled: Option<Block>,
    computing: Option<Block>,
    computed: Option<Block>,
    set: usize,
}

impl Play {
    /// Looks once, and holds it against what was said.
    async fn look(&mut self) {
        let before = self.standing();
        let now = {
            let mut world = self.node.world();
            world.go_on(LOOK, &mut self.seeded);
            world.now
        };
        self.service.turn(now).await.unwrap();
        while self.service.setting.as_ref().is_some_and(|setting| !setting.is_finished())
            || self.service.scoring.as_ref().is_some_and(|scoring| !scoring.is_finished())
        {
            tokio::task::yield_now().await;
        }
        let (seed, status) = (self.seed, self.service.board.status());
        let (is_wrong, lie, first) = {
            let world = self.node.world();
            (world.is_wrong(), world.lie, world.truth.block - 65 * DAY_BLOCKS)
        };
        let after = self.standing();
        if is_wrong {
            let chain = &status.chain;
            assert!(chain.fault.is_some() || chain.disbelieved.is_some(), "{seed}: ready: {lie:?} at {now}");
            // What was begun before may end, and is kept.
            let computing = after.computing.and(before.computing);
            assert!(after.computing.is_none() || before.computing.is_some(), "{seed}: {lie:?} at {now}");
            let after = Standing { computed: before.computed, computing, ..after };
            assert_eq!(after, Standing { computing, ..before }, "{seed}: {lie:?} at {now}");
        } else if lie.is_some_and(Lie::is_of_neurons) {
            assert_eq!(self.service.neurons.len(), 4, "{seed}: {lie:?} at {now}");
            assert!(self.service.neurons.iter().all(|neuron| neuron.hotkey.starts_with("hk")), "{seed}");
            assert_eq!(after.set, before.set, "{seed}: {lie:?} at {now}");
        }
        let blocks = self.service.ledger.blocks().unwrap();
        let kept = blocks.iter().filter(|block| **block >= first && block.0 <= FIRST).count();
        let all = (0..=66).filter(|k| Block(FIRST - k * DAY_BLOCKS).floor_to(5) >= first).count();
        assert_eq!(kept, all, "{seed}: rows are gone: {lie:?} at {now}");
    }

    fn standing(&self) -> Standing {
        Standing {
            rows: self.service.ledger.sampled_blocks().unwrap(),
            sampled: self.service.sampled,
            computing: self.service.scoring.as_ref().and(self.service.computing),
            computed: self.service.computed,
            set: self.node.world().set.len(),
        }
    }

    async fn dishonest(&mut self, lie: Lie, seconds: u64) {
        self.node.world().lies(Some(lie));
        for _ in 0..seconds.div_ceil(LOOK) {
            self.look().await;
        }
    }

    /// Whatever was said before, it samples what is true within two minutes, and goes on.
    async fn honest(&mut self, seconds: u64) {
        let (since, first) = {
            let mut world = self.node.world();
            world.lies(None);
            (world.now, world.truth.block)
        };
        let mut again = None;
        while self.node.world().now < since + seconds {
            self.look().await;
            let (now, truth) = {
                let world = self.node.world();
                (world.now, world.truth.block)
            };
            let seed = self.seed;
            if let Some(sampled) = self.service.sampled.filter(|sampled| *sampled > first - 5) {
                assert!(sampled <= truth, "{seed}: block {sampled} is sampled at block {truth}");
                again = again.or(Some(now));
            }
            if now >= since + AGAIN {
                let status = self.service.board.status();
                assert!(
                    again.is_some(),
                    "{seed}: nothing sampled by {now}: {:?} {:?}",
                    status.chain,
                    self.service.belief
                );
                assert_eq!(
                    (&status.chain.disbelieved, &status.chain.fault),
                    (&None, &None),
                    "{seed} at {now}"
                );
                assert!(self.service.sampled.is_some_and(|sampled| truth - sampled < 10), "{seed} at {now}");
            }
        }
    }
}

/// No program: a computation fails at once.
fn launcher() -> Launcher {
    Launcher { program: PathBuf::from("/nonexistent").into(), deadline: Duration::from_secs(1) }
}

#[test]
fn a_node_that_lies_costs_no_row_no_weight_and_two_minutes() {
    let schedules = std::env::var("MANTIS_SCHEDULES").map_or(SCHEDULES, |number| number.parse().unwrap());
    let (next, counts) = (AtomicU64::new(0), Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut theatre = Theatre::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= schedules {
                        break;
                    }
                    theatre.play(seed, &counts);
                }
            });
        }
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    assert!(count(&counts.lies) >= schedules, "hardly a lie was told");
    assert!(count(&counts.set) >= schedules, "hardly weights were set");
    assert!(count(&counts.pruned) >= schedules / 2, "hardly anything was old");
}

/// A validator on a copy of the history, whose node says this from the start.
fn with_node(lie: Option<Lie>, check: impl AsyncFnOnce(&mut Service, &NodeThatLies)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut theatre = Theatre::new();
    std::fs::copy(theatre.dir.path().join("history.db"), theatre.dir.path().join("ledger.db")).unwrap();
    let node = Arc::new(NodeThatLies::new());
    node.world().lies(lie);
    runtime.block_on(async {
        let mut service = theatre.service(&node);
        check(&mut service, &node).await;
    });
}

#[test]
fn another_chain_ends_it_at_the_start() {
    with_node(None, async |service, _| {
        service.record.genesis = Some("0x02".into());
        let error = service.turn(START).await.unwrap_err();
        assert!(matches!(error, ServiceError::OtherChain { .. }));
        let text = error.to_string();
        assert!(text.contains("0x02") && text.contains("0x01") && text.contains("mantis rewind"), "{text}");
    });
}

#[test]
fn the_chain_is_remembered() {
    with_node(None, async |service, node| {
        service.ledger.forget_chain().unwrap();
        service.record = ChainRecord::default();
        service.belief = Belief::new(None, Some(Block(FIRST)));
        for _ in 0..5 {
            node.world().go_on(12, &mut Seeded(1));
            let now = node.world().now;
            service.turn(now).await.unwrap();
        }
        let record = service.ledger.chain_record().unwrap();
        assert_eq!(record.genesis.as_deref(), Some("0x01"));
        assert!(record.head.is_some_and(|(block, unix)| block > Block(FIRST) && unix > START), "{record:?}");
        // What was never pruned is not pruned at once, however old it is.
        assert_eq!(service.ledger.first_block().unwrap(), Some(Block(FIRST - 66 * DAY_BLOCKS).floor_to(5)));
        assert!(record.pruned.is_some());
    });
}

#[test]
fn a_subnet_that_is_not_there_ends_it_at_the_start_and_is_borne_later() {
    with_node(Some(Lie::NoSubnet), async |service, node| {
        let error = service.turn(START).await.unwrap_err();
        assert!(
            error.to_string().contains("no subnet 123; check the network's URL and the netuid"),
            "{error}"
        );
        node.world().lies(None);
        service.turn(START).await.unwrap();
        node.world().lies(Some(Lie::NoSubnet));
        service.turn(START).await.unwrap();
        assert_eq!(service.neurons.len(), 4);
    });
}

#[test]
fn half_an_answer_is_no_answer_and_is_said_once() {
    with_node(Some(Lie::NoMetagraph), async |service, node| {
        service.turn(START).await.unwrap();
        let since = service.lost.map(|lost| lost.since);
        assert!(since.is_some());
        for _ in 0..3 {
            service.turn(START).await.unwrap();
            // Were it found again at each turn, it would be said at each.
            assert_eq!(service.lost.map(|lost| lost.since), since);
            assert!(service.board.status().chain.fault.is_some());
        }
        node.world().lies(None);
        service.turn(START).await.unwrap();
        assert!(service.lost.is_none() && service.board.status().chain.fault.is_none());
    });
}
