//! What is known of all miners.

use super::attendance::Attendance;
use super::pay::{Channel, Pay};
use super::seniority::Residue;

/// All miners, and what was found of them; vectors are by miner.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) attendance: Vec<Attendance>,
    /// Deviation of the relative book.
    pub(super) spreads: Vec<f64>,
    pub(super) residues: Vec<Residue>,
    pub(super) relative: Channel,
    pub(super) market: Channel,
    /// Relative books, assets one behind another.
    pub(super) books: Vec<Vec<f64>>,
    /// The newest hours of them, of which cosines are.
    pub(super) newest: Vec<Vec<f64>>,
}

/// What both channels pay.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) relative: Pay,
    pub(super) market: Pay,
}
