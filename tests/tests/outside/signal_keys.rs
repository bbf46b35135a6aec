//! Keys of buyers of signals, and limits: who is let in, how often, and what a leaked store gives away.

use mantis_tests::http::{Answer, get};
use mantis_tests::signals::{ETH, Events, Shop, XSEC, bearer, get_with, request};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, stdout, trial};
use serde_json::json;
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_key_opens_what_it_is_for).takes(20),
        trial!(a_key_in_an_address_is_refused),
        trial!(whoever_asks_too_often_is_told_when_to_come_again),
        trial!(a_leaked_store_has_no_usable_key),
    ]
}

fn a_key_opens_what_it_is_for() {
    let shop = Shop::stocked();
    let keys = [
        ("latest", shop.key(&["--plan", "pro", "--scopes", "read:latest"])),
        ("history", shop.key(&["--plan", "pro", "--scopes", "read:history"])),
        ("stream", shop.key(&["--plan", "pro", "--scopes", "stream"])),
        ("eth", shop.key(&["--plan", "pro", "--signals", ETH])),
        ("short", shop.key(&["--plan", "pro", "--expires", "1s"])),
        ("revoked", shop.key(&["--plan", "pro"])),
    ];
    let key = |name: &str| keys.iter().find(|(one, _)| *one == name).unwrap().1.clone();
    let served = shop.serve();
    let server = served.server;
    let ask = |name: &str, path: &str| get_with(server, path, &[bearer(&key(name))]);
    let (latest, history) = (format!("/v1/signals/{ETH}/latest"), format!("/v1/signals/{ETH}"));
    for (name, path, status) in [
        ("latest", &latest, 200),
        ("latest", &history, 403),
        ("history", &history, 200),
        ("history", &latest, 403),
        ("stream", &latest, 403),
        ("stream", &history, 403),
        ("eth", &latest, 200),
    ] {
        assert_eq!(ask(name, path).status, status, "{name} {path}");
    }
    assert_eq!(ask("latest", "/v1/stream").status, 403);
    for path in ["latest", "record", "?limit=1"] {
        let answer = ask("eth", &format!("/v1/signals/{XSEC}/{path}").replace("/?", "?"));
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    assert!(
        ask("eth", "/v1/signals/NONE/latest").status == 404
            && ask("eth", &format!("/v1/stream?signals={XSEC}")).status == 403
    );
    assert_eq!(ask("eth", "/v1/signals").json()["signals"][1]["yours"], false);
    // Ended, revoked, unknown.
    std::thread::sleep(Duration::from_millis(1200));
    let ended = ask("short", &latest);
    assert_eq!(
        (ended.status, ended.json()["detail"].as_str().unwrap()),
        (401, "this key has ended; ask for a new one")
    );
    assert_eq!(ask("revoked", &latest).status, 200);
    let id = &key("revoked")[8..16];
    let mut stream = Events::open(server, "/v1/stream", &[bearer(&key("revoked"))]).unwrap();
    stdout(mantis().args(["signal", "key", "revoke", id, "--store"]).arg(shop.folder()));
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(ask("revoked", &latest).json()["detail"], "this key was revoked");
    let begun = Instant::now();
    assert!(
        stream.read_event().unwrap().is_none() && begun.elapsed() < Duration::from_secs(20),
        "its stream ends"
    );
    // Another's id with a secret of one's own tells nothing of the id.
    let forged = format!("{}{}", &key("revoked")[..17], &key("eth")[17..]);
    let unknown = "mk_live_AAAAAAAA_".to_owned() + &"x".repeat(43);
    for wrong in [forged, unknown] {
        let answer = get_with(server, &latest, &[bearer(&wrong)]);
        assert_eq!((answer.status, answer.json()["detail"].as_str().unwrap()), (401, "there is no such key"));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    for wrong in ["Bearer", "Basic dTpw", "Bearer x", "Bearer mk_live_\u{e9}", ""] {
        assert_eq!(get_with(server, &latest, &[format!("Authorization: {wrong}")]).status, 401, "{wrong}");
    }
    assert_eq!(
        get_with(server, &latest, &[bearer(&key("eth")), bearer(&key("latest"))]).status,
        401,
        "two keys"
    );
    // Its own page, and its replacement.
    let me = ask("eth", "/v1/me").json();
    assert_eq!((&me["plan"], &me["signals"]), (&json!("pro"), &json!([ETH])));
    assert_eq!(get(server, "/v1/me").status, 401);
    let rotated = request(server, "POST", "/v1/keys/rotate", &[bearer(&key("eth"))]);
    assert_eq!((rotated.status, rotated.headers["cache-control"].as_str()), (200, "no-store"));
    let new = rotated.json()["key"].as_str().unwrap().to_owned();
    for one in [&new, &key("eth")] {
        assert_eq!(get_with(server, &latest, &[bearer(one)]).status, 200, "both live for a day");
    }
    let again = request(server, "POST", "/v1/keys/rotate", &[bearer(&key("eth"))]);
    assert_eq!(again.status, 409);
    assert_eq!(request(server, "POST", "/v1/keys/rotate", &[]).status, 401);
    assert_eq!(get_with(server, "/v1/me", &[bearer(&new)]).json()["signals"], json!([ETH]));
    drop(served);
    // A plan that is not offered any more.
    shop.plans("[plans.free]\ndelay = \"24h\"\nrate = \"9/s\"\n");
    let served = shop.serve();
    assert_eq!(get_with(served.server, &latest, &[bearer(&new)]).status, 403);
    assert_eq!(get(served.server, &latest).status, 200);
    drop(served);
    shop.plans("[plans.pro]\ndelay = \"0s\"\nrate = \"9/s\"\n");
    let served = shop.serve();
    assert_eq!(get(served.server, &latest).status, 401, "nothing without a key");
    assert_eq!(get_with(served.server, &latest, &[bearer(&new)]).status, 200);
}

fn a_key_in_an_address_is_refused() {
    let shop = Shop::stocked();
    let key = shop.key(&["--plan", "pro"]);
    let served = shop.serve();
    for path in [
        format!("/v1/signals?key={key}"),
        format!("/v1/signals?x={key}"),
        format!("/v1/signals/{key}/latest"),
        "/v1/stream?api_key=1".into(),
        "/v1/me?Authorization=Bearer".into(),
        "/?token".into(),
    ] {
        let answer = get_with(served.server, &path, &[bearer(&key)]);
        assert_eq!(answer.status, 400, "{path}");
        assert!(
            answer.text().contains("does not belong into an address") && !answer.text().contains(&key[17..])
        );
    }
}

fn whoever_asks_too_often_is_told_when_to_come_again() {
    let shop = Shop::stocked();
    shop.plans("[plans.free]\ndelay = \"24h\"\nrate = \"5/min\"\n[plans.pro]\ndelay = \"0s\"\nrate = \"8/min\"\nstreams = 1\n");
    let key = shop.pro();
    let served = shop.serve();
    let server = served.server;
    let path = format!("/v1/signals/{ETH}/latest");
    let ask = |lines: &[String]| {
        let answers: Vec<Answer> = (0..10).map(|_| get_with(server, &path, lines)).collect();
        let given = answers.iter().take_while(|answer| answer.status == 200).count();
        assert!(answers[given..].iter().all(|answer| answer.status == 429), "{answers:?}");
        (given, answers)
    };
    let (given, answers) = ask(&[]);
    assert_eq!(given, 5);
    let headers = |at: usize| &answers[at].headers;
    assert_eq!(
        (headers(0)["ratelimit-limit"].as_str(), headers(0)["ratelimit-remaining"].as_str()),
        ("5", "4")
    );
    assert!((1..=12).contains(&headers(9)["retry-after"].parse::<u64>().unwrap()));
    assert!((1..=60).contains(&headers(9)["ratelimit-reset"].parse::<u64>().unwrap()));
    // Made-up addresses and made-up keys are no new buckets.
    let other = get_with(server, &path, &["X-Forwarded-For: 9.9.9.9".into()]);
    let guess = get_with(server, &path, &[bearer(&format!("mk_live_AAAAAAAA_{}", "x".repeat(43)))]);
    assert_eq!((other.status, guess.status), (429, 429));
    // A key has its own, and streams of its own.
    let first = Events::open(server, "/v1/stream", std::slice::from_ref(&key)).unwrap();
    assert_eq!(get_with(server, "/v1/stream", std::slice::from_ref(&key)).status, 429);
    assert_eq!(ask(std::slice::from_ref(&key)).0, 6);
    drop(first);
    assert_eq!(get(server, "/healthz").status, 200, "those who watch over it are not counted");
    drop(served);
    shop.plans("[server]\ntrust_forwarded = true\n[plans.free]\ndelay = \"24h\"\nrate = \"1/min\"\n");
    let served = shop.serve();
    let behind =
        |who: &str| get_with(served.server, &path, &[format!("X-Forwarded-For: 1.1.1.1, {who}")]).status;
    assert_eq!([behind("2.2.2.2"), behind("2.2.2.2"), behind("3.3.3.3")], [200, 429, 200]);
    assert_eq!([behind("2001:db8::1"), behind("2001:db8::2:1"), behind("2001:db8:1::1")], [200, 429, 200]);
}

fn a_leaked_store_has_no_usable_key() {
    let shop = Shop::stocked();
    let keys = [shop.key(&["--plan", "pro"]), shop.key(&["--plan", "pro"])];
    let rotated = json(
        mantis()
            .args(["signal", "key", "rotate", "--json", "--store"])
            .arg(shop.folder())
            .arg(&keys[0][8..16]),
    );
    let served = shop.serve();
    let new = rotated["key"].as_str().unwrap();
    for key in keys.iter().map(String::as_str).chain([new]) {
        assert_eq!(get_with(served.server, "/v1/me", &[bearer(key)]).status, 200);
        assert!(!shop.has_bytes(&key.as_bytes()[17..]), "the secret of {} is in a file", &key[..16]);
        assert!(shop.has_bytes(&key.as_bytes()[8..16]), "the id is: the search finds what there is");
    }
    let list = stdout(mantis().args(["signal", "key", "list", "--store"]).arg(shop.folder()));
    assert!(list.contains(&keys[1][8..16]) && !keys.iter().any(|key| list.contains(&key[17..])), "{list}");
    let folder = shop.folder();
    for (args, said) in [
        (vec!["add", "--plan", "prp"], "there is no plan prp"),
        (vec!["revoke", "AAAAAAAA"], "there is no key AAAAAAAA"),
        (vec!["revoke", &keys[1]], "this is a whole key"),
        (vec!["rotate", &keys[0][8..16]], "was replaced already"),
        (vec!["rotate", "x"], "an id is 8 letters and digits"),
    ] {
        let message = failure(mantis().args(["signal", "key"]).args(&args).arg("--store").arg(&folder));
        assert!(message.contains(said) && !message.contains(&keys[1][17..]), "{args:?}: {message}");
    }
}
