//! Which module of a crate uses which, by the paths in its files.

use super::source::{paths, test_modules};
use super::sources;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path in its crate; the crate itself is the empty one.
type Module = Vec<String>;

/// The modules of a crate, without those for tests alone: the file of each, and the paths that it names.
struct Crate {
    files: BTreeMap<Module, (PathBuf, Vec<Vec<String>>)>,
}

/// Circles among the modules of a crate, whose source is in this folder: each is told by the imports that make it, a line
/// for each. Modules that lie side by side in a folder are compared, with all that lies in them; a module and what lies in it
/// belong together.
///
/// # Panics
/// If a file cannot be read.
#[must_use]
pub fn circles(source: &Path) -> Vec<String> {
    let krate = Crate::read(source);
    // By folder: who uses whom, and a file that says so.
    let mut uses: BTreeMap<Module, BTreeMap<(String, String), String>> = BTreeMap::new();
    for (module, (file, paths)) in &krate.files {
        for path in paths {
            let Some(used) = krate.resolve(module, path) else { continue };
            let shared = module.iter().zip(&used).take_while(|(a, b)| a == b).count();
            let (Some(from), Some(to)) = (module.get(shared), used.get(shared)) else { continue };
            let edges = uses.entry(module[..shared].to_vec()).or_default();
            let said = || format!("{} uses {}", file.display(), path.join("::"));
            edges.entry((from.clone(), to.clone())).or_insert_with(said);
        }
    }
    uses.values().flat_map(among).collect()
}

/// The uses that are part of a circle.
fn among(uses: &BTreeMap<(String, String), String>) -> Vec<String> {
    let reach = |start: &String| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(module) = next.pop() {
            let used = uses.keys().filter(|(from, _)| *from == module).map(|(_, to)| to.clone());
            next.extend(used.filter(|to| reached.insert(to.clone())));
        }
        reached
    };
    let is_in_circle = |((from, to), _): &(&(String, String), &String)| reach(to).contains(from);
    uses.iter().filter(is_in_circle).map(|((from, to), said)| format!("{from} -> {to}: {said}")).collect()
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut texts: BTreeMap<Module, (PathBuf, String)> = BTreeMap::new();
        for file in sources(source) {
            let text =
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            texts.insert(module_of(file.strip_prefix(source).expect("a file of it")), (file, text));
        }
        let for_tests: BTreeSet<Module> = texts
            .iter()
            .flat_map(|(module, (_, text))| {
                test_modules(text).into_iter().map(|name| [&module[..], &[name]].concat())
            })
            .collect();
        let is_for_tests = |module: &Module| (1..=module.len()).any(|n| for_tests.contains(&module[..n]));
        texts.retain(|module, _| !is_for_tests(module));
        let files = texts.into_iter().map(|(module, (file, text))| (module, (file, paths(&text)))).collect();
        Self { files }
    }

    /// The module that a path named in another one leads to, through the names that modules on its way pass on.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module.clone(), path),
            _ => return None,
        };
        while rest.first().is_some_and(|word| word == "super") {
            at.pop()?;
            rest = &rest[1..];
        }
        for word in rest {
            let child = [&at[..], std::slice::from_ref(word)].concat();
            at = if self.files.contains_key(&child) {
                child
            } else {
                let passed_on = self.passed_on(&at, word);
                return Some(passed_on.unwrap_or(at));
            };
        }
        Some(at)
    }

    /// The module below this one that a name comes from which this one imports.
    fn passed_on(&self, module: &Module, name: &str) -> Option<Module> {
        let (_, paths) = self.files.get(module)?;
        let from =
            paths.iter().find(|path| path.len() > 2 && path[0] == "self" && path[path.len() - 1] == name)?;
        let child = [&module[..], &from[1..from.len() - 1]].concat();
        self.files.contains_key(&child).then_some(child)
    }
}

/// The module that a file of a crate's source is.
fn module_of(file: &Path) -> Module {
    let mut module: Module =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let is_of_folder = ["mod", "lib", "main"].contains(&module.last().map_or("", String::as_str));
    module.truncate(module.len() - usize::from(is_of_folder));
    module
}
