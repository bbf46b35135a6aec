//! When a miner held any position.

use super::EvidenceParams;

/// Attendance of one miner, in hours of the panel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Attendance {
    /// First hour with a position; the number of hours if there is none.
    pub(crate) first: usize,
    /// Hours since then, that one included.
    pub(crate) age: usize,
    /// Part of the newest hours with a position that pay goes by.
    pub(crate) coverage: f64,
    /// The same for the hours of the probation.
    pub(crate) probation: f64,
    /// Whether the probation is passed.
    pub(crate) is_through: bool,
}

impl Attendance {
    /// From whether the miner held a position in each hour (scoring: trademix, evidence, gates).
    pub(crate) fn new(submitted: &[bool], params: &EvidenceParams) -> Self {
        let hours = submitted.len();
        let first = submitted.iter().position(|&held| held).unwrap_or(hours);
        let part_of_newest = |window: usize| {
            let newest = &submitted[hours.saturating_sub(window)..];
            newest.iter().filter(|&&held| held).count() as f64 / newest.len().max(1) as f64
        };
        let (age, probation) = (hours - first, part_of_newest(params.probation_hours));
        Self {
            first,
            age,
            coverage: part_of_newest(params.coverage_window),
            probation,
            is_through: age >= params.probation_hours && probation >= params.probation_coverage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probation_needs_age_and_attendance() {
        let params = EvidenceParams { probation_hours: 10, coverage_window: 20, ..EvidenceParams::default() };
        let attend =
            |held: &dyn Fn(usize) -> bool| Attendance::new(&(0..30).map(held).collect::<Vec<_>>(), &params);
        let whole = attend(&|t| t >= 20);
        assert_eq!((whole.first, whole.age, whole.coverage, whole.is_through), (20, 10, 0.5, true));
        assert!(!attend(&|t| t >= 21).is_through, "too young");
        assert!(attend(&|t| t != 25).is_through, "nine of ten");
        assert!(!attend(&|t| t % 25 != 0 && t != 26).is_through, "eight of ten");
        let never = attend(&|_| false);
        assert_eq!((never.first, never.age, never.coverage, never.is_through), (30, 0, 0.0, false));
        // With less than the window, the whole panel counts.
        assert_eq!(Attendance::new(&[true, false], &params).coverage, 0.5);
    }
}
