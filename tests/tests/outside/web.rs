//! The dashboard's server from outside: the API, health, metrics, and requests that are wrong.

use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_tests::http::{Answer, ask, get};
use mantis_tests::need::{Need, api_tools};
use mantis_tests::record::{hotkey, write};
use mantis_tests::served::Served;
use mantis_tests::suite::Trial;
use mantis_tests::{mantis, root, tiny_ledger, trial};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(numbers_of_one_list_agree_with_those_of_another),
        trial!(pages_of_a_list_are_the_list),
        trial!(wrong_requests_are_told_what_is_wrong),
        trial!(wrong_bytes_get_an_answer_too),
        trial!(what_did_not_change_is_not_sent_again),
        trial!(metrics_have_names_by_the_rules),
        trial!(a_ledger_of_the_network_without_a_record_is_shown_as_it_is),
        trial!(the_api_keeps_its_own_description).needs(Need::ApiTools).takes(9),
    ]
}

/// A `mantis dashboard` of a ledger.
struct Dashboard {
    served: Served,
}

impl Dashboard {
    fn start(ledger: &Path) -> Self {
        let mut command = mantis();
        command.args(["dashboard", "--listen", "127.0.0.1:0", "--ledger"]).arg(ledger);
        Self { served: Served::start(&mut command) }
    }

    fn get(&self, path: &str) -> Answer {
        get(self.served.server, path)
    }

    fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }
}

const MINERS: usize = 6;

fn recorded(dir: &Path) -> Dashboard {
    let path = dir.join("ledger.db");
    tiny_ledger(&path, &["ETH", "CADUSD"], 40);
    let config = Config::load(root().join("challenges.toml")).unwrap();
    write(&mut Ledger::open(&path).unwrap(), &config, MINERS, 5, Block(5_000_000));
    Dashboard::start(&path)
}

fn numbers_of_one_list_agree_with_those_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    let board = site.json("/api/v1/leaderboard?limit=500");
    assert_eq!(board["total"], MINERS);
    let sum: f64 = board["items"].as_array().unwrap().iter().map(|m| m["total"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    for leader in board["items"].as_array().unwrap() {
        let hotkey = leader["hotkey"].as_str().unwrap();
        let miner = site.json(&format!("/api/v1/miners/{hotkey}"));
        assert_eq!((&miner["total"], &miner["rank"]), (&leader["total"], &leader["rank"]));
        assert_eq!(miner["weight"]["weight"], leader["weight"]);
        let parts = miner["challenges"].as_array().unwrap().iter();
        let total: f64 =
            parts.map(|part| part["counts"].as_f64().unwrap() * part["share"].as_f64().unwrap()).sum();
        assert!((total - leader["total"].as_f64().unwrap()).abs() < 1e-12, "{miner:#}");
        let history = site.json(&format!("/api/v1/miners/{hotkey}/history"));
        assert_eq!((&history["total"], &history["items"][0]["block"]), (&json!(5), &json!(5_000_000)));
        assert_eq!(history["items"][0]["shares"], leader["shares"]);
    }
    // Nothing else than what runs comes of the weights that run.
    let same = site.json("/api/v1/what-if");
    for miner in same["miners"].as_array().unwrap() {
        assert_eq!((&miner["total"], &miner["rank"]), (&miner["total_now"], &miner["rank_now"]));
    }
    let other = site.json("/api/v1/what-if?ETH=0&CADUSD=1000");
    assert_eq!(other["shares"]["ETH"], 0.0);
    assert!(other["shares"]["CADUSD"].as_f64().unwrap() > 0.8, "{other:#}");
    // A share of all stays that when others weigh more; another can be asked for.
    let share = |answer: &Value| answer["shares"]["TRADEMIX"].as_f64().unwrap();
    assert!((share(&other) - 0.15).abs() < 1e-12, "{other:#}");
    assert!((share(&site.json("/api/v1/what-if?ETH=9&TRADEMIX=40%25")) - 0.4).abs() < 1e-12);
    let by_challenge = site.json("/api/v1/leaderboard?challenge=CADUSD&limit=1");
    assert_eq!(by_challenge["items"][0]["hotkey"], other["miners"][0]["hotkey"]);
}

fn pages_of_a_list_are_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    for path in [
        "leaderboard",
        "challenges",
        "challenges/ETH/history",
        "computations",
        "computations/5000000/weights",
        "weight-submissions",
        "refusals",
    ] {
        let whole = site.json(&format!("/api/v1/{path}?limit=500"));
        let mut items = Vec::new();
        loop {
            let page = site.json(&format!("/api/v1/{path}?limit=2&offset={}", items.len()));
            assert_eq!((&page["total"], &page["limit"]), (&whole["total"], &json!(2)), "{path}");
            let more = page["items"].as_array().unwrap();
            items.extend(more.iter().cloned());
            if more.is_empty() {
                break;
            }
        }
        assert_eq!(whole["items"], Value::from(items), "{path}");
    }
    assert_eq!(site.json("/api/v1/computations")["total"], 5);
    assert_eq!(site.json("/api/v1/computations?offset=1000000000")["items"], json!([]));
}

fn wrong_requests_are_told_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    let long = "x".repeat(5000);
    for (path, status, says) in [
        ("/api/v1/miners/5Nobody", 404, "5Nobody"),
        ("/api/v1/miners/5Nobody/history", 404, "5Nobody"),
        ("/api/v1/miners/5Nobody/refusals", 404, "5Nobody"),
        (&*format!("/api/v1/miners/{long}"), 404, "nothing is known"),
        ("/api/v1/miners/%FF%FE", 400, "UTF-8"),
        ("/api/v1/miners/%00", 404, "nothing is known"),
        ("/api/v1/challenges/NONE", 404, "ETH"),
        ("/api/v1/leaderboard?challenge=NONE", 404, "ETH"),
        ("/api/v1/leaderboard?limit=0", 400, "1 to 500"),
        ("/api/v1/leaderboard?limit=501", 400, "1 to 500"),
        ("/api/v1/leaderboard?limit=99999999999999999999", 400, "limit"),
        ("/api/v1/leaderboard?limit=-1", 400, "limit"),
        ("/api/v1/leaderboard?offset=2000000000", 400, "offset"),
        ("/api/v1/leaderboard?sort=up", 400, "sort"),
        ("/api/v1/computations/abc/weights", 400, "whole number"),
        ("/api/v1/computations/7/weights", 404, "block 7"),
        ("/api/v1/agreement", 404, "mantis agree"),
        ("/api/v1/what-if?NONE=1", 400, "ETH"),
        ("/api/v1/what-if?ETH=many", 400, "ETH"),
        ("/api/v1/what-if?ETH=-1", 400, "ETH"),
        ("/api/v1/what-if?ETH=NaN", 400, "ETH"),
        ("/api/v1/what-if?ETH=1e300", 400, "ETH"),
        ("/api/v1/what-if?TRADEMIX=100%25", 400, "TRADEMIX"),
        ("/api/v2/status", 404, "openapi.json"),
        ("/../../etc/passwd", 404, "nothing"),
        ("/assets/../../../etc/passwd", 404, "nothing"),
        ("/assets/..%2f..%2f..%2fetc%2fpasswd", 404, "nothing"),
    ] {
        let answer = site.get(path);
        let text = answer.text();
        assert_eq!(answer.status, status, "{path}: {text}");
        assert!(text.contains(says) && text.len() < 2000, "{path}: {text}");
        if path.starts_with("/api/v1") {
            assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
            assert_eq!(answer.json()["status"], status, "{path}");
        }
    }
}

fn wrong_bytes_get_an_answer_too() {
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        for path in ["/", "/api/v1/status", "/metrics", "/healthz"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let answer = ask(site.served.server, request.as_bytes()).unwrap();
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
            assert!(answer.headers["allow"].contains("GET"), "{method} {path}");
        }
    }
    let huge = "x".repeat(1 << 20);
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {huge}\r\n\r\n");
    assert_eq!(ask(site.served.server, request.as_bytes()).unwrap().status, 431);
    let request = format!("GET /{huge} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let status = ask(site.served.server, request.as_bytes()).unwrap().status;
    assert!([414, 431].contains(&status), "{status}");
    assert_eq!(ask(site.served.server, b"nonsense\r\n\r\n").unwrap().status, 400);
    let head = ask(
        site.served.server,
        b"HEAD /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    // The body is left out, so that reading it fails, or it has none.
    assert!(head.is_err() || head.unwrap().status == 200);
    assert_eq!(site.get("/healthz").status, 200, "it goes on");
}

fn what_did_not_change_is_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    let first = site.get("/api/v1/challenges");
    let tag = &first.headers["etag"];
    let again = format!(
        "GET /api/v1/challenges HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n"
    );
    let again = ask(site.served.server, again.as_bytes()).unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));
    for header in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
        assert!(first.headers.contains_key(header), "{header}");
    }
}

fn metrics_have_names_by_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    let wanted = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text\r\nConnection: close\r\n\r\n";
    let text = ask(site.served.server, wanted).unwrap().text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut kinds = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(
            name.starts_with("mantis_") && name.bytes().all(|b| b.is_ascii_lowercase() || b"_".contains(&b)),
            "{name}"
        );
        assert!(!name.ends_with("_total"), "{name}: the encoder adds it");
        kinds.insert(kind.to_owned());
    }
    assert_eq!(kinds, ["counter", "gauge", "info"].map(String::from).into());
    for counter in
        ["mantis_payloads_total{result=\"accepted\"}", "mantis_http_responses_total{status=\"200\"}"]
    {
        assert!(text.contains(counter), "{counter}: {text}");
    }
    assert!(text.contains(&format!("mantis_miner_weight_ratio{{hotkey=\"{}\"}}", hotkey(1))), "{text}");

    // Whoever does not ask for OpenMetrics is given the older form, with the same samples.
    let classic = site.get("/metrics");
    assert!(
        classic.headers["content-type"].starts_with("text/plain; version=0.0.4"),
        "{:?}",
        classic.headers
    );
    let classic = classic.text();
    assert!(
        classic.contains("# TYPE mantis_payloads_total counter") && !classic.contains("# EOF"),
        "{classic}"
    );
    let names = |text: &str| -> BTreeSet<String> {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.split([' ', '{']).next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&classic), names(&text));
}

fn a_ledger_of_the_network_without_a_record_is_shown_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    tiny_ledger(&path, &["ETH"], 10);
    let site = Dashboard::start(&path);
    assert_eq!(site.json("/api/v1/status")["computation"], Value::Null);
    assert_eq!(site.json("/api/v1/leaderboard")["total"], 0);
    assert_eq!(site.json("/api/v1/what-if")["miners"], json!([]));
}

/// The description is checked, and the API tried out by it.
fn the_api_keeps_its_own_description() {
    let tools = api_tools().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let site = recorded(dir.path());
    let file = dir.path().join("openapi.json");
    std::fs::write(&file, site.get("/api/v1/openapi.json").body).unwrap();
    let tool = |name: &str| Command::new(tools.join(name));
    let checked = tool("openapi-spec-validator").arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let tried = tool("schemathesis")
        .arg("run")
        .arg(&file)
        .args([
            "--url",
            &format!("http://{}", site.served.server),
            "--max-examples",
            "40",
            "--seed",
            "1",
            "--no-color",
        ])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stdout));
}
