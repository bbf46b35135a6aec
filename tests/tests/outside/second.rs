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
    vec![
        trial!(the_desk_in_python_gives_what_is_kept).needs(Need::Numpy).takes(22),
        trial!(the_embeddings_network_in_python_gives_what_is_kept).needs(Need::Numpy).takes(16),
    ]
}

/// Runs a program that lies beside what is kept of it; gives what it makes, and what is kept, both as they are read.
fn made_and_kept(folder: &str, name: &str) -> [Vec<Value>; 2] {
    let dir = TempDir::new().unwrap();
    let (folder, copy) = (root().join(folder), dir.path().join(format!("{name}.py")));
    fs::copy(folder.join(format!("{name}.py")), &copy).unwrap();
    let done = Command::new(numpy()).arg(&copy).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let [made, kept] = [dir.path(), &folder].map(|folder| -> Vec<Value> {
        serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap()
    });
    assert_eq!(made.len(), kept.len());
    [made, kept]
}

/// The plugin is compared with what is kept by `challenges/dmae/tests/second.rs`.
fn the_embeddings_network_in_python_gives_what_is_kept() {
    let [made, kept] = made_and_kept("challenges/dmae/tests/second", "mlp");
    for (made, kept) in made.iter().zip(&kept) {
        assert_eq!(made["params"], kept["params"]);
        for key in ["delta_at_once", "delta", "adds", "saliences"] {
            let numbers = |of: &Value| -> Vec<Option<f64>> {
                of["found"][key].as_array().unwrap().iter().map(Value::as_f64).collect()
            };
            for (a, b) in numbers(made).iter().zip(numbers(kept)) {
                let apart = a.zip(b).map_or(0.0, |(a, b)| (a - b).abs());
                // Another processor's NumPy may add in another order.
                assert!(a.is_some() == b.is_some() && apart < 1e-7, "{key}: {a:?} {b:?}");
            }
        }
    }
}

/// The plugin is compared with what is kept by `challenges/trademix/tests/second.rs`.
fn the_desk_in_python_gives_what_is_kept() {
    let [made, kept] = made_and_kept("challenges/trademix/tests/second", "desk");
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
