//! What is checked of every plugin's results, native or WebAssembly.

use mantis_plugin_api::{Forecast, MAX_FIT, PluginError, Salience};

/// A report in JSON may be so many bytes long.
const MAX_JSON: usize = 64 << 20;

/// The vector of a `decode`, if it is what is stored: `storage_dim` finite numbers.
pub(super) fn checked_vector(vector: Vec<f32>, storage_dim: usize) -> Result<Vec<f32>, PluginError> {
    if vector.len() != storage_dim || !vector.iter().all(|x| x.is_finite()) {
        return Err(broken("`decode` gave numbers that are not finite, or not as many as are stored"));
    }
    Ok(vector)
}

/// A score of its numbers and its report, one of each per miner; the numbers finite and not negative.
pub(super) fn checked_salience(
    numbers: Vec<f64>,
    mut salience: Salience,
    hotkeys: &[String],
) -> Result<Salience, PluginError> {
    if numbers.len() != hotkeys.len() || salience.miners.len() != hotkeys.len() {
        return Err(broken(&format!(
            "{} saliences and {} reports for {} miners",
            numbers.len(),
            salience.miners.len(),
            hotkeys.len()
        )));
    }
    for ((report, number), hotkey) in salience.miners.iter_mut().zip(numbers).zip(hotkeys) {
        if !number.is_finite() || number < 0.0 {
            return Err(broken(&format!("a salience of {number} for {hotkey}")));
        }
        report.salience = number;
    }
    if !salience.burn.is_finite() || salience.burn < 0.0 {
        return Err(broken(&format!("a burn of {}", salience.burn)));
    }
    Ok(salience)
}

/// A fit, if it is no larger than allowed.
pub(super) fn checked_fit(fit: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, PluginError> {
    match &fit {
        Some(fit) if fit.len() > MAX_FIT => Err(broken(&format!("a fit of {} bytes", fit.len()))),
        _ => Ok(fit),
    }
}

/// A forecast, if its numbers are finite. How many there must be, the outlook says.
pub(super) fn checked_forecast(forecast: Forecast) -> Result<Forecast, PluginError> {
    match forecast.values.iter().flatten().find(|x| !x.is_finite()) {
        Some(x) => Err(broken(&format!("a forecast of {x}"))),
        None => Ok(forecast),
    }
}

/// Why a challenge that does not forecast gives none.
pub(super) fn no_signal() -> PluginError {
    PluginError::host("this plugin does not forecast")
}

/// Structured data of a plugin's.
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(json: &'a [u8], what: &str) -> Result<T, PluginError> {
    if json.len() > MAX_JSON {
        return Err(broken(&format!("a {what} of {} bytes", json.len())));
    }
    serde_json::from_slice(json).map_err(|e| broken(&format!("an unreadable {what} ({e})")))
}

/// Structured data for a plugin.
pub(super) fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, PluginError> {
    serde_json::to_vec(value).map_err(|e| PluginError::host(e.to_string()))
}

/// What the host saw a plugin do, as opposed to what the plugin says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What the contract forbids.
    Contract,
    /// It trapped: a crash of a component.
    Trap,
    /// It asked for more memory than it may have.
    Memory,
}

impl Broken {
    /// How the host's sentence about it begins.
    pub(super) const fn begins(self) -> &'static str {
        match self {
            Self::Contract => "the plugin broke its contract: ",
            Self::Trap => "the plugin trapped: ",
            Self::Memory => "the plugin asked for ",
        }
    }

    /// The error for it.
    pub(crate) fn error(self, what: &str) -> PluginError {
        PluginError::data(format!("{}{what}", self.begins()))
    }

    /// What a message is about; `None` if it is the plugin's own.
    pub(crate) fn find(message: &str) -> Option<Self> {
        [Self::Contract, Self::Trap, Self::Memory].into_iter().find(|one| message.starts_with(one.begins()))
    }
}

/// What a plugin did that the contract forbids.
pub(super) fn broken(what: &str) -> PluginError {
    Broken::Contract.error(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saliences_are_finite_not_negative_and_one_per_miner() {
        let hotkeys = ["5A".to_string(), "5B".to_string()];
        let check =
            |numbers: &[f64], miners| checked_salience(numbers.into(), Salience::new(miners), &hotkeys);
        assert_eq!(check(&[0.0, 2.0], 2).unwrap().miners[1].salience, 2.0);
        assert!(check(&[0.0, -0.0], 2).is_ok());
        for (numbers, miners) in [
            (&[0.0][..], 2),
            (&[0.0, 1.0], 3),
            (&[0.0, f64::NAN], 2),
            (&[f64::INFINITY, 0.0], 2),
            (&[0.0, -1e-300], 2),
        ] {
            assert!(check(numbers, miners).is_err(), "{numbers:?}, {miners}");
        }
    }

    #[test]
    fn a_burn_is_not_negative() {
        let check = |burn| checked_salience(vec![], Salience { burn, ..Salience::new(0) }, &[]);
        assert_eq!(check(0.25).unwrap().burn, 0.25);
        assert!(check(-0.1).is_err() && check(f64::NAN).is_err());
        // In JSON, which has no such numbers, they are none: a report with one is unreadable.
        assert!(
            parse::<Salience>(br#"{"miners":[],"facts":[],"empty":null,"burn":null}"#, "report").is_err()
        );
    }

    #[test]
    fn vectors_are_finite_and_as_long_as_stored() {
        assert!(checked_vector(vec![1.0, -1.0], 2).is_ok());
        for bad in [vec![], vec![0.0; 3], vec![f32::NAN, 0.0]] {
            assert!(checked_vector(bad, 2).is_err());
        }
    }
}
