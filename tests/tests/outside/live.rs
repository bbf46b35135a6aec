//! A configuration that follows its files: what is taken, what is refused, and what is not asked again.

use mantis::demo::{Crowd, DemoWorld};
use mantis::simulation::{Simulation, Simulator, cast};
use mantis_config::Config;
use mantis_ledger::Ledger;
use mantis_scoring::worker::Launcher;
use mantis_tests::need::Need;
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, runtime, trial};
use mantis_validator::{HotReload, HotReloadError, Pipeline, Refreshed};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::block_in_place;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(weights_change_without_a_plugin_being_asked),
        trial!(a_new_challenge_comes_with_its_plugin),
        trial!(bad_texts_are_kept_out_with_their_lines),
        trial!(a_replaced_plugin_is_taken_if_it_is_good),
        trial!(pins_are_held),
        trial!(folders_go_when_nobody_needs_them),
        trial!(a_component_is_replaced_like_a_library).needs(Need::Wasm),
        trial!(processes_of_plugins_that_are_the_same_stay),
    ]
}

const TEXT: &str = r#"runtime = "native"

[[challenge]]
name = "A-1"
ticker = "A"
plugin = "binary"
dim = 2
blocks_ahead = 10
weight = 1.0

[[challenge]]
name = "B-1"
ticker = "B"
plugin = "other"
dim = 2
blocks_ahead = 10
weight = 2.0
params = { min_rows = 100 }
"#;

struct Files {
    dir: TempDir,
}

impl Files {
    /// A configuration of two challenges, and their plugins in its folder: `binary`, and `other`, which is the same.
    fn new() -> Self {
        let files = Self { dir: TempDir::new().unwrap() };
        fs::create_dir(files.path("plugins")).unwrap();
        files.write(TEXT);
        for name in ["binary", "other"] {
            fs::copy(built("libmantis_binary.so"), files.plugin(name)).unwrap();
        }
        // A program of its own, which a test can take away: who starts none needs none.
        fs::copy(bin_dir().join("mantis"), files.path("mantis")).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn plugin(&self, name: &str) -> PathBuf {
        self.path(&format!("plugins/libmantis_{name}.so"))
    }

    fn write(&self, text: &str) {
        fs::write(self.path("challenges.toml"), text).unwrap();
    }

    fn edit(&self, from: &str, into: &str) {
        assert!(TEXT.contains(from));
        self.write(&TEXT.replacen(from, into, 1));
    }

    fn start(&self) -> Result<HotReload, HotReloadError> {
        let launcher = Launcher { program: self.path("mantis"), deadline: Duration::from_secs(30) };
        HotReload::start_in(&self.path("state"), &self.path("challenges.toml"), launcher, Box::new(|_| {}))
    }

    fn generations(&self) -> usize {
        fs::read_dir(self.path("state")).unwrap().count()
    }
}

fn built(name: &str) -> PathBuf {
    bin_dir().join(name)
}

fn taken(live: &mut HotReload) -> Vec<String> {
    match live.refresh() {
        Refreshed::Taken { config, changes } => {
            assert!(Arc::ptr_eq(&config, live.current()));
            changes
        }
        other => panic!("{other:?}"),
    }
}

fn kept(live: &mut HotReload) -> String {
    let before = live.current().clone();
    let Refreshed::Kept { why } = live.refresh() else { panic!("taken or unchanged") };
    assert!(Arc::ptr_eq(&before, live.current()));
    assert!(matches!(live.refresh(), Refreshed::Unchanged), "said once");
    why
}

fn is_unchanged(live: &mut HotReload) -> bool {
    matches!(live.refresh(), Refreshed::Unchanged)
}

fn weights_change_without_a_plugin_being_asked() {
    let files = Files::new();
    let mut live = files.start().unwrap();
    assert!(is_unchanged(&mut live));
    fs::remove_file(files.path("mantis")).unwrap();
    files.edit("weight = 1.0", "weight = 3");
    assert_eq!(taken(&mut live), ["A has weight 3, before weight 1"]);
    assert_eq!(live.current().weights()[0], ("A".into(), 3.0));
    assert!(is_unchanged(&mut live));
    // What only a plugin can judge needs one: this shows that the last time needed none.
    files.edit("min_rows = 100", "min_rows = 101");
    assert!(kept(&mut live).contains("cannot start a worker process"));
}

fn a_new_challenge_comes_with_its_plugin() {
    let files = Files::new();
    let mut live = files.start().unwrap();
    let new = "[[challenge]]\nname = 'C-1'\nticker = 'C'\nplugin = 'third'\ndim = 2\nblocks_ahead = 10\nweight = 1\n";
    files.write(&format!("{TEXT}\n{new}"));
    let why = kept(&mut live);
    assert!(
        why.contains("challenges.toml:23: [[challenge]] \"C-1\": key `plugin`: no plugin `third`"),
        "{why}"
    );
    // The file alone makes it good.
    fs::copy(built("libmantis_binary.so"), files.plugin("third")).unwrap();
    let changes = taken(&mut live);
    assert!(
        changes.len() == 1 && changes[0].starts_with("C is new, scored by third (native, "),
        "{changes:?}"
    );
    files.write(TEXT);
    assert_eq!(taken(&mut live), ["C is gone; its rows stay in the ledger"]);
}

fn bad_texts_are_kept_out_with_their_lines() {
    let files = Files::new();
    let mut live = files.start().unwrap();
    let rows = [
        ("weight = 2.0", "weight = -2.0", "challenges.toml:17: [[challenge]] \"B-1\": key `weight`: -2"),
        (
            "min_rows = 100",
            "min_rows = 1",
            "challenges.toml:18: [[challenge]] \"B-1\": key `params.min_rows`: 1 is not allowed",
        ),
        (
            "min_rows = 100",
            "min_row = 100",
            "challenges.toml:18: [[challenge]] \"B-1\": key `params.min_row`",
        ),
        ("params = {", "params = {{", "challenges.toml:18: not TOML"),
        (
            "dim = 2",
            "dim = 3",
            "challenges.toml:7: [[challenge]] \"A-1\": key `dim`: it cannot change, since stored rows",
        ),
        (
            "[[challenge]]",
            "[network]\nsample_every = 10\n[[challenge]]",
            "challenges.toml:4: [network]: key `sample_every`: it cannot change while",
        ),
    ];
    for (from, into, expected) in rows {
        files.edit(from, into);
        let why = kept(&mut live);
        assert!(why.contains(expected), "{why}");
    }
    // Several at once are all said.
    files.write(&TEXT.replace("weight = 1.0", "weight = -1").replace("dim = 2", "dim = 0"));
    assert_eq!(kept(&mut live).lines().count(), 3);
    fs::remove_file(files.path("challenges.toml")).unwrap();
    assert!(kept(&mut live).contains("cannot be read"));
    files.write(TEXT);
    assert_eq!(taken(&mut live), ["nothing: the files say again what runs"]);
    files.write(&format!("# a word\n{TEXT}"));
    assert!(is_unchanged(&mut live));
}

fn a_replaced_plugin_is_taken_if_it_is_good() {
    let files = Files::new();
    let mut live = files.start().unwrap();
    let copy = |live: &HotReload| live.current().plugin_dir.join("libmantis_other.so");
    let whole = fs::read(copy(&live)).unwrap();

    fs::write(files.plugin("other"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(fs::read(copy(&live)).unwrap(), whole, "what runs is a copy");
    let why = kept(&mut live);
    let named = files.plugin("other").display().to_string();
    assert!(why.contains("challenges.toml:14: [[challenge]] \"B-1\": key `plugin`:"), "{why}");
    assert!(why.contains(&named) && !why.contains("generation-"), "{why}");
    assert_eq!(fs::read(copy(&live)).unwrap(), whole);

    // Another plugin altogether, which does not know its parameter.
    fs::copy(built("libmantis_hitfirst.so"), files.plugin("other")).unwrap();
    assert!(kept(&mut live).contains("[[challenge]] \"B-1\""));
    // The old one with something behind it, which no loader minds.
    fs::write(files.plugin("other"), [&whole[..], b"new"].concat()).unwrap();
    let changes = taken(&mut live);
    assert!(changes.len() == 1 && changes[0].starts_with("B is scored by other (native, "), "{changes:?}");
    assert_eq!(fs::read(copy(&live)).unwrap().len(), whole.len() + 3);

    fs::remove_file(files.plugin("other")).unwrap();
    assert!(kept(&mut live).contains("no plugin `other`"));
    assert!(copy(&live).is_file(), "what runs is a copy");
}

fn pins_are_held() {
    let files = Files::new();
    let mut live = files.start().unwrap();
    let digest = mantis_scoring::plugins::digest(&files.plugin("other")).unwrap();
    let pin = |digest: &str| {
        files.edit("plugin = \"other\"", &format!("plugin = \"other\"\nsha256 = \"{digest}\""));
    };
    pin(&"0".repeat(64));
    let why = kept(&mut live);
    assert!(
        why.contains("challenges.toml:15: [[challenge]] \"B-1\": key `sha256`:") && why.contains(&digest),
        "{why}"
    );
    // The pin of what runs is no change but that the file is good again.
    pin(&digest);
    assert_eq!(taken(&mut live), ["nothing: the files say again what runs"]);
    let mut bytes = fs::read(files.plugin("other")).unwrap();
    bytes.push(0);
    fs::write(files.plugin("other"), bytes).unwrap();
    assert!(kept(&mut live).contains("but the configuration pins"));
}

fn folders_go_when_nobody_needs_them() {
    let files = Files::new();
    fs::create_dir_all(files.path("state/generation-left")).unwrap();
    let mut live = files.start().unwrap();
    assert_eq!(files.generations(), 1, "what another process left is removed");
    let first = live.current().clone();
    files.edit("weight = 1.0", "weight = 2");
    taken(&mut live);
    assert!(files.generations() == 2 && first.plugin_dir.join("libmantis_binary.so").is_file());
    let folder = first.plugin_dir.clone();
    drop(first);
    assert!(is_unchanged(&mut live));
    assert!(files.generations() == 1 && !folder.exists());
    files.edit("weight = 1.0", "weight = -2");
    kept(&mut live);
    assert_eq!(files.generations(), 1);
    drop(live);
    assert_eq!(files.generations(), 0);
    files.edit("dim = 2", "dim = 0");
    assert!(matches!(files.start(), Err(HotReloadError::Faults(_))));
    assert_eq!(files.generations(), 0);
}

fn a_component_is_replaced_like_a_library() {
    let files = Files::new();
    let wasm = |name: &str| files.path(&format!("plugins/mantis_{name}.wasm"));
    for name in ["binary", "other"] {
        fs::copy(built("mantis_binary.wasm"), wasm(name)).unwrap();
    }
    let text = TEXT.replace("native", "wasm");
    files.write(&text);
    let mut live = files.start().unwrap();
    let bytes = fs::read(wasm("other")).unwrap();
    fs::write(wasm("other"), &bytes[..bytes.len() - 1000]).unwrap();
    let why = kept(&mut live);
    assert!(
        why.contains("[[challenge]] \"B-1\": key `plugin`:") && why.contains("mantis_other.wasm"),
        "{why}"
    );
    fs::copy(built("mantis_hitfirst.wasm"), wasm("other")).unwrap();
    assert!(kept(&mut live).contains("[[challenge]] \"B-1\""));
    fs::write(wasm("other"), &bytes).unwrap();
    assert_eq!(taken(&mut live), ["nothing: the files say again what runs"]);
    // From one form to the other.
    files.write(&text.replacen("plugin = \"other\"", "plugin = \"other\"\nruntime = \"native\"", 1));
    let changes = taken(&mut live);
    assert!(changes.len() == 1 && changes[0].starts_with("B is scored by other (native, "), "{changes:?}");
    assert!(Path::exists(&live.current().plugin_dir.join("mantis_binary.wasm")));
}

fn processes_of_plugins_that_are_the_same_stay() {
    runtime().block_on(async {
        let (files, miners) = (Files::new(), cast(4, 7));
        let launcher = |name: &str| Launcher { program: files.path(name), deadline: Duration::from_secs(30) };
        let decoder = files.path("decoder");
        fs::copy(bin_dir().join("mantis"), &decoder).unwrap();
        let world = DemoWorld::start(&Config::load(files.path("challenges.toml")).unwrap(), &miners, 7)
            .await
            .unwrap();
        let mut live =
            HotReload::start(&files.path("challenges.toml"), launcher("mantis"), world.adjust()).unwrap();
        let config = live.current().clone();
        world.set_config(config.clone());
        let mut ledger = Ledger::open(files.path("ledger.db")).unwrap();
        let simulation = Simulation { config: &config, only: None, rows: 80, miners: &miners, seed: 7 };
        let mut simulator = Simulator::new(&simulation, &simulation.prices());
        let mut crowd = Crowd::new(&world, &miners, 7).unwrap();
        let mut pipeline = Pipeline::new(config.clone(), launcher("decoder")).unwrap();
        let mut why = Vec::new();
        while let Some(step) = simulator.step() {
            match simulator.row() - 1 {
                // The first rows are decoded by now. Whoever needs a new process from now on has none.
                62 => {
                    fs::remove_file(&decoder).unwrap();
                    files.edit("weight = 1.0", "weight = 3");
                }
                66 => files.edit("min_rows = 100", "min_rows = 101"),
                70 => _ = fs::copy(bin_dir().join("mantis"), &decoder).unwrap(),
                _ => {}
            }
            if let Refreshed::Taken { config, .. } = block_in_place(|| live.refresh()) {
                pipeline.set_config(config).unwrap();
            }
            let head = world.advance(&step);
            crowd.act(&step, head, true).await.unwrap();
            let stepped = pipeline.step(world.chain.as_ref(), &mut ledger).await.unwrap();
            why.push(stepped.progress.why);
        }
        let waits: Vec<usize> = (0..80).filter(|row| why[*row].is_some()).collect();
        assert_eq!(waits, [66, 67, 68, 69], "{why:?}");
        assert!(
            why[66].as_ref().unwrap().contains("the plugin of B: cannot start a worker process"),
            "{why:?}"
        );
        world.stop().await;
    });
}
