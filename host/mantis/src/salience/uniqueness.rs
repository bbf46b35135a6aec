//! How much of an embedding is in no other miner's: 1 - R2 of a ridge regression on all of theirs.

use super::moments::{add_products, blocks, factor, substitute};
use mantis_plugin_api::{History, PluginError, Shape};
use serde::Serialize;

/// What is added to the variances of the others' columns, each scaled to 1.
const RIDGE: f64 = 1e-3;
/// The most columns of others that are fitted on; where there are more, those that correlate most.
const MOST: usize = 1024;
/// Products that are summed at most, over all assets: rows are left out for more.
const PRODUCTS: usize = 10_000_000_000;
/// Rows for each column at least, where there are so many.
const ROWS_PER_COLUMN: usize = 4;

/// How much of an embedding is its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Uniqueness {
    /// 1 - R2, the mean over its columns that vary: 1 if nothing of it can be had from others, 0 if all can.
    pub value: f64,
    /// Rows that were fitted.
    pub rows: usize,
    /// Columns of others that it was fitted on, per asset.
    pub columns: usize,
}

/// One asset's columns.
struct Asset {
    /// Miner and number of each column; those of the guest last.
    columns: Vec<(usize, usize)>,
    /// How many of them are others'.
    others: usize,
    moments: Vec<Moments>,
}

/// Sums of one column, counted from its first number, so that little is lost.
#[derive(Clone, Copy, Default)]
struct Moments {
    first: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn mean(self, rows: f64) -> f64 {
        self.first + self.sum / rows
    }

    /// The standard deviation; 0 of a column that does not vary.
    fn deviation(self, rows: f64) -> f64 {
        let mean = self.sum / rows;
        (self.squares / rows - mean * mean).max(0.0).sqrt()
    }
}

/// How unique the miner's numbers are among the others' in the rows in which it sent any, asset by asset, with `dim` numbers for
/// each. `None` if it sent nothing that varies.
///
/// # Errors
/// If the history cannot be read.
pub fn uniqueness(history: &dyn History, name: &str, dim: usize) -> Result<Option<Uniqueness>, PluginError> {
    let Shape { rows, miners, dim: width } = history.shape();
    let Some(place) = history.hotkeys().iter().position(|hotkey| hotkey == name) else { return Ok(None) };
    let present = present_rows(history, place)?;
    let dim = dim.clamp(1, width);
    let assets = width / dim;
    let order = ((miners - 1) * dim).min(MOST) + dim;
    let most = (PRODUCTS / (assets * order * order)).max(ROWS_PER_COLUMN * order).min(rows);
    let wanted = spread(&present, most);
    if wanted.len() < 2 {
        return Ok(None);
    }
    let mut all: Vec<Asset> = (0..assets).map(|asset| Asset::new(asset, dim, miners, place)).collect();
    measure(history, &wanted, &mut all)?;
    let mut parts = Vec::new();
    for (asset, gram) in all.iter().zip(correlations(history, &wanted, &all)?) {
        parts.extend(asset.unexplained(gram));
    }
    let columns = all.iter().map(|asset| asset.others).max().unwrap_or(0);
    let value = parts.iter().sum::<f64>() / parts.len() as f64;
    Ok((!parts.is_empty()).then_some(Uniqueness { value, rows: wanted.len(), columns }))
}

/// The rows in which a miner sent something.
fn present_rows(history: &dyn History, miner: usize) -> Result<Vec<usize>, PluginError> {
    let Shape { rows, dim, .. } = history.shape();
    let mut numbers = vec![0.0; rows * dim];
    history.read_f32(miner..miner + 1, 0..rows, &mut numbers)?;
    let vectors = numbers.chunks_exact(dim).enumerate();
    Ok(vectors.filter(|(_, vector)| vector.iter().any(|x| *x != 0.0)).map(|(row, _)| row).collect())
}

/// So many of the rows at most, evenly spread.
fn spread(rows: &[usize], most: usize) -> Vec<usize> {
    if rows.len() <= most {
        return rows.to_vec();
    }
    (0..most).map(|i| rows[i * rows.len() / most]).collect()
}

/// Finds mean and deviation of each column, and leaves to each asset the columns of others to fit on.
fn measure(history: &dyn History, wanted: &[usize], all: &mut [Asset]) -> Result<(), PluginError> {
    let mut crossed: Vec<Vec<f64>> = all.iter().map(|asset| vec![0.0; asset.cells()]).collect();
    let mut is_first = true;
    blocks(history, wanted, |block| {
        let (mut numbers, mut own) = (Vec::new(), Vec::new());
        for (asset, crossed) in all.iter_mut().zip(&mut crossed) {
            own.clear();
            let mut cells = crossed.chunks_exact_mut(asset.columns.len() - asset.others);
            // The guest's columns first: the others are held against them.
            let guests = asset.others..asset.columns.len();
            for at in guests.chain(0..asset.others) {
                let ((miner, number), moments) = (asset.columns[at], &mut asset.moments[at]);
                if is_first {
                    moments.first = block.column(miner, number).next().unwrap_or(0.0);
                }
                numbers.clear();
                numbers.extend(block.column(miner, number).map(|x| x - moments.first));
                moments.sum += mantis_kit::math::sum(&numbers);
                moments.squares += mantis_kit::math::dot(&numbers, &numbers);
                if at >= asset.others {
                    own.push(numbers.clone());
                } else if let Some(cells) = cells.next() {
                    for (cell, own) in cells.iter_mut().zip(&own) {
                        *cell += mantis_kit::math::dot(&numbers, own);
                    }
                }
            }
        }
        is_first = false;
    })?;
    for (asset, crossed) in all.iter_mut().zip(&crossed) {
        asset.select(crossed, wanted.len() as f64);
    }
    Ok(())
}

/// The products of each asset's columns, each scaled to mean 0 and variance 1, over the rows: lower triangles.
fn correlations(
    history: &dyn History,
    wanted: &[usize],
    all: &[Asset],
) -> Result<Vec<Vec<f64>>, PluginError> {
    let rows = wanted.len() as f64;
    let mut grams: Vec<Vec<f64>> = all.iter().map(|asset| vec![0.0; asset.columns.len().pow(2)]).collect();
    blocks(history, wanted, |block| {
        for (asset, gram) in all.iter().zip(&mut grams) {
            let scaled = asset.columns.iter().zip(&asset.moments).map(|((miner, number), moments)| {
                let (mean, deviation) = (moments.mean(rows), moments.deviation(rows));
                let mut column = Vec::with_capacity(block.rows());
                column.extend(block.column(*miner, *number).map(|x| (x - mean) / deviation));
                column
            });
            let scaled: Vec<Vec<f64>> = scaled.collect();
            if !scaled.is_empty() {
                add_products(&scaled, gram);
            }
        }
    })?;
    grams.iter_mut().flatten().for_each(|cell| *cell /= rows);
    Ok(grams)
}

impl Asset {
    fn new(asset: usize, dim: usize, miners: usize, guest: usize) -> Self {
        let of = |miner: usize| (asset * dim..(asset + 1) * dim).map(move |number| (miner, number));
        let others = (0..miners).filter(|miner| *miner != guest).flat_map(of);
        let columns: Vec<(usize, usize)> = others.chain(of(guest)).collect();
        let moments = vec![Moments::default(); columns.len()];
        Self { others: columns.len() - dim, columns, moments }
    }

    /// Products of others' columns with the guest's.
    fn cells(&self) -> usize {
        self.others * (self.columns.len() - self.others)
    }

    /// Leaves out what does not vary, and of the others' columns all but those that correlate most.
    fn select(&mut self, crossed: &[f64], rows: f64) {
        let guests = &self.moments[self.others..];
        let varies = |at: usize| self.moments[at].deviation(rows) > 0.0;
        let closeness = |at: usize| {
            let own = &self.moments[at];
            let cells = &crossed[at * guests.len()..][..guests.len()];
            let correlation = |(cell, guest): (&f64, &Moments)| {
                let scale = own.deviation(rows) * guest.deviation(rows);
                let product = cell / rows - own.sum / rows * (guest.sum / rows);
                if scale > 0.0 { (product / scale).abs() } else { 0.0 }
            };
            cells.iter().zip(guests).map(correlation).fold(0.0, f64::max)
        };
        let mut kept: Vec<(usize, f64)> =
            (0..self.others).filter(|at| varies(*at)).map(|at| (at, closeness(at))).collect();
        // Of equal ones the first: the sort is stable.
        kept.sort_by(|a, b| b.1.total_cmp(&a.1));
        kept.truncate(MOST);
        let mut kept: Vec<usize> = kept.into_iter().map(|(at, _)| at).collect();
        kept.sort_unstable();
        let others = kept.len();
        kept.extend((self.others..self.columns.len()).filter(|at| varies(*at)));
        self.columns = kept.iter().map(|at| self.columns[*at]).collect();
        self.moments = kept.iter().map(|at| self.moments[*at]).collect();
        self.others = others;
    }

    /// 1 - R2 of each of the guest's columns.
    fn unexplained(&self, mut gram: Vec<f64>) -> Vec<f64> {
        let (order, others) = (self.columns.len(), self.others);
        let targets: Vec<Vec<f64>> =
            (others..order).map(|row| gram[row * order..row * order + others].to_vec()).collect();
        // The others' part alone, as a matrix of its own.
        let mut lower = vec![0.0; others * others];
        for row in 0..others {
            lower[row * others..=row * others + row].copy_from_slice(&gram[row * order..=row * order + row]);
            lower[row * others + row] += RIDGE;
        }
        gram.clear();
        // With the ridge it is positive definite, whatever columns are copies of others.
        if factor(&mut lower, others).is_none() {
            return Vec::new();
        }
        let part = |target: Vec<f64>| {
            let fitted = substitute(&lower, &target);
            let explained =
                mantis_kit::math::dot(&fitted, &target) + RIDGE * mantis_kit::math::dot(&fitted, &fitted);
            (1.0 - explained).clamp(0.0, 1.0)
        };
        targets.into_iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::f16;
    use std::ops::Range;

    /// A history in memory: miner by miner, row by row.
    struct Table {
        hotkeys: Vec<String>,
        rows: usize,
        dim: usize,
        numbers: Vec<Vec<f32>>,
    }

    impl History for Table {
        fn shape(&self) -> Shape {
            Shape { rows: self.rows, miners: self.hotkeys.len(), dim: self.dim }
        }

        fn hotkeys(&self) -> &[String] {
            &self.hotkeys
        }

        fn read(&self, _: Range<usize>, _: Range<usize>, _: &mut [f16]) -> Result<(), PluginError> {
            Err(PluginError::host("in single precision only"))
        }

        fn read_f32(
            &self,
            miners: Range<usize>,
            rows: Range<usize>,
            out: &mut [f32],
        ) -> Result<(), PluginError> {
            let read = miners.flat_map(|m| &self.numbers[m][rows.start * self.dim..rows.end * self.dim]);
            out.iter_mut().zip(read).for_each(|(out, x)| *out = *x);
            Ok(())
        }
    }

    /// Noise, the same for the same seed.
    fn noise(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }

    fn table(rows: usize, dim: usize, numbers: Vec<Vec<f32>>) -> Table {
        let hotkeys = (0..numbers.len()).map(|m| format!("h{m}")).collect();
        Table { hotkeys, rows, dim, numbers }
    }

    #[test]
    fn a_copy_is_not_unique_and_noise_is() {
        let rows = 6000;
        let others: Vec<Vec<f32>> = (1..6).map(|seed| noise(seed, rows * 2)).collect();
        let of = |own: Vec<f32>| {
            let all = others.iter().cloned().chain([own]).collect();
            uniqueness(&table(rows, 2, all), "h5", 2).unwrap().unwrap()
        };
        assert!(of(others[2].clone()).value < 1e-5);
        let shifted = of(others[2].iter().map(|x| 1e3 - 3.0 * x).collect());
        assert!(shifted.value < 1e-4, "{shifted:?}");
        let own = of(noise(99, rows * 2));
        assert!(own.value > 0.99 && (own.rows, own.columns) == (rows, 10), "{own:?}");
        // Half of the variance is another's.
        let mixed = of(others[0].iter().zip(noise(77, rows * 2)).map(|(a, b)| a + b).collect());
        assert!((mixed.value - 0.5).abs() < 0.03, "{mixed:?}");
        // As the mean of what is a copy and what is not.
        let fresh = noise(55, rows * 2);
        let half = of(others[0]
            .iter()
            .zip(&fresh)
            .enumerate()
            .map(|(i, (a, b))| if i % 2 == 0 { *a } else { *b })
            .collect());
        assert!((half.value - 0.5).abs() < 0.01, "{half:?}");
    }

    #[test]
    fn copies_among_the_others_do_no_harm() {
        let rows = 3000;
        let one = noise(1, rows);
        let all =
            vec![one.clone(), one.clone(), one.clone(), vec![0.25; rows], vec![0.0; rows], noise(2, rows)];
        let own = uniqueness(&table(rows, 1, all), "h5", 1).unwrap().unwrap();
        assert!(own.value > 0.99 && own.columns == 3, "{own:?}");
    }

    #[test]
    fn assets_are_held_against_the_same_asset() {
        let rows = 4000;
        let (a, b) = (noise(1, rows), noise(2, rows));
        let join = |x: &[f32], y: &[f32]| x.iter().zip(y).flat_map(|(x, y)| [*x, *y]).collect::<Vec<f32>>();
        let crossed = table(rows, 2, vec![join(&a, &b), join(&b, &a)]);
        assert!(uniqueness(&crossed, "h1", 1).unwrap().unwrap().value > 0.99);
        assert!(uniqueness(&crossed, "h1", 2).unwrap().unwrap().value < 1e-4);
    }

    #[test]
    fn rows_without_numbers_do_not_count() {
        let rows = 2000;
        let other = noise(1, rows);
        let mut own = other.clone();
        own.iter_mut().skip(1).step_by(2).for_each(|x| *x = 0.0);
        let found = uniqueness(&table(rows, 1, vec![other.clone(), own]), "h1", 1).unwrap().unwrap();
        assert!(found.value < 1e-5 && found.rows == rows / 2, "{found:?}");
        let nothing = uniqueness(&table(rows, 1, vec![other.clone(), vec![0.0; rows]]), "h1", 1).unwrap();
        assert_eq!(nothing, None);
        assert_eq!(uniqueness(&table(rows, 1, vec![other.clone(), vec![0.5; rows]]), "h1", 1).unwrap(), None);
        assert_eq!(uniqueness(&table(rows, 1, vec![other.clone()]), "h9", 1).unwrap(), None);
        // Nobody else: all of it is its own.
        assert_eq!(uniqueness(&table(rows, 1, vec![other]), "h0", 1).unwrap().unwrap().value, 1.0);
    }

    #[test]
    fn of_very_many_columns_the_nearest_are_fitted() {
        let (rows, dim) = (10_000, 8);
        let mut all: Vec<Vec<f32>> = (1..=150).map(|seed| noise(seed, rows * dim)).collect();
        all.push(all[140].clone());
        let copy = uniqueness(&table(rows, dim, all.clone()), "h150", dim).unwrap().unwrap();
        assert!(copy.value < 1e-3 && copy.columns == MOST, "{copy:?}");
        assert!(copy.rows < rows, "{copy:?}");
        *all.last_mut().unwrap() = noise(999, rows * dim);
        let own = uniqueness(&table(rows, dim, all), "h150", dim).unwrap().unwrap();
        // What a thousand columns of noise explain of some thousand rows.
        assert!(own.value > 0.8, "{own:?}");
    }

    #[test]
    fn it_has_the_same_bits_every_time() {
        let numbers: Vec<Vec<f32>> = (1..9).map(|seed| noise(seed, 5000 * 3)).collect();
        let of = || uniqueness(&table(5000, 3, numbers.clone()), "h3", 3).unwrap().unwrap().value.to_bits();
        assert_eq!(of(), of());
    }
}
