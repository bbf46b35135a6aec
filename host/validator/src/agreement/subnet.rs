//! From what the chain says to what an epoch goes by.

use mantis_config::Block;
use mantis_network::chain::{EpochState, NeuronState};
use mantis_weights::yuma::{LiquidAlpha, YumaInput, YumaNeuron, YumaRules};
use std::collections::BTreeMap;

/// What an epoch that ran now would go by. UIDs without a hotkey have no stake, and neither give nor get weights.
pub(super) fn yuma(state: &EpochState) -> YumaInput {
    let rules = &state.rules;
    let bonds_from = match rules.last_epoch {
        Some(last) => last + 1,
        None => state.block - i64::from(rules.tempo),
    };
    let part = |x: u16| f64::from(x) / f64::from(u16::MAX);
    let rules = YumaRules {
        kappa: part(rules.kappa),
        bonds_penalty: part(rules.bonds_penalty),
        yuma3: rules.yuma3,
        alpha: (1.0 - rules.bonds_moving_average as f64 / 1e6).clamp(0.0, 1.0),
        liquid_alpha: rules.liquid_alpha.map(|(low, high, steepness)| LiquidAlpha {
            low: part(low),
            high: part(high),
            steepness: f64::from(steepness),
        }),
        activity_cutoff: i64::try_from(rules.activity_cutoff).unwrap_or(i64::MAX),
        bonds_from,
        owner: rules.owner,
    };
    let by_uid: BTreeMap<u16, &NeuronState> = state.neurons.iter().map(|n| (n.uid, n)).collect();
    let last = by_uid.keys().next_back().copied();
    let neurons = last.map_or(Vec::new(), |last| {
        (0..=last).map(|uid| by_uid.get(&uid).map_or_else(nobody, |state| neuron(state))).collect()
    });
    YumaInput { block: state.block, rules, neurons }
}

fn neuron(state: &NeuronState) -> YumaNeuron {
    YumaNeuron {
        stake: state.stake as f64,
        permit: state.permit,
        last_update: state.last_update,
        registered: state.registered,
        committed: state.committed,
        weights: state.weights.clone(),
        bonds: state.bonds.clone(),
    }
}

fn nobody() -> YumaNeuron {
    // Registered after every weight for it.
    YumaNeuron { registered: Block(i64::MAX), ..YumaNeuron::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_network::chain::EpochRules;

    #[test]
    fn uids_keep_their_places_and_parts_are_parts() {
        let rules = EpochRules {
            kappa: 32_767,
            bonds_penalty: u16::MAX,
            bonds_moving_average: 900_000,
            liquid_alpha: Some((0, u16::MAX, 1000)),
            activity_cutoff: 5000,
            tempo: 360,
            ..EpochRules::default()
        };
        let neuron = |uid| NeuronState { uid, stake: 5, weights: vec![(1, 9)], ..NeuronState::default() };
        let mut state = EpochState { block: Block(1000), rules, neurons: vec![neuron(2), neuron(0)] };
        let input = yuma(&state);
        assert_eq!(input.neurons.iter().map(|neuron| neuron.stake).collect::<Vec<_>>(), [5.0, 0.0, 5.0]);
        assert!((input.rules.alpha - 0.1).abs() < 1e-12 && input.rules.bonds_penalty == 1.0);
        assert!(input.rules.kappa < 0.5 && input.rules.liquid_alpha.unwrap().high == 1.0);
        assert_eq!(input.rules.bonds_from, Block(640));
        state.rules.last_epoch = Some(Block(900));
        assert_eq!(yuma(&state).rules.bonds_from, Block(901));
        state.neurons.clear();
        assert!(yuma(&state).neurons.is_empty());
    }
}
