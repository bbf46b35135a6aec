//! What a pass over the rows is asked.

/// Where the loss of a replicate is wanted, and what it is there.
pub(super) struct Query<'a> {
    pub(super) replicate: usize,
    /// Factor of the loss of a negative and of a positive row.
    pub(super) scale: [f64; 2],
    pub(super) theta: &'a [f64],
    pub(super) gradient: &'a mut [f64],
    pub(super) value: f64,
}
