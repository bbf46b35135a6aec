//! Formulas that were written a second time, in another language: what is kept of them is what they give.

use mantis_tests::need::{Need, numpy};
use mantis_tests::suite::Trial;
use mantis_tests::{root, trial};
use serde_json::Value;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![trial!(the_desk_in_python_gives_what_is_kept).needs(Need::Numpy).takes(22)]
}

/// The plugin is compared with what is kept by `challenges/trademix/tests/second.rs`.
fn the_desk_in_python_gives_what_is_kept() {
    let dir = TempDir::new().unwrap();
    let (folder, copy) = (root().join("challenges/trademix/tests/second"), dir.path().join("desk.py"));
    fs::copy(folder.join("desk.py"), &copy).unwrap();
    let done = Command::new(numpy()).arg(&copy).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |file: std::path::PathBuf| -> Vec<Value> {
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    let (made, kept) = (read(dir.path().join("desk.json")), read(folder.join("desk.json")));
    assert_eq!(made.len(), kept.len());
    for (made, kept) in made.iter().zip(&kept) {
        assert_eq!(made["params"], kept["params"]);
        let numbers = |of: &Value| -> Vec<f64> {
            of["saliences"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let (a, b) = (numbers(made), numbers(kept));
        let apart: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
        // Another processor's NumPy may add in another order.
        assert!(a.len() == b.len() && apart < 1e-9, "{apart}: {made}");
    }
}
