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

    /// Decision value of one row: the bits that [`Model::decision`] has for it.
    #[must_use]
    pub fn decide(&self, row: &[f64]) -> f64 {
        let mut out = [self.intercept];
        self.coef.iter().zip(row).for_each(|(&coef, x)| math::axpy(coef, std::slice::from_ref(x), &mut out));
        out[0]
    }

    /// The mean of some models of one width: of their coefficients and of their intercepts. `None` without any.
    #[must_use]
    pub fn mean(models: &[Self]) -> Option<Self> {
        let n = models.len() as f64;
        let mean = |number: &dyn Fn(&Self) -> f64| models.iter().map(number).sum::<f64>() / n;
        let width = models.iter().map(|model| model.coef.len()).min()?;
        let coef = (0..width).map(|column| mean(&|model| model.coef[column])).collect();
        Some(Self { coef, intercept: mean(&|model| model.intercept) })
    }

    pub(super) fn from_parameters(mut parameters: Vec<f64>) -> Self {
        let intercept = parameters.pop().unwrap_or(0.0);
        Self { coef: parameters, intercept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_alone_has_the_bits_that_it_has_among_others() {
        let columns: Vec<Vec<f64>> = (0..7_u32)
            .map(|c| (0..100_u32).map(|r| f64::from(c * 31 + r * 17 % 101).sqrt()).collect())
            .collect();
        let model = Model { coef: (0..7).map(|c| 0.1 * f64::from(c) - 0.3).collect(), intercept: 1.0 / 3.0 };
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut all = vec![0.0; 100];
        model.decision(&Design::from_columns(&slices), &mut all);
        for (row, decision) in all.iter().enumerate() {
            let one: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            assert_eq!(model.decide(&one).to_bits(), decision.to_bits());
        }
    }

    #[test]
    fn a_mean_is_of_each_coefficient_and_of_the_intercept() {
        let model = |a, b, intercept| Model { coef: vec![a, b], intercept };
        let mean = Model::mean(&[model(1.0, -2.0, 0.5), model(0.0, 4.0, 1.5)]);
        assert_eq!(mean, Some(model(0.5, 1.0, 1.0)));
        assert_eq!(Model::mean(&[]), None);
    }
}
