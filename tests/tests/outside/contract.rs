//! Plugins that were built for an older version of the contract.

use mantis_config::{Block, Sidx};
use mantis_ledger::{Ledger, NewRow, SampledBlock, Vector};
use mantis_plugin_api::Storage;
use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{failure, json, mantis, root, trial};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(a_plugin_of_contract_1_0_scores_beside_others_to_the_same_bits).needs(Need::Wasm),
        trial!(what_a_plugin_of_contract_1_0_does_not_know_is_refused),
    ]
}

/// What a host of contract 1.0 gave for the ledger of [`World`].
const SALIENCES: [(&str, f64); 3] =
    [("5Alice", 0.6884398983098309), ("5Bob", 0.31156010169016907), ("5Carol", 0.0)];

/// A component that was built with `mantis-plugin-api` 1.0.0: the template of `mantis plugin new` of that time.
const COMPONENT: &str = "tests/fixtures/contract-1.0/mantis_direction.wasm";

struct World {
    dir: TempDir,
}

impl World {
    /// A ledger of 3,000 rows of a price, whose next steps 5Alice knows often and 5Bob sometimes, and the component.
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("plugins")).unwrap();
        fs::copy(root().join(COMPONENT), dir.path().join("plugins/mantis_direction.wasm")).unwrap();
        let price = |row: i64| 100.0 + ((row * row * 7 + row * 3) % 101) as f64;
        let rises = |row: i64| if price(row + 2) > price(row) { 1.0 } else { -1.0 };
        let step = |row: i64| {
            let lean = |every: i64| if row % every == 0 { -rises(row) } else { rises(row) } * 0.5;
            let sent = |numbers: [f32; 1]| Vector::new(&numbers, Storage::F16);
            let record = |ticker: &str, numbers: fn(f32) -> Vec<f32>| NewRow {
                ticker: ticker.into(),
                price: Some(price(row)),
                submissions: [("5Alice", 5), ("5Bob", 3), ("5Carol", 2)]
                    .map(|(hotkey, every)| {
                        let lean = lean(every) as f32;
                        let vector = Vector::new(&numbers(lean), Storage::F16);
                        (hotkey.to_owned(), if ticker == "OLD" { sent([lean]) } else { vector })
                    })
                    .into(),
                ..NewRow::default()
            };
            let rows = vec![record("OLD", |x| vec![x]), record("NEW", |x| vec![x, -x])];
            SampledBlock { block: Block(5 * row), sidx: Sidx(row), rows }
        };
        let steps: Vec<SampledBlock> = (0..3000).map(step).collect();
        let mut ledger = Ledger::open(dir.path().join("ledger.db")).unwrap();
        ledger.append_many(&steps, 1000).unwrap();
        Self { dir }
    }

    fn config(&self, keys: &str) -> PathBuf {
        let text = format!(
            "[[challenge]]\nname = \"OLD\"\nticker = \"OLD\"\nplugin = \"direction\"\nruntime = \"wasm\"\ndim = 1\n\
             blocks_ahead = 10\nweight = 1.0\n{keys}\n\
             [[challenge]]\nname = \"NEW\"\nticker = \"NEW\"\nplugin = \"binary\"\nruntime = \"wasm\"\ndim = 2\n\
             blocks_ahead = 10\nweight = 1.0\n[challenge.params]\nsegment_rows = 1000\n"
        );
        let file = self.dir.path().join("challenges.toml");
        fs::write(&file, text).unwrap();
        file
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn a_plugin_of_contract_1_0_scores_beside_others_to_the_same_bits() {
    let world = World::new();
    let mut command = mantis();
    command.args(["score", "--json", "--ledger"]).arg(world.path("ledger.db"));
    let document = json(command.arg("--config").arg(world.config("")));
    assert_eq!(document["skipped"], serde_json::json!({}), "{document:#}");
    for (hotkey, expected) in SALIENCES {
        let found = document["per_challenge"]["OLD"][hotkey].as_f64().unwrap();
        assert_eq!(found.to_bits(), expected.to_bits(), "{hotkey}: {found:?}");
    }
    let new = document["per_challenge"]["NEW"].as_object().unwrap();
    assert!(new.values().any(|share| share.as_f64() > Some(0.0)), "{document:#}");
}

fn what_a_plugin_of_contract_1_0_does_not_know_is_refused() {
    let world = World::new();
    let check = |keys: &str| {
        let mut command = mantis();
        command.args(["config", "check", "--config"]).arg(world.config(keys));
        failure(&mut command)
    };
    for (keys, key) in
        [("storage = \"f32\"", "storage"), ("assets = [\"A\"]\nchannels = [\"B\"]", "channels")]
    {
        let said = check(keys);
        assert!(said.contains(key) && said.contains("built for contract 1.0"), "{keys}: {said}");
    }
    let _: &Path = world.dir.path();
}
