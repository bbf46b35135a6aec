//! The `flow` challenge: trades with stops and targets, paid by what they would have made for the risk they took.
//!
//! A miner sends its intents in four regimes of horizon. An intent with a new id opens a trade at the row's price; the
//! prices that follow decide how it ends. What trades made is averaged per regime, and miners with a positive average share
//! the pay of each hour. What nobody earns is burned.

mod decode;
mod gate;
mod intent;
mod label;
mod machine;
#[cfg(test)]
mod made;
mod moments;
mod params;
mod pay;
mod report;
mod score;
mod seen;
mod settle;
mod skin;
mod stream;
mod tail;
mod tape;
mod touch;
mod trade;

pub use label::Labels;
pub use params::Params;

use mantis_plugin_api::{Challenge, Description, ParamMap, PluginError, Spec, Storage, export, serde_json};

/// Regimes of horizon, A to D, in each of which a miner has one trade at a time.
pub(crate) const REGIMES: usize = 4;

/// Numbers of one intent: direction, size, stop, two targets, horizon, id.
pub(crate) const FIELDS: usize = 7;

/// Numbers of a miner's vector.
pub(crate) const NUMBERS: usize = REGIMES * FIELDS;

/// A configured `flow` challenge.
pub struct Flow {
    spec: Spec,
    params: Params,
}

impl Challenge for Flow {
    fn describe() -> Description {
        let summary = "Trades with stops and targets in four regimes of horizon, paid by what they make for their risk.";
        Description::new("flow", env!("CARGO_PKG_VERSION"), summary).with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        if spec.assets.len() > 1 {
            let found = format!("{} assets", spec.assets.len());
            return Err(PluginError::spec(
                "assets",
                found,
                "a list of one asset, or none: one price per row",
            ));
        }
        spec.require_dim(NUMBERS, "direction, size, stop, two targets, horizon and id of four regimes")?;
        if spec.storage != Storage::F32 {
            let allowed = format!("{}: ids and horizons do not fit into less", Storage::F32.as_str());
            return Err(PluginError::spec("storage", spec.storage.as_str(), allowed));
        }
        if ![0, 2].contains(&spec.channels.len()) {
            let found = format!("{} channels", spec.channels.len());
            return Err(PluginError::spec("channels", found, "none, or the price's high and its low"));
        }
        let params = Params::read(params)?;
        skin::require_list(&spec, &params)?;
        Ok(Self { params, spec })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        decode::vector(submission)
    }
}

export!(Flow);

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::Solver;
    use mantis_plugin_api::test_kit::spec;

    fn configured(change: impl Fn(&mut Spec), params: &serde_json::Value) -> Result<(), String> {
        let mut spec = Spec { storage: Storage::F32, ..spec(NUMBERS, 0, Solver::Exact) };
        change(&mut spec);
        let params = params.as_object().unwrap();
        Flow::configure(spec, params).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn one_price_with_or_without_its_wick_is_accepted() {
        let none = serde_json::json!({});
        assert_eq!(configured(|_| (), &none), Ok(()));
        let listed = |spec: &mut Spec| {
            spec.assets = vec!["BTC".into()];
            spec.channels = vec!["BTC_HIGH".into(), "BTC_LOW".into()];
        };
        assert_eq!(configured(listed, &none), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let none = serde_json::json!({});
        type Change = fn(&mut Spec);
        let cases: [(Change, &str); 4] = [
            (
                |spec| spec.assets = vec!["BTC".into(), "ETH".into()],
                "`assets`: 2 assets; allowed: a list of one asset, or none: one price per row",
            ),
            (
                |spec| spec.dim = 27,
                "`dim`: 27; allowed: 28: direction, size, stop, two targets, horizon and id of four regimes",
            ),
            (
                |spec| spec.storage = Storage::F16,
                "`storage`: f16; allowed: f32: ids and horizons do not fit into less",
            ),
            (
                |spec| spec.channels = vec!["BTC_HIGH".into()],
                "`channels`: 1 channels; allowed: none, or the price's high and its low",
            ),
        ];
        for (change, says) in cases {
            assert_eq!(configured(change, &none).unwrap_err(), says);
        }
    }

    #[test]
    fn a_skin_needs_its_list() {
        for skin in ["bets", "static"] {
            let params = serde_json::json!({ "skin": skin });
            let error = configured(|_| (), &params).unwrap_err();
            let says =
                format!("`facts`: no list `{skin}`; allowed: a list `{skin}`, which skin = \"{skin}\" needs");
            assert_eq!(error, says);
            assert_eq!(configured(|spec| spec.facts = vec!["other".into(), skin.into()], &params), Ok(()));
        }
    }
}
