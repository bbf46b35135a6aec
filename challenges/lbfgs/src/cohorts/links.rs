//! Which miners are correlated.

use super::profile::{Profile, STRETCH, Stretch, deviation, is_sent};
use crate::Params;
use mantis_kit::math;
use mantis_plugin_api::{History, PluginError};

/// Rows whose products are summed for all pairs before the next ones: what they need fits a core's second cache.
const BLOCK: usize = 64;
/// Keeps quotients finite.
const MIN_NORM: f64 = 1e-18;
/// How far a pair must be out of reach before it is given up: above what single precision loses of an energy.
const MARGIN: f64 = 1e-6;

/// Pairs of miners that are linked: together often enough, near in their means, and correlated, of either sign.
///
/// A pair is given up as soon as what is left of both could not bring it there; uncorrelated ones are after a fifth to a
/// third of their rows.
pub(super) fn links(
    profiles: &[Profile],
    history: &dyn History,
    rows: &[usize],
    params: &Params,
) -> Result<Vec<[usize; 2]>, PluginError> {
    let mut tiles = tiles(profiles, params);
    let mut sheets: Vec<Sheet> =
        (0..profiles.len().next_multiple_of(TALL)).map(|_| Sheet::new(params.cohort_dims)).collect();
    for (stretch, rows) in rows.chunks(STRETCH).enumerate() {
        if tiles.is_empty() {
            break;
        }
        for (sheet, profile) in sheets.iter_mut().zip(profiles) {
            sheet.fill(&Stretch::read(profile.miner, history, rows)?, rows, &profile.mean);
        }
        for block in 0..rows.len().div_ceil(BLOCK) {
            tiles.iter_mut().for_each(|tile| tile.add(&sheets, block));
        }
        tiles.retain_mut(|tile| tile.give_up(profiles, stretch + 1, params.cohort_corr));
    }
    let mut links = Vec::new();
    for tile in &tiles {
        for [i, j] in CELLS {
            if tile.open[i][j] && tile.correlation(i, j) >= params.cohort_corr {
                links.push([profiles[tile.tall + i].miner, profiles[tile.wide + j].miner]);
            }
        }
    }
    Ok(links)
}

/// Miners per tile and side, as in [`math::products`].
const TALL: usize = 4;
const WIDE: usize = 2;
/// All pairs of a tile.
const CELLS: [[usize; 2]; TALL * WIDE] = [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1]];

type Sums = [[f64; WIDE]; TALL];

/// Some pairs, whose sums are taken together.
struct Tile {
    /// The first of four miners.
    tall: usize,
    /// The first of two.
    wide: usize,
    /// Pairs that may still be linked.
    open: [[bool; WIDE]; TALL],
    /// Products of their distances.
    products: Sums,
    /// Energy of the first in the rows in which the second is present, and the reverse.
    energies: [Sums; 2],
}

/// The tiles with any pair that is together often enough and near in its means.
fn tiles(profiles: &[Profile], params: &Params) -> Vec<Tile> {
    let may_link = |i: usize, j: usize| {
        let (Some(a), Some(b)) = (profiles.get(i), profiles.get(j)) else { return false };
        j < i && a.distance(b) <= params.cohort_mean && a.common_rows(b) >= params.cohort_min_joint
    };
    let mut tiles = Vec::new();
    for tall in (0..profiles.len()).step_by(TALL) {
        for wide in (0..tall + TALL).step_by(WIDE) {
            let open = std::array::from_fn(|i| std::array::from_fn(|j| may_link(tall + i, wide + j)));
            let tile = Tile { tall, wide, open, products: Sums::default(), energies: Default::default() };
            tiles.extend(Some(tile).filter(Tile::is_open));
        }
    }
    tiles
}

impl Tile {
    fn is_open(&self) -> bool {
        self.open.as_flattened().contains(&true)
    }

    /// Adds one block of rows.
    fn add(&mut self, sheets: &[Sheet], block: usize) {
        let tall = [0, 1, 2, 3].map(|i| sheets[self.tall + i].block(block));
        let wide = [0, 1].map(|j| sheets[self.wide + j].block(block));
        let [first, second] = &mut self.energies;
        add(&mut self.products, math::products(tall.map(|x| x.distances), wide.map(|x| x.distances)));
        add(first, math::products(tall.map(|x| x.energy), wide.map(|x| x.present)));
        add(second, math::products(tall.map(|x| x.present), wide.map(|x| x.energy)));
    }

    /// Gives up pairs that can no longer be linked after so many stretches; whether any is left.
    ///
    /// What is left of a pair has at most the product b of the norms that are left. With a sum of products p and norms a so
    /// far, the correlation in the end is at most (|p| + b) / (a + b).
    fn give_up(&mut self, profiles: &[Profile], stretches: usize, least: f64) -> bool {
        for [i, j] in CELLS {
            if self.open[i][j] {
                let rest = [self.tall + i, self.wide + j].map(|miner| profiles[miner].rest_after(stretches));
                let left = (rest[0] * rest[1]).sqrt();
                let most = self.products[i][j].abs() + left;
                self.open[i][j] = most >= (least - MARGIN) * (self.norm(i, j) + left);
            }
        }
        self.is_open()
    }

    fn norm(&self, i: usize, j: usize) -> f64 {
        let [first, second] = &self.energies;
        (first[i][j] * second[i][j]).sqrt()
    }

    fn correlation(&self, i: usize, j: usize) -> f64 {
        self.products[i][j].abs() / self.norm(i, j).max(MIN_NORM)
    }
}

fn add(sums: &mut Sums, more: Sums) {
    sums.as_flattened_mut().iter_mut().zip(more.as_flattened()).for_each(|(sum, more)| *sum += more);
}

/// One miner in a stretch of rows: zeros where it is absent, and after the last row.
struct Sheet {
    dims: usize,
    /// Distances of its numbers from their means, row by row.
    distances: Vec<f64>,
    energy: Vec<f64>,
    /// 1 where it is present.
    present: Vec<f64>,
}

/// A few rows of a [`Sheet`].
#[derive(Clone, Copy)]
struct Block<'a> {
    distances: &'a [f64],
    energy: &'a [f64],
    present: &'a [f64],
}

impl Sheet {
    fn new(dims: usize) -> Self {
        let zeros = |n: usize| vec![0.0; n * STRETCH];
        Self { dims, distances: zeros(dims), energy: zeros(1), present: zeros(1) }
    }

    fn fill(&mut self, stretch: &Stretch, rows: &[usize], mean: &[f32]) {
        self.distances.fill(0.0);
        self.energy.fill(0.0);
        self.present.fill(0.0);
        for (t, numbers) in stretch.rows(rows).enumerate().filter(|(_, numbers)| is_sent(numbers)) {
            let distances = &mut self.distances[t * self.dims..(t + 1) * self.dims];
            self.energy[t] = f64::from(deviation(numbers, mean, distances));
            self.present[t] = 1.0;
        }
    }

    fn block(&self, block: usize) -> Block<'_> {
        let rows = block * BLOCK..(block + 1) * BLOCK;
        Block {
            distances: &self.distances[rows.start * self.dims..rows.end * self.dims],
            energy: &self.energy[rows.clone()],
            present: &self.present[rows],
        }
    }
}
