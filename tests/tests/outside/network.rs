//! The commands that speak HTTP, against servers on loopback.

use mantis_network::loopback::{FeedServer, ObjectServer};
use mantis_tests::suite::Trial;
use mantis_tests::{json, mantis, root, runtime, trial};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_miner_uploads_a_payload_and_commits_its_url_once),
        trial!(a_feed_is_published_from_a_source_and_says_what_is_missing),
    ]
}

const HOTKEY: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// The shipped configuration, for a network on one machine.
fn loopback_config(folder: &Path) -> std::path::PathBuf {
    let text = fs::read_to_string(root().join("challenges.toml")).expect("the shipped file");
    let changed = text.replace("allow_loopback = false", "allow_loopback = true");
    assert_ne!(text, changed);
    let path = folder.join("challenges.toml");
    fs::write(&path, changed).expect("a file of the test");
    path
}

fn a_miner_uploads_a_payload_and_commits_its_url_once() {
    let runtime = runtime();
    let store = runtime.block_on(ObjectServer::start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let chain = folder.path().join("chain.json");
    let neuron =
        json!({ "uid": 5, "hotkey": HOTKEY, "coldkey": "", "validator_permit": false, "last_update": 0 });
    fs::write(&chain, json!({ "neurons": [neuron] }).to_string()).unwrap();
    let embeddings = folder.path().join("embeddings.json");
    fs::write(&embeddings, r#"{"ETH": [0.5, -0.5]}"#).unwrap();
    let config = loopback_config(folder.path());
    let run = || {
        let mut command = mantis();
        command.args([
            "miner",
            "--once",
            "--commit",
            "--json",
            "--bucket",
            ObjectServer::BUCKET,
            "--hotkey",
            HOTKEY,
        ]);
        command.args(["--network", &format!("offline:{}", chain.display())]);
        command.args(["--endpoint", &store.endpoint(), "--public-url", &store.public_url()]);
        command.arg("--embeddings").arg(&embeddings).arg("--config").arg(&config);
        command.env("AWS_ACCESS_KEY_ID", ObjectServer::ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", "s");
        json(&mut command)
    };
    let (first, second) = (run(), run());
    assert_eq!((&first["committed"], &second["committed"]), (&json!(true), &json!(false)));
    let state: Value = serde_json::from_str(&fs::read_to_string(&chain).unwrap()).unwrap();
    assert_eq!(state["commitments"][HOTKEY], first["url"]);
    let payload: Value = serde_json::from_slice(&store.objects().get(HOTKEY).unwrap()).unwrap();
    assert_eq!((&payload["v"], &payload["hk"]), (&json!(2), &json!(HOTKEY)));
    runtime.block_on(store.stop());
}

fn a_feed_is_published_from_a_source_and_says_what_is_missing() {
    let runtime = runtime();
    let document = Arc::new(|| br#"{"last": {"BTC": "60000", "ETH": 3000}}"#.to_vec());
    let source = runtime.block_on(FeedServer::start(document)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (sources, out) = (folder.path().join("feed.toml"), folder.path().join("prices.json"));
    let text = format!(
        "[[feed.source]]\nlabel = \"test\"\ninto = \"prices\"\nurl = \"{}\"\nassets = [\"BTC\", \"ETH\", \"SOL\"]\n\
         pointer = \"/last/{{symbol}}\"\n",
        source.url()
    );
    fs::write(&sources, text).unwrap();
    let done =
        json(mantis().args(["feed", "--once", "--json", "--sources"]).arg(&sources).arg("--out").arg(&out));
    assert_eq!((&done["prices"], &done["funding_rates"]), (&json!(2), &json!(0)));
    assert_eq!(done["warnings"], json!(["test: SOL is left out: its answer has no number at /last/SOL"]));
    let document: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(document, json!({ "prices": {"BTC": 60000.0, "ETH": 3000.0}, "funding_rates": {} }));
    runtime.block_on(source.stop());
}
