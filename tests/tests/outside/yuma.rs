//! Yuma consensus as it was written a second time, in another language.

use mantis_config::Block;
use mantis_tests::need::{Need, numpy};
use mantis_tests::suite::Trial;
use mantis_tests::{root, trial};
use mantis_weights::yuma::{Bonds, LiquidAlpha, YumaInput, YumaNeuron, YumaRules, run};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(an_epoch_is_that_of_the_one_in_python).needs(Need::Numpy).takes(5)]
}

const SUBNETS: usize = 1000;
const BLOCK: i64 = 10_000;

/// Draws of one subnet.
struct Draws(ChaCha20Rng);

impl Draws {
    /// From 0 to 1, without it.
    fn part(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.part() * end as f64) as usize
    }

    fn chance(&mut self, of: f64) -> bool {
        self.part() < of
    }

    /// UIDs and numbers of 16 bits, some of them 0.
    fn row(&mut self, uids: usize) -> Vec<(u16, u16)> {
        let many = self.below(uids + 1);
        let pairs = (0..many).map(|_| {
            let number = if self.chance(0.1) { 0 } else { self.below(65_536) };
            (self.below(uids) as u16, number as u16)
        });
        pairs.collect::<BTreeMap<u16, u16>>().into_iter().collect()
    }

    fn neuron(&mut self, uids: usize) -> YumaNeuron {
        let validates = self.chance(0.4);
        YumaNeuron {
            stake: if validates { (self.part() * 1e15).floor() } else { 0.0 },
            permit: validates && self.chance(0.9),
            last_update: Block(BLOCK - self.below(6000) as i64),
            registered: Block(if self.chance(0.2) { self.below(10_001) as i64 } else { 0 }),
            committed: self.chance(0.1).then(|| Block(self.below(10_001) as i64)),
            weights: if validates { self.row(uids) } else { Vec::new() },
            bonds: if validates { self.row(uids) } else { Vec::new() },
        }
    }

    fn subnet(&mut self) -> YumaInput {
        let uids = 2 + self.below(39);
        let low = self.part() * 0.5;
        let rules = YumaRules {
            kappa: if self.chance(0.5) { 32_767.0 / 65_535.0 } else { self.part() },
            bonds_penalty: if self.chance(0.6) { self.below(2) as f64 } else { self.part() },
            yuma3: self.chance(0.5),
            alpha: self.part(),
            liquid_alpha: self.chance(0.5).then(|| LiquidAlpha {
                low,
                high: low + self.part() * 0.5,
                steepness: (self.part() * 2000.0).floor(),
            }),
            activity_cutoff: 5000,
            bonds_from: Block(BLOCK - 360),
            owner: self.chance(0.3).then(|| self.below(uids) as u16),
        };
        // Some subnets agree, as real ones do.
        let agreed = self.chance(0.5).then(|| self.row(uids));
        let mut neurons: Vec<YumaNeuron> = (0..uids).map(|_| self.neuron(uids)).collect();
        for neuron in neurons.iter_mut().filter(|neuron| neuron.stake > 0.0) {
            if let Some(row) = agreed.as_ref().filter(|_| self.chance(0.7)) {
                neuron.weights.clone_from(row);
            }
        }
        YumaInput { block: Block(BLOCK), rules, neurons }
    }
}

fn document(input: &YumaInput) -> Value {
    let rules = &input.rules;
    let liquid = rules.liquid_alpha.map(|liquid| (liquid.low, liquid.high, liquid.steepness));
    let neurons = input.neurons.iter().map(|neuron| {
        json!({
            "stake": neuron.stake, "permit": neuron.permit, "last_update": neuron.last_update.0,
            "registered": neuron.registered.0, "committed": neuron.committed.map(|block| block.0),
            "weights": neuron.weights, "bonds": neuron.bonds,
        })
    });
    json!({
        "block": input.block.0,
        "rules": {
            "kappa": rules.kappa, "bonds_penalty": rules.bonds_penalty, "yuma3": rules.yuma3, "alpha": rules.alpha,
            "liquid_alpha": liquid, "activity_cutoff": rules.activity_cutoff, "bonds_from": rules.bonds_from.0,
            "owner": rules.owner,
        },
        "neurons": neurons.collect::<Vec<_>>(),
    })
}

/// What the other program says of each.
fn in_python(subnets: &[YumaInput]) -> Vec<Value> {
    let script = root().join("tests/yuma/yuma.py");
    let mut python = Command::new(numpy())
        .arg(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let lines: String = subnets.iter().map(|input| document(input).to_string() + "\n").collect();
    let mut stdin = python.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", script.display());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn an_epoch_is_that_of_the_one_in_python() {
    let mut draws = Draws(ChaCha20Rng::seed_from_u64(5));
    let subnets: Vec<YumaInput> = (0..SUBNETS).map(|_| draws.subnet()).collect();
    let theirs = in_python(&subnets);
    assert_eq!(theirs.len(), SUBNETS);
    let (mut agreed, mut earned) = (0, 0);
    for (number, (input, theirs)) in subnets.iter().zip(&theirs).enumerate() {
        for (which, theirs) in [Bonds::Next, Bonds::Settled].into_iter().zip(theirs.as_array().unwrap()) {
            let ours = run(input, which);
            let lists = [
                ("consensus", &ours.consensus),
                ("validator_trust", &ours.validator_trust),
                ("incentive", &ours.incentive),
                ("dividends", &ours.dividends),
            ];
            for (name, ours) in lists {
                let theirs: Vec<f64> =
                    theirs[name].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
                assert_eq!(ours.len(), theirs.len(), "{number}: {name}");
                for (uid, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                    let apart = (ours - theirs).abs();
                    assert!(
                        apart <= 1e-6,
                        "subnet {number}, {which:?}, {name} of UID {uid}: {ours} {theirs}"
                    );
                }
            }
            agreed += usize::from(ours.consensus.iter().any(|consensus| *consensus > 0.0));
            earned += usize::from(ours.dividends.iter().any(|dividend| *dividend > 0.0));
        }
    }
    // Most subnets come to something: comparing zeros would show little.
    assert!(agreed > SUBNETS && earned > SUBNETS, "{agreed} {earned}");
}
