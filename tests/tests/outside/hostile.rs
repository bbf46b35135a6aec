//! A plugin that fails costs its own challenge only, and says so.

use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, failure, json, mantis, score_tiny, trial};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(every_failure_names_itself_and_leaves_the_others_alone).takes(4),
        trial!(a_library_that_takes_all_memory_is_ended),
        trial!(what_a_plugin_prints_or_logs_does_no_harm),
        trial!(a_plugin_of_another_abi_is_refused_with_a_remedy),
        trial!(files_that_are_no_plugins_are_refused),
        trial!(a_pin_is_checked_before_loading),
    ]
}

const FAILURES: &[(&str, &str)] = &[
    ("error", "told to fail"),
    ("panic", "the plugin panicked: panicked at tests/plugins/hostile/src/lib.rs"),
    ("abort", "the plugin's process ended early (signal: 6"),
    ("exit", "the plugin's process ended early (exit status: 0"),
    ("loop", "the plugin did not finish within 3 s and was ended"),
    ("sleep", "the plugin did not finish within 3 s and was ended"),
    ("overflow", "the plugin's process ended early (signal: 6"),
    ("nan", "the plugin broke its contract: a salience of NaN for 5Alice"),
    ("infinite", "the plugin broke its contract: a salience of inf for 5Alice"),
    ("negative", "the plugin broke its contract: a salience of -1 for 5Alice"),
    ("long", "the plugin broke its contract: 4 saliences and 4 reports for 3 miners"),
    ("short", "the plugin broke its contract: 2 saliences and 2 reports for 3 miners"),
    ("outside", "the host could not serve the plugin: history of miners 3..4"),
    ("panic_in_configure", "configured to panic"),
];

fn ticker(how: &str) -> String {
    format!("T-{}", how.to_uppercase())
}

fn config(dir: &Path, hows: &[&str], more: &str) -> std::path::PathBuf {
    let mut text = String::new();
    for how in hows {
        writeln!(
            text,
            "[[challenge]]\nname = \"{how}\"\nticker = \"{}\"\nplugin = \"hostile\"\ndim = 2\n\
             blocks_ahead = 300\nweight = 1.0\n{more}[challenge.params]\nhow = \"{how}\"\n",
            ticker(how)
        )
        .unwrap();
    }
    let path = dir.join("challenges.toml");
    fs::write(&path, text).unwrap();
    path
}

fn score(dir: &TempDir, hows: &[&str], more: &str) -> (Value, String) {
    let config = config(dir.path(), hows, more);
    score_tiny(dir.path(), &config, &hows.iter().map(|how| ticker(how)).collect::<Vec<_>>(), "3")
}

fn every_failure_names_itself_and_leaves_the_others_alone() {
    let dir = TempDir::new().unwrap();
    let hows: Vec<&str> = FAILURES.iter().map(|(how, _)| *how).chain(["none"]).collect();
    let (document, _) = score(&dir, &hows, "");
    for (how, says) in FAILURES {
        let ticker = ticker(how);
        let reason = document["skipped"][&ticker].as_str().unwrap_or_else(|| panic!("{how}: {document:#}"));
        assert!(reason.contains(says), "{how}: {reason}");
        assert!(document["per_challenge"].get(&ticker).is_none(), "{how} has a salience");
    }
    assert_eq!(document["per_challenge"]["T-NONE"]["5Bob"], 1.0 / 3.0);
    assert_eq!(document["total"]["5Bob"], 1.0 / 3.0);
}

fn a_library_that_takes_all_memory_is_ended() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), &["memory", "none"], "");
    let text = format!("native_memory_mib = 256\n{}", fs::read_to_string(&config).unwrap());
    fs::write(&config, text).unwrap();
    let tickers = ["memory", "none"].map(ticker);
    let (document, _) = score_tiny(dir.path(), &config, &tickers, "30");
    let why = document["skipped"][&tickers[0]].as_str().unwrap();
    assert!(why.contains("memory allocation of 67108864 bytes failed"), "{why}");
    assert!(document["per_challenge"][&tickers[1]].is_object(), "{document:#}");
}

fn what_a_plugin_prints_or_logs_does_no_harm() {
    let dir = TempDir::new().unwrap();
    let (document, stderr) = score(&dir, &["print", "chatter", "gigabyte"], "");
    assert_eq!(document["per_challenge"]["T-PRINT"]["5Bob"], 1.0 / 3.0, "{document:#}");
    assert_eq!(document["per_challenge"]["T-CHATTER"]["5Bob"], 1.0 / 3.0, "{document:#}");
    assert_eq!(document["per_challenge"]["T-GIGABYTE"]["5Bob"], 1.0 / 3.0, "{document:#}");
    assert!(stderr.len() < 4_000_000, "{} bytes", stderr.len());
    assert!(stderr.contains("T-CHATTER: line 999 of many") && !stderr.contains("line 1001 of many"));
}

fn a_plugin_of_another_abi_is_refused_with_a_remedy() {
    let dir = TempDir::new().unwrap();
    let text = "[[challenge]]\nname = \"F\"\nticker = \"F\"\nplugin = \"foreign\"\ndim = 2\nblocks_ahead = 300\n\
                weight = 1.0\n";
    fs::write(dir.path().join("c.toml"), text).unwrap();
    let says = failure(mantis().args(["config", "check"]).arg(dir.path().join("c.toml")));
    for part in [
        "c.toml:4:",
        "mantis_foreign",
        "built for ABI 99.0 by rustc",
        "supports ABI 1.0 to 1.1 by rustc",
        "build",
    ] {
        assert!(says.contains(part), "{part}: {says}");
    }
}

fn files_that_are_no_plugins_are_refused() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let real = fs::read(bin_dir().join("libmantis_hostile.so")).unwrap();
    fs::write(plugins.join("libmantis_text.so"), "not a library, though long enough. ".repeat(100)).unwrap();
    fs::write(plugins.join("libmantis_empty.so"), "").unwrap();
    fs::write(plugins.join("libmantis_half.so"), &real[..real.len() / 2]).unwrap();
    let text: String = ["text", "empty", "half", "absent"]
        .iter()
        .map(|name| {
            format!(
                "[[challenge]]\nname = \"{name}\"\nticker = \"{}\"\nplugin = \"{name}\"\ndim = 2\n\
                 blocks_ahead = 300\nweight = 1.0\n",
                name.to_uppercase()
            )
        })
        .collect();
    fs::write(dir.path().join("c.toml"), text).unwrap();
    let says = failure(mantis().args(["config", "check"]).arg(dir.path().join("c.toml")));
    assert!(says.contains("4 faults"), "{says}");
    for (line, part) in [
        (4, "invalid ELF header"),
        (11, "file too short"),
        (18, "libmantis_half.so"),
        (25, "no plugin `absent`"),
    ] {
        let fault =
            says.lines().find(|l| l.contains(&format!("c.toml:{line}:"))).unwrap_or_else(|| panic!("{says}"));
        assert!(fault.contains(part), "{part}: {fault}");
    }
}

fn a_pin_is_checked_before_loading() {
    let dir = TempDir::new().unwrap();
    let wrong = "0".repeat(64);
    let (document, _) = score(&dir, &["none"], &format!("sha256 = \"{wrong}\"\n"));
    let reason = document["skipped"]["T-NONE"].as_str().unwrap();
    assert!(reason.contains("its sha256 is") && reason.contains(&wrong), "{reason}");

    let listed =
        json(mantis().args(["challenges", "--json", "--config"]).arg(config(dir.path(), &["none"], "")));
    let sha256 = listed["challenges"][0]["sha256"].as_str().unwrap().to_owned();
    let dir = TempDir::new().unwrap();
    let (document, _) = score(&dir, &["none"], &format!("sha256 = \"{sha256}\"\n"));
    assert_eq!(document["per_challenge"]["T-NONE"]["5Bob"], 1.0 / 3.0, "{document:#}");
}
