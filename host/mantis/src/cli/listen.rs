//! `--listen`: the dashboard, the API and the metrics beside a command.

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
        eprintln!("dashboard: http://{}/ (Ctrl-C ends it)", server.address());
        ended().await
    })
}

/// Waits until the process is asked to end.
pub(super) async fn ended() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
