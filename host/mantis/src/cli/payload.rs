//! `mantis payload seal` and `mantis payload open`.

use super::checker::Checker;
use super::output::{complain, print, print_json};
use super::score::launcher;
use super::shared::ConfigArgs;
use crate::miner::Check;
use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use mantis_config::Config;
use mantis_network::beacon::BeaconClient;
use mantis_network::wallet::check_address;
use mantis_payload::beacon::Scheme;
use mantis_payload::json::{JsonLimits, parse_lenient};
use mantis_payload::submission::split;
use mantis_payload::{
    Envelope, EnvelopeRules, OwnerSecret, PayloadRejection, Plaintext, SealOptions, Suite, seal, timelock,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

#[derive(Debug, Subcommand)]
pub(super) enum PayloadCommand {
    /// Seal embeddings as a payload: only the subnet's owner can read it before its round is out.
    Seal(SealArgs),
    /// Open a payload and print what is in it.
    Open(OpenArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis payload seal --hotkey 5F3sa2TJ... --in embeddings.json --out payload.json --lock-seconds 60"
)]
pub(super) struct SealArgs {
    /// The miner's hotkey, SS58.
    #[arg(long)]
    hotkey: String,
    /// The embeddings as JSON; `-` is standard input.
    #[arg(long = "in", value_name = "EMBEDDINGS.json")]
    input: PathBuf,
    /// Where the payload goes; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The beacon round that opens it.
    #[arg(long, conflicts_with = "lock_seconds", value_parser = clap::value_parser!(u64).range(1..))]
    round: Option<u64>,
    /// Seconds from now until it can be opened; `suggested_lock` of the configuration if neither is given.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=315_360_000))]
    lock_seconds: Option<u64>,
    /// The owner's public key instead of the configured one, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    owner_key: Option<String>,
    /// How to seal. The network's validators open the network's suite only.
    #[arg(long, default_value = "network")]
    suite: SuiteArg,
    /// Size of the time-lock in the network's suite, bytes; both are in use.
    #[arg(long, default_value = "372")]
    size: SizeArg,
    /// Seal also what validators would not take, or not store as it is.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    config: ConfigArgs,
    /// Print one JSON document about the payload.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis payload open payload.json --hotkey 5F3sa2TJ... --signature b75c69d0...\n\nWithout a \
    signature and a secret, the signature is fetched from the beacon. With both, the two paths must agree."
)]
pub(super) struct OpenArgs {
    /// The payload; `-` is standard input.
    file: PathBuf,
    /// The hotkey it was collected for.
    #[arg(long)]
    hotkey: String,
    /// The beacon's signature of the payload's round, 96 hexadecimal digits; it is verified.
    #[arg(long, value_name = "HEX")]
    signature: Option<String>,
    /// The owner's X25519 secret, 64 hexadecimal digits: opens without the beacon.
    #[arg(long, value_name = "HEX")]
    owner_secret: Option<String>,
    /// The owner's public key instead of the configured one, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    owner_key: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Print a refusal as JSON too; what is in a payload always is.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SuiteArg {
    /// The network's own.
    Network,
    /// drand's own time-lock.
    Drand,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SizeArg {
    /// What most miners' client writes.
    #[value(name = "372")]
    Long,
    /// The shorter form.
    #[value(name = "356")]
    Short,
}

pub(super) fn run(command: &PayloadCommand) -> anyhow::Result<()> {
    match command {
        PayloadCommand::Seal(args) => run_seal(args),
        PayloadCommand::Open(args) => run_open(args),
    }
}

fn run_seal(args: &SealArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let beacon = Scheme::from_config(&config.beacon).with_context(|| config.file.display().to_string())?;
    let name = args.input.display();
    let (plaintext, unfit) = read_plaintext(&args.input, &config)?;
    ensure!(unfit.is_empty(), "{name}: {} is not a JSON number; send finite numbers", unfit.join(", "));
    let plaintext = match plaintext {
        Value::Object(object) => object,
        list => split(&list, &config.challenges)
            .with_context(|| name.to_string())?
            .submissions
            .into_iter()
            .collect::<Map<_, _>>(),
    };
    let round = match args.round {
        Some(round) => round,
        None => {
            let seconds = args.lock_seconds.unwrap_or(config.network.suggested_lock.into());
            beacon.round_at(now()?.saturating_add(seconds)).max(1)
        }
    };
    if !args.force {
        let mut faults = Vec::new();
        faults.extend(check_address(&args.hotkey).err().map(|fault| fault.to_string()));
        let age = now()?.saturating_sub(beacon.published_at(round));
        if age > config.beacon.oldest_round {
            faults.push(format!(
                "round {round} came out {age} s ago; validators take none that is older than {} s",
                config.beacon.oldest_round
            ));
        }
        match (Checker { config: &config, launcher: launcher(60.0)? }).check(&plaintext) {
            Ok(warnings) => warnings.iter().for_each(|warning| complain(&format!("warning: {warning}"))),
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
        ensure!(
            faults.is_empty(),
            "{}; nothing was sealed: correct it, or seal it all the same with --force",
            faults.join("; ")
        );
    }
    let options = SealOptions {
        suite: match args.suite {
            SuiteArg::Network => Suite::Network,
            SuiteArg::Drand => Suite::Drand,
        },
        size: match args.size {
            SizeArg::Long => timelock::Size::Long,
            SizeArg::Short => timelock::Size::Short,
        },
    };
    let mut rng =
        ChaCha20Rng::try_from_rng(&mut getrandom::SysRng).context("the system gives no randomness")?;
    let owner_key = owner_key(args.owner_key.as_deref(), &config)?;
    let payload = seal(&plaintext, &args.hotkey, round, &owner_key, &beacon, options, &mut rng)?;
    ensure!(
        payload.len() as u64 <= config.collect.max_bytes,
        "{name}: sealed, it has {} bytes; validators take {}: send less",
        payload.len(),
        config.collect.max_bytes
    );
    // As validators look at it.
    Envelope::parse(&payload, &args.hotkey, &rules(owner_key, &config))
        .with_context(|| format!("{name}: sealed, it would be refused"))?;
    if args.out.as_os_str() == "-" {
        return print(&(String::from_utf8(payload)? + "\n"));
    }
    let out = args.out.display();
    std::fs::write(&args.out, &payload).with_context(|| format!("cannot write {out}"))?;
    let opens_at = beacon.published_at(round);
    if args.json {
        return print_json(&json!({
            "out": out.to_string(), "hotkey": args.hotkey, "round": round, "opens_at": opens_at,
            "bytes": payload.len(), "sha256": hex::encode(Sha256::digest(&payload)), "alg": options.suite.label(),
        }));
    }
    let wait = opens_at.saturating_sub(now()?);
    print(&format!("{out}: {} bytes, opens with beacon round {round}, in {wait} s\n", payload.len()))
}

fn run_open(args: &OpenArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let beacon = Scheme::from_config(&config.beacon).with_context(|| config.file.display().to_string())?;
    let name = args.file.display();
    let payload = read(&args.file, config.collect.max_bytes)?;
    let owner_key = owner_key(args.owner_key.as_deref(), &config)?;
    let secret = match &args.owner_secret {
        Some(digits) => {
            Some(OwnerSecret::from_hex(digits).context("--owner-secret is not 64 hexadecimal digits")?)
        }
        None => None,
    };
    let rules = rules(owner_key, &config);
    let refused = |refusal: PayloadRejection| {
        if args.json {
            print_json(&json!({ "refused": { "code": refusal.code(), "message": refusal.to_string() } }))?;
        }
        Err(anyhow::Error::new(refusal).context(format!("{name} is refused")))
    };
    let envelope = match Envelope::parse(&payload, &args.hotkey, &rules) {
        Ok(envelope) => envelope,
        Err(refusal) => return refused(refusal),
    };
    let round = envelope.round();
    let signature = match &args.signature {
        Some(digits) => {
            let signature = bytes(digits, "--signature")?;
            ensure!(
                beacon.verify(round, &signature),
                "--signature is not the beacon's of round {round}, which the payload is locked to; give that of this round, of the \
                 beacon in {}",
                config.file.display()
            );
            Some(signature)
        }
        None if secret.is_some() => None,
        None => Some(fetched(&config, beacon, round)?),
    };
    let by_signature = signature.map(|signature| envelope.open(&signature)).transpose();
    let by_owner = secret.map(|secret| envelope.open_as_owner(&secret)).transpose();
    match (by_signature, by_owner) {
        (Err(refusal), _) | (_, Err(refusal)) => refused(refusal),
        (Ok(Some(a)), Ok(Some(b))) if a != b => bail!("{name}: the two paths open different plaintexts"),
        (Ok(Some(opened)), _) | (_, Ok(Some(opened))) => show(&opened),
        (Ok(None), Ok(None)) => bail!("give --signature or --owner-secret"),
    }
}

fn show(opened: &Plaintext) -> anyhow::Result<()> {
    for number in &opened.unfit_numbers {
        complain(&format!(
            "warning: {number} is not a JSON number; it is shown as what the validator takes it for"
        ));
    }
    print_json(&opened.object)
}

/// The signature of a round, from the configured beacon.
fn fetched(config: &Config, beacon: Scheme, round: u64) -> anyhow::Result<[u8; 48]> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = BeaconClient::new(beacon, &config.beacon.api)?;
    runtime
        .block_on(client.signature(round))
        .context("no --signature and no --owner-secret was given, and the beacon was asked")
}

/// What validators ask of a payload, whenever its round is.
fn rules(owner_key: [u8; 32], config: &Config) -> EnvelopeRules {
    EnvelopeRules::new(owner_key, u64::MAX, config.collect.plaintext_bytes)
}

/// Embeddings as JSON, with the numbers in them that JSON does not have.
pub(super) fn read_plaintext(path: &Path, config: &Config) -> anyhow::Result<(Value, Vec<String>)> {
    let limits = JsonLimits::of_plaintext(config.collect.plaintext_bytes);
    let text = read(path, limits.bytes as u64)?;
    parse_lenient(&text, &limits).with_context(|| path.display().to_string())
}

/// A file, or standard input for `-`, of at most `limit` bytes.
fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let mut bytes = Vec::new();
    let take = |reader: &mut dyn Read, bytes: &mut Vec<u8>| reader.take(limit + 1).read_to_end(bytes);
    if path.as_os_str() == "-" {
        take(&mut std::io::stdin().lock(), &mut bytes).context("cannot read standard input")?;
    } else {
        let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
        take(&mut file, &mut bytes).with_context(|| format!("cannot read {name}"))?;
    }
    ensure!(bytes.len() as u64 <= limit, "{name}: more than {limit} bytes, which is not taken; send less");
    Ok(bytes)
}

fn owner_key(argument: Option<&str>, config: &Config) -> anyhow::Result<[u8; 32]> {
    argument.map_or(Ok(config.network.owner_key), |digits| bytes(digits, "--owner-key"))
}

/// The bytes of an argument.
fn bytes<const N: usize>(digits: &str, name: &str) -> anyhow::Result<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    let good = digits.len() == 2 * N && hex::decode_to_slice(digits, bytes.as_mut()).is_ok();
    ensure!(good, "{name} is not {} hexadecimal digits", 2 * N);
    Ok(*bytes)
}

fn now() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs())
}
