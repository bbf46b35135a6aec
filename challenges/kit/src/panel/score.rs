//! From samples and histories to saliences.

use super::column::{Column, Fits};
use super::ensemble::Design;
use super::report::{Miner, Report};
use super::{Samples, Segment, Settings};
use crate::logistic::FitError;
use mantis_plugin_api::{History, PluginError, Run, Salience};

/// Scores a panel challenge: `assets` numbers per miner and row of `history`, in which `samples` has its places.
///
/// # Errors
/// What the history says. Too little data is no error: the salience is empty then, and says why.
pub fn score(
    history: &dyn History,
    assets: usize,
    samples: &Samples,
    settings: &Settings,
    run: &dyn Run,
) -> Result<Salience, PluginError> {
    let segments: Vec<Segment> = settings
        .segments(samples.rows())
        .into_iter()
        .filter(|segment| is_usable(segment, samples, settings))
        .collect();
    let task = Task { history, assets, samples, settings, cuts: cuts(&segments, settings), segments };
    let miners = history.shape().miners;
    let mut report = Report::new(miners);
    let mut fits = Vec::with_capacity(miners);
    for miner in 0..miners {
        let (fit, standing) = task.examine(miner)?;
        fits.push(fit);
        report.miners[miner] = standing;
        run.progress(0.3 * (miner + 1) as f64 / miners as f64);
    }
    for (i, segment) in task.segments.iter().enumerate() {
        task.segment(i, segment, &fits, &mut report)?;
        run.progress(0.3 + 0.7 * (i + 1) as f64 / task.segments.len() as f64);
    }
    Ok(report.salience(samples, &task.segments, settings))
}

struct Task<'a> {
    history: &'a dyn History,
    assets: usize,
    samples: &'a Samples,
    settings: &'a Settings,
    segments: Vec<Segment>,
    /// Rows before which models of single miners are needed, ascending.
    cuts: Vec<usize>,
}

impl Task<'_> {
    fn column(&self, miner: usize) -> Result<Column, PluginError> {
        Ok(Column::new(&self.history.miner(miner)?, self.assets, self.samples, self.settings.min_std))
    }

    /// All models of one miner alone.
    fn examine(&self, miner: usize) -> Result<(Fits, Miner), PluginError> {
        let column = self.column(miner)?;
        let fits =
            column.fits(self.samples, &self.segments, &self.cuts, self.settings).map_err(not_fitted)?;
        let standing = Miner {
            present: column.present(),
            assets: column.assets,
            stale: column.stale,
            auc: fits.aucs.iter().rev().find_map(|auc| *auc),
            ..Miner::default()
        };
        Ok((fits, standing))
    }

    /// Selects miners and weighs them by an ensemble.
    fn segment(
        &self,
        index: usize,
        segment: &Segment,
        fits: &[Fits],
        report: &mut Report,
    ) -> Result<(), PluginError> {
        // Ranked as the network does, in single precision: it makes ties.
        let mut ranking: Vec<(usize, f32)> =
            fits.iter().map(|fits| fits.aucs[index].unwrap_or(0.5) as f32).enumerate().collect();
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (rank, &(miner, _)) in ranking.iter().enumerate() {
            let best = &mut report.miners[miner].best_rank;
            *best = Some(best.map_or(rank, |best| best.min(rank)));
        }
        ranking.truncate(self.settings.top_k);

        let mut design = Design::new(self.samples, segment);
        for &(miner, _) in &ranking {
            let lines = &fits[miner].lines;
            let line = |row: usize| self.cuts.binary_search(&row).ok().and_then(|cut| lines[cut]);
            design.push(&self.column(miner)?, self.settings, line);
        }
        let outcome = design.solve(self.settings).map_err(not_fitted)?;
        let selected: Vec<usize> = ranking.into_iter().map(|(miner, _)| miner).collect();
        report.add(segment, &selected, outcome);
        Ok(())
    }
}

/// Whether a segment has what each of its parts needs.
fn is_usable(segment: &Segment, samples: &Samples, settings: &Settings) -> bool {
    let is_enough = |rows: &std::ops::Range<usize>| {
        let y = &samples.above()[samples.of(rows)];
        y.len() >= settings.min_samples && y.contains(&true) && y.contains(&false)
    };
    segment.train_end > 0
        && is_enough(&(0..segment.fit_end))
        && is_enough(&segment.eval)
        && is_enough(&segment.val)
}

fn cuts(segments: &[Segment], settings: &Settings) -> Vec<usize> {
    let of_segment = |segment: &Segment| {
        settings.sub_segments(segment.train_end).map(|sub| sub.from).chain([segment.train_end])
    };
    let mut cuts: Vec<usize> = segments.iter().flat_map(of_segment).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

fn not_fitted(error: FitError) -> PluginError {
    PluginError::data(format!("a model cannot be fitted: {error}"))
}
