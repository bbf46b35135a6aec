//! What miners are measured against.

use crate::evidence::Panel;
use crate::window::Window;
use crate::{Mechanism, TradeMix};
use mantis_plugin_api::{Label, Market, PluginError};

/// The market, as the mechanism looks at it.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Every row, for the desk.
    Desk(Window),
    /// A row an hour, for evidence.
    Evidence(Panel),
}

impl Label for TradeMix {
    type Labels = Labels;

    fn label(&self, market: &Market) -> Result<Labels, PluginError> {
        market.require_assets(self.spec.assets.len())?;
        Ok(match self.mechanism {
            Mechanism::Desk => {
                Labels::Desk(Window::new(market, self.spec.rows_ahead(), self.params.window_rows))
            }
            Mechanism::Evidence => {
                Labels::Evidence(Panel::new(market, self.spec.sample_every, &self.params.evidence))
            }
        })
    }
}
