//! What is kept of scores, and when it is not found again.

use super::*;
use mantis_config::{Block, Runtime};
use mantis_ledger::snapshot::AsOf;
use mantis_ledger::{NewRow, SampledBlock};
use mantis_plugin_api::{Description, Salience, Solver, Storage};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

struct World {
    dir: TempDir,
    ledger: Ledger,
    spec: Spec,
    params: ParamMap,
    request: SnapshotRequest,
    plugin: Source,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for block in (100..400).step_by(5).map(Block) {
            let submissions = vec![("5A".into(), vec![half::f16::ONE; 2].into())];
            let row = NewRow {
                ticker: "A".into(),
                dim: 2,
                blocks_ahead: 50,
                price: Some(1.5),
                submissions,
                ..NewRow::default()
            };
            ledger.append(&SampledBlock { block, sidx: block.sidx(5), rows: vec![row] }).unwrap();
        }
        let path = dir.path().join("mantis_p.wasm");
        fs::write(&path, "a plugin").unwrap();
        let spec = Spec {
            name: "A".into(),
            ticker: "A".into(),
            dim: 2,
            assets: Vec::new(),
            blocks_ahead: 50,
            sample_every: 5,
            seed: 42,
            solver: Solver::Exact,
            storage: Storage::F16,
            channels: Vec::new(),
            facts: Vec::new(),
            targets: false,
            fit: false,
        };
        let request = SnapshotRequest {
            ticker: "A".into(),
            storage_dim: 2,
            sample_every: 5,
            max_block: Some(Block(300)),
            as_of: Some(AsOf::at(Block(350), 100)),
            ..SnapshotRequest::default()
        };
        let plugin = Source { path, runtime: Runtime::Wasm, sha256: None, memory_mib: 64 };
        Self { dir, ledger, spec, params: ParamMap::default(), request, plugin }
    }

    fn cache(&self) -> SalienceCache {
        SalienceCache::open(&self.dir.path().join("cache"), &self.ledger).unwrap()
    }

    fn needs(&self) -> Needs<'_> {
        let Self { spec, params, request, plugin, .. } = self;
        Needs { plugin, spec, params, request }
    }

    fn key(&self) -> Key {
        self.cache().key(&self.ledger, &self.needs()).unwrap()
    }

    /// What one would score, kept by what it needs now.
    fn keep(&self) -> Given {
        let (cache, mut salience) = (self.cache(), Salience::new(1));
        salience.set(0, 0.1 + 0.2);
        salience.note(0, "auc", 1.0 / 3.0);
        let run = Given {
            hotkeys: vec!["5A".into()],
            salience,
            description: Description::new("p", "1.0.0", "a plugin"),
            sha256: digest(&self.plugin.path).unwrap(),
        };
        cache.keep(&self.ledger, &self.key(), &self.needs(), &run);
        run
    }
}

#[test]
fn what_was_scored_is_found_bit_by_bit() {
    let world = World::new();
    let (cache, key) = (world.cache(), world.key());
    assert!(cache.find(&key).is_none());
    let run = world.keep();
    assert_eq!(cache.find(&key).unwrap(), run);
    assert_eq!(cache.counts(), CacheCounts { found: 1, scored: 0, damaged: 0 });
    let folder = world.dir.path().join("cache");
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    let entry = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn every_bit_of_an_entry_that_flips_is_noticed() {
    let world = World::new();
    let (cache, key) = (world.cache(), world.key());
    world.keep();
    let path = cache.path(&key);
    let sound = fs::read(&path).unwrap();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        assert!(cache.find(&key).is_none(), "byte {at}");
    }
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert!(cache.find(&key).is_none());
    assert_eq!(cache.counts().damaged, sound.len() as u64 + 1);
    // One under the name of another is not that.
    let other = Key { name: "0".repeat(64), ..key.clone() };
    fs::write(cache.path(&other), &sound).unwrap();
    assert!(cache.find(&other).is_none());
    world.keep();
    assert!(cache.find(&key).is_some());
}

#[test]
fn whatever_a_salience_depends_on_is_part_of_its_key() {
    let base = World::new();
    let known = base.key();
    assert_eq!(base.key(), known);
    let other = |change: fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        world.key().name
    };
    assert_eq!(other(|_| {}), known.name, "where it lies does not count");
    assert_eq!(other(|world| world.plugin.runtime = Runtime::Native), known.name);
    let changes: [fn(&mut World); 9] = [
        |world| fs::write(&world.plugin.path, "another").unwrap(),
        |world| drop(world.params.insert("top_k".into(), 3.into())),
        |world| world.spec.solver = Solver::Network,
        |world| world.spec.seed = 43,
        |world| world.request.max_block = Some(Block(305)),
        |world| world.request.as_of = Some(AsOf::at(Block(355), 105)),
        |world| world.request.as_of = Some(AsOf::at(Block(350), 105)),
        |world| world.request.active = Some(["5A".to_owned()].into()),
        |world| {
            let row = NewRow { ticker: "A".into(), dim: 2, ..NewRow::default() };
            let block = Block(300);
            world.ledger.rewind(block - 5, 5).unwrap();
            world.ledger.append(&SampledBlock { block, sidx: block.sidx(5), rows: vec![row] }).unwrap();
        },
    ];
    let mut names: Vec<String> = changes.into_iter().map(other).collect();
    names.push(known.name);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), changes.len() + 1);
}

#[test]
fn what_changed_while_it_was_scored_is_not_kept() {
    let world = World::new();
    let key = world.key();
    let run = Given { sha256: "of another file".into(), ..world.keep() };
    clear_saliences(&world.dir.path().join("cache")).unwrap();
    world.cache().keep(&world.ledger, &key, &world.needs(), &run);
    assert!(world.cache().find(&key).is_none());
}

#[test]
fn what_was_not_used_for_longest_goes_first_and_nothing_of_others_goes() {
    let world = World::new();
    let (cache, key) = (world.cache(), world.key());
    world.keep();
    let folder = world.dir.path().join("cache");
    let old = folder.join("a".repeat(64)).with_extension(SUFFIX);
    fs::write(&old, [0; 1000]).unwrap();
    let ago = SystemTime::now() - Duration::from_secs(100);
    File::options().append(true).open(&old).unwrap().set_modified(ago).unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(cache.trim(1 << 20).unwrap(), 0);
    assert_eq!(cache.trim(1000).unwrap(), 1);
    assert!(!old.exists() && cache.find(&key).is_some());
    assert_eq!(clear_saliences(&folder).unwrap(), 1);
    assert!(folder.join("notes.txt").exists());
    assert_eq!(clear_saliences(&world.dir.path().join("none")).unwrap(), 0);
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let world = World::new();
    let folder = world.dir.path().join("open");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = SalienceCache::open(&folder, &world.ledger).unwrap_err();
    assert!(matches!(refused, CacheError::Strange { .. }), "{refused}");
    fs::write(world.dir.path().join("file"), "").unwrap();
    let refused = SalienceCache::open(&world.dir.path().join("file"), &world.ledger).unwrap_err();
    assert!(refused.to_string().contains("--cache"), "{refused}");
}
