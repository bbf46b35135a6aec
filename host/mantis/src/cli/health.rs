//! `mantis health`.

use super::output::print;
use super::shared::positive;
use anyhow::{Context, bail};
use clap::Args;
use mantis_network::http;
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis health --ready\n\nFor supervisors that run a command: exit code 0 if all is well, 1 if it is not or \
    there is no answer."
)]
pub(super) struct HealthArgs {
    /// Where the validator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8123")]
    url: String,
    /// Ask whether it does its work (`/readyz`), not only whether it runs (`/healthz`).
    #[arg(long)]
    ready: bool,
    /// Seconds to wait for the answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = positive)]
    timeout: f64,
}

/// Bytes of an answer that are read.
const LONGEST: usize = 64 << 10;

/// What the validator answers.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    why: Vec<String>,
}

pub(super) fn run(args: &HealthArgs) -> anyhow::Result<()> {
    let path = if args.ready { "readyz" } else { "healthz" };
    let url = format!("{}/{path}", args.url.trim_end_matches('/'));
    let answer = super::runtime()?.block_on(ask(&url, Duration::from_secs_f64(args.timeout)))?;
    if !answer.ok {
        bail!("{}", answer.why.join("; "));
    }
    print("ok\n")
}

async fn ask(url: &str, timeout: Duration) -> anyhow::Result<Answer> {
    let client = http::builder().timeout(timeout).build().context("no HTTP client can be set up")?;
    let mut response = client.get(url).send().await.with_context(|| format!("no answer from {url}"))?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.with_context(|| format!("{url}: cut short"))? {
        body.extend_from_slice(&piece);
        anyhow::ensure!(body.len() <= LONGEST, "{url}: more than {LONGEST} bytes: is that a validator?");
    }
    serde_json::from_slice(&body)
        .with_context(|| format!("{url} answers with status {}: is that a validator?", response.status()))
}
