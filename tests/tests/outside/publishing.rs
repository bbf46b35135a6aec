//! A ledger that is published in parts, from nothing to a newcomer's: mirrors that lie or die, days that are missing, and one
//! that is killed meanwhile.

use mantis_ledger::{Ledger, Lock};
use mantis_network::loopback::ObjectServer;
use mantis_tests::mirror::{Manner, Mirror};
use mantis_tests::publisher::Publisher;
use mantis_tests::suite::Trial;
use mantis_tests::{failure, failure_with, json, mantis, runtime, stdout, trial};
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_newcomer_has_the_publishers_rows_though_one_mirror_lies_and_one_dies).takes(60),
        trial!(three_missing_days_are_caught_up_with_in_the_middle_and_at_the_end).takes(40),
        trial!(killed_in_the_middle_it_goes_on_where_it_was).takes(40),
        trial!(only_what_is_new_is_made_and_uploaded_while_the_ledger_is_written).takes(40),
        trial!(compare_says_what_differs_and_where_first).takes(20),
    ]
}

fn assert_equal(publisher: &Publisher, ledger: &Path) {
    let document = json(&mut publisher.compare(ledger, &["--json"]));
    assert_eq!(document["equal"], true, "{document}");
    assert_eq!(document["digests"][0], document["digests"][1], "{document}");
    assert!(document["total"]["equal"].as_u64().unwrap() > 5000, "{document}");
    let ledger = Ledger::read(ledger).unwrap();
    assert!(ledger.blocks().unwrap().is_sorted());
    ledger.check_integrity().unwrap();
}

/// How many rows of a ledger have no checksum that is theirs.
fn unsummed(ledger: &Path) -> i64 {
    let sql = "SELECT COUNT(*) FROM challenge_data d LEFT JOIN host_sums s ON s.ticker = d.ticker AND s.sidx = d.sidx
        WHERE s.sidx IS NULL";
    Connection::open(ledger).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn a_newcomer_has_the_publishers_rows_though_one_mirror_lies_and_one_dies() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 6);
    let published = json(&mut publisher.publish(&["--json"]));
    // The first day has its second half only.
    assert_eq!(
        (published["parts"].as_u64(), published["not_final"].as_u64()),
        (Some(7), Some(0)),
        "{published}"
    );
    let expected = publisher.scores(&publisher.reference);
    for (name, manner) in [("lies.db", Manner::Lies), ("dies.db", Manner::Dies), ("lacks.db", Manner::Lacks)]
    {
        let (bad, good) =
            (Mirror::start(&publisher.site, manner), Mirror::start(&publisher.site, Manner::Honest));
        let into = dir.path().join(name);
        let fetched = json(&mut publisher.fetch(&into, &[&bad.url, &good.url], &["--json"]));
        assert_eq!(fetched["parts"].as_array().unwrap().len(), 7, "{fetched}");
        assert!(bad.asked().iter().any(|asked| asked.starts_with("/parts/")), "{name}: it was never asked");
        assert_equal(&publisher, &into);
        assert_eq!(unsummed(&into), 0);
        assert!(!dir.path().join(format!("{name}.parts")).exists());
        if manner == Manner::Lies {
            assert_eq!(publisher.scores(&into), expected);
        }
        let _ = good.asked();
        let said = stdout(&mut publisher.fetch(&into, &[&bad.url, &good.url], &[]));
        assert!(said.contains("nothing is missing"), "{said}");
        assert!(good.asked().iter().all(|asked| asked.starts_with("/ledger.toml")));
    }

    // One that dies beside another one that lies leaves what there is; the next attempt goes on.
    let (dies, lies) =
        (Mirror::start(&publisher.site, Manner::Dies), Mirror::start(&publisher.site, Manner::Lies));
    let into = dir.path().join("both.db");
    let refused = publisher.fetch(&into, &[&dies.url, &lies.url], &[]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    // Where one breaks off behind the byte that the other changes, the two together give what is listed.
    assert!(said.contains("of 7 parts are missing") && said.contains("the sha256"), "{said}");
    dies.becomes(Manner::Honest);
    stdout(&mut publisher.fetch(&into, &[&dies.url, &lies.url], &[]));
    assert_equal(&publisher, &into);
}

fn three_missing_days_are_caught_up_with_in_the_middle_and_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 6);
    stdout(&mut publisher.publish(&[]));
    let mirror = Mirror::start(&publisher.site, Manner::Honest);
    let dead = "http://127.0.0.1:9/ledger.toml";
    for (name, days) in [("middle.db", 2..=4), ("end.db", 4..=6), ("begin.db", 0..=2)] {
        let ledger = publisher.without(name, days);
        let mut compare = publisher.compare(&ledger, &["--json"]);
        let before: serde_json::Value = serde_json::from_slice(&compare.output().unwrap().stdout).unwrap();
        assert_eq!(before["equal"], false);
        // Scored before: what is kept of it must stay right.
        let scored = publisher.scores(&ledger);
        let fetched = json(&mut publisher.fetch(&ledger, &[dead, &mirror.url], &["--json"]));
        assert_eq!(fetched["parts"].as_array().unwrap().len(), 3, "{fetched}");
        assert_eq!(fetched["refused"].as_array().unwrap().len(), 1, "{fetched}");
        assert_eq!(fetched["total"]["rows"], before["total"]["only_a"], "{fetched}");
        let asked = mirror.asked();
        assert_eq!(asked.iter().filter(|asked| asked.starts_with("/parts/")).count(), 3, "{asked:?}");
        assert_equal(&publisher, &ledger);
        let after = publisher.scores(&ledger);
        assert_eq!(after, publisher.scores(&publisher.reference));
        assert_ne!(after, scored);
    }

    // A validator writes it: nobody else does.
    let ledger = publisher.without("held.db", 2..=2);
    let _lock = Lock::take(&ledger).unwrap();
    let refused = failure(&mut publisher.fetch(&ledger, &[&mirror.url], &[]));
    assert!(
        refused.contains("another validator (process") && refused.contains("end that one first"),
        "{refused}"
    );
}

fn killed_in_the_middle_it_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 6);
    stdout(&mut publisher.publish(&[]));
    let size: u64 = fs::read_dir(publisher.site.join("parts"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    // About a second for each file.
    let mirror = Mirror::start(&publisher.site, Manner::Slow(usize::try_from(size / 100).unwrap().max(1)));
    let into = dir.path().join("killed.db");
    let (mut ranges, mut kills) = (0, 0);
    for round in 0.. {
        assert!(round < 60, "it never ends");
        let mut child = publisher
            .fetch(&into, &[&mirror.url], &[])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_millis(700 + 150 * (round % 5));
        let ended = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if Instant::now() > until => break None,
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        ranges += mirror.asked().iter().filter(|asked| asked.contains(' ')).count();
        if let Some(status) = ended {
            assert!(status.success(), "{status}");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if into.exists() {
            // Whole days, or nothing.
            let ledger = Ledger::open(&into).unwrap();
            ledger.check_integrity().unwrap();
            let blocks = ledger.blocks().unwrap().len() as u64;
            assert!(ledger.known_parts().unwrap().len() as u64 * 1440 >= blocks);
        }
    }
    assert!(kills >= 2 && ranges >= 1, "{kills} kills, {ranges} ranges: it was not in the middle");
    assert_equal(&publisher, &into);
}

fn only_what_is_new_is_made_and_uploaded_while_the_ledger_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 3);
    runtime().block_on(async {
        let server = ObjectServer::start().await.unwrap();
        let store = [
            "--json",
            "--bucket",
            ObjectServer::BUCKET,
            "--endpoint",
            &server.endpoint(),
            "--public-url",
            &server.public_url(),
        ];
        let publish = || {
            let mut command = publisher.publish(&store);
            command.env("AWS_ACCESS_KEY_ID", ObjectServer::ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", "s");
            command
        };
        // A store that fails in the middle is gone on with.
        server.fail_next(5, 403);
        let refused = tokio::task::block_in_place(|| failure(&mut publish()));
        assert!(
            refused.contains("is not uploaded") && refused.contains("publish again to go on"),
            "{refused}"
        );
        assert!(server.objects().get("ledger.toml").is_none());
        server.fail_next(0, 200);
        let first = tokio::task::block_in_place(|| json(&mut publish()));
        assert_eq!(
            (first["is_new"].as_bool(), first["uploaded"].as_u64()),
            (Some(false), Some(6)),
            "{first}"
        );
        assert_eq!(first["number"], 1);
        let again = tokio::task::block_in_place(|| json(&mut publish()));
        assert_eq!(
            (again["is_new"].as_bool(), again["uploaded"].as_u64()),
            (Some(false), Some(0)),
            "{again}"
        );

        // A day later, written at the same time.
        let ledger = publisher.ledger.clone();
        let writer = std::thread::spawn(move || {
            let mut ledger = Ledger::open(&ledger).unwrap();
            let last = ledger.last_block().unwrap().unwrap();
            let row = |ticker: &str| mantis_ledger::NewRow {
                ticker: ticker.into(),
                dim: 2,
                blocks_ahead: 300,
                price: Some(1.5),
                ..mantis_ledger::NewRow::default()
            };
            for k in 1..=1600 {
                let block = last + 5 * k;
                let rows = vec![row("ETH"), row("CADUSD")];
                let step = mantis_ledger::SampledBlock { block, sidx: block.sidx(5), rows };
                ledger.append(&step).unwrap();
            }
        });
        let mut published = 0;
        while !writer.is_finished() {
            tokio::task::block_in_place(|| json(&mut publish()));
            published += 1;
        }
        writer.join().unwrap();
        let last = tokio::task::block_in_place(|| json(&mut publish()));
        assert!(published >= 1 && last["parts"] == 5 && last["number"] == 2, "{published} {last}");
        let mirror = format!("{}/", server.public_url());
        let into = dir.path().join("new.db");
        tokio::task::block_in_place(|| {
            stdout(&mut publisher.fetch(&into, &[&mirror], &[]));
            let to = last["last_block"].as_i64().unwrap().to_string();
            let mut compare = mantis();
            compare
                .args(["ledger", "compare", "--json", "--to-block", &to])
                .arg(&publisher.ledger)
                .arg(&into);
            assert_eq!(json(&mut compare)["equal"], true);
        });
        server.stop().await;
    });
}

fn compare_says_what_differs_and_where_first() {
    let dir = tempfile::tempdir().unwrap();
    let publisher = Publisher::new(dir.path(), 2);
    let said = stdout(&mut publisher.compare(&publisher.reference, &[]));
    assert!(said.starts_with("equal: ") && said.contains("digest "), "{said}");
    let other = publisher.without("other.db", 1..=1);
    let conn = Connection::open(&other).unwrap();
    conn.execute_batch(
        "DELETE FROM host_sums; DELETE FROM challenge_data WHERE ticker = 'ETH' AND sidx = 1000100;
        UPDATE challenge_data SET price = price * 2 WHERE ticker = 'ETH' AND sidx = 1000090;
        UPDATE challenge_data SET embeddings = x'', hotkeys = '[]' WHERE ticker = 'CADUSD' AND sidx = 1000095;",
    )
    .unwrap();
    drop(conn);
    let said = failure(&mut publisher.compare(&other, &[]));
    assert!(said.contains("first at block 5000450 of ETH: prices of price"), "{said}");
    let document: serde_json::Value =
        serde_json::from_slice(&publisher.compare(&other, &["--json"]).output().unwrap().stdout).unwrap();
    let day = &document["days"]["694"];
    assert_eq!(
        (&day["ETH"]["prices"], &day["ETH"]["only_a"], &day["ETH"]["different"]),
        (&1.into(), &1.into(), &1.into()),
        "{day}"
    );
    let sent: String = Connection::open(&publisher.reference)
        .unwrap()
        .query_row(
            "SELECT hotkeys FROM challenge_data WHERE ticker = 'CADUSD' AND sidx = 1000095",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let sent: Vec<String> = serde_json::from_str(&sent).unwrap();
    assert!(sent.len() > 1);
    assert_eq!((&day["CADUSD"]["vectors"], &day["CADUSD"]["hotkeys"]), (&1.into(), &sent.into()), "{day}");
    assert_eq!(document["days"]["695"][""]["only_a"], 1440);
    // By what is not in it, they are equal again; the network's own ledgers have no table of ours.
    let conn = Connection::open(&other).unwrap();
    let tables: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'host%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    tables.iter().for_each(|table| conn.execute_batch(&format!("DROP TABLE {table}")).unwrap());
    conn.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    drop(conn);
    let bytes = fs::read(&other).unwrap();
    stdout(&mut publisher.compare(&other, &["--from-block", "5000600", "--to-block", "5003999"]));
    assert_eq!(fs::read(&other).unwrap(), bytes);
    let said = failure_with(2, &mut publisher.compare(Path::new("/no/such.db"), &[]));
    assert!(said.contains("no such ledger"), "{said}");
    // What is damaged is no answer, either.
    let damaged = dir.path().join("damaged.db");
    fs::copy(&publisher.reference, &damaged).unwrap();
    let conn = Connection::open(&damaged).unwrap();
    conn.execute("UPDATE challenge_data SET price = 1 WHERE ticker = 'ETH' AND sidx = 1000090", []).unwrap();
    drop(conn);
    let said = failure_with(2, &mut publisher.compare(&damaged, &[]));
    assert!(said.contains("its checksum is another"), "{said}");
}
