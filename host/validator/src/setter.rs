//! From computed weights to the chain.

use mantis_config::{Block, Network};
use mantis_ledger::{Attempt, Computation, Sent};
use mantis_network::chain::{Chain, ChainError, Hyperparameters, Neuron};
use mantis_weights::{Limited, Settlement, TooFewWeights, WeightLimits, within};
use std::collections::BTreeMap;

/// What rounding to the chain's 16 bits, twice, may change of a weight.
const SAME: f64 = 1e-4;

/// Weights of the UIDs as they are registered now: what was computed goes with the hotkey, so that a UID that has
/// changed hands since gets nothing of its predecessor's. The burn stays with its UID.
pub(super) fn of_registered(
    steps: &[Settlement],
    neurons: &[Neuron],
    network: &Network,
) -> BTreeMap<u16, f64> {
    let mut of_hotkey: BTreeMap<&str, f64> =
        steps.iter().map(|step| (step.hotkey.as_str(), step.weight)).collect();
    let mut burn = 0.0;
    if let Some(step) = steps.iter().find(|step| step.uid == network.burn_uid) {
        burn = step.weight.min(network.burn);
        of_hotkey.insert(&step.hotkey, step.weight - burn);
    }
    let weight = |neuron: &Neuron| {
        let own = of_hotkey.get(neuron.hotkey.as_str()).copied().unwrap_or(0.0);
        (neuron.uid, if neuron.uid == network.burn_uid { own + burn } else { own })
    };
    neurons.iter().map(weight).collect()
}

/// Sets the weights of a computation for the hotkeys that are registered now; `None` for `chain` is a dry run. The attempt says
/// how it ended.
pub async fn set_weights(
    chain: Option<&dyn Chain>,
    computation: &Computation,
    neurons: &[Neuron],
    network: &Network,
    head: Block,
) -> Attempt {
    let weights = registered_weights(computation, neurons, network, &WeightLimits::default());
    let weights = weights.map(|limited| limited.weights).unwrap_or_default();
    send(chain, intention(computation, &weights, neurons, head)).await
}

/// The weights that would be set for the hotkeys that are registered now: UID and weight, the largest 65,535.
///
/// # Errors
/// If the subnet demands weights of more UIDs.
pub fn registered_weights(
    computation: &Computation,
    neurons: &[Neuron],
    network: &Network,
    limits: &WeightLimits,
) -> Result<Limited, TooFewWeights> {
    within(&of_registered(&computation.settlements, neurons, network), limits)
}

/// What the subnet demands of the weights of the hotkey that has this UID.
pub(super) fn limits(rules: &Hyperparameters, own: Option<u16>) -> WeightLimits {
    WeightLimits { own, fewest: rules.min_weights, largest: rules.max_weight }
}

/// An attempt that is about to be made. As long as it is not known how it ended, it may have been sent.
pub(super) fn intention(
    computation: &Computation,
    weights: &[(u16, u16)],
    neurons: &[Neuron],
    head: Block,
) -> Attempt {
    Attempt {
        computed: computation.block,
        block: head,
        unix: super::clock::unix(),
        sent: Sent::Unconfirmed,
        transaction: None,
        included: None,
        error: Some("the validator ended before it knew how sending went".into()),
        weights: named(weights, neurons),
    }
}

/// Makes an attempt, and says how it ended; without a chain it is a dry run.
pub(super) async fn send(chain: Option<&dyn Chain>, intention: Attempt) -> Attempt {
    let mut attempt = Attempt { error: None, ..intention };
    let weights: Vec<(u16, u16)> = attempt.weights.iter().map(|(uid, _, weight)| (*uid, *weight)).collect();
    match chain {
        None => attempt.sent = Sent::DryRun,
        Some(_) if weights.is_empty() => {
            attempt.sent = Sent::Failed;
            attempt.error = Some("no hotkey that has a weight is registered any more".into());
        }
        Some(chain) => match chain.set_weights(&weights).await {
            Ok(receipt) => {
                attempt.sent = if receipt.revealed { Sent::Set } else { Sent::Committed };
                attempt.transaction = Some(receipt.transaction);
                attempt.included = Some(receipt.block);
            }
            Err(error) => {
                attempt.sent = Sent::Failed;
                attempt.error = Some(error.to_string());
                if let ChainError::Unconfirmed { transaction, .. } = error {
                    attempt.sent = Sent::Unconfirmed;
                    attempt.transaction = Some(transaction);
                }
            }
        },
    }
    attempt.unix = super::clock::unix();
    attempt
}

/// Whether the chain shows these weights: the same UIDs in the same proportion, as the chain scales weights again.
pub(super) fn is_shown(weights: &[(u16, String, u16)], shown: &[(u16, u16)]) -> bool {
    let sum = |weights: &mut dyn Iterator<Item = u16>| weights.map(f64::from).sum::<f64>();
    let (ours, theirs) = (
        sum(&mut weights.iter().map(|(_, _, weight)| *weight)),
        sum(&mut shown.iter().map(|(_, weight)| *weight)),
    );
    let shown: BTreeMap<u16, u16> = shown.iter().copied().filter(|(_, weight)| *weight > 0).collect();
    shown.len() == weights.len()
        && weights.iter().all(|(uid, _, weight)| {
            let there = shown.get(uid).copied().unwrap_or(0);
            (f64::from(*weight) / ours - f64::from(there) / theirs).abs() < SAME
        })
}

fn named(weights: &[(u16, u16)], neurons: &[Neuron]) -> Vec<(u16, String, u16)> {
    let hotkeys: BTreeMap<u16, &str> = neurons.iter().map(|n| (n.uid, n.hotkey.as_str())).collect();
    let name = |uid| hotkeys.get(&uid).copied().unwrap_or_default().to_owned();
    weights.iter().map(|&(uid, weight)| (uid, name(uid), weight)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule;
    use mantis_config::Config;
    use mantis_ledger::Ledger;
    use std::path::Path;

    #[test]
    fn proportions_tell_whether_weights_are_shown() {
        let ours = [(0, "a".to_string(), 65_535), (3, "b".to_string(), 32_768)];
        assert!(is_shown(&ours, &[(0, 65_535), (3, 32_768)]));
        assert!(is_shown(&ours, &[(0, 40_000), (3, 20_000), (4, 0)]));
        assert!(!is_shown(&ours, &[(0, 40_000), (3, 20_200)]));
        assert!(!is_shown(&ours, &[(0, 65_535), (2, 32_768)]));
        assert!(!is_shown(&ours, &[(0, 65_535), (3, 32_768), (4, 1)]));
        assert!(!is_shown(&ours, &[]));
    }

    #[tokio::test]
    async fn what_is_sent_is_noted_before_and_not_sent_again_by_a_successor() {
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1";
        let network = Config::parse(text, Path::new("a.toml")).unwrap().network;
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let settlement = Settlement {
            uid: 3,
            hotkey: "a".into(),
            salience: 1.0,
            young: false,
            share: 1.0,
            burned: 1.0,
            previous: None,
            weight: 1.0,
        };
        let computation =
            Computation { block: Block(1000), settlements: vec![settlement], ..Computation::default() };
        let neurons = [Neuron { uid: 3, hotkey: "a".into(), ..Neuron::default() }];
        let head = Block(1200);
        let weights = registered_weights(&computation, &neurons, &network, &WeightLimits::default()).unwrap();
        let intention = intention(&computation, &weights.weights, &neurons, head);
        let id = ledger.store_attempt(&intention).unwrap();

        // Killed now, a successor finds it, and waits until it can come no more.
        let found = ledger.attempts(1).unwrap().pop();
        assert_eq!(found.as_ref(), Some(&intention));
        for later in 0..64 {
            assert!(!schedule::setting(&network, found.as_ref(), None, head + later), "{later}");
        }
        assert!(schedule::setting(&network, found.as_ref(), None, head + 64));

        // It goes on: how it ended takes its place.
        let ended = send(None, intention).await;
        assert_eq!((ended.sent, &ended.error), (Sent::DryRun, &None));
        ledger.replace_attempt(id, &ended).unwrap();
        assert_eq!(ledger.attempts(9).unwrap(), [ended]);
    }

    #[test]
    fn weights_go_with_the_hotkey_and_the_burn_with_its_uid() {
        let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1";
        let network = Config::parse(text, Path::new("a.toml")).unwrap().network;
        let step = |uid, hotkey: &str, weight| Settlement {
            uid,
            hotkey: hotkey.into(),
            salience: 0.0,
            young: false,
            share: 0.0,
            burned: 0.0,
            previous: None,
            weight,
        };
        let neuron = |uid, hotkey: &str| Neuron { uid, hotkey: hotkey.into(), ..Neuron::default() };
        let steps = [step(0, "owner", 0.375), step(1, "a", 0.5), step(2, "b", 0.125)];
        let all =
            |neurons: &[Neuron]| of_registered(&steps, neurons, &network).into_values().collect::<Vec<_>>();
        assert_eq!(all(&[neuron(0, "owner"), neuron(1, "a"), neuron(2, "b")]), [0.375, 0.5, 0.125]);
        // a's place is taken by a stranger; b moved.
        let earned = 0.375 - 0.3;
        assert_eq!(all(&[neuron(0, "owner"), neuron(1, "new"), neuron(3, "b")]), [0.375, 0.0, 0.125]);
        assert_eq!(all(&[neuron(0, "new"), neuron(1, "a"), neuron(2, "owner")]), [0.3, 0.5, earned]);
    }
}
