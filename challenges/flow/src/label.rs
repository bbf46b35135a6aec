//! What the market and the lists of facts say.

use crate::Flow;
use crate::settle::Period;
use crate::skin::Skins;
use crate::tape::Tape;
use mantis_plugin_api::{Label, Market, PluginError};

/// What miners' intents are measured against.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    pub(crate) tape: Tape,
    /// What stands behind the miners' trades.
    pub(crate) skins: Skins,
    /// The running period of the settlement, where the time of rows is known.
    pub(crate) period: Option<Period>,
}

impl Label for Flow {
    type Labels = Labels;

    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        market.require_assets(1)?;
        let tape = Tape::new(market, &self.spec, &self.params)?;
        let skins = Skins::new(market, &self.params)?;
        let period = Period::running(market, &tape, &self.params);
        Ok(Labels { tape, skins, period })
    }
}
