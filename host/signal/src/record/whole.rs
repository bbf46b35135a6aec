//! The record as a whole.

use super::baseline::known_parts;
use super::bootstrap::Bootstrap;
use super::measure::{Measure, PerRow};
use super::order::{Order, rank_correlations};
use super::portfolio::Portfolio;
use super::rows::{Form, Pair, Rows};
use crate::store::Settled;
use mantis_kit::math::ln;
use mantis_plugin_api::{Outlook, OutlookKind};
use serde::Serialize;

/// How well a signal has done. What does not apply to its kind is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// What kind of forecast it gives.
    pub kind: OutlookKind,
    /// When its first and last forecast were published, in Unix milliseconds.
    pub from: Option<i64>,
    /// See `from`.
    pub until: Option<i64>,
    /// Forecasts with an outcome.
    pub rows: usize,
    /// Pairs of a forecast and an outcome, over all subjects.
    pub n: usize,
    /// Forecasts whose horizons do not overlap, as many as can be chosen so.
    pub n_eff: usize,
    /// Forecasts that are not counted, since the challenge has another form now.
    pub skipped: usize,
    /// How often each class came true: of an event, that it did not and that it did.
    pub base_rates: Vec<f64>,
    /// Mean square of probability less outcome; over more than two classes, the sum of the squares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brier: Option<Measure>,
    /// Mean of -ln of the probability of what came true, each raised to 10^-4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<Measure>,
    /// Area under the ROC curve; of classes, the mean of each against the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<Measure>,
    /// Part of the pairs whose likeliest class came true; of ranks, of those on the side of the middle that they came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<Measure>,
    /// Mean over rows of the rank correlation of scores and outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spearman: Option<Measure>,
    /// Of an event, what came true beside what was said.
    pub calibration: Vec<Bin>,
    /// Of weights, what they would have gained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portfolio: Option<Portfolio>,
}

/// Forecasts of about one probability.
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

/// The least probability: what was called impossible and came true does not weigh without end.
const LEAST: f64 = 1e-4;
const BINS: usize = 10;

/// The record of settled forecasts, in the order of their rows, of a signal with this outlook.
#[must_use]
pub fn record(settled: &[Settled], outlook: &Outlook) -> Record {
    let times = || settled.iter().map(|one| one.published_at);
    let mut record = Record {
        kind: outlook.kind,
        from: times().min(),
        until: times().max(),
        rows: 0,
        n: 0,
        n_eff: 0,
        skipped: settled.len(),
        base_rates: Vec::new(),
        brier: None,
        log_loss: None,
        auc: None,
        hit_rate: None,
        spearman: None,
        calibration: Vec::new(),
        portfolio: None,
    };
    let Some(rows) = Rows::new(settled, outlook) else { return record };
    let disjoint = rows.disjoint();
    let bootstrap = Bootstrap::new(rows.windows.len(), disjoint.len(), rows.pairs.len());
    record.rows = rows.windows.len();
    record.n = rows.pairs.len();
    record.n_eff = disjoint.len();
    record.skipped = rows.skipped;
    match rows.form {
        Form::Probabilities(classes) => of_probabilities(&mut record, &rows, classes, bootstrap.as_ref()),
        Form::Ranks => of_ranks(&mut record, &rows, bootstrap.as_ref()),
        Form::Portfolio => record.portfolio = Portfolio::new(&rows, &disjoint, bootstrap.as_ref()),
    }
    record
}

fn of_probabilities(record: &mut Record, rows: &Rows, classes: usize, bootstrap: Option<&Bootstrap>) {
    let new = || PerRow::new(rows.windows.len());
    // Ours, the baseline's, and by how much ours is better.
    let mut brier = [new(), new(), new()];
    let mut loss = [new(), new(), new()];
    let mut hits = [new(), new(), new()];
    for (pair, base) in rows.pairs.iter().zip(known_parts(rows, classes)) {
        let pairs = [(&pair.said), (&base)];
        let add = |all: &mut [PerRow; 3], measure: fn(&[f64], usize) -> f64, sign: f64| {
            let [ours, theirs] = pairs.map(|said| measure(said, pair.came));
            let [a, b, gain] = all;
            a.add(pair.row, ours);
            b.add(pair.row, theirs);
            gain.add(pair.row, sign * (ours - theirs));
        };
        add(&mut brier, squares, -1.0);
        add(&mut loss, minus_ln, -1.0);
        add(&mut hits, hit, 1.0);
    }
    let of = if classes == 2 { vec![1] } else { (0..classes).collect() };
    let orders: Vec<Order> = of.into_iter().map(|class: usize| Order::new(&rows.pairs, class)).collect();
    let auc = |weights: &[f64]| {
        let all: Vec<f64> = orders.iter().filter_map(|order| order.auc(weights)).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let intervals = bootstrap.map_or([None; 7], |bootstrap| {
        bootstrap.intervals(|weights| {
            let mean = |per_row: &PerRow| per_row.mean(weights);
            [
                mean(&brier[0]),
                mean(&brier[2]),
                mean(&loss[0]),
                mean(&loss[2]),
                mean(&hits[0]),
                mean(&hits[2]),
                auc(weights),
            ]
        })
    });
    let [brier_ci, brier_gain, loss_ci, loss_gain, hits_ci, hits_gain, auc_ci] = intervals;
    let all = vec![1.0; rows.windows.len()];
    let measure = |of: &[PerRow; 3], ci, gain| Measure::new(of[0].mean(&all), ci, of[1].mean(&all), gain);
    record.brier = measure(&brier, brier_ci, brier_gain);
    record.log_loss = measure(&loss, loss_ci, loss_gain);
    record.hit_rate = measure(&hits, hits_ci, hits_gain);
    record.auc = Measure::new(auc(&all), auc_ci, Some(0.5), auc_ci.map(|ci| ci.map(|x| x - 0.5)));
    let part = |class| rows.pairs.iter().filter(|pair| pair.came == class).count() as f64;
    record.base_rates = (0..classes).map(|class| part(class) / rows.pairs.len().max(1) as f64).collect();
    if classes == 2 {
        record.calibration = calibration(&rows.pairs);
    }
}

fn of_ranks(record: &mut Record, rows: &Rows, bootstrap: Option<&Bootstrap>) {
    let spearman = rank_correlations(rows);
    let mut hits = PerRow::new(rows.windows.len());
    for pairs in rows.pairs.chunk_by(|a, b| a.row == b.row) {
        let mut said: Vec<f64> = pairs.iter().filter_map(|pair| pair.said.first().copied()).collect();
        said.sort_by(f64::total_cmp);
        let middle = (said[(said.len() - 1) / 2] + said[said.len() / 2]) / 2.0;
        for pair in pairs {
            let said = pair.said.first().copied().unwrap_or(0.0);
            // One in the middle is on neither side.
            let side =
                if said == middle { 0.5 } else { f64::from(u8::from((said > middle) == (pair.came == 1))) };
            hits.add(pair.row, side);
        }
    }
    let [spearman_ci, hits_ci] = bootstrap.map_or([None; 2], |bootstrap| {
        bootstrap.intervals(|weights| [spearman.mean(weights), hits.mean(weights)])
    });
    let all = vec![1.0; rows.windows.len()];
    record.spearman = Measure::new(spearman.mean(&all), spearman_ci, Some(0.0), spearman_ci);
    record.hit_rate =
        Measure::new(hits.mean(&all), hits_ci, Some(0.5), hits_ci.map(|ci| ci.map(|x| x - 0.5)));
}

/// Brier's score (1950); of two classes both squares are the same, and one counts.
fn squares(said: &[f64], came: usize) -> f64 {
    let off = |(class, p): (usize, &f64)| p - f64::from(u8::from(class == came));
    let sum: f64 = said.iter().enumerate().map(off).map(|x| x * x).sum();
    if said.len() == 2 { sum / 2.0 } else { sum }
}

fn minus_ln(said: &[f64], came: usize) -> f64 {
    let sum: f64 = said.iter().map(|p| p.max(LEAST)).sum();
    -ln(said.get(came).copied().unwrap_or(0.0).max(LEAST) / sum)
}

/// Whether the likeliest class came true; of equally likely ones, each a part.
fn hit(said: &[f64], came: usize) -> f64 {
    let most = said.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let likeliest = said.iter().filter(|p| **p == most).count();
    if said.get(came) == Some(&most) { 1.0 / likeliest as f64 } else { 0.0 }
}

fn calibration(pairs: &[Pair]) -> Vec<Bin> {
    let mut bins = vec![(0_usize, 0.0, 0.0); BINS];
    for pair in pairs {
        let p = pair.said.get(1).copied().unwrap_or(0.0);
        let place = ((p * BINS as f64) as usize).min(BINS - 1);
        if let Some((n, said, came)) = bins.get_mut(place) {
            *n += 1;
            *said += p;
            *came += f64::from(u8::from(pair.came == 1));
        }
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
