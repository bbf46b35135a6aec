//! One AUC per miner: on the second half of the rows, by a model of the first.

use crate::data::{Column, Data};
use crate::verdict::Verdict;
use mantis_kit::auc;
use mantis_plugin_api::PluginError;

/// AUC on the present rows of the second half, of a model of those of the first (scoring: binary, step 2).
pub(crate) fn judge(data: &Data<'_>, column: &Column) -> Result<Verdict, PluginError> {
    let fit_rows = column.before(data.labels.rows.len() / 2);
    let eval = fit_rows..column.rows.len();
    let (min_fit, min_eval) = (data.params.min_fit_rows, data.params.min_eval_rows);
    let auc = match data.base_model(column, 0..fit_rows, None)? {
        Some(model) if eval.len() >= min_eval => {
            auc::auc(&column.decisions(&model, eval.clone()), &column.rose[eval.clone()])
        }
        _ => None,
    };
    Ok(auc.map_or_else(
        || {
            Verdict::None(format!(
                "present in {fit_rows} rows of the first half and {} of the second; {min_fit} and {min_eval} with both \
                 directions are needed",
                eval.len()
            ))
        },
        Verdict::Auc,
    ))
}
