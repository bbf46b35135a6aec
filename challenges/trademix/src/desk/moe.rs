//! A mixture of experts: each seed predicts the return by its scaled position, and a gate trusts those that were
//! right lately.

use super::{Field, Fold, holding};
use crate::moments::spread;
use mantis_kit::math;
use serde::{Deserialize, Serialize};

/// Losses without each seed. Predictions are made at rebalances only.
///
/// The median of all positions, a good expert where many are, always is one too: a seed whose column becomes the
/// median's only takes its own away, rather than bring in what is better than itself.
pub(super) fn losses(field: &Field, fold: &Fold, asset: usize) -> Vec<f64> {
    let mut experts = Experts::new(field, fold, asset);
    let train = rebalances_before(field, fold);
    let rows: Vec<usize> = train.iter().copied().chain(fold.rebalances(field.step)).collect();
    let mut predictions = experts.predictions(&rows);
    let spreads: Vec<f64> =
        predictions.iter_mut().map(|prediction| spread(&mut prediction[..train.len()])).collect();
    let mut desks = predictions.iter().map(|prediction| &prediction[train.len()..]).zip(&spreads);
    let with_all = desks
        .next()
        .map_or(0.0, |(predictions, &spread)| field.profit_with_all(fold, asset, spread, predictions));
    desks
        .map(|(predictions, &spread)| {
            with_all - field.profit(fold, asset, spread, predictions.iter().copied())
        })
        .collect()
}

/// The rebalances before the test rows.
fn rebalances_before(field: &Field, fold: &Fold) -> Vec<usize> {
    (0..fold.test.start).step_by(field.step).collect()
}

/// What a gate makes of all experts' predictions, then without each seed.
fn mixed(gate: &[f64], predicted: impl Fn(usize) -> f64) -> impl Iterator<Item = f64> {
    let terms: Vec<f64> = gate.iter().enumerate().map(|(i, g)| g * predicted(i)).collect();
    let (weights, sums) = (without_each(gate), without_each(&terms));
    sums.into_iter().zip(weights).map(|(sum, weight)| if weight > 0.0 { sum / weight } else { 0.0 })
}

/// Sum of all terms, then the sums without each of them but the last one (the median's). Each is summed of what stays,
/// so that a term far above the rest leaves no rounding behind.
fn without_each(terms: &[f64]) -> Vec<f64> {
    let mut after = vec![0.0; terms.len() + 1];
    for i in (0..terms.len()).rev() {
        after[i] = after[i + 1] + terms[i];
    }
    let mut sums = vec![after[0]];
    let mut before = 0.0;
    for (i, term) in terms.iter().enumerate().take(terms.len().saturating_sub(1)) {
        sums.push(before + after[i + 1]);
        before += term;
    }
    sums
}

/// The seeds and, last, the median.
struct Experts<'a> {
    field: &'a Field<'a>,
    asset: usize,
    /// Return per unit of position, not below 0: no miner is traded against.
    slopes: Vec<f64>,
    /// Of each, discounted sums of prediction times return, and of prediction squared.
    agreement: Vec<(f64, f64)>,
    /// Discounted sum of squared returns.
    variation: f64,
    /// Part of the sums that stays from one rebalance to the next.
    decay: f64,
    /// The first rebalance that is not counted yet.
    next: usize,
}

impl<'a> Experts<'a> {
    /// Scales each expert to the returns of the train rows: the slope of a least-squares line through zero.
    fn new(field: &'a Field<'a>, fold: &Fold, asset: usize) -> Self {
        let returns = field.returns_at(asset, &fold.rows);
        let slope = |position: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = fold.rows.iter().map(|&t| position(t)).collect();
            let square = math::dot(&values, &values);
            if square > 0.0 { (math::dot(&values, &returns) / square).max(0.0) } else { 0.0 }
        };
        let of_seed = |seed: &&[Vec<f32>]| slope(&|t| f64::from(seed[asset][t]));
        let mut slopes: Vec<f64> = field.seeds.iter().map(of_seed).collect();
        slopes.push(slope(&|t| field.median[t]));
        let half_life = field.params.moe_half_life_days * field.params.rebalances_per_day;
        Self {
            agreement: vec![(0.0, 0.0); slopes.len()],
            slopes,
            variation: 0.0,
            decay: math::exp2(-1.0 / half_life),
            next: 0,
            field,
            asset,
        }
    }

    /// The return that an expert predicts.
    fn predict(&self, expert: usize, row: usize) -> f64 {
        let position = match self.field.seeds.get(expert) {
            Some(seed) => f64::from(seed[self.asset][row]),
            None => self.field.median[row],
        };
        self.slopes[expert] * position
    }

    /// Predictions of all at some rows, then without each seed.
    fn predictions(&mut self, rows: &[usize]) -> Vec<Vec<f64>> {
        let mut predictions = vec![Vec::with_capacity(rows.len()); self.field.seeds.len() + 1];
        for &row in rows {
            let gate = self.gate(row);
            let mixed = mixed(&gate, |expert| self.predict(expert, row));
            predictions.iter_mut().zip(mixed).for_each(|(prediction, mixed)| prediction.push(mixed));
        }
        predictions
    }

    /// Weight of each expert at a row, by the returns that are known then: the exponential of its discounted
    /// correlation with them (around zero), times a rate. Rows must not fall from call to call.
    fn gate(&mut self, row: usize) -> Vec<f64> {
        while self.next + self.field.step <= row {
            if let Some(known) = self.field.returns[self.asset][self.next] {
                self.variation = self.decay * self.variation + known * known;
                for expert in 0..self.agreement.len() {
                    let predicted = self.predict(expert, self.next);
                    let (product, square) = self.agreement[expert];
                    self.agreement[expert] = (
                        self.decay * product + predicted * known,
                        self.decay * square + predicted * predicted,
                    );
                }
            }
            self.next += self.field.step;
        }
        let logit = |&(product, square): &(f64, f64)| {
            let norm = (square * self.variation).sqrt();
            let correlation = if norm > 0.0 { (product / norm).clamp(-1.0, 1.0) } else { 0.0 };
            self.field.params.moe_rate * correlation
        };
        let mut gate: Vec<f64> = self.agreement.iter().map(logit).collect();
        math::exp_slice(&mut gate);
        gate
    }
}

/// The experts of an asset, and how much each is trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mixture {
    /// Of the seeds and, last, of the median.
    slopes: Vec<f64>,
    gate: Vec<f64>,
    spread: f64,
}

impl Mixture {
    /// The gate is that of the first test row.
    pub(super) fn fit(field: &Field, fold: &Fold, asset: usize) -> Self {
        let mut experts = Experts::new(field, fold, asset);
        let mut predictions = experts.predictions(&rebalances_before(field, fold));
        let gate = experts.gate(fold.test.start);
        Self { spread: predictions.first_mut().map_or(0.0, |all| spread(all)), gate, slopes: experts.slopes }
    }

    /// What the desk holds where the seeds have these positions.
    pub(super) fn holding(&self, positions: &[f32], median: f64) -> f64 {
        let position = |expert: usize| positions.get(expert).map_or(median, |&x| f64::from(x));
        let mut mixed = mixed(&self.gate, |expert| self.slopes[expert] * position(expert));
        holding(mixed.next().unwrap_or(0.0), self.spread)
    }

    pub(super) fn is_sound(&self, seeds: usize) -> bool {
        let are_numbers =
            |x: &[f64]| x.len() == seeds + 1 && x.iter().all(|x| (0.0..f64::INFINITY).contains(x));
        are_numbers(&self.slopes)
            && are_numbers(&self.gate)
            && self.gate.iter().sum::<f64>().is_finite()
            && (0.0..f64::INFINITY).contains(&self.spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use proptest::prelude::*;

    #[test]
    fn sums_without_each() {
        assert_eq!(without_each(&[1.0, 10.0, 100.0, 0.5]), [111.5, 110.5, 101.5, 11.5]);
        assert_eq!(
            without_each(&[1e300, 1e-300, 1e-290])[1],
            1e-300 + 1e-290,
            "nothing of the first is left"
        );
    }

    #[test]
    fn the_gate_turns_to_who_was_right_and_knows_no_future() {
        let params = Params::default();
        let wave: Vec<f64> = (0..400).map(|t| if (t / 3) % 2 == 0 { 0.01 } else { -0.01 }).collect();
        // The first is right all the time, the second in the first half only.
        let right: Vec<f32> = wave.iter().map(|r| 50.0 * *r as f32).collect();
        let fading: Vec<f32> = right.iter().enumerate().map(|(t, x)| if t < 200 { *x } else { -x }).collect();
        let seeds = [vec![right], vec![fading]];
        let run = |changed: usize| {
            let changed = |t: usize| if t >= changed { 9.0 } else { wave[t] };
            let returns = [(0..400).map(|t| Some(changed(t))).collect()];
            let seeds = seeds.iter().map(Vec::as_slice).collect();
            let field = Field { seeds, median: vec![0.0; 400], returns: &returns, step: 1, params: &params };
            let fold = Fold::new(&field, 150..400);
            let mut experts = Experts::new(&field, &fold, 0);
            [experts.gate(150), experts.gate(201), experts.gate(350)]
        };
        let [early, turn, late] = run(400);
        assert_eq!(early[0], early[1]);
        assert!(early[0] > 20_000.0, "all right is a correlation of 1: {early:?}");
        assert!(late[1] < 0.75 * late[0], "{late:?}");
        assert_eq!(run(201)[1], turn, "a return that begins at a row is not known there");
    }

    proptest! {
        #[test]
        fn the_mixture_lies_among_its_experts_and_does_not_care_for_their_order(
            rows in prop::collection::vec(([-1.0..1.0f32, -1.0..1.0f32, -1.0..1.0f32], -0.1..0.1f64), 60..120),
        ) {
            let params = Params::default();
            let returns = [rows.iter().map(|row| Some(row.1)).collect()];
            let seeds: Vec<Vec<Vec<f32>>> =
                (0..3).map(|i| vec![rows.iter().map(|row| row.0[i]).collect()]).collect();
            let field = |order: [usize; 3]| Field {
                seeds: order.iter().map(|&i| seeds[i].as_slice()).collect(),
                median: rows.iter().map(|row| f64::from(row.0[0].min(row.0[2]))).collect(),
                returns: &returns,
                step: 2,
                params: &params,
            };
            let (field, turned) = (field([0, 1, 2]), field([2, 0, 1]));
            let fold = Fold::new(&field, 40..rows.len());
            let mut experts = Experts::new(&field, &fold, 0);
            let gate = experts.gate(50);
            let sum: f64 = gate.iter().sum();
            let (least, most) = (math::exp(-params.moe_rate), math::exp(params.moe_rate));
            prop_assert!(gate.iter().all(|&g| g >= 0.999 * least && g <= 1.001 * most));
            let each: Vec<f64> = (0..4).map(|i| experts.predict(i, 50)).collect();
            let mixed: f64 = each.iter().zip(&gate).map(|(x, g)| x * g / sum).sum();
            let (low, high) = each.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
            prop_assert!(mixed >= low - 1e-12 && mixed <= high + 1e-12);
            let (one, other) = (losses(&field, &fold, 0), losses(&turned, &fold, 0));
            for (place, &seed) in [2, 0, 1].iter().enumerate() {
                prop_assert!((one[seed] - other[place]).abs() < 1e-9, "{:?} {:?}", one, other);
            }
        }
    }
}
