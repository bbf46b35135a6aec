//! The calls that set or commit weights.

use super::fault::Fault;
use super::node::At;
use super::refusal::refused;
use super::sealed::{Clock, Commit, Schedule, VERSION};
use super::settings::ChainSettings;
use super::values::{SUBTENSOR, any, missing, number, optional, value};
use crate::chain::Hyperparameters;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use subxt::dynamic::{Value, tx};
use subxt::ext::scale_value::Composite;
use subxt::transactions::DynamicPayload;
use zeroize::Zeroizing;

const DOING: &str = "the weights";
const SEALED_CALL: &str = "commit_timelocked_weights";
/// Milliseconds of a block where the runtime does not say.
const BLOCK_MS: u64 = 12_000;

/// A call with its arguments by name.
pub(super) type Call = DynamicPayload<Composite<()>>;

/// Weights that everyone sees at once.
pub(super) fn plain(netuid: u16, weights: &[(u16, u16)], version_key: u64) -> Call {
    let list = |items: &mut dyn Iterator<Item = u16>| Value::unnamed_composite(items.map(number));
    let arguments = [
        ("netuid", number(netuid)),
        ("dests", list(&mut weights.iter().map(|(uid, _)| *uid))),
        ("weights", list(&mut weights.iter().map(|(_, weight)| *weight))),
        ("version_key", number(version_key)),
    ];
    tx(SUBTENSOR, "set_weights", Composite::named(arguments))
}

/// Weights that the chain shows some epochs later.
pub(super) fn sealed(netuid: u16, commit: &Commit) -> Call {
    let arguments = [
        ("netuid", number(netuid)),
        ("commit", Value::from_bytes(&commit.sealed)),
        ("reveal_round", number(commit.round)),
        ("commit_reveal_version", number(VERSION)),
    ];
    tx(SUBTENSOR, SEALED_CALL, Composite::named(arguments))
}

/// Seals weights as the chain's settings of this moment want it.
pub(super) async fn commit(
    at: &At,
    settings: &ChainSettings,
    rules: &Hyperparameters,
    hotkey: &[u8; 32],
    weights: &[(u16, u16)],
) -> Result<Commit, Fault> {
    let known =
        at.metadata_ref().pallet_by_name(SUBTENSOR).ok_or_else(|| missing(format!("pallet {SUBTENSOR}")))?;
    if known.call_variant_by_name(SEALED_CALL).is_none() {
        let cure = format!(
            "the subnet has commit-reveal on, and this runtime (spec {}) has no {SEALED_CALL}: wait until it is \
             upgraded, or until the subnet's owner turns commit-reveal off",
            at.spec_version()
        );
        return Err(refused(DOING, "CommitRevealEnabled", &cure));
    }
    if rules.commit_reveal_version.is_some_and(|version| version != VERSION) {
        let cure = "update this program: the chain commits weights in another way";
        return Err(refused(DOING, "IncorrectCommitRevealVersion", cure));
    }
    let Some(beacon) = &settings.beacon else {
        return Err(refused(
            DOING,
            "NoBeacon",
            "set the beacon of the chain: without it, weights cannot be sealed",
        ));
    };
    let schedule = schedule(at, settings.netuid, rules).await?;
    let unix: u64 = optional(at, "Timestamp", "Now", vec![]).await?.unwrap_or(0) / 1000;
    let Some(round) = schedule.reveal_round(unix, block_ms(at), beacon) else {
        return Err(refused(
            DOING,
            "TempoIsZero",
            "wait until the subnet runs epochs: without them nothing is revealed",
        ));
    };
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())
        .map_err(|_| refused(DOING, "NoRandomness", "the system gives no random bytes"))?;
    let mut rng = ChaCha20Rng::from_seed(*seed);
    Commit::seal(hotkey, weights, settings.version_key, round, beacon, &mut rng)
        .ok_or_else(|| refused(DOING, "CommitTooLong", "set fewer weights"))
}

async fn schedule(at: &At, netuid: u16, rules: &Hyperparameters) -> Result<Schedule, Fault> {
    let keys = || vec![number(netuid)];
    let clock = match any(at, &["LastEpochBlock"], keys).await? {
        Some(last_epoch) => Clock::State {
            last_epoch,
            pending: any(at, &["PendingEpochAt"], keys).await?.unwrap_or(0),
            since_step: value(at, "BlocksSinceLastStep", keys()).await?,
        },
        None => Clock::Number { netuid },
    };
    Ok(Schedule {
        block: at.block_number(),
        tempo: u64::from(rules.tempo),
        reveal_period: rules.reveal_period,
        clock,
    })
}

/// Milliseconds of a block: twice the least time between two.
fn block_ms(at: &At) -> u64 {
    let half = at.constants().entry(subxt::dynamic::constant::<u64>("Timestamp", "MinimumPeriod"));
    half.ok().and_then(|half| half.checked_mul(2)).filter(|ms| *ms > 0).unwrap_or(BLOCK_MS)
}
