//! The owner's signal: forecasts before a round is out, and nothing that they change.

use super::demo::{content, demo, folder};
use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{json, mantis, stdout, trial};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(forecasts_come_before_the_round_and_change_no_weight).takes(120),
        trial!(both_runtimes_forecast_to_the_same_bits).needs(Need::Wasm).takes(90),
        trial!(another_owners_secret_is_refused),
    ]
}

/// Challenges that twelve days are enough to fit, and those of them whose outcome is known an hour later.
const FITTED: [&str; 9] = [
    "ETH",
    "CADUSD",
    "NZDUSD",
    "CHFUSD",
    "XAGUSD",
    "ETHHITFIRST",
    "MULTIBREAKOUT",
    "MULTIXSEC",
    "FUNDINGXSEC",
];
const AN_HOUR: [&str; 5] = ["ETH", "CADUSD", "NZDUSD", "CHFUSD", "XAGUSD"];

fn forecasts_come_before_the_round_and_change_no_weight() {
    let (with, without) = (folder("signal-on"), folder("signal-off"));
    let document = json(demo(&with, "12", "100").arg("--signal"));
    let quiet = json(&mut demo(&without, "12", "100"));
    // The owner knew each live row an hour before the validators; the ledger, and each weight in it, is the same.
    let (on, off) = (content(&with), content(&without));
    for (table, rows) in &off {
        assert_eq!(Some(rows), on.get(table), "{table}");
    }
    assert_eq!(on.len(), off.len());
    assert_eq!(document["weights"], quiet["weights"]);

    let signal = &document["signal"];
    let fitted: Vec<&str> = signal["fits"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, state)| **state == "fitted")
        .map(|(ticker, _)| ticker.as_str())
        .collect();
    for ticker in FITTED {
        assert!(fitted.contains(&ticker), "{ticker}: {:#}", signal["fits"]);
    }
    assert_eq!(signal["forecasts"].as_u64().unwrap() as usize, 100 * fitted.len(), "{signal:#}");
    assert!(signal["slowest_seconds"].as_f64().unwrap() < 5.0, "{signal:#}");
    // Those of an hour ago have an outcome, and are worth something.
    let settled = |ticker: &str| signal["outcomes"][ticker]["settled"].as_u64().unwrap_or(0);
    assert!(AN_HOUR.iter().all(|ticker| settled(ticker) >= 39), "{signal:#}");
    assert_eq!(signal["told_otherwise"], 0, "{signal:#}");
    assert!(signal["rows_compared"].as_u64().unwrap() >= 39, "{signal:#}");
    let store = with.join("signal");
    let shown = json(mantis().args(["signal", "show", "--json", "--store"]).arg(&store));
    for shown in shown["signals"].as_array().unwrap() {
        let ticker = shown["ticker"].as_str().unwrap();
        if AN_HOUR.contains(&ticker) {
            let number = |name: &str| shown["record"]["brier"][name].as_f64().unwrap();
            let (brier, without) = (number("value"), number("baseline"));
            assert!(brier < without, "{ticker}: a Brier score of {brier}, and {without} without skill");
        }
    }
    let verified = stdout(mantis().args(["signal", "verify", "--store"]).arg(&store));
    assert!(verified.contains("forecasts are as they were published"), "{verified}");
    for dir in [with, without] {
        std::fs::remove_dir_all(dir).unwrap();
    }
}

fn both_runtimes_forecast_to_the_same_bits() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("month.db");
    stdout(
        mantis().args(["simulate", "--rows", "44500", "--miners", "6", "--seed", "5", "--out"]).arg(&ledger),
    );
    let replay = |runtime: &str| -> Value {
        let store = dir.path().join(runtime);
        let mut command = mantis();
        command.args(["signal", "replay", "--json", "--rows", "60", "--fit-every", "150"]);
        command.args(["--runtime", runtime]);
        json(command.arg("--ledger").arg(&ledger).arg("--store").arg(store))
    };
    let (native, wasm) = (replay("native"), replay("wasm"));
    // The hash of the last forecast is over all before it: fits, numbers of miners, and every bit of every value.
    assert_eq!(native["last"], wasm["last"]);
    assert_eq!(native, wasm);
    let forecasts = native["forecasts"].as_u64().unwrap();
    assert!(forecasts >= 60 * 11, "{native:#}");
    assert_eq!(native["failed"], serde_json::json!({}));
}

fn another_owners_secret_is_refused() {
    let dir = TempDir::new().unwrap();
    let ledger = dir.path().join("small.db");
    stdout(
        mantis().args(["simulate", "--rows", "100", "--miners", "2", "--seed", "1", "--out"]).arg(&ledger),
    );
    let run = |secret: &Path| {
        let mut command = mantis();
        command.args(["signal", "run", "--listen", "127.0.0.1:0", "--ledger"]).arg(&ledger);
        command.arg("--store").arg(dir.path().join("store")).arg("--owner-secret").arg(secret);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let secret = dir.path().join("secret");
    let write = |text: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(&secret, text).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let digits = "07".repeat(32);
    write(&digits, 0o600);
    let said = run(&secret);
    assert!(said.contains("network.owner_key") && !said.contains(&digits), "{said}");
    write(&digits, 0o644);
    assert!(run(&secret).contains("chmod 600"));
    write("no digits", 0o600);
    assert!(run(&secret).contains("64 hexadecimal digits"));
    assert!(run(&dir.path().join("nowhere")).contains("nowhere"));
}
