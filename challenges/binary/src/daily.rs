//! One AUC per miner: the mean over days, by models that are renewed every few days.

use crate::Params;
use crate::data::{Column, Data};
use crate::select::Verdict;
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
