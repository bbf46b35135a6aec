//! Values of miners in rows that their models do not know.

use crate::data::{Column, Data};
use mantis_kit::logistic::Model;
use mantis_kit::segments::{self, Segment};
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
    walk(data, column, total, |segment, model| {
        let range = column.before(segment.from)..column.before(segment.end);
        let decisions = column.decisions(model, range.clone());
        for (&row, decision) in column.rows[range].iter().zip(decisions) {
            values[row] = decision;
            covered[row] = true;
        }
    })?;
    Ok(values)
}

/// The model of the segment of a row, which may come after the labelled ones: the one that the walk of more rows has there.
/// `None` if that has none.
pub(crate) fn model_for_row(
    data: &Data<'_>,
    column: &Column,
    row: usize,
) -> Result<Option<Model>, PluginError> {
    let segment_rows = data.params.segment_rows;
    let start = row / segment_rows * segment_rows;
    let mut of_row = None;
    walk(data, column, start + segment_rows, |segment, model| {
        of_row = (segment.start == start).then(|| model.clone());
    })?;
    Ok(of_row)
}

/// Fits the models of all segments of so many rows, one after the other.
fn walk(
    data: &Data<'_>,
    column: &Column,
    total: usize,
    mut each: impl FnMut(Segment, &Model),
) -> Result<(), PluginError> {
    let mut last: Option<Model> = None;
    for segment in segments::walk(total, data.params.segment_rows, data.params.embargo_rows) {
        let known = 0..column.before(segment.start);
        let Some(model) = data.base_model(column, known, last.as_ref())? else { continue };
        each(segment, &model);
        last = Some(model);
    }
    Ok(())
}
