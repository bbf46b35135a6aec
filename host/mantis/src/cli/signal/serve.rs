//! `mantis signal serve`.

use super::shared::{PlansArgs, StoreArgs, now_ms};
use crate::cli::listen::ended;
use clap::Args;
use mantis_signal::server::{SignalServer, SignalSite};
use mantis_signal::signing::{KEY_FILE, SigningKey};
use mantis_signal::store::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// Time between two looks for a day that has ended.
const DAYS: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis signal serve --store signals --plans signal.toml --host signals.example.org"
)]
pub(in crate::cli) struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    serving: ServingArgs,
}

/// How a store is served.
#[derive(Debug, Args)]
pub(super) struct ServingArgs {
    #[command(flatten)]
    plans: PlansArgs,
    /// Address to listen on. There is no encryption: let others reach it only through a proxy that has it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8124")]
    listen: SocketAddr,
    /// A name under which it answers, beside localhost and its own address; may be given several times.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// The subnet, for the page and /.well-known/mantis.json.
    #[arg(long, value_name = "NETUID")]
    netuid: Option<u16>,
}

impl ServingArgs {
    /// The site of a store in a folder, and the key that it signs with.
    pub(super) fn site(
        &self,
        folder: &StoreArgs,
        store: Arc<Store>,
    ) -> anyhow::Result<(Arc<SignalSite>, Arc<SigningKey>)> {
        let plans = self.plans.load(folder)?;
        let key = Arc::new(SigningKey::load_or_make(&folder.store.join(KEY_FILE))?);
        allow_files(plans.serving.connections);
        Ok((SignalSite::new(store, plans, key.clone(), self.netuid)?, key))
    }

    /// Serves a site. Needs a runtime.
    pub(super) fn start(&self, site: Arc<SignalSite>) -> anyhow::Result<SignalServer> {
        let server = SignalServer::start(self.listen, &self.host, site)?;
        eprintln!("signals: http://{}/ (Ctrl-C ends it)", server.address());
        Ok(server)
    }
}

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let store = Arc::new(args.store.open()?);
    let (site, key) = args.serving.site(&args.store, store.clone())?;
    super::super::runtime()?.block_on(async {
        let _server = args.serving.start(site)?;
        let signing = tokio::spawn(sign_days(store, key));
        let ended = ended().await;
        signing.abort();
        ended.map(|_| ())
    })
}

/// Signs each day when it has ended.
async fn sign_days(store: Arc<Store>, key: Arc<SigningKey>) {
    loop {
        let (store, key) = (store.clone(), key.clone());
        let signed =
            tokio::task::spawn_blocking(move || Ok::<_, anyhow::Error>(store.sign_days(&key, now_ms()?)?));
        match signed.await {
            Ok(Err(error)) => warn!(%error, "a day was not signed"),
            Err(error) => warn!(%error, "a day was not signed"),
            Ok(Ok(_)) => {}
        }
        tokio::time::sleep(DAYS).await;
    }
}

/// Raises the number of open files to what so many connections need, as far as the system allows.
fn allow_files(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(128);
    let now = getrlimit(Resource::Nofile);
    let current = now.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return;
    }
    let raised = now.maximum.map_or(wanted, |most| most.min(wanted));
    let set = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: now.maximum });
    if set.is_err() || raised < wanted {
        eprintln!("warning: fewer files may be open than {connections} connections need; see `ulimit -n`");
    }
}
