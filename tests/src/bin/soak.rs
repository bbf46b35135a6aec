//! A long run of the validator in a simulated world whose blocks come faster: `cargo xtask soak`.
//!
//! Prints memory, file descriptors and missed samples as it goes, and fails where memory or descriptors grow, a sample is
//! missed, or no weights are set.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_ledger::Ledger;
use mantis_tests::stage::{Running, Stage, VALIDATOR, set};
use std::fs;
use std::time::{Duration, Instant};

const SEED: u64 = 3;

/// What is looked at while it runs.
#[derive(Clone, Copy, Debug)]
struct Look {
    minutes: f64,
    /// Resident memory of the validator itself, MiB.
    memory: f64,
    /// The same with its plugins' processes.
    with_plugins: f64,
    files: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut next = |default| arguments.next().unwrap_or(Ok(default));
    let (minutes, miners, tick_ms, days) = (next(120)?, next(64)?, next(1000)?, next(6)?);
    let (rows, history) = ((minutes * 60_000).div_ceil(tick_ms) as usize, (days * 1440) as usize);
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let looks = runtime.block_on(async {
        let edit = |table: &mut toml::Table| set(table, "network", "young_blocks", 100);
        let stage = Stage::set(dir.path(), miners as usize, SEED, &[], edit).await;
        let config = stage.world.config();
        let simulation = Simulation {
            config: &config,
            only: None,
            rows: history + rows,
            miners: &stage.miners,
            seed: SEED,
        };
        let prices = simulation.prices();
        let mut simulator = Simulator::new(&simulation, &prices);
        println!("writing {days} days of {miners} miners");
        simulator.write(history, &mut Ledger::open(stage.ledger())?, |_| {})?;
        let mut crowd = Crowd::new(&stage.world, &stage.miners, SEED)?;
        println!("{rows} sampled blocks, one every {tick_ms} ms: {:.1} hours of blocks", rows as f64 / 60.0);
        println!(
            "{:>8} {:>12} {:>14} {:>6} {:>8} {:>8} {:>4}",
            "minutes", "memory, MiB", "with plugins", "files", "sampled", "computed", "set"
        );

        let mut running: Option<Running> = None;
        let (start, mut looks, mut looked) = (Instant::now(), Vec::new(), Instant::now());
        let mut ticks = tokio::time::interval(Duration::from_millis(tick_ms));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while let Some(step) = simulator.step() {
            ticks.tick().await;
            crowd.act(&step, stage.world.advance(&step), true).await?;
            stage.advance(&step);
            let running = running.get_or_insert_with(|| {
                Running::start(stage.validator(None).args(["--hotkey-uri", VALIDATOR]))
            });
            if looked.elapsed() >= Duration::from_secs(60) {
                looked = Instant::now();
                running.read();
                let look = look(running.id(), start.elapsed())?;
                let counts =
                    ["sampled", "weights computed", "weights set"].map(|message| running.count(message));
                println!(
                    "{:>8.0} {:>12.0} {:>14.0} {:>6} {:>8} {:>8} {:>4}",
                    look.minutes, look.memory, look.with_plugins, look.files, counts[0], counts[1], counts[2]
                );
                looks.push(look);
            }
        }
        let mut running = running.ok_or("nothing was played")?;
        running.read();
        let (code, took) = running.terminate();
        println!("SIGTERM: exit code {code:?} after {:.1} s", took.as_secs_f64());
        let ledger = Ledger::read(stage.ledger())?;
        let blocks = ledger.blocks()?;
        let missed: i64 = blocks.windows(2).map(|pair| (pair[1] - pair[0]) / 5 - 1).sum();
        let set = running.count("weights set");
        let warnings = running.log.iter().filter(|line| line["level"] == "WARN" || line["level"] == "ERROR");
        let mut said: Vec<String> = warnings.map(|line| line["message"].to_string()).collect();
        said.sort();
        said.dedup();
        println!("missed samples: {missed}; weights set: {set}; warnings: {said:?}");
        for (message, what) in [("sampled", "sampling a block"), ("opened", "opening what matured")] {
            let times = running.log.iter().filter(|line| line["message"] == message);
            let times: Vec<f64> = times.filter_map(|line| line["seconds"].as_f64()).collect();
            let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
            println!(
                "{what}: {mean:.2} s on average, {:.2} s at most",
                times.iter().copied().fold(0.0, f64::max)
            );
        }
        stage.world.stop().await;
        if missed > 0 || set == 0 || code != Some(0) {
            return Err("samples were missed, no weights were set, or it did not end".into());
        }
        Ok::<_, Box<dyn std::error::Error>>(looks)
    })?;
    judge(&looks)
}

/// Compares the first quarter, the middle and the last quarter.
fn judge(looks: &[Look]) -> Result<(), Box<dyn std::error::Error>> {
    let quarter = looks.len() / 4;
    if quarter == 0 {
        println!("too short to see growth: run at least 4 minutes");
        return Ok(());
    }
    let most = |part: &[Look], of: fn(&Look) -> f64| part.iter().map(of).fold(0.0, f64::max);
    let (first, last) = (&looks[..quarter], &looks[looks.len() - quarter..]);
    let middle = &looks[quarter..looks.len() - quarter];
    for (name, of) in
        [("memory, MiB", (|look| look.memory) as fn(&Look) -> f64), ("files", |look| look.files as f64)]
    {
        let [start, mid, end] = [first, middle, last].map(|part| most(part, of));
        println!(
            "{name}: {start:.0} at the start, {mid:.0} in the middle, {end:.0} at the end (the most of each part)"
        );
        if end > 1.25 * start.max(mid) + 10.0 {
            return Err(format!("{name} grows").into());
        }
    }
    Ok(())
}

fn look(pid: u32, since: Duration) -> std::io::Result<Look> {
    let memory = resident(pid)?;
    let mut with_plugins = memory;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if parent(child) == Some(pid) {
            with_plugins += resident(child).unwrap_or(0.0);
        }
    }
    let files = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok(Look { minutes: since.as_secs_f64() / 60.0, memory, with_plugins, files })
}

fn field(pid: u32, name: &str) -> std::io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| std::io::Error::other(format!("/proc/{pid}/status has no {name}")))
}

fn resident(pid: u32) -> std::io::Result<f64> {
    Ok(field(pid, "VmRSS")? as f64 / 1024.0)
}

fn parent(pid: u32) -> Option<u32> {
    field(pid, "PPid").ok()?.try_into().ok()
}
