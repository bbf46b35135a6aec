//! What strangers can make a validator hold and wait for: the largest payloads there can be, payloads on which it dies,
//! and more of them than it may have open files.

use mantis_ledger::{Ledger, SampledBlock};
use mantis_network::chain::Chain;
use mantis_payload::{SealOptions, seal};
use mantis_tests::stage::{Running, Stage, set};
use mantis_tests::suite::Trial;
use mantis_tests::{note, runtime, trial};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(as_many_of_the_largest_payloads_as_there_can_be_take_little).apart("memory").takes(30),
        trial!(a_payload_on_which_it_dies_is_left_out_in_the_end).takes(20),
        trial!(too_few_open_files_are_no_fault_of_the_miners).takes(15),
    ]
}

const SEED: u64 = 3;
const PLAINTEXT: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(90);

/// Opens a block two rows after it was sampled.
fn soon(table: &mut Table) {
    set(table, "network", "lag", 2);
}

/// One challenge, whose plugin sleeps at a word.
fn sleepy(table: &mut Table) {
    soon(table);
    let challenge = "name = \"T\"\nticker = \"T\"\nplugin = \"hostile\"\ndim = 2\nblocks_ahead = 300\nweight = 1.0\n\
                     [params]\nhow = \"sleep\"\n";
    let challenge: Table = toml::from_str(challenge).unwrap();
    table.insert("challenge".into(), vec![challenge].into());
}

/// Puts up what a miner has sealed for the row that comes.
async fn serve(stage: &Stage, hotkey: &str, plaintext: &Map<String, Value>) {
    let now = stage.world.chain.head().await.unwrap().unix;
    let round = stage.world.scheme().round_at(now + 30);
    let owner = stage.world.config().network.owner_key;
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let sealed =
        seal(plaintext, hotkey, round, &owner, stage.world.scheme(), SealOptions::default(), &mut rng);
    stage.world.store.objects().put(hotkey, sealed.unwrap());
}

/// Moves on by a row, without prices.
async fn next_row(stage: &Stage) {
    let block = stage.world.chain.head().await.unwrap().block + 5;
    stage.advance(&SampledBlock { block, sidx: block.sidx(5), rows: Vec::new() });
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A plaintext of the largest size there can be, filled up with blanks in a text.
fn filled(value: Value, hotkey: &str) -> Map<String, Value> {
    let mut plaintext = map(value);
    plaintext.insert("pad".into(), "".into());
    let mut whole = plaintext.clone();
    whole.insert("hotkey".into(), hotkey.into());
    let bytes = Value::from(whole).to_string().len();
    plaintext.insert("pad".into(), " ".repeat(PLAINTEXT.checked_sub(bytes).unwrap()).into());
    plaintext
}

fn nested(depth: usize, of: Value) -> Value {
    (0..depth).fold(of, |value, _| json!({ "a": value }))
}

/// Kinds of large plaintexts, and whether each is opened.
fn large(kind: usize) -> (Value, bool) {
    let numbers = |n: usize| vec![json!(0.123_456_789); n];
    match kind % 8 {
        0 => (json!({ "ETH": numbers(5000) }), true),
        1 => (json!({ "ETH": [0.25, 0.5], "MULTIXSEC": numbers(33), "ETHLBFGS": numbers(17) }), true),
        2 => (json!({ "ETH": vec![nested(12, json!(1)); 700] }), false),
        // Just within what values may take in memory.
        3 => (json!({ "MULTIBREAKOUT": vec![nested(1, json!(1)); 1000] }), true),
        4 => (json!({ "TRADEMIX": vec![json!(0); 15_000] }), true),
        5 => (json!({ "ETHHITFIRST": vec![json!([]); 20_000] }), false),
        6 => (json!({ "FUNDINGXSEC": "\u{1}".repeat(10_000) }), true),
        _ => {
            let assets: Map<String, Value> =
                (0..2000).map(|i| (format!("A{i}"), json!([0.5, 0.5]))).collect();
            (json!({ "MULTIBREAKOUT": assets }), true)
        }
    }
}

/// The most memory that a process had resident, MiB.
fn peak_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() / 1024
}

/// The processes that a process has started.
fn children(of: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()?;
        (parent == of).then_some(process)
    });
    processes.collect()
}

fn as_many_of_the_largest_payloads_as_there_can_be_take_little() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 256, SEED, &[], soon).await;
        let mut good = 0;
        for (kind, miner) in stage.miners.iter().enumerate() {
            let (value, is_opened) = large(kind);
            good += u64::from(is_opened);
            serve(&stage, &miner.hotkey, &filled(value, &miner.hotkey)).await;
        }
        next_row(&stage).await;
        let mut running = Running::start(stage.validator(None).arg("--dry-run"));
        let sampled = running.wait_for("sampled", 0, PATIENCE).await;
        assert_eq!(sampled["accepted"], 256, "{sampled}");
        for _ in 0..2 {
            next_row(&stage).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let opened = running.wait_for("opened", 0, PATIENCE).await;
        let (host, workers) = (peak_mib(running.id()), children(running.id()));
        let workers: u64 = workers.into_iter().map(peak_mib).sum();
        let seconds = opened["seconds"].as_f64().unwrap();
        note!("256 payloads of the largest size: host {host} MiB, workers {workers} MiB, {seconds} s");
        assert_eq!(opened["opened"], good, "{opened}");
        assert!(host <= 1024 && workers <= 512, "host {host} MiB, workers {workers} MiB");
        assert!(seconds <= 15.0, "{seconds} s");

        let ledger = Ledger::read(stage.ledger()).unwrap();
        for kind in [2, 5] {
            let refused = ledger.rejections(Some(&stage.miners[kind].hotkey)).unwrap();
            let codes: Vec<&str> = refused.iter().map(|stretch| stretch.last.code.as_str()).collect();
            assert_eq!(codes, ["plaintext_too_much_memory"], "{refused:?}");
        }
        assert_eq!(running.terminate().0, Some(0), "{:#?}", running.tail());
        stage.world.stop().await;
    });
}

/// Waits until so many blocks are sampled.
async fn wait_for_samples(running: &mut Running, blocks: usize) {
    let until = Instant::now() + PATIENCE;
    while running.count("sampled") < blocks {
        assert!(Instant::now() < until, "{:#?}", running.tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
        running.read();
    }
}

/// Waits until the first block's openings are under way as they should be.
async fn wait_for_openings(
    stage: &Stage,
    running: &mut Running,
    expected: impl Fn(&BTreeMap<String, u32>) -> bool,
) {
    let until = Instant::now() + PATIENCE;
    loop {
        let openings = Ledger::read(stage.ledger()).ok().and_then(|ledger| ledger.openings(0).ok());
        if openings.as_ref().is_some_and(&expected) {
            return;
        }
        running.read();
        assert!(Instant::now() < until, "{openings:?}: {:#?}", running.tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn a_payload_on_which_it_dies_is_left_out_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 8, SEED, &[], sleepy).await;
        let mut hotkeys: Vec<String> = stage.miners.iter().map(|miner| miner.hotkey.clone()).collect();
        hotkeys.sort();
        // The first and the last of them hold up the validator, which is then killed, as a system does that is out of
        // memory.
        let (first, last) = (hotkeys[0].clone(), hotkeys[7].clone());
        for hotkey in &hotkeys {
            let is_deadly = [&first, &last].contains(&hotkey);
            let sent = if is_deadly { json!({ "T": "sleep" }) } else { json!({ "T": [0.25, 0.75] }) };
            serve(&stage, hotkey, &map(sent)).await;
        }
        next_row(&stage).await;
        let start = || Running::start(stage.validator(None).arg("--dry-run"));
        let mut running = start();
        wait_for_samples(&mut running, 1).await;
        // What comes later holds nothing up.
        for hotkey in &hotkeys {
            serve(&stage, hotkey, &map(json!({ "T": [0.5, 0.5] }))).await;
        }
        for row in 1..=2 {
            next_row(&stage).await;
            wait_for_samples(&mut running, 1 + row).await;
        }
        wait_for_openings(&stage, &mut running, |openings| openings.len() == 8).await;
        running.kill();
        for (deadly, others) in [(&first, 7), (&last, 1)] {
            running = start();
            wait_for_openings(&stage, &mut running, |openings| {
                openings.get(deadly) == Some(&2) && openings.len() >= others
            })
            .await;
            running.kill();
        }
        running = start();
        let opened = running.wait_for("opened", 0, PATIENCE).await;
        assert_eq!((opened["opened"].as_u64(), opened["refused"].as_u64()), (Some(6), Some(2)), "{opened}");
        let ledger = Ledger::read(stage.ledger()).unwrap();
        for hotkey in &hotkeys {
            let refused = ledger.rejections(Some(hotkey)).unwrap();
            let codes: Vec<&str> = refused.iter().map(|stretch| stretch.last.code.as_str()).collect();
            let expected: &[&str] = if [&first, &last].contains(&hotkey) { &["opening_died"] } else { &[] };
            assert_eq!(codes, expected, "{hotkey}");
        }
        assert_eq!(running.terminate().0, Some(0), "{:#?}", running.tail());
        stage.world.stop().await;
    });
}

fn too_few_open_files_are_no_fault_of_the_miners() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let stage = Stage::set(dir.path(), 256, SEED, &[], soon).await;
        for miner in &stage.miners {
            serve(&stage, &miner.hotkey, &map(json!({ "ETH": [0.25, 0.75] }))).await;
        }
        next_row(&stage).await;
        let mut running = Running::start(with_files(60, &stage.validator(None)).arg("--dry-run"));
        let sampled = running.wait_for("sampled", 0, PATIENCE).await;
        running.read();
        let missed = 256 - sampled["accepted"].as_u64().unwrap();
        let fault = running.log.iter().find(|line| line["message"] == "payloads were not fetched");
        let said = fault.map_or(0, |line| line["payloads"].as_u64().unwrap());
        note!("{missed} of 256 payloads missed with 60 open files");
        assert_eq!(missed, said, "{sampled}");
        assert!(
            fault.is_none_or(
                |line| line["level"] == "ERROR" && line["fault"].to_string().contains("open files")
            )
        );
        let ledger = Ledger::read(stage.ledger()).unwrap();
        for miner in &stage.miners {
            let refused = ledger.rejections(Some(&miner.hotkey)).unwrap();
            assert!(refused.is_empty(), "{refused:?}");
        }
        drop(running);
        stage.world.stop().await;
    });
}

/// The same command, with so few open files.
fn with_files(files: u32, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("ulimit -n {files} && exec \"$@\"");
    shell.arg("-c").arg(script).arg("sh").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs().filter_map(|(key, value)| Some((key, value?))) {
        shell.env(key, value);
    }
    shell
}
