//! Which computation a page shows.

use super::now;
use crate::sections::filters;
use crate::sections::time::Moment;
use crate::standing::Standing;
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::Block;

/// The computation that a page shows, in a sentence.
#[derive(Template)]
#[template(path = "pages/as_of.html")]
pub(super) struct AsOf {
    /// Its block, and when it ended; `None` if nothing was computed.
    computed: Option<(Block, Moment)>,
}

impl HtmlSafe for AsOf {}

impl AsOf {
    pub(super) fn new(standing: &Standing) -> Self {
        let moment = |unix| Moment::new(unix, now());
        Self { computed: standing.computed.map(|computed| (computed.block, moment(computed.unix))) }
    }
}
