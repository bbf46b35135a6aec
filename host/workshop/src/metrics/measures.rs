//! The measures of a sample, by what its labels are.

use super::bootstrap::{Resampling, middle};
use super::order::Order;
use super::sample::{Pair, Sample};
use mantis_kit::math::ln;
use mantis_plugin_api::Reading;
use serde::Serialize;

/// A measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The odds that what came true has a larger number than what did not.
    Auc,
    /// The mean over classes of how often the class that came true had the largest number.
    BalancedAccuracy,
}

/// How good answers are. What cannot be measured is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// The one that says it in short.
    pub metric: Metric,
    /// Rows with a label and an answer.
    pub rows: usize,
    /// The same times their labelled subjects.
    pub n: usize,
    /// Rows over rows of a horizon: labels that do not overlap.
    pub n_eff: f64,
    /// AUC, 0 to 1; of classes, the mean of each one's against the others.
    pub auc: Option<f64>,
    /// Its 95 % interval.
    pub auc_ci95: Option<[f64; 2]>,
    /// Of classes, each one's AUC.
    pub class_auc: Vec<Option<f64>>,
    /// Balanced accuracy, 0 to 1; of events, of the larger half of what numbers can be.
    pub balanced_accuracy: Option<f64>,
    /// Its 95 % interval.
    pub balanced_accuracy_ci95: Option<[f64; 2]>,
    /// Mean of -ln of the probability of what came true; where numbers are probabilities.
    pub log_loss: Option<f64>,
    /// Its 95 % interval.
    pub log_loss_ci95: Option<[f64; 2]>,
    /// Mean square of probability less outcome, summed over classes; where numbers are probabilities.
    pub brier: Option<f64>,
    /// Its 95 % interval.
    pub brier_ci95: Option<[f64; 2]>,
    /// Mean over rows of the rank correlation of numbers and labels; of ranks alone.
    pub spearman: Option<f64>,
    /// Its 95 % interval.
    pub spearman_ci95: Option<[f64; 2]>,
    /// Of events, what came true beside what was said; where numbers are probabilities.
    pub calibration: Vec<Bin>,
}

/// Answers of about one probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// The least probability.
    pub from: f64,
    /// The largest.
    pub to: f64,
    /// Pairs.
    pub n: usize,
    /// Mean of what was said.
    pub said: f64,
    /// Part that came true.
    pub came: f64,
}

/// The least probability that is told from 0: half floats have no smaller ones near 1.
const LEAST: f64 = 1e-4;
const BINS: usize = 10;

/// A sum over pairs, by row: means of it are found for any weights of rows.
struct PerRow {
    sums: Vec<f64>,
    counts: Vec<f64>,
}

/// Balanced accuracy by row: hits and pairs of each class.
struct Hits {
    classes: usize,
    /// By row and class.
    hits: Vec<f64>,
    counts: Vec<f64>,
}

impl Measures {
    /// Measures a sample whose labels look so many rows ahead; without `resampling`, without intervals.
    #[must_use]
    pub fn of(sample: &Sample, horizon: usize, resampling: Option<Resampling>) -> Self {
        let classes = usize::from(sample.reading.values());
        let is_event = !matches!(sample.reading, Reading::Classes { .. });
        let orders: Vec<Order> = if is_event {
            vec![Order::new(sample, 0, |pair| pair.value == 1)]
        } else {
            let order =
                |class: usize| Order::new(sample, class, move |pair| usize::from(pair.value) == class);
            (0..classes).map(order).collect()
        };
        let is_rank = sample.reading == Reading::Ranks;
        let probable = !is_rank && is_probable(sample);
        let [loss, brier] = if probable { losses(sample) } else { [None, None] };
        let spearman = is_rank.then(|| rank_correlations(sample));
        let hits = (!is_rank).then(|| Hits::new(sample, classes, probable));
        let weights = vec![1.0; sample.rows.len()];
        let values = |weights: &[f64]| {
            let all: Vec<f64> = orders.iter().filter_map(|order| order.auc(weights)).collect();
            let auc = (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64);
            let of = |per_row: &Option<PerRow>| per_row.as_ref().and_then(|per_row| per_row.mean(weights));
            let balanced = hits.as_ref().and_then(|hits| hits.balanced(weights));
            [auc, balanced, of(&loss), of(&brier), of(&spearman)]
        };
        let [auc, balanced_accuracy, log_loss, brier_mean, spearman_mean] = values(&weights);
        let mut drawn: [Vec<f64>; 5] = Default::default();
        if let Some(resampling) = resampling {
            resampling.draw(sample.rows.len(), |weights| {
                for (drawn, value) in drawn.iter_mut().zip(values(weights)) {
                    drawn.extend(value);
                }
            });
        }
        let [auc_ci95, balanced_accuracy_ci95, log_loss_ci95, brier_ci95, spearman_ci95] = drawn.map(middle);
        Self {
            metric: if is_event { Metric::Auc } else { Metric::BalancedAccuracy },
            rows: sample.rows.len(),
            n: sample.pairs.len(),
            n_eff: sample.rows.len() as f64 / horizon.max(1) as f64,
            auc,
            auc_ci95,
            class_auc: if is_event { Vec::new() } else { orders.iter().map(|o| o.auc(&weights)).collect() },
            balanced_accuracy,
            balanced_accuracy_ci95,
            log_loss,
            log_loss_ci95,
            brier: brier_mean,
            brier_ci95,
            spearman: spearman_mean,
            spearman_ci95,
            calibration: if probable && is_event { calibration(sample) } else { Vec::new() },
        }
    }

    /// The measure that says it in short.
    #[must_use]
    pub fn headline(&self) -> Option<f64> {
        match self.metric {
            Metric::Auc => self.auc,
            Metric::BalancedAccuracy => self.balanced_accuracy,
        }
    }

    /// Its 95 % interval.
    #[must_use]
    pub fn headline_ci95(&self) -> Option<[f64; 2]> {
        match self.metric {
            Metric::Auc => self.auc_ci95,
            Metric::BalancedAccuracy => self.balanced_accuracy_ci95,
        }
    }
}

/// Whether all numbers can be probabilities.
fn is_probable(sample: &Sample) -> bool {
    let all = |pair: &Pair| sample.of(pair).iter().all(|x| (0.0..=1.0).contains(x));
    !sample.pairs.is_empty() && sample.pairs.iter().all(all)
}

/// The probability of each class: of an event, of that it does not and does happen.
fn probabilities(sample: &Sample, pair: &Pair) -> Vec<f64> {
    if matches!(sample.reading, Reading::Classes { .. }) {
        let raised: Vec<f64> = sample.of(pair).iter().map(|p| p.max(LEAST)).collect();
        let sum: f64 = raised.iter().sum();
        return raised.iter().map(|p| p / sum).collect();
    }
    let p = sample.score(pair).clamp(LEAST, 1.0 - LEAST);
    vec![1.0 - p, p]
}

/// Log loss and Brier score.
fn losses(sample: &Sample) -> [Option<PerRow>; 2] {
    let (mut loss, mut brier) = (PerRow::new(sample), PerRow::new(sample));
    for pair in &sample.pairs {
        let p = probabilities(sample, pair);
        let value = usize::from(pair.value);
        loss.add(pair.row, -ln(p[value]));
        let off = |(class, p): (usize, &f64)| square(p - f64::from(u8::from(class == value)));
        let squares: f64 = p.iter().enumerate().map(off).sum();
        // Of two classes both squares are the same.
        brier.add(pair.row, if p.len() == 2 { squares / 2.0 } else { squares });
    }
    [Some(loss), Some(brier)]
}

/// Spearman's correlation of numbers and labels, row by row; rows in which one of the two does not vary have none.
fn rank_correlations(sample: &Sample) -> PerRow {
    let mut all = PerRow::new(sample);
    for pairs in sample.pairs.chunk_by(|a, b| a.row == b.row) {
        let numbers: Vec<f64> = pairs.iter().map(|pair| sample.score(pair)).collect();
        let labels: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.value)).collect();
        if let Some(found) = correlation(&ranks(&numbers), &ranks(&labels)) {
            all.add(pairs[0].row, found);
        }
    }
    all
}

fn square(x: f64) -> f64 {
    x * x
}

/// Mean ranks, from 0.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let below = |x: f64| numbers.iter().filter(|y| **y < x).count() as f64;
    let same = |x: f64| numbers.iter().filter(|y| **y == x).count() as f64;
    numbers.iter().map(|x| below(*x) + (same(*x) - 1.0) / 2.0).collect()
}

fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += (x - mx) * (y - my);
        xx += square(x - mx);
        yy += square(y - my);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

fn calibration(sample: &Sample) -> Vec<Bin> {
    let mut bins = vec![(0_usize, 0.0, 0.0); BINS];
    for pair in &sample.pairs {
        let p = sample.score(pair);
        let (n, said, came) = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        *n += 1;
        *said += p;
        *came += f64::from(pair.value);
    }
    let bin = |(at, (n, said, came)): (usize, (usize, f64, f64))| Bin {
        from: at as f64 / BINS as f64,
        to: (at + 1) as f64 / BINS as f64,
        n,
        said: said / n as f64,
        came: came / n as f64,
    };
    bins.into_iter().enumerate().filter(|(_, (n, ..))| *n > 0).map(bin).collect()
}

impl PerRow {
    fn new(sample: &Sample) -> Self {
        let zeros = vec![0.0; sample.rows.len()];
        Self { sums: zeros.clone(), counts: zeros }
    }

    fn add(&mut self, row: usize, x: f64) {
        self.sums[row] += x;
        self.counts[row] += 1.0;
    }

    fn mean(&self, weights: &[f64]) -> Option<f64> {
        let sum = |numbers: &[f64]| numbers.iter().zip(weights).map(|(x, weight)| x * weight).sum::<f64>();
        let count = sum(&self.counts);
        (count > 0.0).then(|| sum(&self.sums) / count)
    }
}

impl Hits {
    fn new(sample: &Sample, classes: usize, probable: bool) -> Self {
        let zeros = vec![0.0; sample.rows.len() * classes];
        let mut all = Self { classes, hits: zeros.clone(), counts: zeros };
        for pair in &sample.pairs {
            let numbers = sample.of(pair);
            let chosen = if numbers.len() == 1 {
                usize::from(numbers[0] > if probable { 0.5 } else { 0.0 })
            } else {
                // Of equal ones the first.
                (0..numbers.len()).fold(0, |best, at| if numbers[at] > numbers[best] { at } else { best })
            };
            let place = pair.row * classes + usize::from(pair.value);
            all.counts[place] += 1.0;
            all.hits[place] += f64::from(u8::from(chosen == usize::from(pair.value)));
        }
        all
    }

    /// `None` where fewer than two classes came true.
    fn balanced(&self, weights: &[f64]) -> Option<f64> {
        let mut sums = vec![(0.0, 0.0); self.classes];
        for (row, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for (class, (hits, count)) in sums.iter_mut().enumerate() {
                *hits += weight * self.hits[row * self.classes + class];
                *count += weight * self.counts[row * self.classes + class];
            }
        }
        let came: Vec<f64> = sums.iter().filter(|(_, n)| *n > 0.0).map(|(hits, n)| hits / n).collect();
        (came.len() > 1).then(|| came.iter().sum::<f64>() / came.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::{Stored, Taken};
    use mantis_plugin_api::Targets;

    fn sample(reading: Reading, dim: usize, rows: &[(&[f32], &[Option<u16>])]) -> Sample {
        let mut targets = Targets::new(reading);
        rows.iter().enumerate().for_each(|(row, (_, values))| targets.push(row, row, values.to_vec()));
        let stored = Stored {
            width: rows[0].0.len(),
            rows: rows.iter().enumerate().map(|(row, (numbers, _))| (row, numbers.to_vec())).collect(),
            taken: Taken::default(),
        };
        Sample::new(&targets, &stored, dim, &(0..rows.len()))
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-12)
    }

    #[test]
    fn an_event_has_the_measures_of_a_textbook() {
        let sample = sample(
            Reading::Event,
            2,
            &[
                (&[0.1, 9.0], &[Some(0)]),
                (&[0.4, 9.0], &[Some(0)]),
                (&[0.35, 9.0], &[Some(1)]),
                (&[0.8, 9.0], &[Some(1)]),
                (&[0.8, 9.0], &[None]),
            ],
        );
        let found = Measures::of(&sample, 2, None);
        assert!(close(found.auc, 0.75), "{found:?}");
        assert!(close(found.balanced_accuracy, 0.75));
        assert_eq!((found.rows, found.n, found.n_eff), (4, 4, 2.0));
        let (a, b, c, d) = (0.1_f32, 0.4_f32, 0.35_f32, 0.8_f32);
        let [a, b, c, d] = [a, b, c, d].map(f64::from);
        assert!(close(found.brier, (a * a + b * b + square(1.0 - c) + square(1.0 - d)) / 4.0));
        assert!(close(found.log_loss, -(ln(1.0 - a) + ln(1.0 - b) + ln(c) + ln(d)) / 4.0));
        assert_eq!(found.calibration.iter().map(|bin| bin.n).sum::<usize>(), 4);
    }

    #[test]
    fn equal_numbers_count_a_half_and_numbers_that_are_no_probabilities_have_no_loss() {
        let rows: Vec<(&[f32], &[Option<u16>])> =
            vec![(&[-0.5], &[Some(0)]), (&[-0.5], &[Some(1)]), (&[0.5], &[Some(1)]), (&[-0.0], &[Some(0)])];
        let found = Measures::of(&sample(Reading::Event, 1, &rows), 1, None);
        // Of four pairs: equal, below; above, above.
        assert!(close(found.auc, 0.625), "{found:?}");
        assert_eq!((found.brier, found.log_loss), (None, None));
        let one = Measures::of(&sample(Reading::Event, 1, &rows[..1]), 1, None);
        assert_eq!((one.auc, one.balanced_accuracy), (None, None));
    }

    #[test]
    fn classes_are_measured_each_against_the_others() {
        let rows: Vec<(&[f32], &[Option<u16>])> = vec![
            (&[0.5, 0.25, 0.25], &[Some(0)]),
            (&[0.25, 0.5, 0.25], &[Some(1)]),
            (&[0.5, 0.25, 0.25], &[Some(2)]),
            (&[0.25, 0.25, 0.5], &[Some(2)]),
        ];
        let found = Measures::of(&sample(Reading::Classes { classes: 3 }, 3, &rows), 1, None);
        assert_eq!(found.metric, Metric::BalancedAccuracy);
        assert!(close(found.balanced_accuracy, (1.0 + 1.0 + 0.5) / 3.0), "{found:?}");
        assert!(close(found.log_loss, -(3.0 * ln(0.5) + ln(0.25)) / 4.0));
        // Squares of a hit: 1/4, 1/16, 1/16; of the miss: 1/4, 1/16, 9/16.
        assert!(close(found.brier, (3.0 * 0.375 + 0.875) / 4.0));
        assert!(close(found.class_auc[0], 2.5 / 3.0) && close(found.class_auc[1], 1.0));
    }

    #[test]
    fn ranks_are_measured_row_by_row() {
        let rows: Vec<(&[f32], &[Option<u16>])> = vec![
            (&[0.1, 0.2, 0.3, 0.4], &[Some(0), Some(0), Some(1), Some(1)]),
            (&[0.4, 0.3, 0.2, 0.1], &[Some(0), Some(0), Some(1), Some(1)]),
            (&[0.4, 0.3, 0.2, 0.1], &[Some(1), None, Some(1), Some(1)]),
        ];
        let found = Measures::of(&sample(Reading::Ranks, 1, &rows), 1, None);
        assert!(close(found.spearman, 0.0), "{found:?}");
        assert_eq!(found.balanced_accuracy, None);
        let first = Measures::of(&sample(Reading::Ranks, 1, &rows[..1]), 1, None);
        assert!(close(first.auc, 1.0) && first.spearman.is_some_and(|r| (0.85..0.95).contains(&r)));
    }

    #[test]
    fn an_interval_holds_what_noise_has() {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let rows: Vec<([f32; 1], [Option<u16>; 1])> =
            (0..4000).map(|_| ([next()], [Some(u16::from(next() > 0.5))])).collect();
        let rows: Vec<(&[f32], &[Option<u16>])> = rows.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        let sample = sample(Reading::Event, 1, &rows);
        let found = Measures::of(&sample, 1, Some(Resampling::new(1, 4000, 5)));
        let [low, high] = found.auc_ci95.unwrap();
        assert!(low < 0.5 && high > 0.5 && high - low < 0.06, "{low} {high}");
        assert_eq!(found, Measures::of(&sample, 1, Some(Resampling::new(1, 4000, 5))));
    }
}
