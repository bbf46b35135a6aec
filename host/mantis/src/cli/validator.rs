//! `mantis validator`.

use super::Lasting;
use super::listen::{self, ListenArgs};
use super::log::LogArgs;
use super::missing;
use super::release;
use super::score::launcher;
use super::shared::{CacheArgs, ConfigArgs, positive};
use super::supervisor::Supervisor;
use super::wallet::WalletArgs;
use anyhow::Context;
use clap::Args;
use mantis_config::{Block, Config};
use mantis_dashboard::server::Site;
use mantis_ledger::{Ledger, Lock};
use mantis_network::chain::{self, BLOCK_SECONDS, Chain, Signer};
use mantis_validator::bootstrap::fetch;
use mantis_validator::release::Timeline;
use mantis_validator::{Board, HotReload, Service, ServiceOptions, Status, TakeOver, unix, without_path};
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// Time that a validator takes at most to end; what is not finished by then is broken off, and the ledger keeps what was
/// finished.
const ENDING: Duration = Duration::from_secs(8);

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis validator --network finney --netuid 123 --wallet-name validator --wallet-hotkey default\n  \
    mantis validator --network finney --dry-run        # computes and records, touches no key, sends nothing"
)]
pub(super) struct ValidatorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The chain: finney, test, local, URLs of nodes with commas between them, or offline:PATH for one in a file.
    #[arg(long, value_name = "NETWORK")]
    network: String,
    /// The subnet; the default is the configuration's.
    #[arg(long, value_name = "N")]
    netuid: Option<u16>,
    #[command(flatten)]
    wallet: WalletArgs,
    /// The ledger; it is made where it does not exist.
    #[arg(long, value_name = "DB", default_value = "datalog.db")]
    ledger: PathBuf,
    /// Compute and record weights, but open no wallet and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Set weights at once, though another host has set some with this hotkey a short while ago: two of them void each other's.
    #[arg(long, conflicts_with_all = ["dry_run", "take_over_after"])]
    take_over: bool,
    /// Blocks for which another host that sets weights with this hotkey must be silent before this one does, as a standby; the
    /// default is twice `weight_set_interval`.
    #[arg(long, value_name = "BLOCKS", conflicts_with = "dry_run", value_parser = clap::value_parser!(u32).range(1..))]
    take_over_after: Option<u32>,
    /// Challenges scored at the same time; the default leaves one processor to sampling.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Seconds that one challenge may take to be scored.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800.0, value_parser = positive)]
    deadline: f64,
    /// Seconds between two looks at the chain's newest block.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = positive)]
    poll: f64,
    /// Folder for temporary files; the default is the system's.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn run(args: &ValidatorArgs) -> anyhow::Result<()> {
    with_few_pools();
    let Prepared { config, chain, hotkey } = prepare(args).map_err(Lasting)?;
    let netuid = config.network.netuid;
    args.log.start();
    let mut lock = Lock::take(&args.ledger)?;
    let runtime = super::runtime()?;
    if let (Some(from), false) = (&config.datalog, args.ledger.exists()) {
        info!("there is no ledger yet: fetching the published one");
        let newest = runtime.block_on(newest_possible(&chain));
        let bounds = (newest, config.network.sample_every);
        runtime.block_on(fetch(from, &args.ledger, bounds, said_now_and_then()))?;
        info!("the published ledger is here, and sound");
    }
    let mut ledger = Ledger::open(&args.ledger)?;
    lock.hold()?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let run = ServiceOptions {
        hotkey,
        dry_run: args.dry_run,
        take_over: match (args.take_over, args.take_over_after) {
            (true, _) => TakeOver::Now,
            (false, Some(blocks)) => TakeOver::After(blocks),
            (false, None) => TakeOver::Silent,
        },
        poll: Duration::from_secs_f64(args.poll),
        threads: args.threads.map_or(processors.saturating_sub(1).max(1), usize::from),
        histories: args.cache.histories(&args.ledger),
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
        launcher: launcher(args.deadline)?,
    };
    let version = env!("CARGO_PKG_VERSION");
    let hotkey = run.hotkey.as_deref().unwrap_or("none");
    let digest = config.digest();
    info!(version, network = %without_path(&args.network), netuid, hotkey, ledger = %args.ledger.display(), configuration = digest, "validator starts");
    let copies = args.ledger.with_added_extension("plugins");
    std::fs::create_dir_all(&copies)
        .with_context(|| format!("cannot make the folder {}", copies.display()))?;
    let adjust = Box::new(move |config: &mut Config| config.network.netuid = netuid);
    let live = HotReload::start_in(&copies, &args.config.config, run.launcher.clone(), adjust)
        .map_err(|error| Lasting(error.into()))?;
    let mut live = Timeline::from(live);
    let keeper = runtime.block_on(release::resume(&mut live, &ledger))?;
    let current = live.eras().newest().config.clone();
    ledger.check_layout(&current).map_err(|error| Lasting(error.into()))?;
    if let Some(mirrors) = &current.mirrors {
        runtime.block_on(async {
            let newest = newest_possible(&chain).await;
            missing::fetch(&mut ledger, &current, mirrors, newest).await
        })?;
    }
    let status = Status { network: args.network.clone(), ..Status::default() };
    let board = Board::new(status, current);
    let service = Service::new(run, live, chain, ledger, board.clone())?.with_releases(keeper);
    let ended = runtime.block_on(async {
        let server = args.listen.serve(Site::live(&args.ledger, board.clone(), BTreeMap::new()))?;
        if let Some(server) = &server {
            info!(address = %server.address(), "dashboard");
            if let Some(elsewhere) = args.listen.elsewhere(server) {
                warn!("{elsewhere}");
            }
        }
        let signals = listen::ended();
        let mut refused = None;
        let ended = service.run(async {
            match signals.await {
                Ok(signal) => info!(signal, "asked to end"),
                Err(error) => refused = Some(error),
            }
            end_in_time();
        });
        if let Some(supervisor) = Supervisor::from_env() {
            supervisor.tell("READY=1");
            supervisor.watch(board);
        }
        ended.await?;
        refused.map_or(Ok(()), Err)
    });
    // Scoring that goes on is not waited for: its processes end with this one.
    runtime.shutdown_background();
    info!("validator ends");
    ended
}

/// What the command line and its files say.
struct Prepared {
    config: Config,
    chain: Arc<dyn Chain>,
    /// Who sets the weights.
    hotkey: Option<String>,
}

fn prepare(args: &ValidatorArgs) -> anyhow::Result<Prepared> {
    let mut config = Config::load(&args.config.config)?;
    config.network.netuid = args.netuid.unwrap_or(config.network.netuid);
    let signer = if args.dry_run { Signer::ReadOnly } else { args.wallet.signer(None)? };
    anyhow::ensure!(
        args.dry_run || signer.address().is_some(),
        "say which hotkey sets the weights: --wallet-name and --wallet-hotkey, or --hotkey-uri; or --dry-run to set none"
    );
    let hotkey = signer.address().map(String::from);
    let chain = chain::open(&args.network, chain::ChainSettings::from_config(&config), signer)?;
    Ok(Prepared { config, chain: Arc::from(chain), hotkey })
}

/// The newest block that a published ledger can have: the chain's, a little later, or, where it does not answer, as many
/// as could have been made since 1970.
async fn newest_possible(chain: &Arc<dyn Chain>) -> Block {
    // Another node may be an hour ahead.
    const AHEAD: i64 = 300;
    match chain.head().await {
        Ok(head) => head.block + AHEAD,
        Err(error) => {
            warn!(%error, "the chain does not say how far it is; the published ledger is judged without it");
            Block(i64::try_from(unix() / BLOCK_SECONDS).unwrap_or(i64::MAX))
        }
    }
}

/// Logs how far a download is, every ten seconds.
fn said_now_and_then() -> impl FnMut(u64, Option<u64>) {
    let mut last = Instant::now();
    move |had, total| {
        if last.elapsed() >= Duration::from_secs(10) {
            last = Instant::now();
            info!(megabytes = had >> 20, of = total.map(|total| total >> 20), "fetching");
        }
    }
}

/// Starts this process again with two of glibc's pools of memory instead of eight per processor: each holds on to the most
/// that was ever taken from it, which in months is a lot. Other systems know no such setting, and lose nothing.
fn with_few_pools() {
    const POOLS: &str = "MALLOC_ARENA_MAX";
    if std::env::var_os(POOLS).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // Comes back only where it cannot be done; then this process goes on as it is.
        let _ = Command::new(program).args(std::env::args_os().skip(1)).env(POOLS, "2").exec();
    }
}

/// Ends the process when its time to end by itself is over.
fn end_in_time() {
    std::thread::spawn(|| {
        std::thread::sleep(ENDING);
        std::process::exit(0);
    });
}
