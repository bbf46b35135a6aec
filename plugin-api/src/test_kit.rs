//! A market, miners and a history in memory, to test a plugin without the host.

use crate::{
    Challenge, History, Market, ParamMap, PluginError, Salience, Shape, Silent, Solver, Spec, serde_json,
};
use half::f16;
use std::ops::Range;

/// A history held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    hotkeys: Vec<String>,
    columns: Vec<Vec<f16>>,
    rows: usize,
    dim: usize,
}

impl MemoryHistory {
    /// A history of `rows` rows with `dim` numbers per miner, and no miner yet.
    #[must_use]
    pub fn new(rows: usize, dim: usize) -> Self {
        Self { rows, dim, ..Self::default() }
    }

    /// Adds a miner: `rows x dim` numbers, row by row. Add miners in the order of their hotkeys.
    ///
    /// # Panics
    /// Where `numbers` has another length or the hotkey sorts before the last one.
    pub fn push(&mut self, hotkey: &str, numbers: &[f32]) {
        assert_eq!(numbers.len(), self.rows * self.dim, "numbers of {hotkey}");
        assert!(self.hotkeys.last().is_none_or(|last| last.as_str() < hotkey), "{hotkey} is out of order");
        self.hotkeys.push(hotkey.into());
        self.columns.push(numbers.iter().map(|&x| f16::from_f32(x)).collect());
    }
}

impl History for MemoryHistory {
    fn shape(&self) -> Shape {
        Shape { rows: self.rows, miners: self.columns.len(), dim: self.dim }
    }

    fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        let size = rows.len() * self.dim;
        let outside = miners.end > self.columns.len() || rows.end > self.rows;
        if outside || out.len() != miners.len() * size {
            return Err(PluginError::host(format!(
                "no block {miners:?} x {rows:?} of {} numbers",
                out.len()
            )));
        }
        for (column, target) in self.columns[miners].iter().zip(out.chunks_mut(size.max(1))) {
            target.copy_from_slice(&column[rows.start * self.dim..rows.end * self.dim]);
        }
        Ok(())
    }
}

/// A small generator of numbers from -1 to 1, the same for the same seed: enough for simulated markets and miners.
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    /// A generator; each seed has numbers of its own.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// The next number, uniform from -1 to 1.
    pub fn uniform(&mut self) -> f64 {
        // Knuth's MMIX generator; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as f64 / f64::from(1u32 << 31) - 1.0
    }

    /// A number around 0 whose standard deviation is 1, nearly normal: the sum of twelve uniform ones, halved.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() / 2.0
    }
}

/// A market of one asset: a random walk of `rows` prices, all scored, whose steps have standard deviation `step`.
#[must_use]
pub fn random_walk(rows: usize, step: f64, seed: u64) -> Market {
    let mut noise = Noise::new(seed);
    let mut price = 100.0;
    let prices = (0..rows).map(|_| {
        price *= 1.0 + step * noise.normal();
        price
    });
    Market {
        prices: prices.collect(),
        sidx: (0..rows as i64).collect(),
        assets: 1,
        submitted: vec![true; rows],
        scored_rows: rows,
        carried: Vec::new(),
    }
}

/// A single-asset challenge `T` with the network's spacing of rows.
#[must_use]
pub fn spec(dim: usize, rows_ahead: u32, solver: Solver) -> Spec {
    Spec {
        name: "TEST".into(),
        ticker: "T".into(),
        dim,
        assets: Vec::new(),
        blocks_ahead: rows_ahead * 5,
        sample_every: 5,
        seed: 42,
        solver,
    }
}

/// Configures, labels and scores; miners are named in their order.
///
/// # Errors
/// What the challenge says.
///
/// # Panics
/// Where a miner's numbers do not fit the market.
pub fn score<C: Challenge>(
    spec: Spec,
    params: &serde_json::Value,
    market: &Market,
    miners: &[Vec<f32>],
) -> Result<Salience, PluginError> {
    let mut history = MemoryHistory::new(market.scored_rows, spec.storage_dim());
    for (i, numbers) in miners.iter().enumerate() {
        history.push(&format!("miner{i:04}"), numbers);
    }
    let challenge = C::configure(spec, params.as_object().unwrap_or(&ParamMap::new()))?;
    let labels = challenge.label(market)?;
    challenge.score(&history, &labels, &Silent)
}

/// What some miners earn together, as a part of what all earn.
#[must_use]
pub fn earned(salience: &Salience, miners: &[usize]) -> f64 {
    let sum: f64 = salience.miners.iter().map(|miner| miner.salience).sum();
    let part: f64 = miners.iter().map(|&miner| salience.miners[miner].salience).sum();
    if sum > 0.0 { part / sum } else { 0.0 }
}
