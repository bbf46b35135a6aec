//! Seconds and memory of one score at full size: `cargo xtask bench embeddings`.
//!
//! Eleven miners know something of the price: eight a factor each, two the same as the first, one is a copy of the second. The
//! others send noise. The history is made in memory, of the rows of the grid alone, which is a fifth of it.

#![allow(clippy::unwrap_used)] // a measurement that fails may panic

use mantis_dmae::{Dmae, Params};
use mantis_plugin_api::test_kit::{MarketBuilder, Noise, spec};
use mantis_plugin_api::{
    Challenge, History, Label, Market, ParamMap, PluginError, Score, Shape, Silent, Solver, f16, serde_json,
};
use std::ops::Range;
use std::time::Instant;

const AHEAD: usize = 60;
const FACTORS: usize = 8;

struct Memory {
    hotkeys: Vec<String>,
    rows: usize,
    dim: usize,
    stride: usize,
    /// Row by row of the grid, miner by miner.
    numbers: Vec<f16>,
}

impl History for Memory {
    fn shape(&self) -> Shape {
        Shape { rows: self.rows, miners: self.hotkeys.len(), dim: self.dim }
    }

    fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        let (dim, all) = (self.dim, self.hotkeys.len());
        for (miner, out) in miners.zip(out.chunks_exact_mut(rows.len() * dim)) {
            for (row, out) in rows.clone().zip(out.chunks_exact_mut(dim)) {
                if row % self.stride == 0 {
                    let from = (row / self.stride * all + miner) * dim;
                    out.copy_from_slice(&self.numbers[from..from + dim]);
                }
            }
        }
        Ok(())
    }
}

fn world(rows: usize, miners: usize, dim: usize) -> (Market, Memory) {
    let stride = Params::default().stride;
    let (mut noise, mut now, mut level) = (Noise::new(12), [0.0; FACTORS], 100.0);
    let lean: Vec<f64> = (0..FACTORS * dim).map(|_| 0.12 * noise.normal()).collect();
    let mut prices = Vec::with_capacity(rows + AHEAD);
    let mut numbers = Vec::with_capacity(rows.div_ceil(stride) * miners * dim);
    for row in 0..rows + AHEAD {
        prices.push([level]);
        for now in &mut now {
            *now = 0.996 * *now + 0.09 * noise.normal();
        }
        level *= 1.0 + 0.0005 * (0.03 * now.iter().sum::<f64>() + 0.35 * 5f64.sqrt() * noise.normal());
        if row >= rows || row % stride != 0 {
            continue;
        }
        for miner in 0..miners {
            let factor = [0, 1, 2, 3, 4, 5, 6, 7, 0, 0].get(miner);
            for d in 0..dim {
                let x = match factor {
                    Some(&factor) => 1.2 * lean[factor * dim + d] * now[factor] + 0.26 * noise.uniform(),
                    None if miner == 10 => {
                        let copied: f16 = numbers[numbers.len() - 9 * dim];
                        copied.to_f64()
                    }
                    None => 0.52 * noise.uniform(),
                };
                numbers.push(f16::from_f64(x.clamp(-1.0, 1.0)));
            }
        }
    }
    let market = MarketBuilder::new(1).rows(prices).future(AHEAD).build();
    let hotkeys = (0..miners).map(|miner| format!("miner{miner:04}")).collect();
    (market, Memory { hotkeys, rows, dim, stride, numbers })
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: usize| args.get(i).map_or(default, |arg| arg.parse().expect("a number"));
    let (rows, miners, dim) = (number(0, 86_400), number(1, 256), number(2, 100));
    let params: ParamMap = args
        .get(3)
        .map_or_else(ParamMap::new, |json| serde_json::from_str(json).expect("parameters as JSON"));
    let (market, history) = world(rows, miners, dim);
    let challenge = Dmae::configure(spec(dim, AHEAD as u32, Solver::Exact), &params).unwrap();
    let started = Instant::now();
    let labels = challenge.label(&market).unwrap();
    let salience = challenge.score(&history, &labels, &Silent).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    println!("{rows} rows, {miners} miners, {dim} numbers: {seconds:.1} s, {}", memory());
    for fact in &salience.facts {
        print!("{} {:.5}  ", fact.name, fact.value);
    }
    println!("{}", salience.empty.unwrap_or_default());
    let sum: f64 = salience.miners.iter().map(|miner| miner.salience).sum();
    for (miner, report) in
        salience.miners.iter().enumerate().filter(|(miner, report)| *miner < 11 || report.salience > 0.0)
    {
        let facts: Vec<String> =
            report.facts.iter().map(|fact| format!("{} {:.5}", fact.name, fact.value)).collect();
        let why = report.why_zero.as_ref().map_or("", |why| &why.code);
        println!("{miner:3} {:.4} {} {why}", report.salience / sum.max(f64::MIN_POSITIVE), facts.join(" "));
    }
}

/// The most memory that this process has held, where the system says so; the history is part of it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("at most {} in all", line.map_or("?", str::trim))
}
