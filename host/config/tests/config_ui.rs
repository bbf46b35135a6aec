//! What `challenges.toml` may say, and what is said of one that is faulty.
//!
//! Every `invalid/NAME.toml` must fail with exactly the text of `NAME.err`; `UPDATE_GOLDEN=1 cargo test` writes
//! those texts again. Every `valid/*.toml` must load.

use mantis_config::{Config, QuoteKind, Weight};
use mantis_plugin_api::Solver;
use proptest::prelude::*;
use std::{fs, path::Path, path::PathBuf};

/// The cases of a folder, in the order of their names. Paths are relative: they are part of the messages.
fn cases(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new("tests").join(folder)).expect("the folder of the cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a case").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    paths
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

#[test]
fn faults_are_named() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = String::new();
    for path in cases("invalid") {
        let golden = path.with_extension("err");
        let got = match Config::load(&path) {
            Ok(_) => "loads without a fault\n".into(),
            // One folder, whatever the separator of the system.
            Err(faults) => format!("{faults}\n").replace(&path.display().to_string(), "challenges.toml"),
        };
        if update {
            fs::write(&golden, &got).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if got != expected || got.starts_with("loads") {
            wrong += &format!("{}\n{}", path.display(), diff(&expected, &got));
        }
    }
    assert!(wrong.is_empty(), "messages differ (UPDATE_GOLDEN=1 takes the new ones):\n{wrong}");
}

#[test]
fn no_golden_is_left_over() {
    for entry in fs::read_dir("tests/invalid").unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("toml").exists(), "{} belongs to no case", path.display());
    }
}

#[test]
fn valid_files_load() {
    for path in cases("valid") {
        if let Err(faults) = Config::load(&path) {
            panic!("{}:\n{faults}", path.display());
        }
    }
}

#[test]
fn a_missing_file_says_so() {
    let faults = Config::load("tests/absent.toml").unwrap_err();
    assert_eq!(faults.faults.len(), 1);
    let text = faults.to_string();
    assert!(text.starts_with("tests/absent.toml: cannot be read: "), "{text}");
    assert!(text.ends_with("; allowed: a readable file"), "{text}");
}

#[test]
fn a_file_that_is_not_utf8_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    fs::write(&path, b"solver = \"exact\"\n# caf\xe9\n").unwrap();
    let fault = Config::load(&path).unwrap_err().faults.remove(0);
    assert_eq!((fault.line, fault.column), (2, 6));
    assert_eq!(fault.found, "byte 0xe9 is not UTF-8");
}

#[test]
fn the_shipped_file_is_the_network() {
    let config = Config::load("../../challenges.toml").unwrap();
    // Name, ticker, price key, assets, dim, blocks ahead, plugin, weight.
    let trade_mix = 0.15 / 0.85 * 25.875;
    let table = [
        ("ETH-1H-BINARY", "ETH", Some("ETH"), 0, 2, 300, "binary", 1.0),
        ("CADUSD-1H-BINARY", "CADUSD", Some("CADUSD"), 0, 2, 300, "binary", 1.0),
        ("NZDUSD-1H-BINARY", "NZDUSD", Some("NZDUSD"), 0, 2, 300, "binary", 1.0),
        ("CHFUSD-1H-BINARY", "CHFUSD", Some("CHFUSD"), 0, 2, 300, "binary", 1.0),
        ("XAGUSD-1H-BINARY", "XAGUSD", Some("XAGUSD"), 0, 2, 300, "binary", 1.0),
        ("ETH-HITFIRST-100M", "ETHHITFIRST", Some("ETH"), 0, 3, 500, "hitfirst", 2.5),
        ("ETH-LBFGS", "ETHLBFGS", Some("ETH"), 0, 17, 300, "lbfgs", 3.5),
        ("BTC-LBFGS-6H", "BTCLBFGS", Some("BTC"), 0, 17, 1800, "lbfgs", 2.875),
        ("MULTI-BREAKOUT", "MULTIBREAKOUT", None, 33, 2, 0, "breakout", 5.0),
        ("XSEC-RANK", "MULTIXSEC", None, 33, 1, 1200, "xsec", 3.0),
        ("FUNDING-XSEC", "FUNDINGXSEC", None, 20, 1, 2400, "funding", 4.0),
        ("TRADE-MIX", "TRADEMIX", None, 4, 1, 300, "trademix", trade_mix),
    ];
    assert_eq!(config.challenges.len(), table.len());
    let weights = config.weights();
    for ((c, (ticker, weight)), row) in config.challenges.iter().zip(&weights).zip(table) {
        let found = (
            c.name.as_str(),
            c.ticker.as_str(),
            c.price_key.as_deref(),
            c.assets.len(),
            c.dim,
            c.blocks_ahead,
            c.plugin.as_str(),
            row.7,
        );
        assert_eq!(found, row);
        assert_eq!(ticker, &c.ticker);
        assert!((weight - row.7).abs() < 1e-12, "{ticker}: {weight}");
        assert_eq!(c.solver, Solver::Network);
    }
    assert_eq!(config.challenges[11].weight, Weight::Share(0.15));
    assert!((weights[11].1 - 4.566_176).abs() < 1e-6);
    assert_eq!(config.challenges[8].price_ticker(), "MULTIXSEC");
    for c in &config.challenges {
        assert_eq!(c.quotes == QuoteKind::FundingRates, c.ticker == "FUNDINGXSEC", "{}", c.ticker);
    }
    assert_eq!(config.challenges[9].assets.last().map(String::as_str), Some("SKY"));
    assert_eq!(config.challenges[4].params["min_auc"], 0.5);
    assert_eq!(config.plugin_dir, Path::new("../../plugins"));
}

#[test]
fn the_shipped_file_states_the_defaults() {
    let shipped = Config::load("../../challenges.toml").unwrap();
    let bare = Config::load("tests/valid/smallest.toml").unwrap();
    assert_eq!(shipped.network, bare.network);
    assert_eq!(shipped.beacon, bare.beacon);
    assert_eq!(shipped.market, bare.market);
    assert_eq!(shipped.collect, bare.collect);
}

#[test]
fn a_challenge_overrides_the_top() {
    let config = Config::load("tests/valid/everything.toml").unwrap();
    let all: Vec<_> = config.challenges.iter().map(|c| (c.solver, c.runtime.as_str())).collect();
    assert_eq!(all, [(Solver::Network, "wasm"), (Solver::Exact, "native"), (Solver::Network, "wasm")]);
    let spec = config.challenges[1].spec(&config.network, Solver::Network);
    assert_eq!((spec.seed, spec.sample_every, spec.rows_ahead(), spec.storage_dim()), (7, 10, 12, 4));
    assert_eq!(spec.solver, Solver::Network);
    // TOML's own ways to write a number.
    assert_eq!(config.network.young_blocks, 36_000);
    assert_eq!(config.challenges[2].weight, Weight::Fixed(0.0105));
    let params = serde_json::Value::Object(config.challenges[0].params.clone());
    let expected =
        serde_json::json!({"top": 255, "c": 0.5, "on": true, "list": [1, 2], "deep": {"word": "x"}});
    assert_eq!(params, expected);
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = fs::read_to_string("../../challenges.toml").unwrap();
    let path = Path::new("../../challenges.toml");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let config = Config::parse(&windows, path).unwrap();
    let plain = Config::parse(&text, path).unwrap();
    assert_eq!(config.challenges, plain.challenges);
    assert_eq!(config.fault_at(11, "share", "", "").line, plain.fault_at(11, "share", "", "").line);
}

#[test]
fn shares_that_only_rounding_keeps_below_one_are_refused() {
    let challenge = |i: usize, weight: &str| {
        format!("[[challenge]]\nname = \"C{i}\"\nticker = \"C{i}\"\nplugin = \"p\"\ndim = 1\n{weight}\n")
    };
    let mut text: String = (0..10).map(|i| challenge(i, "share = 0.1")).collect();
    text += &challenge(10, "weight = 1");
    let faults = Config::parse(&text, Path::new("c.toml")).unwrap_err().faults;
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].path, "challenge[9].share");
}

#[test]
fn faults_of_a_plugin_stand_at_the_shared_parameters() {
    let config = Config::load("../../challenges.toml").unwrap();
    let text = fs::read_to_string("../../challenges.toml").unwrap();
    let fault = config.fault_at(4, "params.min_auc", "x", "y");
    assert!(text.lines().nth(fault.line - 1).unwrap().starts_with("min_auc"), "{fault}");
    assert_eq!(fault.path, "challenge[4].params.min_auc");
    assert_eq!(fault.table, "[[challenge]] \"XAGUSD-1H-BINARY\"");
}

proptest! {
    /// A file with a few lines lost, doubled or cut loads, or has faults in lines that it has.
    #[test]
    fn any_damage_is_named(damage in prop::collection::vec((any::<prop::sample::Index>(), 0..4, 0..40usize), 1..4)) {
        let text = fs::read_to_string("../../challenges.toml").unwrap();
        let mut lines: Vec<_> = text.lines().map(String::from).collect();
        for (at, how, column) in damage {
            let i = at.index(lines.len());
            match how {
                0 => drop(lines.remove(i)),
                1 => lines.insert(i, lines[i].clone()),
                2 => lines[i] = lines[i].chars().take(column).collect(),
                _ => lines[i] = lines[i].replacen(|c: char| c.is_ascii_digit(), "-", 1),
            }
        }
        if let Err(faults) = Config::parse(&lines.join("\n"), Path::new("c.toml")) {
            prop_assert!(!faults.faults.is_empty());
            for fault in &faults.faults {
                prop_assert!((1..=lines.len() + 1).contains(&fault.line), "{fault}");
                prop_assert!(fault.column >= 1);
            }
            prop_assert!(faults.faults.is_sorted_by_key(|fault| (fault.line, fault.column)));
        }
    }
}
