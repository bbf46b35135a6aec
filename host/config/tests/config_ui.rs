//! What is said of a faulty `challenges.toml`: one test for each file.
//!
//! Every `invalid/NAME.toml` must fail with exactly the text of `NAME.err`; `UPDATE_GOLDEN=1 cargo test` writes
//! those texts again. Every `valid/NAME.toml` must load.

use libtest_mimic::{Arguments, Failed, Trial};
use mantis_config::Config;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("no_golden_is_left_over", no_golden_is_left_over)];
    for path in cases("invalid") {
        trials.push(Trial::test(name(&path), move || its_faults_are_named(&path)));
    }
    for path in cases("valid") {
        trials.push(Trial::test(name(&path), move || it_loads(&path)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The cases of a folder, in the order of their names. Paths are relative: they are part of the messages.
fn cases(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new("tests").join(folder)).expect("the folder of the cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a case").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    paths
}

/// `invalid/NAME` or `valid/NAME`.
fn name(path: &Path) -> String {
    path.with_extension("").components().skip(1).collect::<PathBuf>().display().to_string()
}

fn its_faults_are_named(path: &Path) -> Result<(), Failed> {
    let golden = path.with_extension("err");
    let Err(faults) = Config::load(path) else { return Err("it loads without a fault".into()) };
    // One name on every system, with whichever separator.
    let got = format!("{faults}\n").replace(&path.display().to_string(), "challenges.toml");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &got)?;
    }
    let expected = fs::read_to_string(&golden)?;
    if got == expected {
        return Ok(());
    }
    Err(format!("messages differ (UPDATE_GOLDEN=1 takes the new ones):\n{}", diff(&expected, &got)).into())
}

fn it_loads(path: &Path) -> Result<(), Failed> {
    Config::load(path).map(|_| ()).map_err(|faults| faults.to_string().into())
}

fn no_golden_is_left_over() -> Result<(), Failed> {
    for entry in fs::read_dir("tests/invalid")? {
        let path = entry?.path();
        if !path.with_extension("toml").exists() {
            return Err(format!("{} belongs to no case", path.display()).into());
        }
    }
    Ok(())
}

/// Both texts line by line: `-` what was expected, `+` what came instead.
fn diff(expected: &str, got: &str) -> String {
    let only = |sign: char, a: &str, b: &str| {
        let b: Vec<_> = b.lines().collect();
        a.lines()
            .filter(|line| !b.contains(line))
            .map(|line| format!("  {sign} {line}\n"))
            .collect::<String>()
    };
    let lines = only('-', expected, got) + &only('+', got, expected);
    if lines.is_empty() { "  the same lines in another order or number\n".into() } else { lines }
}
