//! What is said of one miner.

/// What a miner's values out of sample are worth.
pub(crate) enum Verdict {
    /// Their AUC.
    Auc(f64),
    /// There are too few, says a sentence.
    None(String),
}
