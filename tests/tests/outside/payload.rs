//! Payloads from the command line: sealing, opening by both paths, refusals, and the check of embeddings.

use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, stdout, trial};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(the_networks_payloads_open_by_both_paths),
        trial!(what_does_not_open_says_why),
        trial!(sealed_embeddings_open_for_the_owner_and_for_nobody_else),
        trial!(what_would_be_sealed_in_vain_is_not_sealed),
        trial!(check_says_what_would_be_stored),
    ]
}

struct Reference {
    hotkey: String,
    file: PathBuf,
    signature: String,
    secret: String,
    owner_key: String,
    plaintext: Value,
}

/// The payloads of the network's own client, as files.
fn references(dir: &Path) -> Vec<Reference> {
    let list: Value =
        serde_json::from_str(include_str!("../../../host/payload/tests/fixtures/network.json")).unwrap();
    let read = |(i, entry): (usize, &Value)| {
        let text = |key: &str| entry[key].as_str().unwrap().to_owned();
        let file = dir.join(format!("{i}.json"));
        fs::write(&file, text("payload")).unwrap();
        let payload: Value = serde_json::from_str(&text("payload")).unwrap();
        Reference {
            hotkey: text("hotkey"),
            file,
            signature: text("signature"),
            secret: text("owner_secret"),
            owner_key: payload["owner_pk"].as_str().unwrap().into(),
            plaintext: entry["plaintext"].clone(),
        }
    };
    list.as_array().unwrap().iter().enumerate().map(read).collect()
}

fn open(reference: &Reference) -> Command {
    let mut command = mantis();
    command.args(["payload", "open"]).arg(&reference.file).args(["--hotkey", &reference.hotkey]);
    command.args(["--owner-key", &reference.owner_key]);
    command
}

fn the_networks_payloads_open_by_both_paths() {
    let dir = TempDir::new().unwrap();
    for reference in references(dir.path()) {
        let by_signature = json(open(&reference).args(["--signature", &reference.signature]));
        assert_eq!(by_signature, reference.plaintext);
        let by_owner = json(open(&reference).args(["--owner-secret", &reference.secret]));
        assert_eq!(by_owner, reference.plaintext);
    }
}

fn what_does_not_open_says_why() {
    let dir = TempDir::new().unwrap();
    let all = references(dir.path());
    let (first, second) = (&all[0], &all[1]);
    let says = failure(open(first).args(["--signature", &second.signature]));
    assert!(says.contains("--signature is not the beacon's of round 123"), "{says}");
    let says = failure(open(first).args(["--owner-secret", &"11".repeat(32)]));
    assert!(says.contains("the owner's secret does not belong to the owner key 1503cde8"), "{says}");
    assert!(!says.contains("1111"), "{says}");
    let mut other = mantis();
    other.args(["payload", "open", "--json", "--hotkey", "5Other", "--owner-secret", &first.secret]);
    let output = other.arg(&first.file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let refused: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(refused["refused"]["code"], "wrong_hotkey");
    let says =
        failure(mantis().args(["payload", "open", "nowhere.json", "--hotkey", "5A", "--signature", "00"]));
    assert!(says.contains("cannot read nowhere.json"), "{says}");
}

fn sealed_embeddings_open_for_the_owner_and_for_nobody_else() {
    let dir = TempDir::new().unwrap();
    let secret = "07".repeat(32);
    let (embeddings, payload) = (dir.path().join("e.json"), dir.path().join("p.json"));
    fs::write(&embeddings, r#"{"ETH": [0.25, -0.5], "MULTIXSEC": {"BTC": 1}}"#).unwrap();
    for size in ["372", "356"] {
        let mut seal = mantis();
        seal.args([
            "payload", "seal", "--hotkey", "5Me", "--round", "77", "--json", "--size", size, "--force",
        ]);
        seal.args(["--owner-key", &public_key(&secret)]);
        seal.arg("--in").arg(&embeddings).arg("--out").arg(&payload);
        let about = json(&mut seal);
        assert_eq!(about["round"], 77);
        let sealed: Value = serde_json::from_str(&fs::read_to_string(&payload).unwrap()).unwrap();
        assert_eq!(sealed["W_time"]["ct"].as_str().unwrap().len(), 2 * size.parse::<usize>().unwrap());
        let mut open = mantis();
        open.args(["payload", "open", "--hotkey", "5Me", "--owner-secret", &secret]);
        open.args(["--owner-key", &public_key(&secret)]).arg(&payload);
        let expected = json!({"ETH": [0.25, -0.5], "MULTIXSEC": {"BTC": 1}, "hotkey": "5Me"});
        assert_eq!(json(&mut open), expected);
    }
    let mut open = mantis();
    open.args(["payload", "open", "--hotkey", "5Me", "--owner-secret", &secret]).arg(&payload);
    assert!(failure(&mut open).contains("seal with the subnet's"));
    let mut bad = mantis();
    bad.args(["payload", "seal", "--hotkey", "5Me", "--out", "-", "--in"]).arg(&embeddings);
    fs::write(&embeddings, r#"{"ETH": [NaN, 1]}"#).unwrap();
    assert!(failure(&mut bad).contains("NaN is not a JSON number"));
}

fn what_would_be_sealed_in_vain_is_not_sealed() {
    const HOTKEY: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let dir = TempDir::new().unwrap();
    let (embeddings, payload) = (dir.path().join("e.json"), dir.path().join("p.json"));
    let seal = |text: &str, more: &[&str]| {
        fs::write(&embeddings, text).unwrap();
        let mut seal = mantis();
        seal.args(["payload", "seal", "--in"]).arg(&embeddings).arg("--out").arg(&payload).args(more);
        seal
    };
    let good = r#"{"ETH": [0.25, -0.5]}"#;
    for (text, more, fault) in [
        (good, ["--hotkey", "5bad"], "5bad is not a hotkey's address"),
        (r#"{"ETH": [0.25, 2]}"#, ["--hotkey", HOTKEY], "2 is outside [-1, 1]"),
        (r#"{"ETH": [0, 0]}"#, ["--hotkey", HOTKEY], "every number is 0"),
        (r#"{"ETH": ["up", "down"]}"#, ["--hotkey", HOTKEY], "ETH"),
        (r#"{"TRADEMIX": {"BTC": true}}"#, ["--hotkey", HOTKEY], "`BTC`: true is not taken"),
        (r#"{"EHT": [0.25, -0.5]}"#, ["--hotkey", HOTKEY], "`EHT` is neither ticker nor name"),
        ("{}", ["--hotkey", HOTKEY], "there is nothing in it"),
    ] {
        let says = failure(&mut seal(text, &more));
        assert!(says.contains(fault) && says.contains("--force"), "{text}: {says}");
        assert!(!payload.exists(), "{text}");
    }
    let says = failure(&mut seal(good, &["--hotkey", HOTKEY, "--round", "77"]));
    assert!(says.contains("round 77 came out") && says.contains("older than 3600 s"), "{says}");
    let warned = seal(r#"{"ETH": [0.25, -0.5], "EHT": 1}"#, &["--hotkey", HOTKEY]).output().unwrap();
    assert!(warned.status.success() && payload.exists());
    assert!(String::from_utf8_lossy(&warned.stderr).contains("warning: `EHT` is neither"));
    stdout(&mut seal("{}", &["--hotkey", "5bad", "--round", "77", "--force"]));
}

/// The public key of a secret in hexadecimal.
fn public_key(secret: &str) -> String {
    let key = mantis_payload::OwnerSecret::from_hex(secret).unwrap().public_key();
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_says_what_would_be_stored() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("e.json");
    fs::write(&file, r#"{"ETH": [0.25, -0.5], "XSEC-RANK": {"BTC": 0.5}}"#).unwrap();
    let sound = json(mantis().args(["check", "--json"]).arg(&file));
    let of = |document: &Value, ticker: &str| -> Value {
        let list = document["challenges"].as_array().unwrap();
        list.iter().find(|challenge| challenge["ticker"] == ticker).unwrap().clone()
    };
    assert_eq!(of(&sound, "ETH")["stored"], json!([0.25, -0.5]));
    assert_eq!(of(&sound, "MULTIXSEC")["stored"].as_array().unwrap().len(), 33);
    assert_eq!(of(&sound, "CADUSD")["sent"], false);
    assert!(stdout(mantis().arg("check").arg(&file)).contains("0.25, -0.5"));

    let faulty = r#"{"ETH": [0.25, 2], "CADUSD": [0, 0], "MULTIXSEC": {"BTC": true, "XYZ": 1, "ETH": [7]},
        "TRADEMIX": {"BTC": NaN, "ETH": 1e400}, "ETHHITFIRST": false, "FUTURE": 1}"#;
    fs::write(&file, faulty).unwrap();
    let output = mantis().args(["check", "--json"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["unknown"], json!(["FUTURE"]));
    assert_eq!(document["unfit_numbers"], json!(["NaN", "1e400"]));
    for (ticker, fault) in [
        ("ETH", "number 2: 2 is outside [-1, 1]"),
        ("CADUSD", "every number is 0"),
        ("MULTIXSEC", "`BTC`: true is not taken and counts as 0"),
        ("MULTIXSEC", "`XYZ` is no asset"),
        ("MULTIXSEC", "`ETH`: [7] is stored as [1.0]"),
        ("TRADEMIX", "`BTC`: null is not taken"),
        ("ETHHITFIRST", "expected a list of 3 numbers, found a boolean"),
    ] {
        let faults = of(&document, ticker)["faults"].to_string();
        assert!(faults.contains(fault), "{ticker}: {fault}: {faults}");
    }
    fs::write(&file, "[1, 2]").unwrap();
    assert!(
        failure(mantis().arg("check").arg(&file))
            .contains("a list of 2 entries, but there are 12 challenges")
    );
    fs::write(&file, r#"{"ETH": 1, "ETH": 2}"#).unwrap();
    assert!(failure(mantis().arg("check").arg(&file)).contains("the key `ETH` stands twice"));
}
