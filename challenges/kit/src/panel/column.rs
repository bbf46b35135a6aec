//! One miner: its value per sample, and the models of it alone.

use super::counts::{Counts, Line};
use super::{Samples, Segment, Settings};
use crate::logistic::{FitError, Stop};
use half::f16;
use mantis_plugin_api::Solver;

/// What a miner sent, per sample.
pub(super) struct Column {
    /// Bits of half floats; 0 where it sent nothing, nothing finite, or for an asset on which it is stale.
    pub(super) values: Vec<u16>,
    /// Assets for which it sent something.
    pub(super) assets: usize,
    /// Those of them on which it hardly ever moved.
    pub(super) stale: usize,
}

impl Column {
    /// Takes a miner's whole history, row by row, `assets` numbers each.
    pub(super) fn new(raw: &[f16], assets: usize, samples: &Samples, min_std: f64) -> Self {
        let mut keep = vec![true; assets];
        let (mut sent, mut stale) = (0, 0);
        for (asset, keep) in keep.iter_mut().enumerate() {
            let value = |&row: &usize| finite(raw[row * assets + asset]);
            if samples.paired().iter().any(|row| value(row) != 0) {
                sent += 1;
                let numbers = || samples.paired().iter().map(|row| f16::from_bits(value(row)).to_f64());
                if min_std > 0.0 && deviation(numbers) < min_std {
                    *keep = false;
                    stale += 1;
                }
            }
        }
        let value = |&place: &u32| {
            let place = place as usize;
            if stale == 0 || keep[place % assets] { finite(raw[place]) } else { 0 }
        };
        Self { values: samples.places().iter().map(value).collect(), assets: sent, stale }
    }

    /// Samples with a value.
    pub(super) fn present(&self) -> usize {
        self.values.iter().filter(|&&bits| bits != 0).count()
    }

    /// Its models before each of `cuts` (rows, ascending), and its AUC in each segment's selection.
    pub(super) fn fits(
        &self,
        samples: &Samples,
        segments: &[Segment],
        cuts: &[usize],
        settings: &Settings,
    ) -> Result<Fits, FitError> {
        let stop = match settings.solver {
            Solver::Exact => Stop::Exact,
            Solver::Network => Stop::Network { tol: settings.tol, max_iter: settings.base_max_iter },
        };
        let mut fits = Fits { lines: vec![None; cuts.len()], aucs: vec![None; segments.len()] };
        let mut slopes = vec![None; segments.len()];
        let mut before: Vec<Option<Counts>> = vec![None; segments.len()];
        let mut marks: Vec<usize> = cuts.to_vec();
        marks.extend(segments.iter().flat_map(|s| [s.fit_end, s.eval.start, s.eval.end]));
        marks.sort_unstable();
        marks.dedup();

        let mut seen = Counts::new();
        let mut at = 0;
        for mark in marks {
            let next = samples.at(mark);
            seen.add(&self.values[at..next], &samples.above()[at..next]);
            at = next;
            let enough = |counts: &Counts, least: usize| counts.usable().is_some_and(|n| n >= least as u64);
            if let Ok(cut) = cuts.binary_search(&mark)
                && enough(&seen, settings.min_fit)
            {
                fits.lines[cut] = Some(seen.fit(settings.base_c, stop)?);
            }
            for (i, segment) in segments.iter().enumerate() {
                if segment.fit_end == mark
                    && enough(&seen, settings.min_fit)
                    && (settings.min_distinct == 0 || seen.distinct() >= settings.min_distinct)
                {
                    slopes[i] = Some(seen.fit(settings.base_c, stop)?.slope);
                }
                if slopes[i].is_some() && segment.eval.start == mark {
                    before[i] = Some(seen.clone());
                }
                if let (Some(slope), Some(then)) = (slopes[i], &before[i])
                    && segment.eval.end == mark
                {
                    let eval = seen.since(then);
                    fits.aucs[i] = enough(&eval, settings.min_eval).then(|| eval.auc(slope));
                    before[i] = None;
                }
            }
        }
        Ok(fits)
    }
}

/// The models of one miner alone.
pub(super) struct Fits {
    /// Per cut; `None` where its samples are too few.
    pub(super) lines: Vec<Option<Line>>,
    /// AUC per segment; `None` where its samples are too few.
    pub(super) aucs: Vec<Option<f64>>,
}

/// The bits of a number that counts; 0 for zeros of both signs and for what is not finite.
fn finite(x: f16) -> u16 {
    if x.is_finite() && x.to_bits() & 0x7fff != 0 { x.to_bits() } else { 0 }
}

/// Population standard deviation.
fn deviation<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> f64 {
    let n = numbers().count().max(1) as f64;
    let mean = numbers().sum::<f64>() / n;
    (numbers().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt()
}
