//! Bad input gets one clear error, or costs what it touches and no more.

use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, tiny_ledger, trial};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_sound_ledger_scores),
        trial!(files_that_are_no_ledger_are_refused_untouched),
        trial!(an_empty_ledger_pays_nobody_and_says_why),
        trial!(blobs_of_wrong_length_are_ignored_as_a_whole),
        trial!(broken_prices_cost_their_rows_only),
        trial!(stored_nans_and_infinities_do_not_reach_the_result),
        trial!(one_miner_alone_is_scored),
        trial!(wrong_usage_is_told_apart_from_failure),
    ]
}

const CHALLENGE: &str = "[[challenge]]\nname = \"A\"\nticker = \"A\"\nplugin = \"binary\"\ndim = 2\n\
                         blocks_ahead = 10\nweight = 1.0\n[challenge.params]\nmin_rows = 10\nmin_fit_rows = 4\n\
                         min_eval_rows = 4\nsegment_rows = 20\nembargo_rows = 2\nfreeze_limit = 3\n";

struct World {
    dir: TempDir,
}

impl World {
    /// A configuration with one `binary` challenge, A, and a ledger of `rows` rows for it.
    fn new(rows: i64) -> Self {
        let world = Self { dir: TempDir::new().unwrap() };
        fs::write(world.path("c.toml"), CHALLENGE).unwrap();
        tiny_ledger(&world.path("ledger.db"), &["A"], rows);
        // One file, nothing left in the log beside it.
        world.sql("PRAGMA wal_checkpoint(TRUNCATE)");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn sql(&self, statement: &str) {
        let connection = rusqlite::Connection::open(self.path("ledger.db")).unwrap();
        connection.execute_batch(statement).unwrap();
        // Else what was changed is refused by its checksum, which is tested elsewhere.
        connection.execute_batch("DELETE FROM host_sums").unwrap();
    }

    fn score(&self, ledger: &str) -> Command {
        let mut command = mantis();
        command.args(["score", "--json", "--ledger"]).arg(self.path(ledger));
        command.arg("--config").arg(self.path("c.toml"));
        command
    }

    fn scored(&self) -> Value {
        json(&mut self.score("ledger.db"))
    }
}

fn a_sound_ledger_scores() {
    let document = World::new(100).scored();
    assert_eq!(document["skipped"], serde_json::json!({}), "{document:#}");
    let sum: f64 = document["total"].as_object().unwrap().values().map(|x| x.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{document:#}");
}

fn files_that_are_no_ledger_are_refused_untouched() {
    let world = World::new(100);
    let real = fs::read(world.path("ledger.db")).unwrap();
    fs::write(world.path("text.db"), "not a database, but long enough to look at, whatever it is").unwrap();
    fs::write(world.path("half.db"), &real[..real.len() / 2]).unwrap();
    fs::write(world.path("head.db"), &real[..50]).unwrap();
    rusqlite::Connection::open(world.path("foreign.db"))
        .unwrap()
        .execute_batch("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('x')")
        .unwrap();
    fs::create_dir(world.path("folder.db")).unwrap();
    for name in ["text.db", "half.db", "head.db", "foreign.db", "folder.db", "absent.db"] {
        let before = fs::read(world.path(name)).ok();
        let says = failure(&mut world.score(name));
        assert!(says.contains(name), "{name}: {says}");
        assert_eq!(fs::read(world.path(name)).ok(), before, "{name} was touched");
    }
    assert!(!world.path("absent.db").exists());
}

fn an_empty_ledger_pays_nobody_and_says_why() {
    let world = World::new(0);
    let document = world.scored();
    assert!(document["skipped"]["A"].is_string(), "{document:#}");
    assert_eq!(document["total"], serde_json::json!({}));
}

fn blobs_of_wrong_length_are_ignored_as_a_whole() {
    let world = World::new(200);
    // A third of the rows lose their last byte: as if nobody had sent anything there.
    world.sql("UPDATE challenge_data SET embeddings = substr(embeddings, 1, length(embeddings) - 1) WHERE sidx % 3 = 0");
    let cut = world.scored();
    world.sql("UPDATE challenge_data SET embeddings = x'' WHERE sidx % 3 = 0");
    assert_eq!(cut["total"], world.scored()["total"]);
    world.sql("UPDATE challenge_data SET embeddings = CAST('[\"5Alice\", 7]' AS BLOB) || x'0000000000' WHERE sidx % 3 = 0");
    assert_eq!(cut["total"], world.scored()["total"]);
    world.sql("UPDATE challenge_data SET embeddings = CAST('no separator' AS BLOB) WHERE sidx % 3 = 0");
    assert_eq!(cut["total"], world.scored()["total"]);
}

fn broken_prices_cost_their_rows_only() {
    let world = World::new(200);
    let sound = world.scored();
    world.sql("UPDATE challenge_data SET price = NULL WHERE sidx % 10 = 0");
    world.sql("UPDATE challenge_data SET price = 9e999 WHERE sidx % 10 = 3");
    world.sql("UPDATE challenge_data SET price = -1.0 WHERE sidx % 10 = 6");
    let broken = world.scored();
    assert_eq!(broken["skipped"], serde_json::json!({}), "{broken:#}");
    let paid = broken["total"].as_object().unwrap().values().map(|x| x.as_f64().unwrap());
    assert!((paid.sum::<f64>() - 1.0).abs() < 1e-12, "{broken:#}");
    assert_ne!(broken["total"], sound["total"], "their rows count no more");
    // As if there had been no price at all.
    world.sql("UPDATE challenge_data SET price = NULL WHERE sidx % 10 IN (3, 6)");
    assert_eq!(broken["total"], world.scored()["total"]);
}

fn stored_nans_and_infinities_do_not_reach_the_result() {
    let world = World::new(200);
    // Half floats: 7e00 is NaN, 7c00 infinity; the last miner's numbers in every second row.
    world.sql(
        "UPDATE challenge_data SET embeddings = substr(embeddings, 1, length(embeddings) - 4) || x'007e007c' \
         WHERE sidx % 2 = 0",
    );
    let document = world.scored();
    assert_eq!(document["skipped"], serde_json::json!({}), "{document:#}");
    assert!(document["total"].as_object().unwrap().values().all(|x| x.as_f64().is_some_and(f64::is_finite)));
}

fn one_miner_alone_is_scored() {
    let world = World::new(200);
    fs::write(world.path("active"), "5Bob\n5Unknown\n").unwrap();
    let document = json(world.score("ledger.db").arg("--active").arg(world.path("active")));
    assert_eq!(document["total"], serde_json::json!({ "5Bob": 1.0 }), "{document:#}");
    fs::write(world.path("active"), "[\"5Unknown\"]").unwrap();
    let document = json(world.score("ledger.db").arg("--active").arg(world.path("active")));
    assert_eq!(document["total"], serde_json::json!({}));
    fs::write(world.path("active"), "[7]").unwrap();
    let says = failure(world.score("ledger.db").arg("--active").arg(world.path("active")));
    assert!(says.contains("expected a JSON list of hotkeys"), "{says}");
}

fn wrong_usage_is_told_apart_from_failure() {
    let world = World::new(1);
    let code = |command: &mut Command| command.output().unwrap().status.code();
    assert_eq!(code(mantis().args(["score", "--no-such-flag"])), Some(2));
    assert_eq!(code(mantis().args(["score", "--ledger", "x", "--threads", "0"])), Some(2));
    assert_eq!(code(mantis().arg("no-such-command")), Some(2));
    let says = failure(world.score("ledger.db").args(["--only", "B"]));
    assert!(says.contains("--only B: no such ticker") && says.contains("it has A"), "{says}");
    let says =
        failure(mantis().args(["score", "--ledger", "x", "--config"]).arg(Path::new("/no/such/file.toml")));
    assert!(says.contains("/no/such/file.toml"), "{says}");
}
