//! `--listen`: the dashboard, the API and the metrics beside a command.

use super::output::complain;
use super::shared::ConfigArgs;
use anyhow::Context;
use clap::Args;
use mantis_config::Config;
use mantis_dashboard::server::{Server, Site};
use mantis_ledger::Ledger;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Where it listens unless told otherwise.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8123);

#[derive(Debug, Args)]
pub(super) struct ListenArgs {
    /// Address of the dashboard, the API and the metrics; `off` for none. The default is 127.0.0.1:8123, or a free port
    /// where that is taken. There is no password: let others reach it only through a proxy that asks for one.
    #[arg(long, value_name = "ADDRESS", value_parser = listen)]
    listen: Option<Listen>,
    /// A name under which it answers, beside localhost and its own address; may be given several times. Requests for other
    /// names are refused: a page of another site may be behind them.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Listen {
    Off,
    At(SocketAddr),
}

fn listen(text: &str) -> Result<Listen, String> {
    if text == "off" {
        return Ok(Listen::Off);
    }
    text.parse()
        .map(Listen::At)
        .map_err(|_| "no address with a port, such as 127.0.0.1:8123 or [::1]:0, and not `off`".into())
}

impl ListenArgs {
    /// Serves the site as the arguments say; `None` where nothing is to be served.
    pub(super) fn serve(&self, site: Arc<Site>) -> anyhow::Result<Option<Server>> {
        let server = match self.listen {
            Some(Listen::Off) => return Ok(None),
            Some(Listen::At(address)) => Server::start(address, &self.host, site)?,
            // Without a named port, any port will do.
            None => Server::start(USUAL, &self.host, site.clone())
                .or_else(|_| Server::start(SocketAddr::new(USUAL.ip(), 0), &self.host, site))?,
        };
        Ok(Some(server))
    }

    /// What there is to say if it is not served where one looks for it.
    pub(super) fn elsewhere(&self, server: &Server) -> Option<String> {
        let address = server.address();
        (self.listen.is_none() && address != USUAL).then(|| {
            format!("{USUAL} is taken, so the dashboard is at {address}; --listen ADDRESS sets another")
        })
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mantis dashboard --ledger datalog.db --listen 127.0.0.1:8123")]
pub(super) struct DashboardArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The ledger; it is only read, and may be one that a validator writes.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    #[command(flatten)]
    listen: ListenArgs,
}

/// `mantis dashboard`.
pub(super) fn dashboard(args: &DashboardArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    Ledger::read(&args.ledger)?.check_layout(&config)?;
    super::runtime()?.block_on(async {
        let site = Site::still(&args.ledger, Arc::new(config));
        let server = args.listen.serve(site)?.context("--listen off leaves nothing to do")?;
        if let Some(elsewhere) = args.listen.elsewhere(&server) {
            complain(&format!("warning: {elsewhere}"));
        }
        eprintln!("dashboard: http://{}/ (Ctrl-C ends it)", server.address());
        ended().await.map(|_| ())
    })
}

/// Waits until the process is asked to end, and gives the name of the signal.
pub(super) async fn ended() -> anyhow::Result<&'static str> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    // Under nohup it is ignored, and stays so.
    let mut hangup = if ignores_hangup() { None } else { Some(listen(SignalKind::hangup())?) };
    let hung_up = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        _ = hung_up => "SIGHUP",
    })
}

/// Whether this process was started to ignore that its terminal goes away.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1)
}
