//! `mantis signal serve` from outside: what is given to whom, and what is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mantis_signal::signing::is_signed;
use mantis_signal::store::Digest;
use mantis_tests::http::{Answer, ask, get};
use mantis_tests::need::{Need, numpy};
use mantis_tests::signals::{ETH, Events, PLANS, Shop, XSEC, get_with, python_client, request};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, note, root, stdout, trial};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(every_address_answers_and_what_it_says_is_signed).takes(3),
        trial!(what_is_newer_than_the_plan_allows_is_nowhere).takes(5),
        trial!(streams_go_on_where_they_were_and_lose_nothing).takes(20),
        trial!(a_reader_who_takes_nothing_is_dropped).takes(10),
        trial!(odd_requests_get_an_answer_and_the_server_goes_on).takes(3),
        trial!(what_is_published_can_be_measured_and_verified_by_the_command),
        trial!(the_client_in_python_believes_what_is_signed_and_nothing_else).needs(Need::Numpy).takes(10),
    ]
}

/// Checks the digest and the signature of an answer, as RFC 9421 says.
fn check_signed(answer: &Answer, public: &str) {
    let header = |name: &str| answer.headers.get(name).unwrap_or_else(|| panic!("no {name}: {answer:?}"));
    let digest = format!("sha-256=:{}:", STANDARD.encode(Digest::of(&answer.body).0));
    assert_eq!(header("content-digest"), &digest);
    let params = header("signature-input").strip_prefix("sig1=").unwrap();
    let base = format!(
        "\"@status\": {}\n\"content-digest\": {digest}\n\"@signature-params\": {params}",
        answer.status
    );
    let signature =
        header("signature").strip_prefix("sig1=:").and_then(|rest| rest.strip_suffix(':')).unwrap();
    assert!(is_signed(public, base.as_bytes(), &hex(&STANDARD.decode(signature).unwrap())), "{answer:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn public_key(server: SocketAddr) -> String {
    get(server, "/.well-known/mantis.json").json()["public_key"].as_str().unwrap().to_owned()
}

fn every_address_answers_and_what_it_says_is_signed() {
    let shop = Shop::stocked();
    let served = shop.serve();
    let (server, key) = (served.server, shop.pro());
    let public = public_key(server);
    let described = get(server, "/openapi.json").json();
    for path in described["paths"].as_object().unwrap().keys().filter(|path| !path.contains("stream")) {
        let method = if path.ends_with("rotate") { "POST" } else { "GET" };
        let answer = request(server, method, &path.replace("{ticker}", ETH), std::slice::from_ref(&key));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        check_signed(&answer, &public);
        assert!(answer.headers["content-type"].starts_with("application/json"), "{path}");
        let wrong = if method == "POST" { "GET" } else { "DELETE" };
        let answer = request(server, wrong, &path.replace("{ticker}", ETH), std::slice::from_ref(&key));
        assert_eq!(answer.status, 405, "{path}");
    }
    let latest = get_with(server, &format!("/v1/signals/{ETH}/latest"), std::slice::from_ref(&key));
    let told = latest.json();
    assert_eq!((&told["forecast"]["seq"], &told["signal"]["kind"]), (&json!(45), &json!("probability")));
    assert_eq!(told["delay_seconds"], 0);
    // What is known is not sent again, and a HEAD is a GET without a body.
    let known = format!("If-None-Match: {}", latest.headers["etag"]);
    let again = get_with(server, &format!("/v1/signals/{ETH}/latest"), &[key.clone(), known]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let mut socket = TcpStream::connect(server).unwrap();
    let head = format!("HEAD /v1/signals HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with("\r\n\r\n") && text.contains("signature:"),
        "{text}"
    );
    // Errors are signed, too, and have the form of the dashboard's.
    let missing = get(server, "/v1/signals/NONE/latest");
    check_signed(&missing, &public);
    assert_eq!(missing.headers["content-type"], "application/problem+json");
    assert_eq!(missing.json()["detail"], "there is no signal NONE; /v1/signals lists those there are");
    assert_eq!(missing.headers["access-control-allow-origin"], "*");
    assert_eq!(get(server, "/v1/signals/SECRET/latest").status, 404, "hidden");
    assert!(!get(server, "/v1/signals").text().contains("SECRET"));
    // Pages of history are the history.
    let mut seen = Vec::new();
    let mut from = json!(0);
    while !from.is_null() {
        let page =
            get_with(server, &format!("/v1/signals/{XSEC}?limit=7&from={from}"), std::slice::from_ref(&key));
        let page = page.json();
        seen.extend(page["forecasts"].as_array().unwrap().iter().map(|one| one["seq"].as_i64().unwrap()));
        from = page["next"].clone();
    }
    assert_eq!(seen, (1..=23).map(|at| 2 * at).collect::<Vec<_>>());
    // The page needs no script, and what comes from the owner's file is escaped.
    let page = get(server, "/").text();
    assert!(page.contains("Ether &#38; &#60;an hour&#62;") && !page.contains("<an hour>"), "{page}");
    assert!(
        !page.contains("<script") && page.contains("class=\"calibration\"") && page.contains("10 a month")
    );
    roxmltree::Document::parse_with_options(
        &page,
        roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() },
    )
    .unwrap();
}

fn what_is_newer_than_the_plan_allows_is_nowhere() {
    let mut shop = Shop::stocked();
    let served = shop.serve();
    let server = served.server;
    let etag = |path: &str| get(server, path).headers["etag"].clone();
    let latest = format!("/v1/signals/{ETH}/latest");
    let before = etag(&latest);
    assert_eq!(get(server, &latest).json()["forecast"]["seq"], 39);
    let hidden: Vec<_> = shop.store.after(40, &[ETH.into(), XSEC.into()], i64::MAX, 100).unwrap();
    let newer = shop.publish(0);
    assert_eq!(hidden.len(), 6);
    let words: Vec<String> = hidden
        .iter()
        .chain(&newer)
        .flat_map(|one| [one.hash.to_string(), one.published_at.to_string(), format!("\"seq\":{},", one.seq)])
        .collect();
    let mut paths: Vec<String> =
        ["/", "/v1/signals", "/v1/days", "/.well-known/mantis.json", "/healthz"].map(String::from).into();
    for ticker in [ETH, XSEC] {
        let base = format!("/v1/signals/{ticker}");
        paths.extend(
            ["", "/latest", "/record", "/record?days=1", "?from=40", "?from=41", "?from=45&limit=1000"]
                .map(|end| format!("{base}{end}")),
        );
        paths.push(format!("{base}?from=2020-01-01&to=2099-01-01"));
    }
    for path in &paths {
        let answer = get(server, path);
        assert!(matches!(answer.status, 200), "{path}: {}", answer.text());
        let whole = format!("{:?}{}", answer.headers, answer.text());
        for word in &words {
            assert!(!whole.contains(word.as_str()), "{path} tells {word}");
        }
    }
    assert_eq!(etag(&latest), before, "nor does a newer one change what stands for it");
    let record = get(server, &format!("/v1/signals/{ETH}/record")).json();
    assert_eq!((&record["record"]["rows"], &record["delay_seconds"]), (&json!(20), &json!(86_400)));
    assert_eq!(get(server, &format!("/v1/signals/{ETH}/record?days=1")).json()["record"]["rows"], 0);
    // A stream without a key, from the beginning: what is a day old, and nothing else.
    let mut events = Events::open(server, "/v1/stream", &["Last-Event-ID: 2".into()]).unwrap();
    let gap = events.read_event().unwrap().unwrap();
    assert_eq!(gap.kind, "gap", "24 hours before the delay are kept: {gap:?}");
    events.socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut seen = Vec::new();
    while let Ok(Some(event)) = events.read_event() {
        seen.push(event.id.unwrap());
    }
    assert!(seen.len() > 10 && seen.ends_with(&[39, 40]), "{seen:?}");
    // A number of the future is no way around it.
    for id in ["45", "999999999999"] {
        let mut events = Events::open(server, "/v1/stream", &[format!("Last-Event-ID: {id}")]).unwrap();
        events.socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        assert!(events.read_event().is_err(), "{id}");
    }
    // Whoever pays is told at once.
    let key = shop.pro();
    let told = get_with(server, &latest, &[key]).json();
    assert_eq!(told["forecast"]["seq"], newer[0].seq);
}

fn streams_go_on_where_they_were_and_lose_nothing() {
    const CLIENTS: usize = 100;
    const ROUNDS: i64 = 60;
    let mut shop = Shop::stocked();
    let key = shop.pro();
    let served = shop.serve();
    let server = served.server;
    let begin = shop.store.refresh().unwrap();
    let last = begin + 2 * ROUNDS;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let key = key.clone();
            std::thread::spawn(move || {
                let wanted = if client % 2 == 0 { ETH.to_owned() } else { format!("{XSEC},{ETH}") };
                let path = format!("/v1/stream?signals={wanted}");
                let (mut seen, mut after, mut connections) = (Vec::new(), begin, 0);
                let end = if client % 2 == 0 { last - 1 } else { last };
                while after < end {
                    let lines = [key.clone(), format!("Last-Event-ID: {after}")];
                    let mut events = Events::open(server, &path, &lines).unwrap();
                    connections += 1;
                    // Each breaks off after another number of events.
                    for _ in 0..(3 + (client + connections) % 11) {
                        let Some(event) = events.read_event().unwrap() else { break };
                        assert_eq!(event.kind, "forecast", "{event:?}");
                        let told: Value = serde_json::from_str(&event.data).unwrap();
                        assert_eq!(told["seq"].as_i64(), event.id);
                        after = event.id.unwrap();
                        seen.push(after);
                        if after >= end {
                            break;
                        }
                    }
                    let _ = events.socket.shutdown(Shutdown::Both);
                }
                (seen, connections)
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        shop.publish(0);
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut connections = 0;
    for (client, handle) in clients.into_iter().enumerate() {
        let (seen, opened) = handle.join().unwrap();
        let step = if client % 2 == 0 { 2 } else { 1 };
        let expected: Vec<i64> = (begin + 1..=last).step_by(step).collect();
        assert_eq!(seen, expected, "client {client}");
        connections += opened;
    }
    note!("{CLIENTS} clients, {connections} connections, {} forecasts: none lost, none twice", 2 * ROUNDS);
}

fn a_reader_who_takes_nothing_is_dropped() {
    let mut shop = Shop::new();
    shop.plans(&format!("[server]\nstall = \"1s\"\nstreams = 2\n{PLANS}"));
    // More than the system holds for one that reads nothing.
    let wide = shop.add_wide("WIDE", 2000);
    for _ in 0..600 {
        let values = (0..2000).map(|at| Some(f64::from(at) / 7.0)).collect();
        shop.publish_one("WIDE", wide, values, 100);
    }
    let key = shop.pro();
    let served = shop.serve();
    let last = shop.store.refresh().unwrap();
    let open = || Events::open(served.server, "/v1/stream", &[key.clone(), "Last-Event-ID: 0".into()]);
    let mut slow = TcpStream::connect(served.server).unwrap();
    let head = format!("GET /v1/stream HTTP/1.1\r\nHost: x.localhost\r\n{key}\r\nLast-Event-ID: 0\r\n\r\n");
    slow.write_all(head.as_bytes()).unwrap();
    let mut quick = open().unwrap();
    let mut seen = 0;
    while seen < last {
        let event = quick.read_event().unwrap().unwrap();
        assert_eq!(event.id, Some(seen + 1), "one that reads is given all");
        seen += 1;
    }
    let until = Instant::now() + Duration::from_secs(20);
    // Its place is given to another.
    while open().is_err() {
        assert!(Instant::now() < until, "a reader who takes nothing keeps its place");
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut bytes = Vec::new();
    let _ = slow.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains(&format!("id: {last}\n")), "it was not given all");
}

fn odd_requests_get_an_answer_and_the_server_goes_on() {
    let shop = Shop::stocked();
    let key = shop.pro();
    let served = shop.serve();
    let server = served.server;
    let base = format!("/v1/signals/{ETH}");
    for (path, status) in [
        (format!("{base}?limit=0"), 400),
        (format!("{base}?limit=1001"), 400),
        (format!("{base}?limit=99999999999999999999"), 400),
        (format!("{base}?limit=-1"), 400),
        (format!("{base}?from=-1"), 400),
        (format!("{base}?from=1e9"), 400),
        (format!("{base}?from=99999999999999999999"), 400),
        (format!("{base}?from=9223372036854775807"), 200),
        (format!("{base}?from=1000-01-01T00:00:00Z&to=9999-12-30"), 200),
        (format!("{base}?form=1"), 400),
        (format!("{base}?limit=1&limit=2"), 400),
        (format!("{base}/record?days=0"), 400),
        (format!("{base}/record?days=366"), 400),
        (format!("{base}/record?days=x"), 400),
        ("/v1/signals/%00/latest".into(), 404),
        ("/v1/signals/%ff/latest".into(), 400),
        ("/v1/signals/..%2f..%2fetc/latest".into(), 404),
        (format!("/v1/signals/{}/latest", "x".repeat(5000)), 404),
        ("/v1/signals/'%20OR%201=1--/latest".into(), 404),
        ("/v1/stream?signals=".into(), 404),
        (format!("/v1/stream?signals={}", "A,".repeat(300)), 404),
        ("/v1/stream?signals=NONE".into(), 404),
        ("/v1/days?limit=0".into(), 400),
        ("/v2/signals".into(), 404),
        ("/assets/../signal.db".into(), 404),
        ("/signal.toml".into(), 404),
    ] {
        let answer = get_with(server, &path, std::slice::from_ref(&key));
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.body.len() < 2000 || status == 200, "{path}: {}", answer.text());
    }
    for id in ["-1", "x", "1.5", "99999999999999999999"] {
        let answer = get_with(server, "/v1/stream", &[key.clone(), format!("Last-Event-ID: {id}")]);
        assert_eq!(answer.status, 400, "{id}");
    }
    let other =
        ask(server, b"GET /v1/signals HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n\r\n");
    assert_eq!(other.unwrap().status, 421);
    let preflight = request(server, "OPTIONS", "/v1/signals", &["Origin: https://a.example".into()]);
    assert_eq!(preflight.status, 204);
    assert!(!preflight.headers["access-control-allow-headers"].contains("authorization"));
    // Those who say nothing, or only half, keep nobody out.
    let idle: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(server).unwrap()).collect();
    for mut socket in idle.iter().take(100) {
        let _ = socket.write_all(b"GET / HTTP/1.1\r\nHos");
    }
    for wrong in [&b"\r\n\r\n"[..], b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let _ = ask(server, wrong);
    }
    assert_eq!(get(server, "/v1/signals").status, 200);
}

fn what_is_published_can_be_measured_and_verified_by_the_command() {
    let shop = Shop::stocked();
    let served = shop.serve();
    let folder = shop.folder();
    let of = |args: &[&str]| {
        let mut command = mantis();
        command.arg("signal").args(args).arg("--store").arg(&folder);
        command
    };
    // Days that have ended are signed by whoever serves them.
    let until = Instant::now() + Duration::from_secs(20);
    let verified = loop {
        let found = json(&mut of(&["verify", "--json"]));
        if found["verified"]["days"].as_u64().unwrap() >= 1 {
            break found;
        }
        assert!(Instant::now() < until, "{found}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(verified["verified"]["forecasts"], 46);
    assert_eq!(verified["signer"].as_str().unwrap(), public_key(served.server));
    let record = json(&mut of(&["record", ETH, "--json"]));
    let shown = get_with(served.server, &format!("/v1/signals/{ETH}/record"), &[shop.pro()]).json();
    assert_eq!(record["record"], shown["record"], "the page sells what the command measures");
    assert_eq!(record["record"]["rows"], 23);
    assert!(stdout(&mut of(&["record", XSEC])).contains("rank correlation"));
    assert!(failure(&mut of(&["record", "NONE"])).contains("nothing is published of NONE; there are"));
    assert!(failure(&mut of(&["verify", "--signer", &"0".repeat(64)])).contains("signed by another key"));
    drop(served);
    let store = rusqlite::Connection::open(folder.join("signal.db")).unwrap();
    store.execute("UPDATE forecasts SET vals = '[0.9]' WHERE seq = 3", []).unwrap();
    assert!(failure(&mut of(&["verify"])).contains("forecast 3: it has been changed"));
    let missing = failure(mantis().args(["signal", "verify", "--store", "/nowhere"]));
    assert!(missing.contains("no such store"), "{missing}");
    shop.plans("[plans.free]\ndealy = \"1h\"\n");
    let refused = failure(&mut of(&["serve", "--listen", "127.0.0.1:0"]));
    assert!(
        refused.contains("signal.toml:2: [plans.free] dealy: no such key")
            && refused.contains("did you mean `delay`?")
    );
}

fn the_client_in_python_believes_what_is_signed_and_nothing_else() {
    let mut shop = Shop::stocked();
    let key = shop.key(&["--plan", "pro"]);
    let served = shop.serve();
    let mut python = Command::new(numpy());
    let script = root().join("tests/fixtures/signal_client.py");
    python
        .args(["-I", "-S"])
        .arg(script)
        .arg(python_client())
        .arg(format!("http://{}", served.server))
        .arg(&key);
    let running = std::thread::spawn(move || stdout(&mut python));
    // What its stream waits for.
    while !running.is_finished() {
        shop.publish(0);
        std::thread::sleep(Duration::from_millis(200));
    }
    let said = running.join().unwrap();
    let done: BTreeSet<&str> = said.lines().collect();
    for line in ["vectors", "answers", "stream", "resumed", "tampered", "replayed", "unsafe"] {
        assert!(done.contains(line), "{line} is not in\n{said}");
    }
}
