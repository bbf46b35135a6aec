//! Readers of the dashboard, all at once, while the validator samples: `cargo xtask bench web`.
//!
//! A ledger of 256 miners with 60 days of computations; a validator on it, a sampled block every second; then so many
//! readers for so many seconds, each with a connection of its own, each asking for one address after another. Prints how
//! long answers took with and without readers, and what they did to sampling; fails where a sample is missed or an answer
//! is no success.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_config::Block;
use mantis_ledger::Ledger;
use mantis_tests::http;
use mantis_tests::record::{hotkey, write};
use mantis_tests::stage::{Running, Stage, VALIDATOR};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SEED: u64 = 5;
const MINERS: usize = 256;
/// One every thousand blocks for 60 days.
const COMPUTATIONS: usize = 432;
const TICK: Duration = Duration::from_secs(1);
/// Sampled blocks without readers, before and after.
const QUIET: usize = 20;

/// What a kind of address is called, and its n-th one.
type MinerKind = (&'static str, fn(usize) -> String);

/// How long each answer took, by the kind of address.
type Times = Arc<Mutex<Vec<(&'static str, Duration)>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| arguments.next().unwrap_or(Ok(default));
    let (readers, seconds) = (next(200)?, next(60)?);
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stage = Stage::set(dir.path(), MINERS, SEED, &[], |_| {}).await;
        let config = stage.world.config();
        let (history, rows) = (1440, 2 * QUIET + seconds);
        let simulation = Simulation {
            config: &config,
            only: None,
            rows: history + rows,
            miners: &stage.miners,
            seed: SEED,
        };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        println!("writing a day of {MINERS} miners, and {COMPUTATIONS} computations");
        let mut ledger = Ledger::open(stage.ledger())?;
        simulator.write(history, &mut ledger, |_| {})?;
        let newest = ledger.last_block()?.unwrap_or_default();
        write(&mut ledger, &config, MINERS, COMPUTATIONS, newest.next_multiple(1000));
        drop(ledger);
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED)?;
        let mut running: Option<Running> = None;
        let mut ticks = tokio::time::interval(TICK);
        // Blocks do not come faster because the validator took its time to start.
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut reading: Option<Reading> = None;
        let mut server = None;
        let (mut played, mut began) = (0, Block::MAX);
        while let Some(step) = simulator.step() {
            ticks.tick().await;
            crowd.act(&step, stage.world.advance(&step), true).await?;
            stage.advance(&step);
            played += 1;
            let validator = running.get_or_insert_with(|| {
                let mut command = stage.validator(None);
                Running::start(command.args(["--hotkey-uri", VALIDATOR, "--listen", "127.0.0.1:0"]))
            });
            validator.read();
            if server.is_none() {
                let line = validator.wait_for("dashboard", 0, Duration::from_secs(60)).await;
                server = Some(line["address"].as_str().ok_or("no address")?.parse::<SocketAddr>()?);
            }
            if let (QUIET, Some(server)) = (played, server) {
                one_by_one(server)?;
                println!("{readers} readers for {seconds} s");
                began = step.block;
                reading = Some(Reading::start(server, readers));
            }
            if played == QUIET + seconds
                && let Some(reading) = reading.take()
            {
                reading.end()?;
            }
        }
        let mut running = running.ok_or("nothing was played")?;
        running.read();
        let (code, _) = running.terminate();
        let blocks = Ledger::read(stage.ledger())?.blocks()?;
        let missed = |from: Block, to: Block| -> i64 {
            let after = blocks.windows(2).filter(|pair| (from..to).contains(&pair[1]));
            after.map(|pair| (pair[1] - pair[0]) / 5 - 1).sum()
        };
        // At its first start the validator makes live states, which may take as long as several of these fast blocks.
        let (at_start, missed) = (missed(Block(0), began), missed(began, Block::MAX));
        let took: Vec<f64> = running
            .log
            .iter()
            .filter(|line| line["message"] == "sampled")
            .filter_map(|line| line["seconds"].as_f64())
            .collect();
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        let until = QUIET.min(took.len());
        println!(
            "sampling a block took {:.3} s before the readers came, {:.3} s with them and after; missed samples: {missed}, \
             and {at_start} before they came",
            mean(&took[..until]),
            mean(&took[until..])
        );
        stage.world.stop().await;
        if missed > 0 || code != Some(0) {
            return Err("samples were missed, or it did not end".into());
        }
        Ok(())
    })
}

/// Addresses of a kind.
fn addresses() -> [MinerKind; 8] {
    [
        ("overview", |_| "/".into()),
        ("leaderboard", |_| "/leaderboard".into()),
        ("miner", |n| format!("/miners/{}", hotkey(n % MINERS))),
        ("challenge", |n| format!("/challenges/{}", ["ETH", "CADUSD", "MULTIXSEC"][n % 3])),
        ("weights", |_| "/weights".into()),
        ("API: status", |_| "/api/v1/status".into()),
        ("API: miner", |n| format!("/api/v1/miners/{}/history", hotkey(n % MINERS))),
        ("API: what if", |n| format!("/api/v1/what-if?ETH={n}")),
    ]
}

/// How long each kind takes when no one else asks.
fn one_by_one(server: SocketAddr) -> Result<(), String> {
    println!("{:<14} {:>9} {:>9}", "alone", "KiB", "ms");
    for (kind, address) in addresses() {
        let asked = Instant::now();
        let answer = http::get(server, &address(3));
        let took = asked.elapsed();
        if answer.status != 200 {
            return Err(format!("{kind}: {} {}", answer.status, answer.text()));
        }
        println!("{kind:<14} {:>9} {:>9.1}", answer.body.len() / 1024, took.as_secs_f64() * 1000.0);
    }
    Ok(())
}

/// Readers that read until they are told to end.
struct Reading {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<Result<(), String>>>,
    times: Times,
    since: Instant,
}

impl Reading {
    fn start(server: SocketAddr, readers: usize) -> Self {
        let (stop, times) = (Arc::new(AtomicBool::new(false)), Times::default());
        let threads = (0..readers)
            .map(|reader| {
                let (stop, times) = (stop.clone(), times.clone());
                std::thread::spawn(move || read(server, reader, &stop, &times))
            })
            .collect();
        Self { stop, threads, times, since: Instant::now() }
    }

    fn end(self) -> Result<(), String> {
        self.stop.store(true, Ordering::Relaxed);
        let seconds = self.since.elapsed().as_secs_f64();
        for thread in self.threads {
            thread.join().map_err(|_| "a reader broke off")??;
        }
        let times = self.times.lock().map_err(|_| "a reader broke off")?;
        println!("{:<14} {:>9} {:>9} {:>9} {:>9}", "", "answers", "p50, ms", "p99, ms", "most, ms");
        let kinds = addresses().map(|(kind, _)| kind);
        for kind in kinds.into_iter().map(Some).chain([None]) {
            let of_kind = times.iter().filter(|(other, _)| kind.is_none_or(|kind| kind == *other));
            let mut took: Vec<f64> = of_kind.map(|(_, took)| took.as_secs_f64() * 1000.0).collect();
            took.sort_by(f64::total_cmp);
            let at = |part: f64| took.get((part * took.len() as f64) as usize).copied().unwrap_or(0.0);
            let most = took.last().copied().unwrap_or(0.0);
            let name = kind.unwrap_or("all");
            println!("{name:<14} {:>9} {:>9.1} {:>9.1} {:>9.1}", took.len(), at(0.5), at(0.99), most);
        }
        println!("{:.0} answers a second", times.len() as f64 / seconds);
        Ok(())
    }
}

/// One reader: a connection, and one address after another, a tenth of a second apart.
fn read(server: SocketAddr, reader: usize, stop: &AtomicBool, times: &Times) -> Result<(), String> {
    let broken = |error: std::io::Error| format!("reader {reader}: {error}");
    let stream = TcpStream::connect(server).map_err(broken)?;
    stream.set_nodelay(true).map_err(broken)?;
    let mut writer = stream.try_clone().map_err(broken)?;
    let mut from = BufReader::new(stream);
    let kinds = addresses();
    let mut n = reader;
    while !stop.load(Ordering::Relaxed) {
        let (kind, address) = kinds[n % kinds.len()];
        let path = address(n * 31 + reader);
        let asked = Instant::now();
        writer
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: {server}\r\n\r\n").as_bytes())
            .map_err(broken)?;
        let answer = http::read(&mut from, false).map_err(broken)?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, answer.text()));
        }
        if let Ok(mut times) = times.lock() {
            times.push((kind, asked.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(100));
        n += 1;
    }
    Ok(())
}
