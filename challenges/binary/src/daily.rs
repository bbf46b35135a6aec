//! One AUC per miner: the mean over days, by models that are renewed every few days.

use crate::Params;
use crate::data::{Column, Data};
use crate::verdict::Verdict;
use mantis_kit::{auc, math};
use mantis_plugin_api::PluginError;

/// Mean of the AUCs of the days, newer ones weighing more, each of values from a model of earlier rows (scoring: binary,
/// step 2, daily).
pub(crate) fn judge(data: &Data<'_>, column: &Column) -> Result<Verdict, PluginError> {
    let params = data.params;
    let total = data.labels.rows.len();
    let scored = scored(data, column)?;
    let (mut sum, mut weights, mut windows) = (0.0, 0.0, 0);
    let mut from = 0;
    for start in (0..total).step_by(params.select_day) {
        let end = (start + params.select_day).min(total);
        let day = &scored[from..];
        let day = &day[..day.partition_point(|one| one.row < end)];
        from += day.len();
        if let Some(auc) = day_auc(day, params) {
            let age = (total - end) as f64 / params.select_day as f64;
            let weight = math::exp2(-age / params.select_halflife_days);
            sum += weight * auc;
            weights += weight;
            windows += 1;
        }
    }
    let needed = params.select_min_windows;
    Ok(if windows < needed || weights <= 0.0 {
        Verdict::None(format!(
            "{windows} days with {} rows out of sample and both directions; {needed} are needed",
            params.select_min_rows
        ))
    } else {
        Verdict::Auc(sum / weights)
    })
}

/// A present row with its value out of sample.
struct Scored {
    row: usize,
    rose: bool,
    value: f64,
}

/// Values of the present rows that have one: each from the model of the boundary before it.
fn scored(data: &Data<'_>, column: &Column) -> Result<Vec<Scored>, PluginError> {
    let params = data.params;
    let total = data.labels.rows.len();
    let days = |days: usize| days * params.select_day;
    let first = days(params.select_first_days).min(total / 2);
    let last = total.saturating_sub(params.embargo_rows);
    let mut scored = Vec::with_capacity(column.rows.len());
    let mut model = None;
    for boundary in (first..last).step_by(days(params.select_refit_days)) {
        let oldest = boundary.saturating_sub(days(params.select_fit_days));
        let fit_end = boundary.saturating_sub(params.embargo_rows).max(oldest);
        let known = column.before(oldest)..column.before(fit_end);
        let asked = column.before(boundary)..column.before(boundary + days(params.select_refit_days));
        let Some(fitted) = data.base_model(column, known, model.as_ref())? else { continue };
        for (index, value) in asked.clone().zip(column.decisions(&fitted, asked)) {
            scored.push(Scored { row: column.rows[index], rose: column.rose[index], value });
        }
        model = Some(fitted);
    }
    Ok(scored)
}

/// AUC of one day; `None` if it has too few rows, or one class.
fn day_auc(day: &[Scored], params: &Params) -> Option<f64> {
    if day.len() < params.select_min_rows {
        return None;
    }
    let (values, rose): (Vec<f64>, Vec<bool>) = day.iter().map(|one| (one.value, one.rose)).unzip();
    auc::auc(&values, &rose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Labels;
    use mantis_kit::logistic::{Design, Penalty, Problem, Stop, fit};
    use mantis_plugin_api::Solver;
    use mantis_plugin_api::test_kit::{MemoryHistory, Noise};

    const ROWS: usize = 1_530;

    fn params() -> Params {
        Params {
            select_day: 50,
            select_first_days: 4,
            select_refit_days: 3,
            select_fit_days: 7,
            select_min_rows: 40,
            half_life_days: 10.0,
            rows_per_day: 50,
            ..Params::default()
        }
    }

    /// One miner of some skill, absent where `absent` says so, and the labels.
    fn world(absent: impl Fn(usize) -> bool) -> (MemoryHistory, Labels) {
        let mut noise = Noise::new(3);
        let rose: Vec<bool> = (0..ROWS).map(|_| noise.normal() > 0.0).collect();
        let mut numbers = Vec::new();
        for (row, &rose) in rose.iter().enumerate() {
            let lean = if rose { 0.2 } else { -0.2 };
            for _ in 0..2 {
                let number = (lean + 0.3 * noise.normal()) as f32;
                numbers.push(if absent(row) { 0.0 } else { number });
            }
        }
        let mut history = MemoryHistory::new(ROWS, 2);
        history.push("one", &numbers);
        (history, Labels { rows: (0..ROWS).collect(), rose, ..Labels::default() })
    }

    fn auc_of(absent: impl Fn(usize) -> bool, params: &Params) -> Option<f64> {
        let (history, labels) = world(absent);
        let data = Data::new(params, Solver::Exact, &history, &labels);
        match judge(&data, &data.column(0).unwrap()).unwrap() {
            Verdict::Auc(auc) => Some(auc),
            Verdict::None(_) => None,
        }
    }

    /// Row by row, as it is defined.
    #[test]
    fn equals_the_definition() {
        let params = params();
        let absent = |row: usize| row % 7 == 3 || (600..700).contains(&row);
        let (history, labels) = world(absent);
        let data = Data::new(&params, Solver::Exact, &history, &labels);
        let raw: Vec<f64> = mantis_plugin_api::History::miner(&history, 0)
            .unwrap()
            .iter()
            .map(|number| number.to_f64())
            .collect();
        let mut values = vec![None; ROWS];
        let mut boundary = 4 * 50;
        while boundary < ROWS - 60 {
            let known: Vec<usize> =
                (boundary.saturating_sub(350)..boundary - 60).filter(|&t| !absent(t)).collect();
            let pick = |d: usize| -> Vec<f64> { known.iter().map(|&t| raw[2 * t + d]).collect() };
            let columns = [pick(0), pick(1)];
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let model = fit(
                &Problem {
                    x: Design::from_columns(&columns),
                    y: &known.iter().map(|&t| labels.rose[t]).collect::<Vec<_>>(),
                    weights: Some(&known.iter().map(|&t| data.weights[t]).collect::<Vec<_>>()),
                    balanced: true,
                    c: 0.5,
                    penalty: Penalty::L2Bias,
                },
                Stop::Exact,
                None,
            )
            .unwrap();
            for t in (boundary..(boundary + 150).min(ROWS)).filter(|&t| !absent(t)) {
                values[t] =
                    Some(model.intercept + model.coef[0] * raw[2 * t] + model.coef[1] * raw[2 * t + 1]);
            }
            boundary += 150;
        }
        let (mut sum, mut weights) = (0.0, 0.0);
        for start in (0..ROWS).step_by(50) {
            let end = (start + 50).min(ROWS);
            let (scores, rose): (Vec<f64>, Vec<bool>) =
                (start..end).filter_map(|t| Some((values[t]?, labels.rose[t]))).unzip();
            if scores.len() >= 40 {
                let weight = math::powf(0.5, (ROWS - end) as f64 / 50.0 / 15.0);
                sum += weight * auc::auc(&scores, &rose).unwrap();
                weights += weight;
            }
        }
        let ours = auc_of(absent, &params).unwrap();
        assert!((ours - sum / weights).abs() < 1e-9, "{ours} {}", sum / weights);
        assert!(ours > 0.6, "{ours}");
    }

    #[test]
    fn a_miner_needs_enough_days_out_of_sample() {
        let params = params();
        // Boundaries are at 200, 350, .. 1400, and 60 rows before each are not known to its model.
        assert!(auc_of(|row| row < 1_000, &params).is_some());
        assert_eq!(auc_of(|row| row < 1_300, &params), None);
        assert_eq!(auc_of(|row| row < 1_450, &params), None);
        assert_eq!(auc_of(|_| true, &params), None);
        assert_eq!(auc_of(|_| false, &Params { select_min_rows: 51, ..params.clone() }), None);
        // The last day is short: 30 rows.
        let short = Params { select_min_windows: 27, ..params.clone() };
        assert_eq!(auc_of(|_| false, &short), None);
        assert!(auc_of(|_| false, &Params { select_min_windows: 26, ..params }).is_some());
    }

    #[test]
    fn days_beyond_the_rows_are_as_many_as_there_are() {
        let params = Params { select_first_days: 1_000, select_refit_days: 1_000, ..params() };
        // One model, of the first half, for the second.
        assert!(auc_of(|_| false, &params).is_some());
    }
}
