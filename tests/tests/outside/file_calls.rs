//! Any call about a file may fail, and nothing is lost: each time another one fails in a small demo, which then goes on.

use super::demo::{content, demo, folder};
use mantis_tests::suite::Trial;
use mantis_tests::{json, root, stdout, trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(whichever_file_call_fails_nothing_is_lost).takes(60)]
}

/// Calls that fail, evenly spread over all; with `MANTIS_TEST_FILE_CALLS=all` every one does, which takes hours.
const TRIED: usize = 40;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Where a demo lies, with its temporary files.
struct Place {
    dir: PathBuf,
    library: PathBuf,
}

impl Place {
    fn command(&self) -> Command {
        let mut command = demo(&self.dir.join("demo"), "0", "6");
        command.env("TMPDIR", self.temporary());
        command
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// Begins anew, and fails one call, none if `nth` is 0; gives also how many there were.
    fn play(&self, nth: usize, errno: i32) -> (Output, usize) {
        let _ = fs::remove_dir_all(&self.dir);
        fs::create_dir_all(self.temporary()).unwrap();
        let count = self.dir.with_extension("count");
        let mut command = self.command();
        command.env("LD_PRELOAD", &self.library).env("FAIL_UNDER", &self.dir).env("FAIL_COUNT", &count);
        command.env("FAIL_NTH", nth.to_string()).env("FAIL_ERRNO", errno.to_string());
        let output = command.output().unwrap();
        let calls = fs::read_to_string(count).unwrap_or_default().trim().parse().unwrap_or(0);
        (output, calls)
    }
}

fn built(dir: &Path) -> PathBuf {
    fs::create_dir_all(dir).unwrap();
    let library = dir.join("failing_files.so");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library);
    stdout(cc.arg(root().join("tests/fixtures/failing_files.c")).arg("-ldl"));
    library
}

fn whichever_file_call_fails_nothing_is_lost() {
    let dir = folder("file-calls");
    let place = Place { dir: dir.join("place"), library: built(&dir) };
    let (output, calls) = place.play(0, EIO);
    assert!(output.status.success() && calls > 1000, "{calls} calls: {output:?}");
    let expected = content(&place.dir.join("demo"));
    assert!(expected["blocks"].len() == 6 && expected["raw_payloads"].len() > 50);

    let all = std::env::var("MANTIS_TEST_FILE_CALLS").is_ok_and(|how| how == "all");
    let step = if all { 1 } else { calls.div_ceil(TRIED) };
    let mut failed = 0;
    for nth in (1..=calls).step_by(step) {
        let errno = if nth / step % 2 == 0 { EIO } else { ENOSPC };
        let (output, _) = place.play(nth, errno);
        let says = String::from_utf8_lossy(&output.stderr);
        assert!(!says.contains("panicked"), "call {nth}: {says}");
        match output.status.code() {
            Some(0) => {}
            Some(1) if says.contains("error: ") => failed += 1,
            _ => panic!("call {nth}: {:?}: {says}", output.status),
        }
        json(&mut place.command());
        let found = content(&place.dir.join("demo"));
        for (table, rows) in &expected {
            assert!(*rows == found[table], "call {nth}, {errno}: other rows in {table}; it said {says}");
        }
        let left: Vec<_> =
            fs::read_dir(place.temporary()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "call {nth}: {left:?}");
    }
    assert!(failed > 5, "{failed}");
    fs::remove_dir_all(dir).unwrap();
}
