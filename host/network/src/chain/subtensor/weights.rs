//! The calls that set or commit weights.

use super::node::At;
use super::node_error::NodeError;
use super::refusal::refused;
use super::sealed::{Clock, Commit, Schedule, VERSION};
use super::settings::ChainSettings;
use super::values::{SUBTENSOR, any, missing, number, optional, value};
use crate::chain::Hyperparameters;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use subxt::dynamic::{Value, tx};
use subxt::ext::scale_value::Composite;
use subxt::metadata::Metadata;
use subxt::transactions::DynamicPayload;
use zeroize::Zeroizing;

const DOING: &str = "the weights";
/// The calls by name: those that name a mechanism, and those of runtimes before there were any.
const PLAIN: [&str; 2] = ["set_mechanism_weights", "set_weights"];
const SEALED: [&str; 2] = ["commit_timelocked_mechanism_weights", "commit_timelocked_weights"];
/// Milliseconds of a block where the runtime does not say.
const BLOCK_MS: u64 = 12_000;

/// A call with its arguments by name.
pub(super) type Call = DynamicPayload<Composite<()>>;

/// Weights that everyone sees at once.
///
/// # Errors
/// If the runtime knows no mechanisms, and the weights are for another than the first.
pub(super) fn plain(
    metadata: &Metadata,
    settings: &ChainSettings,
    weights: &[(u16, u16)],
) -> Result<Call, NodeError> {
    let list = |items: &mut dyn Iterator<Item = u16>| Value::unnamed_composite(items.map(number));
    let arguments = vec![
        ("dests", list(&mut weights.iter().map(|(uid, _)| *uid))),
        ("weights", list(&mut weights.iter().map(|(_, weight)| *weight))),
        ("version_key", number(settings.version_key)),
    ];
    call(metadata, settings, PLAIN, arguments)
}

/// Weights that the chain shows some epochs later.
///
/// # Errors
/// As [`plain`].
pub(super) fn sealed(
    metadata: &Metadata,
    settings: &ChainSettings,
    commit: &Commit,
) -> Result<Call, NodeError> {
    let arguments = vec![
        ("commit", Value::from_bytes(&commit.sealed)),
        ("reveal_round", number(commit.round)),
        ("commit_reveal_version", number(VERSION)),
    ];
    call(metadata, settings, SEALED, arguments)
}

/// The first of two calls that the runtime has: one for a mechanism of the subnet, and one of before there were mechanisms.
fn call(
    metadata: &Metadata,
    settings: &ChainSettings,
    [newer, older]: [&str; 2],
    arguments: Vec<(&str, Value)>,
) -> Result<Call, NodeError> {
    let netuid = [("netuid", number(settings.netuid))];
    if has(metadata, newer)? {
        let mechanism = [("mecid", number(settings.mechanism))];
        let all = netuid.into_iter().chain(mechanism).chain(arguments);
        return Ok(tx(SUBTENSOR, newer, Composite::named(all)));
    }
    if settings.mechanism > 0 {
        return Err(missing(format!(
            "call {SUBTENSOR}.{newer}, which weights of mechanism {} need",
            settings.mechanism
        )));
    }
    Ok(tx(SUBTENSOR, older, Composite::named(netuid.into_iter().chain(arguments))))
}

/// Whether the runtime takes weights that are committed.
pub(super) fn can_commit(metadata: &Metadata) -> bool {
    SEALED.iter().any(|call| has(metadata, call).unwrap_or(false))
}

fn has(metadata: &Metadata, call: &str) -> Result<bool, NodeError> {
    let pallet = metadata.pallet_by_name(SUBTENSOR).ok_or_else(|| missing(format!("pallet {SUBTENSOR}")))?;
    Ok(pallet.call_variant_by_name(call).is_some())
}

/// Seals weights as the chain's settings of this moment want it.
pub(super) async fn commit(
    at: &At,
    settings: &ChainSettings,
    rules: &Hyperparameters,
    hotkey: &[u8; 32],
    weights: &[(u16, u16)],
) -> Result<Commit, NodeError> {
    if !can_commit(at.metadata_ref()) {
        let cure = format!(
            "the subnet has commit-reveal on, and this runtime (spec {}) has no commit_timelocked_weights: wait until it is \
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

async fn schedule(at: &At, netuid: u16, rules: &Hyperparameters) -> Result<Schedule, NodeError> {
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
