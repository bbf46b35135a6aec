//! Lists and parts of a published ledger that are not what their publisher signed, and a validator that goes by them.

use mantis_ledger::Ledger;
use mantis_network::chain::{Head, OfflineChain};
use mantis_network::wallet::Hotkey;
use mantis_release::ledger::{LedgerIndex, ListedPart};
use mantis_release::signature::{Signed, to_file};
use mantis_tests::mirror::{Manner, Mirror};
use mantis_tests::publisher::{PUBLISHER, Publisher};
use mantis_tests::stage::{Running, set};
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, runtime, stdout, trial};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_list_that_is_not_the_publishers_newest_is_refused).takes(30),
        trial!(what_its_publisher_signed_wrongly_is_not_merged).takes(20),
        trial!(a_validator_begins_with_what_is_published_and_gets_the_days_that_it_was_away).takes(40),
        trial!(a_place_or_a_ledger_that_cannot_be_published_says_why).takes(20),
    ]
}

/// Changes a list and signs it again.
fn sign(site: &Path, uri: &str, change: impl FnOnce(&mut LedgerIndex)) {
    let list = site.join("ledger.toml");
    let mut index = LedgerIndex::parse(&fs::read(&list).unwrap()).unwrap();
    change(&mut index);
    let text = index.to_text().unwrap();
    let key = Hotkey::from_uri(uri).unwrap();
    fs::write(
        site.join("ledger.toml.sig"),
        to_file(&key.sign_message(&Signed::Ledger.message(text.as_bytes()))),
    )
    .unwrap();
    fs::write(list, text).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("parts")).unwrap();
    for name in ["ledger.toml", "ledger.toml.sig"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    for entry in fs::read_dir(from.join("parts")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("parts").join(entry.file_name())).unwrap();
    }
}

fn a_list_that_is_not_the_publishers_newest_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 2);
    stdout(&mut publisher.publish(&[]));
    let into = dir.path().join("new.db");
    let refused = |site: &Path, more: &[&str]| {
        let mirror = Mirror::start(site, Manner::Honest);
        failure(&mut publisher.fetch(&into, &[&mirror.url], more))
    };
    let changed = |name: &str, uri: &str, change: &dyn Fn(&mut LedgerIndex)| {
        let site = dir.path().join(name);
        copy(&publisher.site, &site);
        sign(&site, uri, change);
        site
    };
    let stranger = Hotkey::from_uri("//Mallory").unwrap();
    for (said, says) in [
        (refused(&changed("stranger", "//Mallory", &|_| ()), &[]), "is not signed by the publisher"),
        (refused(&publisher.site, &["--publisher", stranger.address()]), "is not signed by the publisher"),
        (refused(&publisher.site, &["--publisher", "5nobody"]), "5nobody"),
        (
            refused(&changed("named", PUBLISHER, &|index| index.publisher = "5Other".into()), &[]),
            "says that 5Other publishes it",
        ),
        (refused(&changed("netuid", PUBLISHER, &|index| index.netuid = 9), &[]), "for subnet 9"),
        (
            refused(&changed("every", PUBLISHER, &|index| index.sample_every = 10), &[]),
            "a row every 10 blocks",
        ),
        (
            refused(
                &changed("layout", PUBLISHER, &|index| {
                    index.challenges[0].dim = 3;
                    index.layout = mantis_release::ledger::ListedChallenge::digest(&index.challenges);
                }),
                &[],
            ),
            "`dim` was 3",
        ),
        (
            refused(
                &changed("future", PUBLISHER, &|index| {
                    let last = index.parts[2];
                    let moved =
                        ListedPart { day: 1_000_000, first: 7_200_000_000, last: 7_200_000_005, ..last };
                    index.parts.push(moved);
                }),
                &[],
            ),
            "no block after",
        ),
    ] {
        assert!(said.contains(says), "{says}: {said}");
        assert!(!into.exists(), "{says}");
    }
    let endless = Mirror::start(&publisher.site, Manner::Endless);
    let said = failure(&mut publisher.fetch(&into, &[&endless.url], &[]));
    assert!(said.contains("larger than 2097152 bytes"), "{said}");

    // Beside an honest mirror none of them counts; and an old list is not gone back to.
    let old = dir.path().join("old");
    copy(&publisher.site, &old);
    sign(&publisher.site, PUBLISHER, |index| index.number = 2);
    let [honest, old_one, bad] =
        [&publisher.site, &old, &dir.path().join("stranger")].map(|site| Mirror::start(site, Manner::Honest));
    let fetched =
        json(&mut publisher.fetch(&into, &[&endless.url, &bad.url, &old_one.url, &honest.url], &["--json"]));
    assert_eq!(
        (fetched["number"].as_u64(), fetched["refused"].as_array().unwrap().len()),
        (Some(2), 2),
        "{fetched}"
    );
    assert_eq!(json(&mut publisher.compare(&into, &["--json"]))["equal"], true);
    let said = failure(&mut publisher.fetch(&into, &[&old_one.url], &[]));
    assert!(said.contains("number 1, and number 2 was seen before"), "{said}");
    sign(&publisher.site, PUBLISHER, |index| index.unix += 1);
    let said = failure(&mut publisher.fetch(&into, &[&honest.url], &[]));
    assert!(said.contains("a publisher uses a number once"), "{said}");
}

fn what_its_publisher_signed_wrongly_is_not_merged() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 2);
    stdout(&mut publisher.publish(&[]));
    let site = &publisher.site;
    // The second part says that it is smaller than it is, once it is unpacked; the third one's content is another.
    let mut parts = Vec::new();
    sign(site, PUBLISHER, |index| {
        index.number = 2;
        index.parts[1].bytes = 1000;
        index.parts[2].content = index.parts[0].content;
        parts = index.parts.clone();
    });
    let mirror = Mirror::start(site, Manner::Honest);
    let into = dir.path().join("new.db");
    let output = publisher.fetch(&into, &[&mirror.url], &[]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for says in [
        "unpacked it has more than the 1000 bytes",
        "what is in it has the sha256",
        "2 of 3 parts are missing",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    let ledger = Ledger::read(&into).unwrap();
    let first = ledger.blocks().unwrap();
    assert_eq!(first.len() as u64, parts[0].blocks);
    assert!(first.iter().all(|block| block.0 <= parts[0].last));
}

fn a_place_or_a_ledger_that_cannot_be_published_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 1);
    stdout(&mut publisher.publish(&[]));
    let mut other = publisher.publish(&[]);
    other.args(["--hotkey-uri", "//Mallory"]);
    // Given twice: the command refuses that itself.
    assert_eq!(other.output().unwrap().status.code(), Some(2));
    let mut other = mantis_tests::mantis();
    other.args(["publish", "--hotkey-uri", "//Mallory", "--config"]).arg(&publisher.config);
    other.arg("--ledger").arg(&publisher.ledger).arg("--out").arg(&publisher.site);
    let said = failure(&mut other);
    assert!(said.contains("publishes there, and this key is"), "{said}");
    let list = fs::read(publisher.site.join("ledger.toml")).unwrap();
    fs::write(publisher.site.join("ledger.toml"), "no list").unwrap();
    let said = failure(&mut publisher.publish(&[]));
    assert!(said.contains("ledger.toml:1:"), "{said}");
    fs::write(publisher.site.join("ledger.toml"), list).unwrap();

    let small =
        Publisher { ledger: dir.path().join("small.db"), site: dir.path().join("small"), ..publisher };
    mantis_tests::tiny_ledger(&small.ledger, &["ETH"], 50);
    let said = failure(&mut small.publish(&[]));
    assert!(said.contains("no day of it is over yet") && said.contains("5004000"), "{said}");
    let none = Publisher { ledger: dir.path().join("none.db"), ..small };
    assert!(failure(&mut none.publish(&[])).contains("no such ledger"));
    // A row that was changed on the disk stops it, before anything is signed.
    let damaged = Publisher { ledger: none.reference.clone(), site: dir.path().join("damaged"), ..none };
    let conn = rusqlite::Connection::open(&damaged.ledger).unwrap();
    conn.execute("UPDATE challenge_data SET price = 1 WHERE ticker = 'ETH' AND sidx = 1000090", []).unwrap();
    conn.execute("INSERT INTO blocks VALUES (1000000, 6000000)", []).unwrap();
    drop(conn);
    let said = failure(&mut damaged.publish(&[]));
    assert!(said.contains("its checksum is another"), "{said}");
    assert!(!damaged.site.join("ledger.toml").exists());
}

fn a_validator_begins_with_what_is_published_and_gets_the_days_that_it_was_away() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 3);
    stdout(&mut publisher.publish(&[]));
    let (good, bad) =
        (Mirror::start(&publisher.site, Manner::Honest), Mirror::start(&publisher.site, Manner::Lies));
    let last = Ledger::read(&publisher.ledger).unwrap().last_block().unwrap().unwrap();
    let chain = dir.path().join("chain.json");
    let head = Head { block: last + 50, unix: mantis_validator::unix() };
    OfflineChain::open(&chain).unwrap().set_head(head).unwrap();
    let start = |ledger: &Path, mirrors: &[&str]| {
        let mut table: toml::Table = toml::from_str(&fs::read_to_string(&publisher.config).unwrap()).unwrap();
        set(&mut table, "mirrors", "urls", mirrors.to_vec());
        set(&mut table, "mirrors", "publisher", publisher.address());
        set(&mut table, "market", "url", "http://127.0.0.1:9/prices.json");
        set(&mut table, "beacon", "api", vec!["http://127.0.0.1:9"]);
        let config = dir.path().join("validator.toml");
        fs::write(&config, table.to_string()).unwrap();
        let mut command = mantis_tests::mantis();
        command.args([
            "validator",
            "--dry-run",
            "--log-format",
            "json",
            "--poll",
            "0.05",
            "--listen",
            "127.0.0.1:0",
        ]);
        command.args(["--network", &format!("offline:{}", chain.display())]).arg("--config").arg(config);
        command.arg("--ledger").arg(ledger).arg("--scratch").arg(dir.path());
        command
    };
    let to = (last.0 / 7200 * 7200 - 1).to_string();
    let equal =
        |ledger: &Path| json(&mut publisher.compare(ledger, &["--json", "--to-block", &to]))["equal"] == true;
    runtime().block_on(async {
        let into = dir.path().join("validator.db");
        let minute = Duration::from_secs(60);
        let mut running = Running::start(&mut start(&into, &[&bad.url, &good.url]));
        let caught = running.wait_for("caught up with the published ledger", 0, minute).await;
        assert_eq!((&caught["parts"], &caught["failed"]), (&4.into(), &0.into()), "{caught}");
        running.terminate();
        assert!(equal(&into));

        // It was away for three days.
        let away = publisher.without("away.db", 1..=3);
        let mut running = Running::start(&mut start(&away, &[&good.url]));
        let caught = running.wait_for("caught up with the published ledger", 0, minute).await;
        assert_eq!(caught["parts"], 3, "{caught}");
        running.terminate();
        assert!(equal(&away));
        let mut running = Running::start(&mut start(&away, &[&good.url]));
        running.wait_for("nothing is missing that the published ledger has", 0, minute).await;
        running.terminate();

        // No mirror answers: it goes on with what it has, and does not begin with nothing.
        let dead = "http://127.0.0.1:9/ledger.toml";
        let mut running = Running::start(&mut start(&away, &[dead]));
        let said = "the published ledger is not caught up with; the ledger is gone on with as it is";
        running.wait_for(said, 0, minute).await;
        running.wait_for("dashboard", 0, minute).await;
        running.terminate();
        let output = start(&dir.path().join("none.db"), &[dead]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("no mirror gives a list"), "{said}");
    });
}
