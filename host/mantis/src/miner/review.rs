//! What the validator would store of a plaintext, and what is wrong with it.

use mantis_config::{Challenge, Config};
use mantis_ledger::Vector;
use mantis_payload::describe::{kind, shortened, shown};
use mantis_payload::submission::{Split, SplitError, split};
use mantis_plugin_api::Storage;
use mantis_scoring::decode;
use mantis_scoring::worker::Launcher;
use serde::Serialize;
use serde_json::{Map, Value};

/// A plaintext, judged challenge by challenge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    /// One for each challenge of the configuration, in its order.
    pub challenges: Vec<Reviewed>,
    /// Keys that no challenge has; they are ignored.
    pub unknown: Vec<String>,
    /// Keys that were passed over because the challenge was sent under its ticker too.
    pub shadowed: Vec<String>,
}

/// What becomes of the submission for one challenge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reviewed {
    /// The challenge's name.
    pub name: String,
    /// Its ticker.
    pub ticker: String,
    /// Whether anything was sent for it.
    pub sent: bool,
    /// The numbers that would be stored, as they are held there; `None` where nothing would be.
    pub stored: Option<Vec<f32>>,
    /// What is not taken as it was sent.
    pub faults: Vec<String>,
}

impl Review {
    /// How many things are not taken as they were sent; unknown keys count.
    #[must_use]
    pub fn faults(&self) -> usize {
        let in_challenges: usize = self.challenges.iter().map(|challenge| challenge.faults.len()).sum();
        in_challenges + self.ignored().count()
    }

    /// What is stored otherwise than it was sent, or not at all: a sentence each.
    pub fn changed(&self) -> impl Iterator<Item = String> {
        self.challenges
            .iter()
            .flat_map(|one| one.faults.iter().map(move |fault| format!("{}: {fault}", one.name)))
    }

    /// What is passed over: a sentence each.
    pub fn ignored(&self) -> impl Iterator<Item = String> {
        let unknown = self
            .unknown
            .iter()
            .map(|key| format!("`{key}` is neither ticker nor name of a challenge and is ignored"));
        unknown.chain(
            self.shadowed
                .iter()
                .map(|key| format!("`{key}` is ignored: its challenge was sent under its ticker too")),
        )
    }

    /// Whether anything would be stored.
    #[must_use]
    pub fn stores(&self) -> bool {
        self.challenges.iter().any(|one| one.stored.is_some())
    }
}

/// Judges a plaintext by the plugins of the configuration, each in a worker process.
///
/// # Errors
/// If the plaintext cannot be taken apart. A plugin that fails is a fault at its challenge.
pub fn review(config: &Config, plaintext: &Value, launcher: &Launcher) -> Result<Review, SplitError> {
    let Split { submissions, unknown, shadowed } = split(plaintext, &config.challenges)?;
    let judge = |(index, challenge): (usize, &Challenge)| {
        let sent = submissions.get(&challenge.ticker);
        let mut reviewed = Reviewed {
            name: challenge.name.clone(),
            ticker: challenge.ticker.clone(),
            sent: sent.is_some(),
            stored: None,
            faults: Vec::new(),
        };
        if let Some(sent) = sent {
            judge(config, index, challenge, sent, launcher, &mut reviewed);
        }
        reviewed
    };
    let challenges = config.challenges.iter().enumerate().map(judge).collect();
    Ok(Review { challenges, unknown, shadowed })
}

fn judge(
    config: &Config,
    index: usize,
    challenge: &Challenge,
    sent: &Value,
    launcher: &Launcher,
    reviewed: &mut Reviewed,
) {
    // Beside the whole, each asset alone: what a plugin takes for 0 is not told apart in the whole.
    let by_asset = sent.as_object().filter(|_| !challenge.assets.is_empty());
    let alone =
        |(asset, value): (&String, &Value)| Value::Object(Map::from_iter([(asset.clone(), value.clone())]));
    let mut submissions = vec![sent.clone()];
    submissions.extend(by_asset.into_iter().flatten().map(alone));
    let vectors = match decode(config, index, submissions, launcher) {
        Ok(vectors) => vectors,
        Err(fault) => return reviewed.faults.push(fault.found),
    };
    let mut vectors = vectors.into_iter();
    match vectors.next() {
        Some(Ok(vector)) => {
            let stored = Vector::new(&vector, challenge.storage).to_f32();
            if stored.iter().all(|&x| x == 0.0) {
                reviewed.faults.push("every number is 0: it counts as not sent".into());
            } else {
                if by_asset.is_none() {
                    reviewed.faults.extend(changed(sent, &stored, challenge.storage));
                }
                reviewed.stored = Some(stored);
            }
        }
        Some(Err(error)) => reviewed.faults.push(error.to_string()),
        None => {}
    }
    for ((asset, value), vector) in by_asset.into_iter().flatten().zip(vectors) {
        if !challenge.assets.contains(asset) {
            reviewed.faults.push(format!("`{}` is no asset of it and is ignored", shortened(asset)));
        } else if let Some(fault) = asset_fault(challenge, asset, value, vector) {
            reviewed.faults.push(format!("`{asset}`: {fault}"));
        }
    }
}

/// What is wrong with one asset, from what is stored of it alone.
fn asset_fault(
    challenge: &Challenge,
    asset: &str,
    sent: &Value,
    vector: Result<Vec<f32>, mantis_plugin_api::PluginError>,
) -> Option<String> {
    let vector = match vector {
        Ok(vector) => vector,
        Err(error) => return Some(error.to_string()),
    };
    let at = challenge.assets.iter().position(|other| other == asset)?;
    let stored = vector.get(at * challenge.dim..(at + 1) * challenge.dim)?;
    let numbers = numbers(sent);
    if stored.iter().all(|&x| x == 0.0) {
        let zeros = numbers.as_ref().is_some_and(|n| n.len() == challenge.dim && n.iter().all(|&x| x == 0.0));
        return (!zeros).then(|| format!("{} is not taken and counts as 0", words(sent)));
    }
    let is_near = |(a, &b): (&f64, &f32)| near(*a, b, challenge.storage);
    let same = numbers.is_some_and(|n| n.len() == stored.len() && n.iter().zip(stored).all(is_near));
    (!same).then(|| format!("{} is stored as {stored:?}", words(sent)))
}

/// The first numbers of a list that are stored as others.
fn changed(sent: &Value, stored: &[f32], storage: Storage) -> Vec<String> {
    /// Named; more of the same kind say nothing new.
    const NAMED: usize = 3;
    let Some(sent) = numbers(sent).filter(|sent| sent.len() == stored.len()) else { return Vec::new() };
    let said =
        differing(&sent, stored, storage).map(|(i, a, b)| format!("number {}: {a} is stored as {b}", i + 1));
    said.take(NAMED).collect()
}

/// The numbers that are stored otherwise than by rounding: place, as it was sent, as it is stored.
pub(crate) fn differing(
    sent: &[f64],
    stored: &[f32],
    storage: Storage,
) -> impl Iterator<Item = (usize, f64, f32)> {
    let numbers = sent.iter().zip(stored).enumerate();
    numbers.filter(move |(_, (a, b))| !near(**a, **b, storage)).map(|(i, (a, b))| (i, *a, *b))
}

/// The numbers of a list, or one alone; `None` if anything else is in it.
pub(crate) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(list) => {
            list.iter().map(|value| value.is_number().then(|| value.as_f64()).flatten()).collect()
        }
        Value::Number(number) => number.as_f64().map(|x| vec![x]),
        _ => None,
    }
}

/// Whether a number is stored as itself, but for the rounding to a half float (2^-11, or 2^-25 near 0) or to single precision
/// (2^-24, or 2^-150).
fn near(sent: f64, stored: f32, storage: Storage) -> bool {
    let (part, least) = match storage {
        Storage::F16 => (4.9e-4, 6e-8),
        Storage::F32 => (6e-8, 1e-45),
    };
    (sent - f64::from(stored)).abs() <= sent.abs() * part + least
}

/// A value as it may stand in a message.
fn words(value: &Value) -> String {
    match value {
        Value::Array(list) if list.len() <= 4 => {
            format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => kind(value).into(),
        other => shown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rounding_to_what_is_stored_is_no_change() {
        let half = |x: f64, stored: f32| near(x, stored, Storage::F16);
        let single = |x: f64, stored: f32| near(x, stored, Storage::F32);
        for x in [0.1, -0.3333, 1.0, 1e-6, 5e-9, 0.0, 0.999_999] {
            let rounded = mantis_plugin_api::f16::from_f64(x).to_f32();
            assert!(half(x, rounded) && single(x, x as f32), "{x}");
        }
        assert!(single(16_777_215.0, 16_777_215.0) && single(1e-46, 0.0) && !single(0.1, 0.100_02));
        assert!(!half(0.1, 0.11) && !half(7.0, 1.0) && !half(1e-3, 0.0));
        let sent = json!([0.1, 7, 0.5]);
        assert_eq!(changed(&sent, &[0.1, 1.0, 0.5], Storage::F16), ["number 2: 7 is stored as 1"]);
        assert_eq!(
            changed(&sent, &[0.100_02, 7.0, 0.5], Storage::F32),
            ["number 1: 0.1 is stored as 0.10002"]
        );
    }

    #[test]
    fn an_asset_that_is_not_taken_is_named() {
        let challenge =
            Challenge { assets: vec!["BTC".into(), "ETH".into()], dim: 1, ..Challenge::default() };
        let fault = |sent: Value, stored: f32| asset_fault(&challenge, "ETH", &sent, Ok(vec![0.0, stored]));
        assert_eq!(fault(json!(0.5), 0.5), None);
        assert_eq!(fault(json!(0), 0.0), None);
        assert_eq!(fault(json!([7]), 1.0).unwrap(), "[7] is stored as [1.0]");
        assert_eq!(fault(json!("x"), 0.0).unwrap(), "\"x\" is not taken and counts as 0");
        assert_eq!(fault(json!(1.5), 0.0).unwrap(), "1.5 is not taken and counts as 0");
    }
}
