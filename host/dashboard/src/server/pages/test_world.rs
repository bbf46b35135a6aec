//! A network that was sampled, scored and paid, for the tests of the pages.

use super::{Page, error_page, now, render};
use crate::standing::Standing;
use mantis_config::{Block, Config, Sidx};
use mantis_ledger::{
    Accepted, Activities, Activity, AgreementRecord, Arrival, Attempt, Computation, Ledger, NewRow,
    Rejection, Sample, SampledBlock, Sent, Stage,
};
use mantis_plugin_api::{Description, Salience, WhyZero};
use mantis_validator::agreement::{
    Agreement, MinerDifference, OtherValidator, Reasons, RowAgreement, Subnet,
};
use mantis_validator::{BatchStatus, JobStatus, Status};
use mantis_weights::{Neuron, Outcome, Scored, Scores, SettleRules, settle};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(super) const EVIL: &str =
    "</style><script src=\"http://x/\">alert('1')</script>&amp;<b id=\"main\">\u{0}\u{202e}]]><!--/../%2F?#";

pub(super) struct PageWorld {
    _dir: tempfile::TempDir,
    pub(super) ledger: Ledger,
    pub(super) standing: Standing,
    pub(super) status: Status,
    pub(super) hotkeys: Vec<String>,
}

pub(super) fn plain(m: usize) -> String {
    format!("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5Ey{m:03}")
}

/// A number between 0 and 1 that looks drawn.
fn noise(a: usize, b: usize) -> f64 {
    let x =
        (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (b as u64 + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

impl PageWorld {
    /// So many miners that were scored so many times, with `text` for every text that comes from outside.
    pub(super) fn new(
        hotkey: impl Fn(usize) -> String,
        miners: usize,
        computations: i64,
        text: &str,
    ) -> Self {
        let config =
            Config::parse(include_str!("../../../../../challenges.toml"), Path::new("challenges.toml"))
                .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let hotkeys: Vec<String> = (0..miners).map(hotkey).collect();
        ledger.append_many((1000..2000).map(|k| step(&config, k)).collect::<Vec<_>>(), 1000).unwrap();
        let mut previous: Option<BTreeMap<String, f64>> = None;
        for k in 1..=computations {
            let last = scored(&config, &hotkeys, k as usize, text);
            let burn = Neuron { uid: 0, hotkey: "owner".into() };
            let neurons = (1..).zip(&hotkeys).map(|(uid, hotkey)| Neuron { uid, hotkey: hotkey.clone() });
            let input = mantis_weights::Input {
                salience: Scores::new(last.clone(), 0).total,
                burn: 0.0,
                metagraph: [burn].into_iter().chain(neurons).collect(),
                first_block: BTreeMap::new(),
                block: Block(1000 * k),
                previous: previous.clone(),
            };
            let Outcome::Weights(steps) = settle(&input, &SettleRules::default()).unwrap() else {
                panic!("weights")
            };
            previous = Some(steps.iter().map(|step| (step.hotkey.clone(), step.weight)).collect());
            let rejected = (k == 3).then(|| "all positive weights are equal".to_owned());
            let computation = Computation {
                block: Block(1000 * k),
                max_block: Block(1000 * k - 500),
                unix: 1_700_000_000 + 12_000 * k.unsigned_abs(),
                seconds: 88.25,
                settlements: if rejected.is_some() { Vec::new() } else { steps },
                rejected,
                scored: last,
                activities: activities(&config, &hotkeys),
                ..Computation::default()
            };
            ledger.store_computation(&computation).unwrap();
            ledger.store_attempt(&attempt(k, text)).unwrap();
        }
        for k in 0..3 {
            ledger.sample(&sample(&config, &hotkeys, 2000 + 40 * k, text)).unwrap();
        }
        ledger.store_states("MULTIBREAKOUT", Sidx(1999), &states(&config)).unwrap();
        ledger.store_agreement(&agreement(&hotkeys, text)).unwrap();
        let about = hotkeys.iter().map(|hotkey| (hotkey.clone(), text.to_owned())).collect();
        let standing = Standing::read(&ledger, Arc::new(config), about).unwrap();
        Self { _dir: dir, ledger, standing, status: status(text), hotkeys }
    }

    pub(super) fn page(&self, page: Page<'_>) -> String {
        render(&page, &self.standing, Some(&self.status), &self.ledger).unwrap().unwrap()
    }

    /// Every page there is, by name.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("overview".to_owned(), self.page(Page::Overview)),
            ("leaderboard".to_owned(), self.page(Page::Leaderboard { challenge: None })),
            ("challenges".to_owned(), self.page(Page::Challenges)),
            ("weights".to_owned(), self.page(Page::Weights { offset: 0 })),
            ("weights-2".to_owned(), self.page(Page::Weights { offset: 50 })),
            ("configuration".to_owned(), self.page(Page::Configuration)),
            ("fault".to_owned(), error_page(404, EVIL).unwrap()),
        ];
        for challenge in &self.standing.config.challenges {
            let ticker = &challenge.ticker;
            all.push((
                format!("leaderboard-{ticker}"),
                self.page(Page::Leaderboard { challenge: Some(ticker) }),
            ));
            all.push((format!("challenge-{ticker}"), self.page(Page::Challenge(ticker))));
        }
        for (i, hotkey) in self.hotkeys.iter().take(4).enumerate() {
            all.push((format!("miner-{i}"), self.page(Page::Miner(hotkey))));
        }
        all
    }
}

fn step(config: &Config, k: i64) -> SampledBlock {
    let wave =
        |asset: usize| 100.0 * (1.0 + 0.1 * noise(asset, k as usize / 40) + 0.02 * noise(asset, k as usize));
    let record = |(i, c): (usize, &mantis_config::Challenge)| {
        let prices = c.assets.iter().enumerate().map(|(a, asset)| (asset.clone(), wave(a)));
        NewRow {
            ticker: c.ticker.clone(),
            price: c.assets.is_empty().then(|| wave(i)),
            price_data: (!c.assets.is_empty()).then(|| prices.collect()),
            ..NewRow::default()
        }
    };
    let rows = config.challenges.iter().enumerate().map(record).collect();
    SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows }
}

fn scored(config: &Config, hotkeys: &[String], k: usize, text: &str) -> Vec<Scored> {
    let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
    let one = |(c, challenge): (usize, &mantis_config::Challenge)| {
        let mut salience = Salience::new(hotkeys.len());
        salience.fact("rows", 1440.0);
        salience.fact("share_up", 0.25 + 0.5 * noise(c, 1));
        salience.fact(text, 0.5);
        for m in 0..hotkeys.len() {
            let auc = 0.46 + 0.12 * noise(m, 77) + 0.02 * noise(m, c);
            salience.note(m, "present_rows", (1440.0 * noise(m, 3)).round());
            salience.note(m, "auc", auc);
            salience.note(m, "overlap_with_miner", ((m + 1) % hotkeys.len()) as f64);
            salience.note(m, text, 0.125);
            if auc < 0.5 || noise(m, c) < 0.2 {
                salience.zero(m, WhyZero::new("auc", format!("its AUC of {auc:.3} is not above 0.5 {text}")));
            } else {
                salience.set(m, (auc - 0.5) * (0.5 + noise(m + 100 * c, k / 4)));
            }
        }
        Scored {
            ticker: challenge.ticker.clone(),
            weight: weights[&challenge.ticker],
            hotkeys: hotkeys.to_vec(),
            salience: Some(salience),
            skipped: None,
            description: Some(Description::new(
                &challenge.plugin,
                "1.0.0",
                "Compares what miners said with what the market did.",
            )),
            seconds: 4.0 + c as f64,
            ..Scored::default()
        }
    };
    config.challenges.iter().enumerate().map(one).collect()
}

fn activities(config: &Config, hotkeys: &[String]) -> Activities {
    let of = |m: usize| Activity {
        rows: 1440,
        present: 1440 - 37 * (m as u32 % 20),
        changes: 700,
        last_sidx: Sidx(1999),
        changed_sidx: Sidx(1990),
        twin: m.is_multiple_of(5).then(|| hotkeys[(m + 1) % hotkeys.len()].clone()),
        twin_rows: 12,
    };
    let all: BTreeMap<String, Activity> =
        hotkeys.iter().enumerate().map(|(m, key)| (key.clone(), of(m))).collect();
    config.challenges.iter().map(|c| (c.ticker.clone(), all.clone())).collect()
}

fn attempt(k: i64, text: &str) -> Attempt {
    let sent = [Sent::Set, Sent::Committed, Sent::Unconfirmed, Sent::Failed][k as usize % 4];
    Attempt {
        computed: Block(1000 * k),
        block: Block(1000 * k + 20),
        unix: 1_700_000_000 + 12_000 * k.unsigned_abs(),
        sent,
        transaction: Some(format!("0x{k:064x}")),
        included: Some(Block(1000 * k + 22)),
        error: (sent == Sent::Failed).then(|| text.to_owned()),
        weights: vec![(0, "owner".into(), 65_535)],
    }
}

/// How weights stand with those of another validator.
fn agreement(hotkeys: &[String], text: &str) -> AgreementRecord {
    let row = |validator_trust| RowAgreement {
        consensus_distance: Some(0.125),
        clipped: 1.0 - validator_trust,
        validator_trust,
        ..RowAgreement::default()
    };
    let other = OtherValidator {
        uid: 7,
        hotkey: text.to_owned(),
        stake: 0.625,
        age: 4321,
        committed: None,
        validator_trust: 1.0,
        distance_shown: None,
        distance_newest: Some(1.5),
    };
    let miner = |(uid, hotkey): (u16, &String)| MinerDifference {
        uid,
        hotkey: hotkey.clone(),
        newest: 0.25,
        shown: None,
        consensus: 0.5,
        reasons: Reasons { challenges: vec![(text.to_owned(), 1.0)], burn: uid == 1, ..Reasons::default() },
    };
    let agreement = Agreement {
        block: 10_360,
        computed: 10_000,
        subnet: Subnet {
            netuid: 123,
            kappa: 0.5,
            yuma3: true,
            tempo: 360,
            last_epoch: None,
            reveal_period: None,
        },
        ours: None,
        shown: Some(row(0.8125)),
        newest: row(0.9375),
        validators: vec![other],
        miners: (1..).zip(hotkeys).map(miner).collect(),
        alpha_per_day: hotkeys.iter().take(1).map(|hotkey| (hotkey.clone(), 12.5)).collect(),
    };
    AgreementRecord {
        block: Block(agreement.block),
        unix: now() - 60,
        distance: Some(0.125),
        validator_trust: 0.9375,
        document: serde_json::to_string(&agreement).unwrap(),
    }
}

fn sample(config: &Config, hotkeys: &[String], k: i64, text: &str) -> Sample {
    let mut sample = Sample { step: step(config, k), ..Sample::default() };
    for (m, hotkey) in hotkeys.iter().enumerate() {
        let mut sha256 = [0; 32];
        sha256[0] = m as u8;
        sha256[1] = k as u8;
        let accepted = Accepted { payload: vec![1, 2, 3], sha256, round: 9, early: false };
        let accepted = (!m.is_multiple_of(7)).then_some(accepted);
        if accepted.is_none() {
            let (code, detail) = (text.into(), format!("the file is not there: {text}"));
            let hotkey = hotkey.clone();
            sample.rejections.push(Rejection {
                hotkey,
                stage: Stage::Fetch,
                ticker: String::new(),
                code,
                detail,
            });
        }
        sample.arrivals.push(Arrival { hotkey: hotkey.clone(), accepted });
    }
    sample
}

fn states(config: &Config) -> BTreeMap<String, String> {
    let breakouts = config.challenges.iter().find(|c| c.blocks_ahead == 0 && c.assets.len() > 4).unwrap();
    let event = |a: usize, e: usize| {
        serde_json::json!({
            "trigger_sidx": 1000 + 97 * e + a, "direction": if e.is_multiple_of(2) { "high" } else { "low" },
            "label": usize::from(noise(a, e) > 0.5), "embeddings": {"a": [0.5, 0.5]},
        })
    };
    let state = |a: usize| {
        let completed: Vec<_> = (0..10).map(|e| event(a, e)).collect();
        serde_json::json!({"completed": completed, "pending_high": {"trigger_sidx": 1990}}).to_string()
    };
    breakouts.assets.iter().enumerate().map(|(a, asset)| (asset.clone(), state(a))).collect()
}

fn status(text: &str) -> Status {
    let mut status = Status {
        started: 1,
        network: "finney".into(),
        netuid: 123,
        hotkey: Some(plain(1)),
        ..Status::default()
    };
    status.chain.block = Some(Block(10_420));
    status.chain.block_time = Some(now() - 7);
    status.chain.answered = Some(now() - 3);
    status.chain.neurons = Some(256);
    status.chain.registered = Some(true);
    status.sampling.block = Some(Block(10_420));
    status.sampling.at = Some(now() - 5);
    status.sampling.seconds = Some(2.25);
    status.sampling.accepted = Some(22);
    status.sampling.refused = Some(3);
    status.sampling.feed_fault = Some(format!("the feed does not answer: {text}"));
    status.weights.next_computation = Some(Block(11_000));
    status.weights.next_setting = Some(Block(10_440));
    let mut batch = BatchStatus::default();
    for state in ["queued", "running", "done", "failed", "here"] {
        let mut job = JobStatus::default();
        (job.ticker, job.state, job.attempt, job.since) = ("ETH".into(), state.into(), 2, now() - 4);
        (job.node, job.why) = (Some(format!("node {text}")), Some(format!("it ended early: {text}")));
        batch.jobs.push(job);
    }
    status.batch = Some(batch);
    status.configuration.file = "/etc/mantis/challenges.toml".into();
    status.configuration.taken = now() - 4000;
    status
}

/// Parses a page as XML, which finds every tag and quote that is not in order.
pub(super) fn parse<'a>(name: &str, page: &'a str) -> roxmltree::Document<'a> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(page, options).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub(super) fn by_id<'a>(document: &'a roxmltree::Document<'a>, id: &str) -> roxmltree::Node<'a, 'a> {
    document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no #{id}"))
}
