//! From returns to saliences.

use crate::attribution::attribution;
use crate::clusters::clusters;
use crate::{Labels, TradeMix, luck};
use mantis_plugin_api::{History, PluginError, Run, Salience, Score, WhyZero};

/// One miner that may be skilled.
struct Candidate {
    miner: usize,
    skill: f64,
    /// Positions by asset and row.
    positions: Vec<Vec<f32>>,
}

impl Score for TradeMix {
    fn score(&self, history: &dyn History, labels: &Labels, run: &dyn Run) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let mut salience = Salience::new(miners);
        salience.fact("rows", labels.priced_rows as f64);
        if labels.priced_rows < self.params.window_rows {
            let (rows, needed) = (labels.priced_rows, self.params.window_rows);
            salience.empty = Some(format!("warming up: {rows} rows with a price, {needed} are needed"));
            return Ok(salience);
        }
        let candidates = self.candidates(history, labels, &mut salience, run)?;
        salience.fact("skilled_miners", candidates.len() as f64);
        if candidates.is_empty() {
            salience.empty =
                Some(format!("no miner's probability of skill reaches {}", self.params.min_skill));
            return Ok(salience);
        }
        self.pay(history, &candidates, labels, &mut salience, run);
        Ok(salience)
    }
}

impl TradeMix {
    /// The miners that pass the luck filter.
    fn candidates(
        &self,
        history: &dyn History,
        labels: &Labels,
        salience: &mut Salience,
        run: &dyn Run,
    ) -> Result<Vec<Candidate>, PluginError> {
        let step = self.spec.rows_ahead();
        let miners = history.shape().miners;
        let mut candidates = Vec::new();
        for miner in 0..miners {
            let positions = positions(history, miner, labels)?;
            if positions.iter().flatten().all(|&x| x == 0.0) {
                salience.zero(miner, WhyZero::absent());
                continue;
            }
            let by_asset = positions.iter().zip(&labels.returns);
            let skills: Vec<f64> = by_asset.map(|(own, r)| luck::skill(own, r, step, &self.params)).collect();
            let skill = skills.iter().sum::<f64>() / skills.len() as f64;
            salience.note(miner, "skill", skill);
            if skill >= self.params.min_skill {
                candidates.push(Candidate { miner, skill, positions });
            } else {
                let text = format!("probability of skill {skill:.3}, {} is needed", self.params.min_skill);
                salience.zero(miner, WhyZero::new("luck", text));
            }
            run.progress(0.5 * (miner + 1) as f64 / miners as f64);
        }
        Ok(candidates)
    }

    /// Pays each cluster what the desk loses without its seed (scoring: trademix, salience).
    fn pay(
        &self,
        history: &dyn History,
        candidates: &[Candidate],
        labels: &Labels,
        salience: &mut Salience,
        run: &dyn Run,
    ) {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&a, &b| candidates[b].skill.total_cmp(&candidates[a].skill));
        let positions: Vec<Vec<Vec<f32>>> = candidates.iter().map(|c| c.positions.clone()).collect();
        let clusters = clusters(&positions, &order, self.params.duplicate_cosine);
        let seeds: Vec<&[Vec<f32>]> = clusters.iter().map(|c| positions[c.seed].as_slice()).collect();
        let lost = attribution(&seeds, labels, self.spec.rows_ahead(), &self.params, |done| {
            run.progress(0.5 + 0.5 * done);
        });
        salience.fact("clusters", clusters.len() as f64);
        let mut earned = vec![0.0; history.shape().miners];
        for (cluster, lost) in clusters.iter().zip(&lost) {
            let size = cluster.members.len() as f64;
            for &member in &cluster.members {
                let Candidate { miner, skill, .. } = candidates[member];
                salience.note(miner, "attribution", *lost);
                salience.note(miner, "cluster_size", size);
                earned[miner] = lost / size * skill;
                if earned[miner] <= 0.0 {
                    let of = &history.hotkeys()[candidates[cluster.seed].miner];
                    let whose =
                        if member == cluster.seed { String::new() } else { format!(" (duplicate of {of})") };
                    let text = format!("the desk loses nothing without its positions{whose}");
                    salience.zero(miner, WhyZero::new("no_attribution", text));
                }
            }
        }
        let mut ranking: Vec<usize> = (0..earned.len()).filter(|&miner| earned[miner] > 0.0).collect();
        ranking.sort_by(|&a, &b| earned[b].total_cmp(&earned[a]));
        for (rank, &miner) in ranking.iter().enumerate() {
            if rank < self.params.top_k {
                salience.set(miner, earned[miner]);
            } else {
                salience.zero(miner, WhyZero::pruned(rank + 1, self.params.top_k));
            }
        }
        salience.normalise();
        if ranking.is_empty() {
            salience.empty = Some("the desk loses nothing without any of its miners".into());
        }
    }
}

/// One miner's positions by asset and row of the window; a broken number counts as none.
fn positions(history: &dyn History, miner: usize, labels: &Labels) -> Result<Vec<Vec<f32>>, PluginError> {
    let assets = history.shape().dim;
    let column = history.miner(miner)?;
    let position = |row: usize, asset: usize| {
        let x = column[row * assets + asset];
        if x.is_finite() { x.to_f32() } else { 0.0 }
    };
    let of_asset = |asset| labels.rows.iter().map(|&row| position(row, asset)).collect();
    Ok((0..assets).map(of_asset).collect())
}
