//! `mantis score --report`: a page that says what `--json` says, and needs nothing but itself.

use mantis_tests::suite::Trial;
use mantis_tests::{failure, mantis, stdout, trial};
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(the_page_says_what_json_says),
        trial!(a_report_that_cannot_be_written_is_an_error_and_leaves_nothing),
    ]
}

const TICKERS: [&str; 4] = ["ETH", "CADUSD", "ETHHITFIRST", "MULTIXSEC"];

fn ledger(dir: &Path) -> PathBuf {
    let path = dir.join("sim.db");
    let mut command = mantis();
    command.args([
        "simulate",
        "--seed",
        "5",
        "--rows",
        "9000",
        "--miners",
        "24",
        "--only",
        &TICKERS.join(","),
    ]);
    stdout(command.arg("--out").arg(&path));
    path
}

fn score(ledger: &Path, report: &Path) -> Command {
    let mut command = mantis();
    command.args(["score", "--only", &TICKERS.join(","), "--ledger"]).arg(ledger).arg("--report").arg(report);
    command
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|n| if n.is_text() { n.text() } else { None }).collect()
}

fn the_page_says_what_json_says() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let report = dir.path().join("out.html");
    std::fs::write(&report, "an old one").unwrap();
    let output = score(&ledger, &report).arg("--json").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("out.html"), "{output:?}");

    let page = std::fs::read_to_string(&report).unwrap();
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&page, options).unwrap();
    let id = |id: &str| document.descendants().find(|n| n.attribute("id") == Some(id));
    for ticker in TICKERS {
        assert!(text(id(&format!("c-{ticker}")).unwrap()).contains(ticker));
    }
    let total = json["total"].as_object().unwrap();
    assert!(total.len() > 15, "{}", total.len());
    let board = id("leaderboard").unwrap();
    let rows: Vec<Node<'_, '_>> = board.descendants().filter(|n| n.has_attribute("data-hotkey")).collect();
    for (hotkey, share) in total {
        assert!(text(id(hotkey).unwrap()).contains(hotkey.as_str()));
        let row = rows.iter().find(|row| row.attribute("data-hotkey") == Some(hotkey)).unwrap();
        let share = share.as_f64().unwrap();
        let is_total = |n: &Node<'_, '_>| n.attribute("class").is_some_and(|class| class.contains("total"));
        let total = row.descendants().find(is_total).unwrap().attribute("data-value").unwrap();
        assert_eq!(total.parse::<f64>().unwrap(), share, "{hotkey}");
        let cells: Vec<String> =
            row.descendants().filter(|n| n.tag_name().name() == "td").map(text).collect();
        let paying: Vec<&str> = TICKERS
            .into_iter()
            .filter(|t| json["per_challenge"][t].as_object().is_some_and(|m| !m.is_empty()))
            .collect();
        for (ticker, shown) in paying.iter().zip(&cells[cells.len() - paying.len()..]) {
            let part = json["per_challenge"][ticker][hotkey].as_f64().unwrap_or(0.0);
            let shown = if shown == "·" || shown.is_empty() {
                0.0
            } else {
                shown.replace('<', "0").parse().unwrap()
            };
            assert!((100.0 * part - shown).abs() <= 0.1, "{ticker} of {hotkey}: {part} is shown as {shown}");
        }
    }
    for foreign in ["src=", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    // Addresses of the configuration may be read, but nothing points to them.
    let attributes = document.descendants().flat_map(|n| n.attributes());
    for attribute in attributes {
        assert!(!attribute.value().contains("://"), "{attribute:?}");
    }
    // One script, to sort tables; what it is, is pinned.
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("script-src 'sha256-"), "the policy names the script");
    assert!(document.descendants().filter_map(|n| n.attribute("href")).all(|href| href.starts_with('#')));
}

fn a_report_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let message = failure(&mut score(&ledger, &dir.path().join("no/such/folder/out.html")));
    assert!(message.contains("no/such/folder/out.html"), "{message}");
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("report")), "{names:?}");
}
