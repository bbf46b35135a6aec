//! What the walk gives.

/// What the walk gives for all miners and segments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PooledOutcome {
    /// Per miner: importance, not scaled.
    pub miners: Vec<MinerOutcome>,
    /// The segments that counted, oldest first.
    pub segments: Vec<SegmentOutcome>,
}

/// One miner's part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MinerOutcome {
    /// Weighted sum over segments of |coefficient| times what the ensemble is worth.
    pub importance: f64,
    /// Samples that it has a number for.
    pub samples: usize,
    /// Segments in which it was selected.
    pub selected: usize,
    /// Its best rank in the selection of any segment, from 1; `None` if no segment selected any.
    pub best_rank: Option<usize>,
    /// Its AUC alone in the last segment in which it had enough samples.
    pub auc: Option<f64>,
    /// AUC of the best ensemble that it was in, on the segment of that.
    pub ensemble_auc: Option<f64>,
    /// Its mean coefficient in the last segment that it was selected in.
    pub coefficient: Option<f64>,
}

/// One segment's part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentOutcome {
    /// Its number, from 0.
    pub index: usize,
    /// Samples that the ensemble was fitted on.
    pub samples: usize,
    /// AUC of the ensemble on the segment.
    pub auc: f64,
}
