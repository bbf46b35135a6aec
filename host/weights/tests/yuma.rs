//! Yuma consensus against the numbers in the tests of the chain's public source, and what must hold for any subnet.

use mantis_config::Block;
use mantis_weights::yuma::{
    Bonds, LiquidAlpha, YumaInput, YumaNeuron, YumaOutcome, YumaRules, clipped_part, run,
};
use proptest::prelude::*;

const KAPPA: f64 = 32_767.0 / 65_535.0;

fn rules() -> YumaRules {
    YumaRules {
        kappa: KAPPA,
        bonds_penalty: 1.0,
        yuma3: false,
        alpha: 0.1,
        liquid_alpha: None,
        activity_cutoff: 5000,
        bonds_from: Block(1),
        owner: None,
    }
}

/// Neurons that have set weights since they registered, all with a permit.
fn subnet(stakes: &[f64], weights: &[&[(u16, u16)]], bonds: &[&[(u16, u16)]]) -> YumaInput {
    let neuron = |uid: usize| YumaNeuron {
        stake: stakes[uid],
        permit: true,
        last_update: Block(1),
        weights: weights.get(uid).map_or(Vec::new(), |row| row.to_vec()),
        bonds: bonds.get(uid).map_or(Vec::new(), |row| row.to_vec()),
        ..YumaNeuron::default()
    };
    YumaInput { block: Block(2), rules: rules(), neurons: (0..stakes.len()).map(neuron).collect() }
}

fn near(what: &str, found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (uid, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= within, "{what} of UID {uid}: {found} is not {expected}");
    }
}

/// As the chain stores a number from 0 to 1.
fn stored(x: f64) -> u16 {
    (x * 65_535.0) as u16
}

fn stored_bonds(outcome: &YumaOutcome, validator: usize) -> Vec<(u16, u16)> {
    outcome.bonds[validator].iter().map(|(uid, bond)| (*uid, stored(*bond))).collect()
}

/// `test_bonds` of `pallets/subtensor/src/tests/epoch.rs`: after each epoch one validator more keeps its weights to itself, then one
/// gives everything to UID 7. Each epoch goes by the bonds that the source names.
#[test]
fn the_sources_test_of_bonds_holds() {
    const STAKES: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0];
    const ALL: &[(u16, u16)] = &[(4, 16_383), (5, 32_767), (6, 49_149), (7, 65_535)];
    const LAST: &[(u16, u16)] = &[(7, 65_535)];
    let own = |uid: u16| [(uid, 65_535)];
    let (own0, own1, own2) = (own(0), own(1), own(2));
    let same = |bonds: [u16; 4]| bonds.map(|bond| (4..8).map(|uid| (uid, bond)).collect::<Vec<_>>());
    let last = |four: [u16; 4], seven: [u16; 4]| {
        let mut rows = same(four);
        rows.iter_mut().zip(seven).for_each(|(row, bond)| row[3].1 = bond);
        rows
    };
    struct Epoch<'a> {
        rows: [&'a [(u16, u16)]; 4],
        before: [Vec<(u16, u16)>; 4],
        trust: [f64; 4],
        consensus: [f64; 4],
        dividends: [f64; 4],
        after: [u16; 4],
    }
    let consensus = [0.0999975584, 0.2000012207, 0.2999926754, 0.400008545];
    let epochs = [
        Epoch {
            rows: [ALL; 4],
            before: [const { Vec::new() }; 4],
            trust: [1.0; 4],
            consensus,
            dividends: [0.0999999978, 0.1999999983, 0.3000000012, 0.4000000022],
            after: [16_383, 32_767, 49_151, 65_535],
        },
        Epoch {
            rows: [&own0, ALL, ALL, ALL],
            before: same([16_383, 32_767, 49_151, 65_535]),
            trust: [0.0, 1.0, 1.0, 1.0],
            consensus,
            dividends: [0.0899967032, 0.2022211233, 0.303334432, 0.404447741],
            after: [14_582, 32_767, 49_151, 65_535],
        },
        Epoch {
            rows: [&own0, &own1, ALL, ALL],
            before: same([14_582, 32_767, 49_151, 65_535]),
            trust: [0.0, 0.0, 1.0, 1.0],
            consensus,
            dividends: [0.0809936118, 0.1819995677, 0.3158592721, 0.421147548],
            after: [12_603, 28_321, 49_151, 65_535],
        },
        Epoch {
            rows: [&own0, &own1, &own2, ALL],
            before: same([12_603, 28_321, 49_151, 65_535]),
            trust: [0.0; 4],
            consensus: [0.0; 4],
            dividends: [0.0; 4],
            after: [12_602, 28_320, 49_150, 65_535],
        },
        Epoch {
            rows: [&own0, &own1, LAST, ALL],
            before: same([12_602, 28_320, 49_150, 65_535]),
            trust: [0.0, 0.0, 0.400008545, 0.400008545],
            consensus: [0.0, 0.0, 0.0, 0.400008545],
            dividends: [0.0728874663, 0.1637972582, 0.3271309866, 0.4361842885],
            after: [10_951, 24_609, 49_150, 65_535],
        },
        Epoch {
            rows: [&own0, &own1, LAST, ALL],
            before: last([12_601, 28_319, 49_149, 65_535], [10_951, 24_609, 49_150, 65_535]),
            trust: [0.0, 0.0, 0.400008545, 0.400008545],
            consensus: [0.0, 0.0, 0.0, 0.400008545],
            dividends: [0.0655988548, 0.1474132247, 0.3372762585, 0.4497116616],
            after: [9_559, 21_482, 49_150, 65_535],
        },
    ];
    for (number, epoch) in epochs.into_iter().enumerate() {
        let before = epoch.before.each_ref().map(Vec::as_slice);
        let mut input = subnet(&STAKES, &epoch.rows, &before);
        input.block = Block(1 + i64::try_from(number).unwrap());
        let outcome = run(&input, Bonds::Next);
        near(&format!("{number}: trust"), &outcome.validator_trust[..4], &epoch.trust, 1e-6);
        near(&format!("{number}: consensus"), &outcome.consensus[4..], &epoch.consensus, 1e-6);
        near(&format!("{number}: dividends"), &outcome.dividends[..4], &epoch.dividends, 1e-6);
        for (validator, after) in epoch.after.into_iter().enumerate() {
            // The chain rounds down at each step, and so may lose one more.
            let bond = stored_bonds(&outcome, validator).last().unwrap().1;
            assert!(bond.abs_diff(after) <= 1, "{number}: bond of UID {validator}: {bond} is not {after}");
        }
        if number == 4 {
            near("trust of miners", &outcome.trust[6..], &[0.0, 0.6087041323], 1e-6);
        }
    }
}

/// `test_active_stake`: of two equal validators the second has set nothing for 5,001 blocks.
#[test]
fn the_sources_test_of_active_stake_holds() {
    let halves: &[(u16, u16)] = &[(2, 32_767), (3, 32_767)];
    let bonds: &[(u16, u16)] = &[(2, 65_535), (3, 65_535)];
    let mut input = subnet(&[1.0; 4], &[halves; 2], &[bonds; 2]);
    input.block = Block(5002);
    input.neurons[0].last_update = Block(5002);
    near("dividends", &run(&input, Bonds::Next).dividends, &[0.55, 0.45, 0.0, 0.0], 1e-6);
    // When its weights stay, the one that is active gets all of it.
    near("settled", &run(&input, Bonds::Settled).dividends, &[1.0, 0.0, 0.0, 0.0], 1e-12);
}

/// One of the source's tests of Yuma 3: rows of three validators for the miners after them, epoch by epoch, where the last stay; the
/// bonds and dividends after each.
struct Story<'a> {
    name: &'a str,
    stakes: [f64; 3],
    rows: &'a [[&'a [u16]; 3]],
    bonds: &'a [[&'a [f64]; 3]],
    dividends: &'a [[f64; 3]],
    liquid: bool,
}

const TOP: u16 = u16::MAX;
const HALF: u16 = u16::MAX / 2;
const ONE: &[u16] = &[TOP, 0];
const TWO: &[u16] = &[0, TOP];
const BIG: [f64; 3] = [8.0, 1.0, 1.0];

/// Plays it as `setup_yuma_3_scenario` sets it up, to the source's own 1e-3.
fn play(story: &Story<'_>) {
    let miners = story.rows[0][0].len();
    let mut bonds: Vec<Vec<(u16, u16)>> = vec![Vec::new(); 3];
    for (epoch, (expected, dividends)) in story.bonds.iter().zip(story.dividends).enumerate() {
        let rows = story.rows.get(epoch).or(story.rows.last()).expect("a row");
        let rows = rows.map(|row| (3..).zip(row.iter().copied()).collect::<Vec<(u16, u16)>>());
        let mut stakes = story.stakes.to_vec();
        stakes.resize(3 + miners, 0.0);
        let kept: Vec<&[(u16, u16)]> = bonds.iter().map(Vec::as_slice).collect();
        let mut input = subnet(&stakes, &rows.each_ref().map(Vec::as_slice), &kept);
        let liquid = LiquidAlpha { low: 6_553.0 / 65_535.0, high: 19_660.0 / 65_535.0, steepness: 1000.0 };
        input.rules = YumaRules {
            yuma3: true,
            bonds_penalty: 0.0,
            alpha: 0.025,
            liquid_alpha: story.liquid.then_some(liquid),
            ..rules()
        };
        let outcome = run(&input, Bonds::Next);
        let what = format!("{}, epoch {epoch}", story.name);
        near(&format!("{what}: dividends"), &outcome.dividends[..3], dividends, 1e-3);
        for (validator, expected) in expected.iter().enumerate() {
            let of = |uid| outcome.bonds[validator].get(&uid).copied().unwrap_or(0.0);
            let found: Vec<f64> = (3..).take(miners).map(of).collect();
            near(&format!("{what}: bonds of {validator}"), &found, expected, 1e-3);
        }
        bonds = (0..3).map(|validator| stored_bonds(&outcome, validator)).collect();
    }
}

#[test]
fn the_sources_test_yuma_3_kappa_moves_first_holds() {
    play(&Story {
        name: "kappa moves first",
        stakes: BIG,
        rows: &[[ONE; 3], [TWO, ONE, ONE], [TWO, TWO, ONE], [TWO; 3]],
        bonds: &[
            [&[0.1013, 0.0], &[0.1013, 0.0], &[0.1013, 0.0]],
            [&[0.0908, 0.1013], &[0.3697, 0.0], &[0.3697, 0.0]],
            [&[0.0815, 0.1924], &[0.3170, 0.1013], &[0.5580, 0.0]],
            [&[0.0731, 0.2742], &[0.2765, 0.1924], &[0.4306, 0.1013]],
            [&[0.0656, 0.3478], &[0.2435, 0.2742], &[0.3589, 0.1924]],
            [&[0.0588, 0.4139], &[0.2157, 0.3478], &[0.3089, 0.2742]],
        ],
        dividends: &[
            [0.8000, 0.1000, 0.1000],
            [1.0000, 0.0000, 0.0000],
            [0.9382, 0.0618, 0.0000],
            [0.8819, 0.0773, 0.0407],
            [0.8564, 0.0844, 0.0592],
            [0.8418, 0.0884, 0.0697],
        ],
        liquid: true,
    });
}

#[test]
fn the_sources_test_yuma_3_kappa_moves_last_holds() {
    play(&Story {
        name: "kappa moves last",
        stakes: BIG,
        rows: &[[ONE; 3], [ONE, TWO, ONE], [ONE, TWO, TWO], [TWO; 3]],
        bonds: &[
            [&[0.1013, 0.0], &[0.1013, 0.0], &[0.1013, 0.0]],
            [&[0.1924, 0.0], &[0.0908, 0.2987], &[0.1924, 0.0]],
            [&[0.2742, 0.0], &[0.0815, 0.5081], &[0.1715, 0.2987]],
            [&[0.2416, 0.1013], &[0.0731, 0.5580], &[0.1531, 0.3697]],
            [&[0.2141, 0.1924], &[0.0656, 0.6028], &[0.1369, 0.4336]],
            [&[0.1903, 0.2742], &[0.0588, 0.6430], &[0.1225, 0.4910]],
        ],
        dividends: &[
            [0.8000, 0.1000, 0.1000],
            [0.8446, 0.0498, 0.1056],
            [0.8966, 0.0333, 0.0701],
            [0.4663, 0.3210, 0.2127],
            [0.5976, 0.2340, 0.1683],
            [0.6592, 0.1932, 0.1475],
        ],
        liquid: true,
    });
}

#[test]
fn the_sources_test_yuma_3_stable_miner_holds() {
    let (first, second): (&[u16], &[u16]) = (&[HALF, 0, HALF], &[0, HALF, HALF]);
    play(&Story {
        name: "stable miner",
        stakes: BIG,
        rows: &[[first; 3], [first, second, first], [second, second, first], [second; 3]],
        bonds: &[
            [&[0.0507, 0.0, 0.0507], &[0.0507, 0.0, 0.0507], &[0.0507, 0.0, 0.0507]],
            [&[0.0962, 0.0, 0.0962], &[0.0455, 0.1000, 0.0962], &[0.0962, 0.0, 0.0962]],
            [&[0.0863, 0.0507, 0.1371], &[0.0408, 0.1405, 0.1371], &[0.1770, 0.0, 0.1371]],
            [&[0.0774, 0.0962, 0.1739], &[0.0367, 0.1770, 0.1739], &[0.1579, 0.0507, 0.1739]],
            [&[0.0694, 0.1371, 0.2069], &[0.0329, 0.2097, 0.2069], &[0.1411, 0.0962, 0.2069]],
        ],
        dividends: &[
            [0.8000, 0.1000, 0.1000],
            [0.8226, 0.0745, 0.1028],
            [0.7750, 0.1685, 0.0565],
            [0.7864, 0.1372, 0.0764],
            [0.7912, 0.1241, 0.0847],
        ],
        liquid: true,
    });
}

#[test]
fn the_sources_test_yuma_3_liquid_alpha_disabled_holds() {
    play(&Story {
        name: "liquid alpha disabled",
        stakes: [33.0, 33.0, 34.0],
        rows: &[[ONE; 3], [ONE; 3], [ONE, ONE, TWO], [ONE; 3]],
        bonds: &[
            [&[0.0250, 0.0], &[0.0250, 0.0], &[0.0250, 0.0]],
            [&[0.0494, 0.0], &[0.0494, 0.0], &[0.0494, 0.0]],
            [&[0.0731, 0.0], &[0.0731, 0.0], &[0.0481, 0.0250]],
            [&[0.0963, 0.0], &[0.0963, 0.0], &[0.0719, 0.0244]],
            [&[0.1189, 0.0], &[0.1189, 0.0], &[0.0951, 0.0238]],
            [&[0.1409, 0.0], &[0.1409, 0.0], &[0.1178, 0.0232]],
        ],
        dividends: &[
            [0.3300, 0.3300, 0.3400],
            [0.3300, 0.3300, 0.3400],
            [0.3734, 0.3734, 0.2532],
            [0.3611, 0.3611, 0.2779],
            [0.3541, 0.3541, 0.2919],
            [0.3495, 0.3495, 0.3009],
        ],
        liquid: false,
    });
}

#[test]
fn weights_of_and_for_those_who_do_not_count_are_left_out() {
    let rows: [&[(u16, u16)]; 3] = [&[(0, 1), (2, 1), (3, 2)], &[(1, 1), (3, 1)], &[(3, 1)]];
    let mut input = subnet(&[1.0, 1.0, 1.0, 0.0], &rows, &[]);
    let of = |input: &YumaInput| run(input, Bonds::Next).rows;
    // Nobody's weight for itself counts, but the owner's.
    assert_eq!(of(&input)[0].keys().copied().collect::<Vec<_>>(), [2, 3]);
    input.rules.owner = Some(0);
    assert_eq!(of(&input)[0].len(), 3);
    // Without a permit only the owner's row counts.
    input.neurons.iter_mut().for_each(|neuron| neuron.permit = false);
    assert_eq!(of(&input).iter().map(|row| row.len()).collect::<Vec<_>>(), [3, 0, 0, 0]);
    input.neurons[2].permit = true;
    assert_eq!(of(&input)[2].len(), 1);
    // A miner that registered since then is another one.
    input.neurons[3].registered = Block(1);
    assert!(of(&input)[2].is_empty() && of(&input)[0].len() == 2);
    // One that registered since the oldest commit that is not shown, too.
    input.neurons[3].registered = Block(0);
    input.neurons[2].last_update = Block(9);
    input.neurons[2].committed = Some(Block(0));
    assert_eq!(of(&input)[2].len(), 1);
    input.neurons[3].registered = Block(1);
    assert!(of(&input)[2].is_empty());
}

const UIDS: usize = 9;

prop_compose! {
    fn any_subnet()(
        stakes in prop::collection::vec(prop_oneof![1 => Just(0.0), 3 => 1.0..1e6_f64], UIDS),
        permits in prop::collection::vec(prop::bool::weighted(0.7), UIDS),
        weights in prop::collection::vec(prop::collection::btree_map(0..UIDS as u16, any::<u16>(), 0..UIDS), UIDS),
        bonds in prop::collection::vec(prop::collection::btree_map(0..UIDS as u16, any::<u16>(), 0..UIDS), UIDS),
        updates in prop::collection::vec(0..8000_i64, UIDS),
        registered in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0..8000_i64], UIDS),
        kappa in 0.0..0.99_f64,
        bonds_penalty in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64],
        yuma3 in any::<bool>(),
        liquid in any::<bool>(),
        owner in prop::option::of(0..UIDS as u16),
    ) -> YumaInput {
        let neuron = |uid: usize| YumaNeuron {
            stake: stakes[uid],
            permit: permits[uid],
            last_update: Block(updates[uid]),
            registered: Block(registered[uid]),
            committed: None,
            weights: weights[uid].iter().map(|(uid, weight)| (*uid, *weight)).collect(),
            bonds: bonds[uid].iter().map(|(uid, bond)| (*uid, *bond)).collect(),
        };
        let liquid_alpha = liquid.then_some(LiquidAlpha { low: 0.1, high: 0.9, steepness: 1000.0 });
        YumaInput {
            block: Block(8000),
            rules: YumaRules {
                kappa, bonds_penalty, yuma3, liquid_alpha, owner, bonds_from: Block(7640), ..rules()
            },
            neurons: (0..UIDS).map(neuron).collect(),
        }
    }
}

fn sums_to_one_or_nothing(list: &[f64]) -> bool {
    let sum: f64 = list.iter().sum();
    list.iter().all(|x| x.is_finite() && *x >= 0.0) && (sum == 0.0 || (sum - 1.0).abs() < 1e-9)
}

proptest! {
    #[test]
    fn what_is_paid_sums_to_one_or_nothing_and_trust_is_what_is_not_clipped(input in any_subnet()) {
        for which in [Bonds::Next, Bonds::Settled] {
            let outcome = run(&input, which);
            prop_assert!(sums_to_one_or_nothing(&outcome.incentive), "{:?}", outcome.incentive);
            prop_assert!(sums_to_one_or_nothing(&outcome.dividends), "{:?}", outcome.dividends);
            prop_assert!(sums_to_one_or_nothing(&outcome.active_stake), "{:?}", outcome.active_stake);
            prop_assert!(outcome.trust.iter().all(|trust| (0.0..=1.0 + 1e-9).contains(trust)));
            prop_assert!(outcome.bonds.iter().flat_map(|row| row.values()).all(|b| (0.0..=1.0 + 1e-9).contains(b)));
            for (row, trust) in outcome.rows.iter().zip(&outcome.validator_trust) {
                let whole: f64 = row.values().sum();
                prop_assert!((whole - clipped_part(row, &outcome.consensus) - trust).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_majority_that_agrees_is_never_clipped(mut input in any_subnet(), row in prop::collection::btree_map(6..9_u16, 1..=u16::MAX, 1..3)) {
        input.rules.owner = None;
        for (uid, neuron) in input.neurons.iter_mut().enumerate() {
            neuron.registered = Block(0);
            // UIDs 0 to 2 agree; together they have more stake than it takes.
            if uid < 3 {
                (neuron.permit, neuron.last_update) = (true, Block(7990));
                neuron.weights = row.iter().map(|(uid, weight)| (*uid, *weight)).collect();
            }
        }
        let others: f64 = input.neurons[3..].iter().map(|neuron| neuron.stake).sum();
        let needed = (others + 1.0) * input.rules.kappa / (1.0 - input.rules.kappa) * 1.01 + 1.0;
        input.neurons[..3].iter_mut().for_each(|neuron| neuron.stake = needed);
        let outcome = run(&input, Bonds::Next);
        for trust in &outcome.validator_trust[..3] {
            prop_assert!((trust - 1.0).abs() < 1e-9, "{trust}");
        }
    }

    #[test]
    fn the_unit_of_stake_does_not_matter_nor_who_has_none(mut input in any_subnet(), weights in prop::collection::vec(any::<u16>(), UIDS)) {
        let before = run(&input, Bonds::Next);
        let without = (0..UIDS).find(|uid| before.active_stake[*uid] == 0.0);
        input.neurons.iter_mut().for_each(|neuron| neuron.stake *= 1024.0);
        let after = run(&input, Bonds::Next);
        // A power of two: the same bits.
        prop_assert_eq!(&before, &after);
        if let Some(uid) = without {
            input.neurons[uid].weights = (0..).zip(weights).collect();
            let after = run(&input, Bonds::Next);
            prop_assert_eq!(&before.consensus, &after.consensus);
            prop_assert_eq!(&before.incentive, &after.incentive);
        }
    }

    #[test]
    fn bonds_go_to_what_they_settle_at(mut input in any_subnet()) {
        // Bonds in the chain's 16 bits stand still before they are there; here they need not be stored.
        input.rules.alpha = 1.0;
        input.rules.liquid_alpha = None;
        let (next, settled) = (run(&input, Bonds::Next), run(&input, Bonds::Settled));
        for (next, settled) in next.dividends.iter().zip(&settled.dividends) {
            prop_assert!((next - settled).abs() < 1e-9, "{next} {settled}");
        }
    }
}
