//! Values of miners in rows that their models do not know.

use crate::data::{Column, Data};
use mantis_kit::logistic::Model;
use mantis_kit::segments;
use mantis_plugin_api::PluginError;

/// Walk-forward values per labelled row, 0 where there is none: each segment's model knows the rows before the segment
/// only (scoring: binary, step 3). Rows that get one are marked in `covered`.
pub(crate) fn out_of_sample(
    data: &Data<'_>,
    column: &Column,
    covered: &mut [bool],
) -> Result<Vec<f64>, PluginError> {
    let total = data.labels.rows.len();
    let mut values = vec![0.0; total];
    let mut last: Option<Model> = None;
    for segment in segments::walk(total, data.params.segment_rows, data.params.embargo_rows) {
        let known = 0..column.before(segment.start);
        let Some(model) = data.base_model(column, known, last.as_ref())? else { continue };
        let range = column.before(segment.from)..column.before(segment.end);
        let decisions = column.decisions(&model, range.clone());
        for (&row, decision) in column.rows[range].iter().zip(decisions) {
            values[row] = decision;
            covered[row] = true;
        }
        last = Some(model);
    }
    Ok(values)
}
