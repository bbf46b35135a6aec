//! The demo's dashboard in a real browser.

use base64::Engine;
use mantis_tests::browser::Browser;
use mantis_tests::http::get;
use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{mantis, note, trial};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(the_dashboard_works_in_a_browser).needs(Need::Browser).takes(55)]
}

/// Keys of the WebDriver standard.
const END: &str = "\u{e010}";
const ENTER: &str = "\u{e007}";

/// A demo that was played and stays.
struct Demo {
    child: Child,
    server: SocketAddr,
}

impl Demo {
    fn play(dir: &Path) -> Self {
        let mut command = mantis();
        command
            .args(["demo", "--days", "21", "--minutes", "65", "--stay", "--listen", "127.0.0.1:0", "--dir"])
            .arg(dir);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = |line: &str| line.split("http://").nth(1)?.split('/').next()?.parse().ok();
        let server = lines.by_ref().find_map(|line| address(&line)).expect("the dashboard's address");
        assert!(lines.by_ref().any(|line| line.contains("stays at")), "it ended before all was played");
        std::thread::spawn(move || lines.for_each(drop));
        let demo = Self { child, server };
        // What was computed just now is shown within a few seconds.
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let status = demo.json("/api/v1/status");
            if status["computation"]["block"] == status["ledger"]["last_block"] {
                break;
            }
            assert!(Instant::now() < until, "what was computed is not shown");
            std::thread::sleep(Duration::from_millis(200));
        }
        demo
    }

    fn json(&self, path: &str) -> Value {
        let answer = get(self.server, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Hotkeys in the order of a table's rows.
fn order(browser: &Browser, table: &str) -> Vec<String> {
    let script = format!(
        "return Array.from(document.querySelectorAll('#{table} tbody tr'), row => row.dataset.hotkey)"
    );
    browser
        .run(&script)
        .as_array()
        .unwrap()
        .iter()
        .map(|hotkey| hotkey.as_str().unwrap().to_owned())
        .collect()
}

fn the_dashboard_works_in_a_browser() {
    let dir = folder("browser");
    let profile = tempfile::tempdir().unwrap();
    let browser = Browser::start(profile.path());
    let demo = Demo::play(&dir.join("demo"));
    let site = format!("http://{}", demo.server);
    let board = demo.json("/api/v1/leaderboard?limit=500");
    let leaders = board["items"].as_array().unwrap();
    let hotkeys = |items: &[Value]| -> Vec<String> {
        items.iter().map(|item| item["hotkey"].as_str().unwrap().to_owned()).collect()
    };

    // From the overview to the leaderboard, which is that of the API.
    browser.open(&site);
    browser.click(&browser.find("nav a[href='/leaderboard']"));
    let _ = browser.find("#leaderboard tbody tr");
    let shown = order(&browser, "leaderboard");
    let paid: Vec<Value> = leaders.iter().filter(|leader| leader["rank"].is_number()).cloned().collect();
    assert_eq!(shown[..paid.len()], hotkeys(&paid)[..]);

    // Sorted by a challenge, by keyboard: as the API sorts it, and the other way round.
    let column =
        "Array.from(document.querySelectorAll('#leaderboard th')).find(th => th.textContent === 'ETH')";
    let _ = browser.run(&format!("{column}.querySelector('button').id = 'by-eth'"));
    let by_eth = browser.find("#by-eth");
    browser.keys(&by_eth, ENTER);
    let best = demo.json("/api/v1/leaderboard?challenge=ETH&limit=1")["items"][0]["hotkey"].clone();
    browser.wait_for("return document.querySelector('#leaderboard tbody tr').dataset.hotkey", |hotkey| {
        *hotkey == best
    });
    let sorted = format!("return {column}.getAttribute('aria-sort')");
    assert_eq!(browser.run(&sorted), "descending");
    browser.click(&by_eth);
    assert_eq!(browser.run(&sorted), "ascending");

    // A miner's page has the API's numbers.
    let best = leaders[0]["hotkey"].as_str().unwrap();
    browser.open(&format!("{site}/leaderboard"));
    browser.click(&browser.find(&format!("#leaderboard tr[data-hotkey='{best}'] a")));
    let _ = browser.find("#miner");
    assert!(browser.url().ends_with(&format!("/miners/{best}")), "{}", browser.url());
    let miner = demo.json(&format!("/api/v1/miners/{best}"));
    let value = |name: &str| {
        let text = browser.run(&format!("return document.querySelector('#tile-{name}').dataset.value"));
        text.as_str().unwrap().parse::<f64>().unwrap()
    };
    assert_eq!(value("total"), miner["total"].as_f64().unwrap());
    assert_eq!(value("weight"), miner["weight"]["weight"].as_f64().unwrap());

    // A slider moved by keyboard: the leaderboard beside it is what the API answers.
    browser.open(&format!("{site}/configuration"));
    let slider = browser.find("#what-if input[data-ticker='CADUSD']");
    browser.keys(&slider, END);
    let query =
        browser.wait_for("return document.querySelector('#what-if').dataset.answered || ''", |v| v != "");
    let then = demo.json(&format!("/api/v1/what-if?{}", query.as_str().unwrap()));
    assert_eq!(order(&browser, "what-if-leaderboard"), hotkeys(then["miners"].as_array().unwrap()));
    assert_ne!(then["miners"][0]["total"], then["miners"][0]["total_now"], "the slider changes something");
    let share =
        browser.run("return document.querySelector('#what-if [data-share=\"CADUSD\"]').dataset.value");
    let share: f64 = share.as_str().unwrap().parse().unwrap();
    assert_eq!(share, then["shares"]["CADUSD"].as_f64().unwrap());
    browser.click(&browser.find("#what-if-reset"));
    let now: Vec<String> = hotkeys(demo.json("/api/v1/what-if")["miners"].as_array().unwrap());
    let rows = "return Array.from(document.querySelectorAll('#what-if-leaderboard tbody tr'), row => row.dataset.hotkey)";
    browser.wait_for(rows, |rows| *rows == Value::from(now.clone()));

    // Every page, narrow and wide, light and dark: nothing wrong, nothing cut off.
    let pictures = dir.join("pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    let pages = [
        ("overview", "/".to_owned()),
        ("leaderboard", "/leaderboard".into()),
        ("leaderboard-eth", "/leaderboard/ETH".into()),
        ("miner", format!("/miners/{best}")),
        ("miner-unpaid", format!("/miners/{}", leaders[leaders.len() - 1]["hotkey"].as_str().unwrap())),
        ("challenges", "/challenges".into()),
        ("challenge", "/challenges/ETH".into()),
        ("challenge-breakout", "/challenges/MULTIBREAKOUT".into()),
        ("weights", "/weights".into()),
        ("configuration", "/configuration".into()),
    ];
    for (name, path) in &pages {
        for (width, scheme) in [(400, "light"), (400, "dark"), (1400, "light"), (1400, "dark")] {
            browser.look(width, scheme);
            browser.open(&format!("{site}{path}"));
            let _ = browser.find("main h1");
            let wide = browser.run("return document.documentElement.scrollWidth");
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{path} is {wide} wide at {width}");
            let picture = base64::engine::general_purpose::STANDARD.decode(browser.picture()).unwrap();
            std::fs::write(pictures.join(format!("{name}-{width}-{scheme}.png")), picture).unwrap();
        }
    }
    assert_eq!(browser.console(), [""; 0], "the console stays empty");
    browser.open(&format!("{site}/miners/5Nobody"));
    assert!(
        browser.run("return document.querySelector('main').innerText").as_str().unwrap().contains("5Nobody")
    );
    note!("pictures: {}", pictures.display());
    std::fs::remove_dir_all(dir.join("demo")).unwrap();
}
