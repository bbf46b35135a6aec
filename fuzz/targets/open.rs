//! Parsing and opening payloads with a fixed signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mantis_fuzz::{cooked, open};

fuzz_target!(|data: &[u8]| {
    let refused = match data.split_first() {
        Some((0xfe, recipe)) => open(&cooked(recipe)),
        _ => open(data),
    };
    if let Err(refusal) = refused {
        // Messages are made of what the miner sent: making them must not fail, and they stay short.
        assert!(refusal.to_string().len() < 1000);
    }
});
