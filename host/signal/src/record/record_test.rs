//! Records of forecasts whose skill is known.

use super::*;
use crate::store::{Outcome, Settled};
use mantis_kit::math::ln;
use mantis_kit::rng::NumpyRng;
use mantis_plugin_api::{Outlook, OutlookKind, Reading};

fn outlook(kind: OutlookKind, subjects: usize, classes: usize) -> Outlook {
    let names = |n: usize| (0..n).map(|at| at.to_string()).collect();
    Outlook {
        kind,
        subjects: names(subjects),
        classes: names(classes),
        horizon_rows: 1,
        market_rows: 1,
        unit: String::new(),
    }
}

fn settled(sidx: i64, horizon: i64, values: &[f64], outcome: Outcome) -> Settled {
    let values = values.iter().copied().map(Some).collect();
    Settled { seq: sidx + 1, sidx, known_sidx: sidx + horizon, published_at: sidx * 1000, values, outcome }
}

fn event(came: u16) -> Outcome {
    Outcome::Labels { reading: Reading::Event, values: vec![Some(came)] }
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

fn uniform(rng: &mut NumpyRng) -> f64 {
    rng.next_u32() as f64 / f64::from(u32::MAX)
}

#[test]
fn a_short_record_has_the_numbers_of_a_textbook() {
    let all: Vec<Settled> = [(0.1, 0), (0.4, 0), (0.35, 1), (0.8, 1)]
        .into_iter()
        .enumerate()
        .map(|(at, (p, came))| settled(at as i64, 2, &[p], event(came)))
        .collect();
    let found = record(&all, &outlook(OutlookKind::Probability, 1, 0));
    assert_eq!((found.rows, found.n, found.n_eff, found.skipped), (4, 4, 2, 0));
    assert!(close(found.auc.unwrap().value, 0.75));
    assert!(close(found.brier.unwrap().value, (0.01 + 0.16 + 0.4225 + 0.04) / 4.0));
    let loss = -(ln(0.9) + ln(0.6) + ln(0.35) + ln(0.8)) / 4.0;
    assert!(close(found.log_loss.unwrap().value, loss));
    assert!(close(found.hit_rate.unwrap().value, 0.75));
    assert_eq!(found.base_rates, [0.5, 0.5]);
    // Known so far: nothing, nothing, one "no" (1/3), two "no" (1/4).
    assert!(close(found.brier.unwrap().baseline.unwrap(), (0.25 + 0.25 + 4.0 / 9.0 + 9.0 / 16.0) / 4.0));
    assert_eq!(found.brier.unwrap().ci95, None, "too few for an interval");
    assert_eq!(
        found.calibration.iter().map(|bin| (bin.n, bin.came)).collect::<Vec<_>>(),
        [(1, 0.0), (1, 1.0), (1, 0.0), (1, 1.0)]
    );
    assert_eq!((found.from, found.until), (Some(0), Some(3000)));
}

#[test]
fn skill_is_told_from_none() {
    let mut rng = NumpyRng::new(1);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for at in 0..4000 {
        let truth = 0.2 + 0.6 * uniform(&mut rng);
        let came = event(u16::from(uniform(&mut rng) < truth));
        with.push(settled(at, 1, &[truth], came.clone()));
        without.push(settled(at, 1, &[uniform(&mut rng)], came));
    }
    let outlook = outlook(OutlookKind::Probability, 1, 0);
    let (with, without) = (record(&with, &outlook), record(&without, &outlook));
    let (brier, auc) = (with.brier.unwrap(), with.auc.unwrap());
    assert!(brier.gain_ci95.unwrap()[0] > 0.0 && auc.ci95.unwrap()[0] > 0.6, "{with:?}");
    assert!(brier.ci95.unwrap()[0] < brier.value && brier.value < brier.ci95.unwrap()[1]);
    assert!(with.calibration.iter().all(|bin| (bin.said - bin.came).abs() < 0.1), "{:?}", with.calibration);
    let auc = without.auc.unwrap().ci95.unwrap();
    assert!(auc[0] < 0.5 && auc[1] > 0.5 && auc[1] - auc[0] < 0.06, "{auc:?}");
    assert!(without.brier.unwrap().gain_ci95.unwrap()[1] < 0.0, "worse than the base rate");
}

#[test]
fn what_overlaps_widens_the_interval_and_is_not_counted_twice() {
    // The same outcome for 50 rows each: 80 pieces of news, not 4000.
    let mut rng = NumpyRng::new(2);
    let mut all = Vec::new();
    for at in 0..80 {
        let came = u16::from(uniform(&mut rng) < 0.5);
        let p = 0.3 + 0.4 * uniform(&mut rng);
        all.extend((0..50).map(|row| settled(at * 50 + row, 50, &[p], event(came))));
    }
    let outlook = outlook(OutlookKind::Probability, 1, 0);
    let overlapping = record(&all, &outlook);
    assert_eq!((overlapping.rows, overlapping.n_eff), (4000, 80));
    let naive: Vec<Settled> =
        all.iter().map(|one| Settled { known_sidx: one.sidx + 1, ..one.clone() }).collect();
    let width = |record: &Record| record.brier.unwrap().ci95.map(|ci| ci[1] - ci[0]).unwrap();
    assert!(width(&overlapping) > 3.0 * width(&record(&naive, &outlook)));
    assert_eq!(record(&all, &outlook), overlapping, "the same each time");
}

#[test]
fn classes_ranks_and_portfolios_have_records_of_their_own() {
    let class = |came| Outcome::Labels { reading: Reading::Classes { classes: 3 }, values: vec![Some(came)] };
    let all = [settled(0, 1, &[0.5, 0.25, 0.25], class(0)), settled(1, 1, &[0.25, 0.5, 0.25], class(2))];
    let found = record(&all, &outlook(OutlookKind::Classes, 1, 3));
    assert!(close(found.brier.unwrap().value, (0.375 + 0.875) / 2.0), "{found:?}");
    assert!(close(found.hit_rate.unwrap().value, 0.5));
    assert!(found.calibration.is_empty());

    let ranks = Outcome::Labels { reading: Reading::Ranks, values: vec![Some(0), Some(0), Some(1), Some(1)] };
    let none = Outcome::Labels { reading: Reading::Ranks, values: vec![Some(1); 4] };
    let all = [
        settled(0, 1, &[1.0, 2.0, 3.0, 4.0], ranks.clone()),
        settled(1, 1, &[4.0, 3.0, 2.0, 1.0], ranks),
        settled(2, 1, &[1.0, 2.0, 3.0, 4.0], none),
    ];
    let found = record(&all, &outlook(OutlookKind::Scores, 4, 0));
    assert!(close(found.spearman.unwrap().value, 0.0) && found.auc.is_none());
    let first = record(&all[..1], &outlook(OutlookKind::Scores, 4, 0));
    assert!(
        (0.85..0.95).contains(&first.spearman.unwrap().value) && close(first.hit_rate.unwrap().value, 1.0)
    );

    let returns = |a, b| Outcome::Returns { values: vec![Some(a), b] };
    let all = [
        settled(0, 1, &[1.0, 0.0], returns(0.1, Some(0.0))),
        settled(1, 1, &[0.0, -1.0], returns(0.0, Some(0.2))),
        settled(2, 1, &[0.5, 0.5], returns(0.2, None)),
    ];
    let found = record(&all, &outlook(OutlookKind::Weights, 2, 0)).portfolio.unwrap();
    assert!(close(found.mean_return.value, (0.1 - 0.2 + 0.1) / 3.0), "{found:?}");
    assert!(close(found.mean_return.baseline.unwrap(), (0.05 + 0.1 + 0.2) / 3.0));
    assert!(close(found.drawdown, 0.2) && close(found.sharpe.unwrap(), 0.0));
}

#[test]
fn what_cannot_be_measured_is_left_out_and_never_a_panic() {
    let outlook_of = |kind| outlook(kind, 1, 0);
    assert_eq!(record(&[], &outlook_of(OutlookKind::Probability)).rows, 0);
    let unknown = Settled { values: vec![None], ..settled(0, 1, &[], event(1)) };
    let other = settled(1, 1, &[0.1, 0.2], event(1));
    let unlabelled = settled(2, 1, &[0.5], Outcome::Labels { reading: Reading::Event, values: vec![None] });
    let odd = settled(3, 1, &[0.5], Outcome::Returns { values: vec![Some(0.1)] });
    let one = settled(4, 1, &[1.0], event(0));
    let found = record(&[unknown, other, unlabelled, odd, one], &outlook_of(OutlookKind::Probability));
    assert_eq!((found.rows, found.skipped), (1, 2));
    assert!(found.log_loss.unwrap().value < 9.3 && found.auc.is_none());
    for kind in [OutlookKind::Classes, OutlookKind::Scores, OutlookKind::Weights] {
        assert_eq!(record(&[settled(0, 1, &[0.5], event(1))], &outlook_of(kind)).brier, None);
    }
}
