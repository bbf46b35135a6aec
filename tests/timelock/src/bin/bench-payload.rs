//! Payloads opened per second on one core, beside the time-lock of the `timelock` crate: `cargo xtask bench payload`.

use anyhow::{Context, Result, ensure};
use mantis_payload::beacon::{Scheme, signing::BeaconKey};
use mantis_payload::timelock::{self, Size};
use mantis_payload::{Envelope, EnvelopeRules, OwnerSecret, SealOptions, seal};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::time::Instant;

const ROUND: u64 = 1000;
const HOTKEY: &str = "5FpjvVN9fkYjNvNwzZYxLFNz2UVDmeZ8ZvD47A1dLMnsVgo6";
/// Runs of each kind; the fastest counts.
const RUNS: usize = 7;
/// Payloads that should be opened per second on one core.
const WANTED: f64 = 1500.0;

fn main() -> Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(256), |n| n.parse()).context("not a number of payloads")?;
    let key = BeaconKey::from_seed(&[1; 32]).map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let scheme = Scheme::new(&key.public_key(), 0, 3)?;
    let signature = key.sign(ROUND);
    let owner = OwnerSecret::new([2; 32]);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    // As large as what a miner of every challenge sends: 245 numbers.
    let numbers: Vec<f64> = (0..245).map(|i| f64::from(i) / 245.0).collect();
    let plaintext = serde_json::Map::from_iter([("ETH".to_owned(), numbers.into())]);
    let mut sealed = Vec::new();
    for _ in 0..count {
        let options = SealOptions::default();
        sealed.push(seal(&plaintext, HOTKEY, ROUND, &owner.public_key(), &scheme, options, &mut rng)?);
    }
    let rules = EnvelopeRules::new(owner.public_key(), ROUND, 1 << 16);
    let text = [b'7'; timelock::TEXT];
    let mut locked = Vec::new();
    for _ in 0..count {
        locked.push(timelock::seal(&text, ROUND, &scheme, Size::Short, &mut rng).context("cannot seal")?);
    }

    println!(
        "{count} payloads, {} bytes each, one core, processor time, fastest of {RUNS} runs",
        sealed[0].len()
    );
    println!("{:44} {:>9} {:>11}", "", "ms each", "per second");
    let whole = measure("payload: parse and open (signature)", &sealed, |payload| {
        Envelope::parse(payload, HOTKEY, &rules).and_then(|envelope| envelope.open(&signature)).is_ok()
    })?;
    measure("payload: parse alone", &sealed, |payload| Envelope::parse(payload, HOTKEY, &rules).is_ok())?;
    measure("payload: parse and open (owner)", &sealed, |payload| {
        Envelope::parse(payload, HOTKEY, &rules).and_then(|envelope| envelope.open_as_owner(&owner)).is_ok()
    })?;
    measure("time-lock alone, ours", &locked, |ct| timelock::open(ct, ROUND, &signature).is_ok())?;
    measure("time-lock alone, crate timelock 0.3.0", &locked, |ct| {
        mantis_timelock_tests::open(ct, &signature).is_ok()
    })?;
    measure("beacon signature verified", &locked, |_| scheme.verify(ROUND, &signature))?;
    let judgement =
        if whole >= WANTED { "enough" } else { "too few, unless the machine is busy with something else" };
    println!("{whole:.0} payloads opened per second and core, {WANTED} wanted: {judgement}");
    Ok(())
}

/// Times `work` over all inputs, as often as the clock needs, and prints it. Gives how many are done per second.
fn measure(name: &str, inputs: &[Vec<u8>], work: impl Fn(&[u8]) -> bool) -> Result<f64> {
    /// A run is this long at least, s: the system counts a thread's time in ticks of some milliseconds.
    const LONG: f64 = 0.5;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let (start, mut rounds, mut spent) = (Clock::start(), 0, 0.0);
        while spent < LONG {
            let done = inputs.iter().filter(|input| work(input)).count();
            ensure!(done == inputs.len(), "{name}: {} of {} failed", inputs.len() - done, inputs.len());
            rounds += 1;
            spent = start.seconds();
        }
        best = best.min(spent / f64::from(rounds));
    }
    let each = best / inputs.len() as f64;
    println!("{name:44} {:9.4} {:11.0}", 1000.0 * each, 1.0 / each);
    Ok(1.0 / each)
}

/// Time that this thread was on a processor, where Linux tells it: other programs' share of the machine does not
/// count. Elsewhere, time.
struct Clock {
    wall: Instant,
    processor: Option<f64>,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), processor: processor_seconds() }
    }

    fn seconds(&self) -> f64 {
        let wall = || self.wall.elapsed().as_secs_f64();
        processor_seconds().zip(self.processor).map_or_else(wall, |(now, start)| now - start)
    }
}

fn processor_seconds() -> Option<f64> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = line.split(' ').next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}
