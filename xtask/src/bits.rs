//! The same bits, for every target that the plugins are compiled for.

use crate::document::results;
use crate::plugins;
use crate::shell::{build, cargo, mantis, output, root, run, target_dir};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A simulated ledger and what is scored of it.
struct Trial {
    /// The configuration, from the root.
    config: &'static str,
    /// Enough for a plugin to pay somebody, and a month for those that need it.
    rows: u32,
    miners: u16,
    /// What is scored of it; `None`: all.
    only: Option<&'static str>,
}

const TRIALS: [Trial; 5] = [
    Trial { config: "profiles/2026-05.toml", rows: 16_000, miners: 12, only: None },
    Trial { config: "profiles/2026-05.toml", rows: 44_500, miners: 6, only: None },
    Trial {
        config: "profiles/2026-07.toml",
        rows: 30_000,
        miners: 12,
        only: Some("ETH,ETHHITFIRST,ETHLBFGS,TRADEMIX"),
    },
    Trial { config: "profiles/2026-09.toml", rows: 20_000, miners: 12, only: Some("FLOW") },
    Trial { config: "challenges/dmae/challenge.toml", rows: 20_000, miners: 24, only: None },
];

/// Scores simulated ledgers with plugins for x86-64, for x86-64-v3 (AVX2, FMA) and for WebAssembly where it can be
/// built, from the ledger alone and from histories that were kept.
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
    for trial in &TRIALS {
        let ledger = trial.simulated()?;
        for solver in ["exact", "network"] {
            let config = trial.config();
            let native = trial.score(&ledger, solver, &["native", "--no-cache"], &config)?;
            let paid = native["per_challenge"].as_object().map_or(0, serde_json::Map::len);
            let same = |other: &Value, what: &str| -> Result<()> {
                ensure!(*other == native, "{what}: other saliences than x86-64 in {}", ledger.display());
                println!("{} {solver}: x86-64 and {what} agree on {paid} challenges", ledger.display());
                Ok(())
            };
            if let Some(target) = &v3 {
                let config = trial.config_of(target)?;
                same(&trial.score(&ledger, solver, &["native"], &config)?, "x86-64-v3")?;
            }
            // From here on with the histories that were kept meanwhile.
            same(&trial.score(&ledger, solver, &["native"], &config)?, "a kept history")?;
            if wasm.is_ok() {
                same(&trial.score(&ledger, solver, &["wasm"], &config)?, "WebAssembly")?;
            }
        }
    }
    Ok(())
}

impl Trial {
    fn config(&self) -> PathBuf {
        root().join(self.config)
    }

    /// The configuration's name, for files that are made with it.
    fn name(&self) -> String {
        self.config.trim_start_matches("profiles/").trim_end_matches(".toml").replace('/', "-")
    }

    /// The configuration with the plugins of another target, in whose folder it is written.
    fn config_of(&self, target: &Path) -> Result<PathBuf> {
        let text = fs::read_to_string(self.config())?;
        let text = text.replacen("plugin_dir = \"plugins\"", "plugin_dir = \"release\"", 1);
        ensure!(text.contains("\"release\""), "{} names no plugin_dir", self.config().display());
        let config = target.join(format!("{}.toml", self.name()));
        fs::write(&config, text)?;
        Ok(config)
    }

    /// The ledger, made once and kept.
    fn simulated(&self) -> Result<PathBuf> {
        let Self { rows, miners, only, .. } = self;
        let folder = target_dir()?.join("bits");
        fs::create_dir_all(&folder)?;
        let ledger = folder.join(format!("{}-{rows}x{miners}.db", self.name()));
        if !ledger.exists() {
            let part = ledger.with_extension("part");
            let mut command = mantis()?;
            command.arg("simulate").arg("--config").arg(self.config()).arg("--out").arg(&part);
            command.args(["--rows", &rows.to_string(), "--miners", &miners.to_string()]);
            command.args(only.iter().flat_map(|only| ["--only", only]));
            run(&mut command)?;
            fs::rename(&part, &ledger)?;
        }
        Ok(ledger)
    }

    fn score(&self, ledger: &Path, solver: &str, runtime: &[&str], config: &Path) -> Result<Value> {
        let mut command = mantis()?;
        command.args(["score", "--json", "--solver", solver, "--runtime"]).args(runtime);
        command.args(self.only.iter().flat_map(|only| ["--only", only]));
        command.arg("--config").arg(config).arg("--ledger").arg(ledger);
        Ok(results(&serde_json::from_str(&output(&mut command)?)?))
    }
}

/// Whether this processor runs code for x86-64-v3.
fn has_v3() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Builds the native plugins for x86-64-v3; gives the folder in whose `release` they are.
fn build_v3() -> Result<PathBuf> {
    let target = target_dir()?.join("x86-64-v3");
    let mut command = cargo();
    command.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-cpu=x86-64-v3");
    command.args(["build", "--release"]);
    for name in plugins::plugins()? {
        command.args(["-p", &name]);
    }
    run(&mut command)?;
    Ok(target)
}
