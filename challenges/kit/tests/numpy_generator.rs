//! The generator against draws of NumPy's.

use mantis_kit::rng::NumpyRng;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    high: u64,
    draws: Vec<u64>,
}

#[test]
fn draws_are_those_of_numpy() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/pcg64.json")).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let ours = NumpyRng::new(case.seed).integers_vec(case.high, case.draws.len());
        assert_eq!(ours, case.draws, "seed {}, high {}", case.seed, case.high);
    }
}
