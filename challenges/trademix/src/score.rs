//! From returns to saliences.

use crate::attribution::{Held, attribution, field};
use crate::clusters::clusters;
use crate::fitted::FittedDesk;
use crate::luck::LuckFilter;
use crate::window::Window;
use crate::{Labels, TradeMix};
use mantis_kit::clones::Likeness;
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero, f16};

/// One miner that may be skilled.
struct Candidate {
    miner: usize,
    skill: f64,
    /// Positions by asset and row.
    positions: Vec<Vec<f32>>,
}

/// What a score says beside saliences, where it is wanted.
#[derive(Default)]
pub(crate) struct Aside {
    pub(crate) wants_desk: bool,
    /// The desk of the row after all.
    pub(crate) desk: Option<FittedDesk>,
    /// What the desks of all folds held.
    pub(crate) held: Option<Held>,
}

impl Score for TradeMix {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        match labels {
            Labels::Desk(window) => self.staff(history, window, progress, &mut Aside::default()),
            Labels::Evidence(panel) => panel.score(history, &self.params.evidence, self.params.fee, progress),
        }
    }
}

impl TradeMix {
    /// Pays the miners that a desk misses (scoring: trademix).
    pub(crate) fn staff(
        &self,
        history: &dyn History,
        window: &Window,
        progress: &dyn Progress,
        aside: &mut Aside,
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let mut salience = Salience::new(miners);
        salience.fact("rows", window.priced_rows as f64);
        if window.priced_rows < self.params.window_rows {
            let (rows, needed) = (window.priced_rows, self.params.window_rows);
            salience.empty = Some(format!("warming up: {rows} rows with a price, {needed} are needed"));
            return Ok(salience);
        }
        let candidates = self.candidates(history, window, &mut salience, progress)?;
        salience.fact("skilled_miners", candidates.len() as f64);
        if candidates.is_empty() {
            salience.empty =
                Some(format!("no miner's probability of skill reaches {}", self.params.min_skill));
            return Ok(salience);
        }
        self.pay(history, &candidates, window, &mut salience, progress, aside);
        Ok(salience)
    }

    /// The miners that pass the luck filter.
    fn candidates(
        &self,
        history: &dyn History,
        window: &Window,
        salience: &mut Salience,
        progress: &dyn Progress,
    ) -> Result<Vec<Candidate>, PluginError> {
        let miners = history.shape().miners;
        let filter = LuckFilter::new(&self.params, window.rows.len(), self.spec.rows_ahead(), self.spec.seed);
        let mut candidates = Vec::new();
        for miner in 0..miners {
            progress.report(0.5 * miner as f64 / miners as f64);
            let positions = positions(history, miner, window)?;
            if positions.iter().flatten().all(|&x| x == 0.0) {
                salience.zero(miner, WhyZero::absent());
                continue;
            }
            let by_asset = positions.iter().zip(&window.returns);
            let evidence: Vec<_> = by_asset.map(|(own, returns)| filter.evidence(own, returns)).collect();
            let assets = evidence.len() as f64;
            let skill = evidence.iter().map(|of_asset| of_asset.skill).sum::<f64>() / assets;
            let sharpe = evidence.iter().map(|of_asset| of_asset.sharpe).sum::<f64>() / assets;
            salience.note(miner, "skill", skill);
            salience.note(miner, "sharpe", sharpe);
            for (asset, of_asset) in self.spec.assets.iter().zip(&evidence) {
                salience.note(miner, &format!("skill_{}", asset.to_lowercase()), of_asset.skill);
            }
            if skill >= self.params.min_skill {
                candidates.push(Candidate { miner, skill, positions });
            } else {
                let text = format!(
                    "probability of skill {skill:.3} (daily Sharpe ratio {sharpe:.2} after fees), {} is needed",
                    self.params.min_skill
                );
                salience.zero(miner, WhyZero::new("luck", text));
            }
        }
        Ok(candidates)
    }

    /// Pays each cluster what the desk loses without its seed (scoring: trademix, salience).
    fn pay(
        &self,
        history: &dyn History,
        candidates: &[Candidate],
        window: &Window,
        salience: &mut Salience,
        progress: &dyn Progress,
        aside: &mut Aside,
    ) {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&a, &b| candidates[b].skill.total_cmp(&candidates[a].skill));
        let positions: Vec<&[Vec<f32>]> = candidates.iter().map(|c| c.positions.as_slice()).collect();
        let likeness = self.params.collapse_clones.then_some(Likeness {
            correlation: self.params.clone_correlation,
            lag: self.params.clone_lag_rows,
        });
        let clusters = clusters(&positions, &order, self.params.duplicate_cosine, likeness);
        let seeds = clusters.iter().map(|cluster| positions[cluster.seed]).collect();
        let field = field(seeds, window, self.spec.rows_ahead(), &self.params);
        let lost = attribution(&field, aside.held.as_mut(), |done| progress.report(0.5 + 0.5 * done));
        if aside.wants_desk {
            let seeds = clusters.iter().map(|cluster| candidates[cluster.seed].miner).collect();
            aside.desk = FittedDesk::fit(&field, seeds);
        }
        salience.fact("clusters", clusters.len() as f64);
        let mut earned = vec![0.0; history.shape().miners];
        for (cluster, lost) in clusters.iter().zip(&lost) {
            let size = cluster.members.len();
            let seed = candidates[cluster.seed].miner;
            for &member in &cluster.members {
                let Candidate { miner, skill, .. } = candidates[member];
                salience.note(miner, "attribution", *lost);
                salience.note(miner, "cluster_size", size as f64);
                salience.note(miner, "cluster_seed", seed as f64);
                earned[miner] = lost / size as f64 * skill;
                if earned[miner] <= 0.0 {
                    salience.zero(miner, no_attribution(miner, seed, history.hotkeys()));
                }
            }
        }
        let mut ranking: Vec<usize> = (0..earned.len()).filter(|&miner| earned[miner] > 0.0).collect();
        ranking.sort_by(|&a, &b| earned[b].total_cmp(&earned[a]));
        for (rank, &miner) in ranking.iter().enumerate() {
            salience.note(miner, "rank", (rank + 1) as f64);
            if rank < self.params.top_k {
                salience.set(miner, earned[miner]);
            } else {
                salience.zero(miner, WhyZero::pruned(rank + 1, self.params.top_k));
            }
        }
        salience.fact("paid_miners", ranking.len().min(self.params.top_k) as f64);
        salience.normalise();
        if ranking.is_empty() {
            salience.empty = Some("the desk loses nothing without any of its miners".into());
        }
    }
}

/// Why a miner of a cluster that the desk does not miss earns nothing.
fn no_attribution(miner: usize, seed: usize, hotkeys: &[String]) -> WhyZero {
    if miner == seed {
        return WhyZero::new("no_attribution", "the desk loses nothing without its positions");
    }
    let text = format!("duplicate of {}, without whose positions the desk loses nothing", hotkeys[seed]);
    WhyZero::new("duplicate", text)
}

/// One miner's positions by asset and row of the window; a broken number counts as none.
fn positions(history: &dyn History, miner: usize, window: &Window) -> Result<Vec<Vec<f32>>, PluginError> {
    let assets = history.shape().dim;
    let (Some(&first), Some(&last)) = (window.rows.first(), window.rows.last()) else {
        return Ok(vec![Vec::new(); assets]);
    };
    let mut block = vec![f16::ZERO; (last + 1 - first) * assets];
    history.read(miner..miner + 1, first..last + 1, &mut block)?;
    let position = |row: usize, asset: usize| {
        let x = block[(row - first) * assets + asset];
        if x.is_finite() { x.to_f32() } else { 0.0 }
    };
    let of_asset = |asset| window.rows.iter().map(|&row| position(row, asset)).collect();
    Ok((0..assets).map(of_asset).collect())
}
