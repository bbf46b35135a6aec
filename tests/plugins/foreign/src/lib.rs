//! A plugin of an ABI version that no host supports.

use mantis_plugin_api::abi::{FirstTable, PluginTable};
use mantis_plugin_api::*;

/// Never called: the host refuses it by its version.
pub struct Foreign;

impl Challenge for Foreign {
    fn describe() -> Description {
        Description::new("foreign", "0.1.0", "From another time.")
    }

    fn configure(_spec: Spec, _params: &ParamMap) -> Result<Self, PluginError> {
        Ok(Self)
    }

    fn decode(&self, _submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        Ok(vec![])
    }
}

impl Label for Foreign {
    type Labels = ();

    fn label(&self, _market: &Market) -> Result<(), PluginError> {
        Ok(())
    }
}

impl Score for Foreign {
    fn score(
        &self,
        history: &dyn History,
        _labels: &(),
        _progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        Ok(Salience::new(history.shape().miners))
    }
}

/// As [`export!`] writes it, but for the version.
#[allow(unsafe_code)]
// SAFETY: no other item of this library has this name.
#[unsafe(no_mangle)]
pub static MANTIS_PLUGIN: PluginTable = {
    let table = PluginTable::for_challenge::<Foreign>();
    PluginTable { first: FirstTable { abi: 99, ..table.first }, ..table }
};
