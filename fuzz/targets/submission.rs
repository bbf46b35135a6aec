//! From the plaintext's bytes to one JSON value per challenge.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mantis_config::Challenge;
use mantis_payload::json::{JsonLimits, parse, parse_lenient};
use mantis_payload::submission::split;
use std::sync::LazyLock;

static CHALLENGES: LazyLock<Vec<Challenge>> = LazyLock::new(|| {
    let challenge = |(name, ticker): (&str, &str)| Challenge {
        name: name.into(),
        ticker: ticker.into(),
        ..Challenge::default()
    };
    [("ETH-1H-BINARY", "ETH"), ("XSEC-RANK", "MULTIXSEC"), ("ETH", "B")].map(challenge).into()
});

fuzz_target!(|data: &[u8]| {
    let limits = JsonLimits { bytes: 4096, depth: 8, values: 200, memory: 1 << 16 };
    let strict = parse(data, &limits);
    // What is taken strictly is taken by serde_json, with the same values.
    if let Ok(value) = &strict {
        let other: serde_json::Value = serde_json::from_slice(data).expect("serde_json takes it too");
        assert_eq!(*value, other);
    }
    let Ok((value, unfit)) = parse_lenient(data, &limits) else {
        assert!(strict.is_err());
        return;
    };
    if unfit.is_empty() {
        assert_eq!(strict.as_ref(), Ok(&value));
    }
    if let Ok(split) = split(&value, &CHALLENGES) {
        assert!(split.submissions.keys().all(|key| CHALLENGES.iter().any(|c| c.ticker == *key)));
        let sent = value.as_object().map_or(0, |object| object.len());
        assert!(
            !value.is_object()
                || split.submissions.len() + split.unknown.len() + split.shadowed.len() <= sent
        );
    }
});
