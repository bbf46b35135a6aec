//! A ledger whose record is long: computations of weights, day after day, without the rows that they came from.

use mantis_config::{Block, Config};
use mantis_ledger::{Activities, Activity, Attempt, Computation, Ledger, Sent};
use mantis_plugin_api::{Description, Salience, WhyZero};
use mantis_weights::Scored;
use mantis_weights::Settlement;

/// What a miner is called.
#[must_use]
pub fn hotkey(miner: usize) -> String {
    format!("5{miner:047}")
}

/// Writes so many computations of all challenges of a configuration for so many miners, one every thousand blocks, the
/// last for `last_block`, and an attempt to set weights for each.
///
/// # Panics
/// If they cannot be written.
pub fn write(ledger: &mut Ledger, config: &Config, miners: usize, computations: usize, last_block: Block) {
    let weights = config.weights();
    for past in (0..computations).rev() {
        let block = last_block - 1000 * past as i64;
        let wave = |miner: usize, challenge: usize| {
            let x = (miner * 7 + challenge * 13 + past) % 17;
            if (miner + challenge).is_multiple_of(3) { 0.0 } else { x as f64 + 1.0 }
        };
        let scored: Vec<Scored> = weights
            .iter()
            .enumerate()
            .map(|(challenge, (ticker, weight))| {
                let mut salience = Salience::new(miners);
                for miner in 0..miners {
                    let x = wave(miner, challenge);
                    if x > 0.0 {
                        salience.set(miner, x);
                    } else {
                        salience.zero(miner, WhyZero::auc(0.49, 0.5));
                    }
                    salience.note(miner, "auc", 0.48 + x / 200.0);
                    salience.note(miner, "rows", 4000.0 + miner as f64);
                }
                salience.fact("share_up", 0.47 + challenge as f64 / 100.0);
                salience.fact("rows", 45_500.0);
                Scored {
                    ticker: ticker.clone(),
                    weight: *weight,
                    hotkeys: (0..miners).map(hotkey).collect(),
                    salience: Some(salience),
                    skipped: None,
                    description: Some(Description::new("plugin", "1.0.0", "It pays for what was foreseen.")),
                    seconds: 1.5,
                    ..Scored::default()
                }
            })
            .collect();
        let sum: f64 = (0..miners).map(|miner| wave(miner, 0)).sum();
        let step = |miner: usize| {
            let share = wave(miner, 0) / sum;
            Settlement {
                uid: u16::try_from(miner).expect("a UID"),
                hotkey: hotkey(miner),
                salience: share,
                young: false,
                share,
                burned: 0.7 * share,
                previous: Some(share),
                weight: 0.7 * share,
            }
        };
        let activity = |miner: usize| Activity {
            rows: 1440,
            present: 1400,
            changes: 1300,
            last_sidx: block.sidx(5),
            changed_sidx: block.sidx(5) - 3,
            twin: (miner == 1).then(|| hotkey(2)),
            twin_rows: if miner == 1 { 1200 } else { 0 },
        };
        let activities: Activities = weights
            .iter()
            .map(|(ticker, _)| {
                (ticker.clone(), (0..miners).map(|miner| (hotkey(miner), activity(miner))).collect())
            })
            .collect();
        let steps: Vec<Settlement> = (0..miners).map(step).collect();
        let unix = 1_700_000_000 + 12 * block.0.cast_unsigned();
        let attempt = Attempt {
            computed: block,
            block: block + 7,
            unix,
            sent: Sent::Set,
            transaction: Some(format!("0x{:064x}", block.0)),
            included: Some(block + 8),
            error: None,
            weights: steps
                .iter()
                .map(|step| (step.uid, step.hotkey.clone(), (65_535.0 * step.weight) as u16))
                .collect(),
        };
        let seconds = 12.0;
        let computation = Computation {
            block,
            max_block: block - 500,
            unix,
            seconds,
            rejected: None,
            scored,
            activities,
            settlements: steps,
            ..Computation::default()
        };
        ledger.store_computation(&computation).expect("stored");
        ledger.store_attempt(&attempt).expect("stored");
    }
}
