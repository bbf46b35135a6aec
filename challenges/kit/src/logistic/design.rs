//! Features by column, and the linear model over them.

use crate::math;

/// Feature columns of equal length, borrowed. Columns are slices, so a range of rows costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Design<'a> {
    pub(super) columns: &'a [&'a [f64]],
}

impl<'a> Design<'a> {
    /// The columns, one slice per feature. Equal lengths are checked when the design is used.
    #[must_use]
    pub fn from_columns(columns: &'a [&'a [f64]]) -> Self {
        Self { columns }
    }

    /// Number of rows: the length of the shortest column, 0 without columns.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.iter().map(|column| column.len()).min().unwrap_or(0)
    }

    /// Number of features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }
}

/// A fitted linear model: decision value `coef . x + intercept`, positive for the positive class.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// One coefficient per feature.
    pub coef: Vec<f64>,
    /// The intercept.
    pub intercept: f64,
}

impl Model {
    /// Decision values of the rows of `x` into `out`. Features beyond the shorter of model and design, and rows beyond
    /// the shorter of design and `out`, do not count.
    pub fn decision(&self, x: &Design<'_>, out: &mut [f64]) {
        out.fill(self.intercept);
        for (&coef, column) in self.coef.iter().zip(x.columns) {
            math::axpy(coef, column, out);
        }
    }

    pub(super) fn from_parameters(mut parameters: Vec<f64>) -> Self {
        let intercept = parameters.pop().unwrap_or(0.0);
        Self { coef: parameters, intercept }
    }
}
