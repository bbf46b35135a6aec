//! The same bits, for every target that the plugins are compiled for.

use crate::bench::simulated;
use crate::document::results;
use crate::plugins;
use crate::shell::{build, cargo, mantis, output, root, run, target_dir};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Rows and miners of the ledgers: enough for a plugin to pay somebody, and a month for those that need it.
const LEDGERS: [(u32, u16); 2] = [(16_000, 12), (44_500, 6)];

/// Scores simulated ledgers with plugins for x86-64, for x86-64-v3 (AVX2, FMA) and for WebAssembly where it can be
/// built.
///
/// # Errors
/// If any result differs in a bit, or something cannot be built or run.
pub(crate) fn compare() -> Result<()> {
    build()?;
    let wasm = plugins::toolchain().map_err(Into::into).and_then(|_| plugins::build());
    if let Err(why) = &wasm {
        eprintln!("without WebAssembly: {why}");
    }
    let v3 = if cfg!(target_arch = "x86_64") && has_v3() { Some(build_v3()?) } else { None };
    if v3.is_none() {
        eprintln!("without x86-64-v3: this processor cannot run it");
    }
    for (rows, miners) in LEDGERS {
        let ledger = simulated(rows, miners, None)?;
        for solver in ["exact", "network"] {
            let native = score(&ledger, solver, &["--runtime", "native"])?;
            let paid = native["per_challenge"].as_object().map_or(0, serde_json::Map::len);
            let same = |other: &Value, what: &str| -> Result<()> {
                ensure!(*other == native, "{what}: other saliences than x86-64 in {}", ledger.display());
                println!("{} {solver}: x86-64 and {what} agree on {paid} challenges", ledger.display());
                Ok(())
            };
            if let Some(config) = &v3 {
                let config = config.to_str().context("a path in UTF-8")?;
                same(&score(&ledger, solver, &["--runtime", "native", "--config", config])?, "x86-64-v3")?;
            }
            if wasm.is_ok() {
                same(&score(&ledger, solver, &["--runtime", "wasm"])?, "WebAssembly")?;
            }
        }
    }
    Ok(())
}

fn score(ledger: &Path, solver: &str, args: &[&str]) -> Result<Value> {
    let mut command = mantis()?;
    command.args(["score", "--json", "--solver", solver]).args(args).arg("--ledger").arg(ledger);
    Ok(results(&serde_json::from_str(&output(&mut command)?)?))
}

/// Whether this processor runs code for x86-64-v3.
fn has_v3() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Builds the native plugins for x86-64-v3; gives a configuration whose plugin folder they are in.
fn build_v3() -> Result<std::path::PathBuf> {
    let target = target_dir()?.join("x86-64-v3");
    let mut command = cargo();
    command.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-cpu=x86-64-v3");
    command.args(["build", "--release"]);
    for name in plugins::plugins()? {
        command.args(["-p", &name]);
    }
    run(&mut command)?;
    let text = fs::read_to_string(root().join("challenges.toml"))?;
    let text = text.replacen("plugin_dir = \"plugins\"", "plugin_dir = \"release\"", 1);
    ensure!(text.contains("\"release\""), "challenges.toml names no plugin_dir");
    let config = target.join("challenges.toml");
    fs::write(&config, text)?;
    Ok(config)
}
