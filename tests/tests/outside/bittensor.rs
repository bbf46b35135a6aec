//! The chain's own client, as it lies in the package index: what it makes of weights and of the time of a reveal.

use mantis_network::chain::{EpochClock, Schedule};
use mantis_tests::need::{Need, bittensor};
use mantis_tests::suite::Trial;
use mantis_tests::{root, trial};
use mantis_weights::{WeightLimits, within};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(weights_within_limits_are_those_of_the_chains_client).needs(Need::Bittensor).takes(3),
        trial!(reveals_come_when_the_chains_client_expects_them).needs(Need::Bittensor).takes(10),
    ]
}

const MANY: usize = 1000;

/// What the client answers.
fn answers(questions: &[Value]) -> Vec<Value> {
    let script = root().join("tests/bittensor/client.py");
    let mut python = Command::new(bittensor())
        .arg(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let lines: String = questions.iter().map(|question| question.to_string() + "\n").collect();
    let mut stdin = python.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", script.display());
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

struct Draws(ChaCha20Rng);

impl Draws {
    /// From 0 to 1, without it.
    fn part(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.part() * end as f64) as u64
    }

    fn one_of(&mut self, choices: &[u64]) -> u64 {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn weights_within_limits_are_those_of_the_chains_client() {
    let mut draws = Draws(ChaCha20Rng::seed_from_u64(11));
    let drawn: Vec<(BTreeMap<u16, f64>, WeightLimits)> = (0..MANY)
        .map(|_| {
            let uids = draws.one_of(&[1, 2, 3, 8, 64, 256]);
            // From nearly equal to a few who have nearly all.
            let steep = draws.one_of(&[0, 1, 4, 20]);
            let mut weight = || {
                let part = draws.part() + 1e-6;
                (0..steep).fold(1.0, |weight, _| weight * part)
            };
            let weights = (0..uids).map(|uid| (uid as u16, weight())).collect();
            let limits = WeightLimits {
                own: Some(draws.below(4) as u16),
                fewest: draws.one_of(&[0, 1, 8, 100]) as u16,
                largest: draws.one_of(&[65_535, 32_767, 6_553, 655, 255, 20]) as u16,
            };
            (weights, limits)
        })
        .collect();
    let questions: Vec<Value> = drawn
        .iter()
        .map(|(weights, limits)| {
            json!({
                "ask": "fitted", "uids": weights.keys().collect::<Vec<_>>(), "weights": weights.values().collect::<Vec<_>>(),
                "own": limits.own, "fewest": limits.fewest, "largest": limits.largest,
            })
        })
        .collect();
    let (mut clipped, mut refused) = (0, 0);
    for (number, ((weights, limits), theirs)) in drawn.iter().zip(answers(&questions)).enumerate() {
        match within(weights, limits) {
            Ok(ours) => {
                let theirs: Vec<(u16, u16)> = serde_json::from_value(theirs).unwrap();
                assert_eq!(ours.weights, theirs, "{number}: {limits:?}");
                clipped += usize::from(ours.clipped);
            }
            Err(error) => {
                let theirs =
                    theirs.as_str().unwrap_or_else(|| panic!("{number}: they set what we refuse: {error}"));
                assert!(theirs.contains("requires at least"), "{number}: {theirs}");
                refused += 1;
            }
        }
    }
    // All kinds occur.
    assert!(clipped > MANY / 10 && refused > MANY / 10, "{clipped} {refused}");
}

fn reveals_come_when_the_chains_client_expects_them() {
    /// Blocks that both add, for the chain to take in the beacon's round.
    const SLACK: u64 = 3;
    let mut draws = Draws(ChaCha20Rng::seed_from_u64(12));
    let schedules: Vec<Schedule> = (0..MANY)
        .map(|_| {
            let tempo = draws.one_of(&[1, 2, 50, 99, 360, 1000, 7200]);
            let last_epoch = 1_000_000 + draws.below(100_000);
            // An epoch may be late; then one that is due long since.
            let since = draws.below(tempo + tempo / 4 + 2);
            let block = last_epoch + since;
            let pending = if draws.part() < 0.3 { block - 2 + draws.below(tempo + 4) } else { 0 };
            let since_step = if draws.part() < 0.1 { 50_300 + draws.below(110) } else { since };
            let clock = EpochClock::State { last_epoch, pending, since_step };
            Schedule { block, tempo, reveal_period: 1 + draws.below(4), clock }
        })
        .collect();
    let question = |schedule: &Schedule| {
        let EpochClock::State { last_epoch, pending, since_step } = schedule.clock else { unreachable!() };
        json!({
            "ask": "reveal", "last_epoch": last_epoch, "pending": pending, "tempo": schedule.tempo,
            "since_step": since_step, "block": schedule.block, "reveal_period": schedule.reveal_period,
        })
    };
    let theirs = answers(&schedules.iter().map(question).collect::<Vec<_>>());
    for (schedule, theirs) in schedules.iter().zip(theirs) {
        let ours = schedule.reveal_block().unwrap() + SLACK - schedule.block;
        assert_eq!(Value::from(ours), theirs, "{schedule:?}");
    }
}
