//! Fuzzing with libFuzzer on the stable compiler: what cargo-fuzz does, without its nightly flags.

use crate::shell::{cargo, host, root, run, target_dir};
use anyhow::{Result, ensure};
use std::fs;

/// Coverage as libFuzzer reads it. The address sanitizer needs nightly; what is fuzzed is safe Rust.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg fuzzing",
];

/// Builds a target and runs it; inputs that find something new are kept in fuzz/corpus, findings in fuzz/artifacts.
pub(crate) fn run_fuzz(target: &str, seconds: u32) -> Result<()> {
    let fuzz = root().join("fuzz");
    ensure!(fuzz.join("targets").join(target).with_extension("rs").is_file(), "no fuzz target `{target}`");
    let (corpus, seeds) = (fuzz.join("corpus").join(target), fuzz.join("seeds").join(target));
    let artifacts = fuzz.join("artifacts").join(target);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;

    let mut command = cargo();
    // With a target named, build scripts and macros are built without the flags.
    command.args(["run", "--release", "--target", &host()?, "--bin", target]);
    command.arg("--manifest-path").arg(fuzz.join("Cargo.toml"));
    command.arg("--target-dir").arg(target_dir()?.join("fuzz"));
    command.env("RUSTFLAGS", FLAGS.join(" ")).arg("--").arg(&corpus).arg(&seeds);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-dict={}", fuzz.join("seeds/json.dict").display()));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    run(&mut command)
}
