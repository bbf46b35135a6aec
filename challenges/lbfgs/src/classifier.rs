//! The classifier part: walk-forward segments in which miners vote for a bucket.

use crate::alike::Alike;
use crate::ensemble::{Ensemble, Precision, recent_mass};
use crate::predictions::{Predictions, probability_columns};
use crate::{BUCKETS, Labels, Params};
use mantis_kit::logistic::{Penalty, Stop, has_both_classes};
use mantis_kit::replicates::Columns;
use mantis_kit::{math, standard};
use mantis_plugin_api::{History, PluginError, Progress};
use std::ops::Range;

/// What the segments add up to.
pub(crate) struct Classifier {
    /// Importance per miner before clones are thinned; all 0 if no segment counts.
    pub(crate) importance: Vec<f64>,
    /// Mean over the used segments of balanced accuracy above chance; 0 for inactive miners.
    pub(crate) lift: Vec<f64>,
    /// Mean over the used segments of the part in the models, 1 for the largest of a segment.
    pub(crate) meta: Vec<f64>,
    /// Share of the votes in the newest used segment.
    pub(crate) vote_share: Vec<f64>,
    pub(crate) active: Vec<bool>,
    pub(crate) used_segments: usize,
    /// Mean balanced accuracy of the vote over the used segments.
    pub(crate) vote_accuracy: f64,
    /// Who stands for whom; nothing is known here of a miner that another one stands for.
    pub(crate) alike: Alike,
}

/// Rows of a segment, and of what is trained on before it; indices among the labelled rows.
struct Segment {
    index: usize,
    train: Range<usize>,
    held_out: Range<usize>,
}

/// One segment's result.
struct Votes {
    lift: Vec<f64>,
    meta: Vec<f64>,
    /// Lift times part in the models, not scaled.
    strength: Vec<f64>,
    accuracy: f64,
}

/// Who is shown the votes.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(usize, [f64; BUCKETS]);

pub(crate) struct ClassifierTask<'a> {
    pub(crate) history: &'a dyn History,
    pub(crate) labels: &'a Labels,
    pub(crate) predictions: &'a Predictions,
    pub(crate) params: &'a Params,
    pub(crate) stop: Stop,
    pub(crate) seed: u64,
    pub(crate) progress: &'a dyn Progress,
}

impl ClassifierTask<'_> {
    /// Importance of each miner over all segments (scoring: lbfgs, classifier).
    ///
    /// `watch` is shown the votes for each bucket of every held-out row, by its index among the labelled ones.
    pub(crate) fn classify(&self, watch: Watch<'_>) -> Result<Classifier, PluginError> {
        let miners = self.predictions.miners.len();
        let rows = self.labels.rows.len() as f64;
        let is_active = |sent: usize| sent as f64 > self.params.active_share * rows;
        let zeros = vec![0.0; miners];
        let mut total = Classifier {
            importance: zeros.clone(),
            lift: zeros.clone(),
            meta: zeros.clone(),
            vote_share: zeros,
            active: self.predictions.miners.iter().map(|miner| is_active(miner.sent)).collect(),
            used_segments: 0,
            vote_accuracy: 0.0,
            alike: Alike::nobody(miners),
        };
        let mut active: Vec<usize> = (0..miners).filter(|&miner| total.active[miner]).collect();
        let all_rows = 0..self.labels.rows.len();
        let accuracy = |miner| self.accuracy_of(miner, &all_rows);
        total.alike = Alike::in_buckets(self.history, self.labels, self.params, &active, accuracy)?;
        active.retain(|&miner| total.alike.leads(miner));
        if active.len() < self.params.min_active {
            return Ok(total);
        }
        let segments = segments(self.labels.rows.len(), self.params);
        let days = self.params.segment_rows as f64 / f64::from(self.params.rows_per_day);
        let mut weight_sum = 0.0;
        for segment in &segments {
            if let Some(votes) = self.segment(segment, &active, watch)? {
                let age = (segments.len() - 1 - segment.index) as f64;
                let weight = math::exp2(-age * days / self.params.half_life_days);
                add(weight, &votes.strength, &mut total.importance);
                add(1.0, &votes.lift, &mut total.lift);
                add(1.0, &votes.meta, &mut total.meta);
                let sum = math::sum(&votes.strength);
                total.vote_share = votes.strength.iter().map(|strength| strength / sum).collect();
                total.vote_accuracy += votes.accuracy;
                total.used_segments += 1;
                weight_sum += weight;
            }
            self.progress.report(0.1 + 0.6 * (segment.index + 1) as f64 / segments.len() as f64);
        }
        if total.used_segments > 0 {
            let used = total.used_segments as f64;
            total.importance.iter_mut().for_each(|importance| *importance /= weight_sum);
            total.lift.iter_mut().chain(&mut total.meta).for_each(|value| *value /= used);
            total.vote_accuracy /= used;
        }
        Ok(total)
    }

    /// One segment; `None` if it is left out.
    fn segment(
        &self,
        segment: &Segment,
        active: &[usize],
        watch: Watch<'_>,
    ) -> Result<Option<Votes>, PluginError> {
        let miners = self.predictions.miners.len();
        if class_counts(self.labels, &segment.held_out).iter().filter(|&&count| count > 0).count() < 2 {
            return Ok(None);
        }
        let mut lift = vec![0.0; miners];
        for &miner in active {
            lift[miner] = (self.accuracy_of(miner, &segment.held_out) - self.params.chance).max(0.0);
        }
        if lift.iter().all(|&lift| lift == 0.0) {
            return Ok(None);
        }
        let mut ranked: Vec<(usize, f64)> =
            active.iter().map(|&miner| (miner, self.accuracy_of(miner, &segment.train))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(self.params.max_selected);
        let selected: Vec<usize> = ranked.into_iter().map(|(miner, _)| miner).collect();

        let mut meta = self.meta(segment, &selected)?;
        let largest = meta.iter().copied().fold(0.0, f64::max);
        if largest > 0.0 {
            meta.iter_mut().for_each(|meta| *meta /= largest);
        } else {
            active.iter().for_each(|&miner| meta[miner] = 1.0);
        }
        let strength: Vec<f64> = lift.iter().zip(&meta).map(|(lift, meta)| lift * meta).collect();
        if math::sum(&strength) <= 0.0 {
            return Ok(None);
        }
        let accuracy = self.vote(&strength, &segment.held_out, watch);
        Ok((accuracy > self.params.chance).then_some(Votes { lift, meta, strength, accuracy }))
    }

    /// Squared weight in the models of each bucket against the rest, per miner.
    fn meta(&self, segment: &Segment, selected: &[usize]) -> Result<Vec<f64>, PluginError> {
        let train = &segment.train;
        let mut columns = Vec::with_capacity(selected.len());
        for &miner in selected {
            let mut of_miner = probability_columns(self.history, self.labels, miner, train.clone())?;
            if self.params.standardise {
                of_miner.iter_mut().for_each(|column| standardise(column));
            }
            columns.push(of_miner);
        }
        let weights = recent_mass(0..train.len(), Precision::Double, self.params);
        let mut meta = vec![0.0; self.predictions.miners.len()];
        for bucket in 0..BUCKETS {
            let y: Vec<bool> =
                self.labels.rows[train.clone()].iter().map(|row| usize::from(row.bucket) == bucket).collect();
            if !has_both_classes(&y) {
                continue;
            }
            let columns: Vec<&[f32]> = columns.iter().map(|of_bucket| of_bucket[bucket].as_slice()).collect();
            let step = u64::from(self.params.segment_seed_step);
            let ensemble = Ensemble {
                x: Columns::F32(&columns),
                y: &y,
                weights: &weights,
                c: self.params.classifier_c,
                penalty: Penalty::L2Bias,
                stop: self.stop,
                seed: self.seed.wrapping_add(step * (segment.index as u64 + 1) + bucket as u64),
            };
            for (&miner, weight) in selected.iter().zip(ensemble.importance(self.params)?) {
                meta[miner] += weight * weight;
            }
        }
        Ok(meta)
    }

    /// Balanced accuracy of a miner's choices; a bucket without rows counts as missed.
    fn accuracy_of(&self, miner: usize, rows: &Range<usize>) -> f64 {
        let choice = &self.predictions.miners[miner].choice[rows.clone()];
        let shares = hit_shares(self.labels, rows, choice);
        shares.iter().flatten().sum::<f64>() / BUCKETS as f64
    }

    /// Balanced accuracy of the weighted vote, over the buckets that have rows.
    fn vote(&self, strength: &[f64], rows: &Range<usize>, watch: Watch<'_>) -> f64 {
        let sum = math::sum(strength);
        let voters: Vec<(&[u8], f64)> = strength
            .iter()
            .zip(&self.predictions.miners)
            .filter(|(strength, _)| **strength > 0.0)
            .map(|(strength, miner)| (&miner.choice[rows.clone()], strength / sum))
            .collect();
        let winner = |i: usize| {
            let votes = tally(voters.iter().map(|(choice, share)| (choice[i], *share)));
            watch(rows.start + i, votes);
            let largest = votes.iter().copied().fold(0.0, f64::max);
            votes.iter().position(|&vote| vote == largest).unwrap_or(0) as u8
        };
        let choice: Vec<u8> = (0..rows.len()).map(winner).collect();
        let shares: Vec<f64> = hit_shares(self.labels, rows, &choice).into_iter().flatten().collect();
        shares.iter().sum::<f64>() / shares.len() as f64
    }
}

/// What each bucket has of the votes, by the choices and shares of those who vote.
pub(crate) fn tally(voters: impl Iterator<Item = (u8, f64)>) -> [f64; BUCKETS] {
    let mut votes = [0.0; BUCKETS];
    for (choice, share) in voters {
        votes[usize::from(choice)] += share;
    }
    votes
}

/// Segments from `first_segment` on; a last one that is too short is left out.
fn segments(rows: usize, params: &Params) -> Vec<Segment> {
    let starts = (params.first_segment..rows).step_by(params.segment_rows);
    let segment = |(index, start): (usize, usize)| Segment {
        index,
        train: start.saturating_sub(params.train_rows)..start,
        held_out: start..start.saturating_add(params.segment_rows).min(rows),
    };
    let long_enough =
        |s: &Segment| s.held_out.len() == params.segment_rows || s.held_out.len() >= params.min_segment_rows;
    starts.enumerate().map(segment).filter(long_enough).collect()
}

fn class_counts(labels: &Labels, rows: &Range<usize>) -> [usize; BUCKETS] {
    let mut counts = [0; BUCKETS];
    labels.rows[rows.clone()].iter().for_each(|row| counts[usize::from(row.bucket)] += 1);
    counts
}

/// Per bucket that has rows, the share of them that was chosen right.
fn hit_shares(labels: &Labels, rows: &Range<usize>, choice: &[u8]) -> [Option<f64>; BUCKETS] {
    let mut hits = [0_usize; BUCKETS];
    for (row, &choice) in labels.rows[rows.clone()].iter().zip(choice) {
        hits[usize::from(row.bucket)] += usize::from(row.bucket == choice);
    }
    let counts = class_counts(labels, rows);
    std::array::from_fn(|bucket| (counts[bucket] > 0).then(|| hits[bucket] as f64 / counts[bucket] as f64))
}

/// Z-scores, computed in double precision.
fn standardise(column: &mut [f32]) {
    let mut wide: Vec<f64> = column.iter().map(|&p| f64::from(p)).collect();
    standard::z_scores(&mut wide);
    column.iter_mut().zip(wide).for_each(|(p, z)| *p = z as f32);
}

fn add(weight: f64, values: &[f64], total: &mut [f64]) {
    math::axpy(weight, values, total);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

    #[test]
    fn segments_train_on_what_is_before_them() {
        let params = Params {
            first_segment: 20,
            segment_rows: 10,
            train_rows: 25,
            min_segment_rows: 4,
            ..Params::default()
        };
        let found: Vec<_> =
            segments(44, &params).into_iter().map(|s| (s.index, s.train, s.held_out)).collect();
        assert_eq!(found, [(0, 0..20, 20..30), (1, 5..30, 30..40), (2, 15..40, 40..44)]);
        assert_eq!(segments(43, &params).len(), 2);
        assert!(segments(20, &params).is_empty());
    }

    #[test]
    fn shares_are_of_the_buckets_with_rows() {
        let row = |bucket| Row { row: 0, t: 0, bucket, strayed: None };
        let labels = Labels { priced: (0..4).collect(), rows: [0, 2, 2, 2].map(row).to_vec() };
        let shares = hit_shares(&labels, &(0..4), &[0, 2, 1, 0]);
        assert_eq!(shares, [Some(1.0), None, Some(1.0 / 3.0), None, None]);
        assert_eq!(hit_shares(&labels, &(1..3), &[2, 2]), [None, None, Some(1.0), None, None]);
    }
}
