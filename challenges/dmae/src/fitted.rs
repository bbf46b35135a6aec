//! A trained network by itself: kept as text, and asked for a row.

use crate::HIDDEN;
use crate::chunk::{Reader, bound, is_there};
use crate::head::Head;
use crate::kernels::{gather, products};
use crate::model::Model;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use mantis_kit::fitted::Row;
use mantis_plugin_api::PluginError;
use serde::{Deserialize, Serialize};

/// The network of all miners.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    head: Packed,
    /// Those whose numbers change anything.
    members: Vec<Member>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    miner: usize,
    /// Number by number, unit by unit.
    weights: Packed,
    /// Where those who repeat themselves count as absent.
    last: Option<Last>,
}

/// What a miner sent last.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    numbers: Packed,
    /// For how many rows it has repeated that.
    repeated: usize,
}

impl Network {
    /// A model as it is. `last` has read all rows until now, if those who repeat themselves count as absent.
    pub(crate) fn new(model: &Model, miners: usize, last: Option<&Reader<'_>>) -> Self {
        let member = |miner: usize| {
            let weights = model.weights(miner).as_flattened();
            let last = last.map(|reader| {
                let (numbers, repeated) = reader.last(miner);
                Last { numbers: Packed(numbers.to_vec()), repeated }
            });
            let matters = weights.iter().any(|w| *w != 0.0);
            matters.then(|| Member { miner, weights: Packed(weights.to_vec()), last })
        };
        Self {
            head: Packed(model.head.0.as_flattened().to_vec()),
            members: (0..miners).filter_map(member).collect(),
        }
    }

    /// The forecast of a row, and of how many miners; who has repeated itself for `max_unchanged` rows counts as absent,
    /// if that is not 0.
    ///
    /// # Errors
    /// [`PluginError::Data`] if the network is not of this shape, or says what is no number.
    pub(crate) fn forecast(&self, row: &Row, max_unchanged: usize) -> Result<(f32, usize), PluginError> {
        let refuse = |what| PluginError::data(format!("the fit {what}: fit again"));
        let mut head = Head::ZERO;
        let parameters = head.0.as_flattened_mut();
        if self.head.0.len() != parameters.len() {
            return Err(refuse("has another network"));
        }
        parameters.copy_from_slice(&self.head.0);
        let (mut sum, mut part) = ([[0.0; HIDDEN]], [[0.0; HIDDEN]]);
        let mut miners = 0;
        let mut before = None;
        for Member { miner, weights, last } in &self.members {
            if before.replace(*miner) >= Some(*miner) {
                return Err(refuse("has its miners in disorder"));
            }
            let mut numbers: Vec<f32> = row.of(*miner)?.iter().map(|x| x.to_f32()).collect();
            let (weights, rest) = weights.0.as_chunks::<HIDDEN>();
            if weights.len() != numbers.len() || !rest.is_empty() {
                return Err(refuse("has weights of other numbers"));
            }
            bound(&mut numbers);
            if max_unchanged > 0 {
                let last = last.as_ref().filter(|last| last.numbers.0.len() == numbers.len());
                let last = last.ok_or_else(|| refuse("does not know who repeats itself"))?;
                if last.numbers.0 == numbers && last.repeated.saturating_add(1) >= max_unchanged {
                    continue;
                }
            }
            if is_there(&numbers) {
                products(&numbers, weights, &mut part);
                gather(&part, &mut sum);
                miners += 1;
            }
        }
        let output = head.pass(&head.first(&sum[0])).output;
        if output.is_finite() { Ok((output, miners)) } else { Err(refuse("says what is no number")) }
    }
}

/// Finite numbers, bit by bit: in base 64, the lowest byte first. As digits there would be twice as many, and a large fit
/// would take longer to read than to ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Packed(Vec<f32>);

impl From<Packed> for String {
    fn from(Packed(numbers): Packed) -> Self {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        BASE64.encode(bytes)
    }
}

impl TryFrom<String> for Packed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = BASE64.decode(text).map_err(|error| format!("numbers in base 64: {error}"))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if rest.is_empty() && numbers.iter().all(|x| x.is_finite()) {
            return Ok(Self(numbers));
        }
        Err("numbers that are none".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_keeps_its_bits() {
        let numbers = vec![0.0, -0.0, 1.0, f32::MIN_POSITIVE / 2.0, f32::MAX, -1e-7];
        let text = String::from(Packed(numbers.clone()));
        let read = Packed::try_from(text.clone()).unwrap().0;
        assert!(numbers.iter().zip(&read).all(|(a, b)| a.to_bits() == b.to_bits()) && read.len() == 6);
        for text in [&text[1..], "AAA", "AAAAAA*", &String::from(Packed(vec![f32::NAN]))] {
            assert!(Packed::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
