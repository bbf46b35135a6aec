//! Why a regression is not fitted.

use mantis_plugin_api::PluginError;
use thiserror::Error;

/// Why a regression cannot be fitted.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FitError {
    /// No row, or none of positive weight.
    #[error("logistic regression has no row of positive weight")]
    Empty,
    /// All rows of positive weight are of one class.
    #[error("logistic regression has one class only ({} rows)", if *positive { "all positive" } else { "no positive" })]
    OneClass {
        /// Whether that class is the positive one.
        positive: bool,
    },
    /// A feature that is NaN or infinite on a row of positive weight.
    #[error("logistic regression: column {column} holds a value that is not finite")]
    NonFinite {
        /// The column.
        column: usize,
    },
    /// A weight that is negative, NaN or infinite.
    #[error("logistic regression: weight {weight} of row {row} must be finite and not negative")]
    BadWeight {
        /// The row.
        row: usize,
        /// Its weight.
        weight: f64,
    },
    /// A column or the weights differ in length from the labels.
    #[error("logistic regression: {what} has {found} rows, but there are {expected} labels")]
    Shape {
        /// What differs.
        what: String,
        /// Its length.
        found: usize,
        /// Number of labels.
        expected: usize,
    },
    /// `c` or `l1_ratio` out of range.
    #[error("logistic regression: {name} is {value}, but must be {allowed}")]
    BadParameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// A challenge whose model cannot be fitted cannot be scored.
impl From<FitError> for PluginError {
    fn from(error: FitError) -> Self {
        Self::data(format!("a model cannot be fitted: {error}"))
    }
}
