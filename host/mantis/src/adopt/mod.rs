//! Going on where the network's Python validator stood: the smoothed weights that it has saved.
//!
//! Its file `saved_weights.pkl` is a pickle, which Python would run as a program. Here it is read as data: two lists are taken from
//! it, and nothing of it is ever called.

mod pickle;
mod tensor;

use mantis_config::Block;
use mantis_network::wallet::public_key;
use pickle::{Id, Pickle, PickleError, Value};
use std::collections::BTreeMap;
use thiserror::Error;

/// What saved weights may sum to: they are numbers of single precision.
const SUM: std::ops::RangeInclusive<f64> = 0.999..=1.001;

/// Weights that a validator has saved.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedWeights {
    /// The block that they were computed for.
    pub block: Block,
    /// The weight of each hotkey; they sum to 1.
    pub weights: BTreeMap<String, f64>,
}

/// Why a file holds no such weights.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SavedWeightsError {
    /// It is no pickle.
    #[error("it is no pickle of plain objects: {0}")]
    Pickle(#[from] PickleError),
    /// It holds something else.
    #[error("{0}")]
    Content(String),
}

impl SavedWeights {
    /// Reads the bytes of a `saved_weights.pkl`.
    ///
    /// # Errors
    /// [`SavedWeightsError`], of what is wrong first.
    pub fn parse(bytes: &[u8]) -> Result<Self, SavedWeightsError> {
        let pickle = Pickle::read(bytes)?;
        let entry = |key: &str| {
            pickle.entry(pickle.root, key).ok_or_else(|| {
                content(format!(
                    "it holds no dictionary with the key `{key}`, as the network's validator saves"
                ))
            })
        };
        let weights =
            numbers(&pickle, entry("weights")?).map_err(|why| content(format!("`weights`: {why}")))?;
        let block = pickle.int(entry("block")?).filter(|block| (0..1 << 40).contains(block));
        let block = block.ok_or_else(|| content("`block` is no number of a block".into()))?;
        // Without them it is not known whose weights they are: UIDs change hands.
        let hotkeys = pickle.entry(pickle.root, "hotkeys").ok_or_else(|| {
            content(
                "it names UIDs and no hotkeys, as validators of the network did before they smoothed weights: they go on without what \
                 came before, and so may this one"
                    .into(),
            )
        })?;
        let hotkeys = pickle.elements(hotkeys).unwrap_or_default().iter().map(|id| pickle.text(*id));
        let hotkeys: Option<Vec<&str>> = hotkeys.collect();
        let hotkeys = hotkeys.ok_or_else(|| content("`hotkeys` is no list of texts".into()))?;
        Self::checked(Block(block), &hotkeys, &weights).map_err(SavedWeightsError::Content)
    }

    fn checked(block: Block, hotkeys: &[&str], weights: &[f64]) -> Result<Self, String> {
        let (found, expected) = (weights.len(), hotkeys.len());
        if found != expected {
            return Err(format!("it has {found} weights and {expected} hotkeys"));
        }
        if let Some(weight) = weights.iter().find(|weight| !(0.0..=1.0).contains(*weight)) {
            return Err(format!("it has a weight of {weight}; allowed: from 0 to 1"));
        }
        let sum: f64 = weights.iter().sum();
        if !SUM.contains(&sum) {
            return Err(format!("its weights sum to {sum}, not to 1"));
        }
        let mut by_hotkey = BTreeMap::new();
        for (hotkey, weight) in hotkeys.iter().zip(weights) {
            public_key(hotkey).map_err(|error| error.to_string())?;
            if by_hotkey.insert((*hotkey).to_owned(), *weight).is_some() {
                return Err(format!("it has the hotkey {hotkey} twice"));
            }
        }
        Ok(Self { block, weights: by_hotkey })
    }
}

/// The numbers of a tensor or of a list.
fn numbers(pickle: &Pickle<'_>, id: Id) -> Result<Vec<f64>, String> {
    let Value::List(elements) = pickle.value(id) else { return tensor::numbers(pickle, id) };
    let number = |id: &Id| match pickle.value(*id) {
        Value::Float(value) => Some(*value),
        Value::Int(value) => Some(*value as f64),
        _ => None,
    };
    elements
        .iter()
        .map(number)
        .collect::<Option<_>>()
        .ok_or_else(|| "it is a list of more than numbers".into())
}

fn content(what: String) -> SavedWeightsError {
    SavedWeightsError::Content(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `tests/fixtures/saved_weights.py`.
    const SAVED: &[u8] = include_bytes!("../../../../tests/fixtures/saved_weights.pkl");

    #[test]
    fn what_the_networks_validator_saves_is_read() {
        let saved = SavedWeights::parse(SAVED).unwrap();
        assert_eq!(saved.block, Block(6_812_000));
        assert_eq!(saved.weights.len(), 4);
        let sum: f64 = saved.weights.values().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        // As the script says, in single precision.
        let alice = saved.weights["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"];
        assert_eq!(alice, f64::from(0.3_f32));
    }

    #[test]
    fn cut_and_changed_files_are_refused_or_say_the_same() {
        let whole = SavedWeights::parse(SAVED).unwrap();
        for end in 0..SAVED.len() {
            assert!(SavedWeights::parse(&SAVED[..end]).is_err(), "{end}");
        }
        // One bit: no panic, and what is taken holds together.
        for bit in 0..SAVED.len() * 8 {
            let mut bytes = SAVED.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(changed) = SavedWeights::parse(&bytes) {
                assert_eq!(
                    changed.weights.keys().collect::<Vec<_>>(),
                    whole.weights.keys().collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
        let said = |hotkeys: &[&str], weights: &[f64]| {
            SavedWeights::checked(Block(1), hotkeys, weights).map(|_| ()).unwrap_err()
        };
        assert!(said(&[ALICE], &[0.5, 0.5]).contains("2 weights and 1 hotkeys"));
        assert!(said(&[ALICE, BOB], &[0.5, f64::NAN]).contains("a weight of NaN"));
        assert!(said(&[ALICE, BOB], &[1.5, -0.5]).contains("a weight of 1.5"));
        assert!(said(&[ALICE, BOB], &[0.5, 0.2]).contains("sum to 0.7"));
        assert!(said(&[ALICE, ALICE], &[0.5, 0.5]).contains("twice"));
        assert!(said(&[ALICE, "5Gr"], &[0.5, 0.5]).contains("5Gr"));
        let said = |bytes: &[u8]| SavedWeights::parse(bytes).unwrap_err().to_string();
        assert!(said(b"\x80\x04}.").contains("`weights`"));
        assert!(said(b"PK\x03\x04").contains("no pickle of plain objects"));
        // What would call os.system is a weight that is no tensor.
        let hostile = b"\x80\x02}X\x07\0\0\0weightscposix\nsystem\nX\x04\0\0\0true\x85Rs.";
        assert!(said(hostile).contains("`weights`: it is no tensor of PyTorch"), "{}", said(hostile));
    }
}
