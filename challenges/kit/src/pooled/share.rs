//! Progress of one work in two.

use mantis_plugin_api::Progress;

/// Part of the work that the walk is, where an ensemble is fitted after it.
const WALK: f64 = 0.75;

/// Tells of a part of the work as that part of the whole.
pub struct Share<'a> {
    whole: &'a dyn Progress,
    from: f64,
    size: f64,
}

impl<'a> Share<'a> {
    /// The walk.
    #[must_use]
    pub fn first(whole: &'a dyn Progress) -> Self {
        Self { whole, from: 0.0, size: WALK }
    }

    /// [`Pooled::ahead`](super::Pooled::ahead).
    #[must_use]
    pub fn rest(whole: &'a dyn Progress) -> Self {
        Self { whole, from: WALK, size: 1.0 - WALK }
    }
}

impl Progress for Share<'_> {
    fn report(&self, done: f64) {
        self.whole.report(self.from + self.size * done);
    }

    fn log(&self, line: &str) {
        self.whole.log(line);
    }
}
