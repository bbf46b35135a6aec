//! The workspace is built as it says: what uses what, and how long files are.

use mantis_tests::structure::{circles, faults, long_files, packages, sources};
use mantis_tests::suite::Trial;
use mantis_tests::{root, trial};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The tests of this file: of the workspace, and of what they find in a workspace that is wrong.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(packages_use_those_of_lower_floors),
        trial!(modules_use_each_other_in_no_circle),
        trial!(no_file_is_longer_than_its_subject),
        trial!(no_test_is_left_to_a_harness_that_is_not_there),
        trial!(uses_of_higher_floors_are_found),
        trial!(circles_are_found),
        trial!(comments_strings_and_tests_make_no_circle),
        trial!(long_files_are_found),
    ]
}

fn packages_use_those_of_lower_floors() {
    let faults = faults(&packages(&root()));
    assert!(faults.is_empty(), "{faults:#?}");
}

fn modules_use_each_other_in_no_circle() {
    let packages = packages(&root());
    let folders: Vec<_> = packages.iter().map(|package| root().join(&package.folder).join("src")).collect();
    for folder in &folders {
        assert!(!sources(folder).is_empty(), "{}: no source there", folder.display());
    }
    let circles: Vec<String> = folders.iter().flat_map(|folder| circles(folder)).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

fn no_file_is_longer_than_its_subject() {
    assert!(sources(&root()).len() > 100, "the sources are not where they were");
    let long = long_files(&root());
    assert!(long.is_empty(), "{long:#?}");
}

fn no_test_is_left_to_a_harness_that_is_not_there() {
    // This line is not one.
    let attribute = ["#[", "test]"].concat();
    for file in sources(&root().join("tests/tests/outside")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&attribute), "{}: {attribute} does nothing here", file.display());
    }
}

/// A folder with these files.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// What is found in a workspace that is sound but for the dependencies of some packages.
fn found(wrong: &[(&str, &str)]) -> Vec<String> {
    let host = [
        "config",
        "web",
        "weights",
        "payload",
        "release",
        "network",
        "ledger",
        "scoring",
        "validator",
        "workshop",
        "dashboard",
        "signal",
    ];
    let mut manifests: Vec<(String, String)> =
        host.map(|name| (format!("host/{name}"), format!("mantis-{name}"))).into();
    manifests.push(("host/mantis".into(), "mantis".into()));
    manifests.push(("challenges/kit".into(), "mantis-kit".into()));
    for name in ["plugin-api", "plugin-build", "challenges/binary"] {
        manifests.push((name.into(), format!("mantis-{}", name.rsplit('/').next().unwrap())));
    }
    let members = "[workspace]\nmembers = [\"host/*\", \"challenges/*\", \"plugin-api\", \"plugin-build\"]\n\
                   [workspace.dependencies]\nlow = { path = \"host/config\", package = \"mantis-config\" }\n";
    let mut files = vec![("Cargo.toml".to_owned(), members.to_owned())];
    for (folder, name) in manifests {
        let more = wrong.iter().filter(|(package, _)| *package == name).map(|(_, more)| *more);
        let text = format!("[package]\nname = \"{name}\"\n{}", more.collect::<String>());
        files.push((format!("{folder}/Cargo.toml"), text));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    faults(&packages(tree(&files).path()))
}

fn uses_of_higher_floors_are_found() {
    assert_eq!(found(&[]), [""; 0]);
    let sound = [
        ("mantis-scoring", "[dependencies]\nmantis-ledger = {}\nlow.workspace = true\nserde = \"1\"\n"),
        ("mantis-kit", "[dependencies]\nmantis-plugin-api = {}\n"),
        ("mantis-binary", "[dependencies]\nmantis-kit = {}\n[dev-dependencies]\nmantis-config = {}\n"),
    ];
    assert_eq!(found(&sound), [""; 0]);
    for (package, manifest, fault) in [
        (
            "mantis-ledger",
            "[dependencies]\nmantis-scoring = {}\n",
            "mantis-ledger may not use mantis-scoring",
        ),
        (
            "mantis-ledger",
            "[dependencies]\nmantis-network = {}\n",
            "mantis-ledger may not use mantis-network",
        ),
        ("mantis-plugin-build", "[dependencies]\nlow.workspace = true\n", "may not use mantis-config"),
        ("mantis-config", "[build-dependencies]\nx = { package = \"mantis\" }\n", "may not use mantis,"),
        ("mantis-weights", "[dev-dependencies]\nmantis-payload = {}\n", "may not use mantis-payload"),
        ("mantis-network", "[target.'cfg(unix)'.dependencies]\nmantis = {}\n", "may not use mantis,"),
        ("mantis-binary", "[dependencies]\nmantis-config = {}\n", "mantis-binary may not use mantis-config"),
        ("mantis", "[dependencies]\nmantis-binary = {}\n", "mantis may not use mantis-binary"),
    ] {
        let found = found(&[(package, manifest)]);
        assert!(found.len() == 1 && found[0].contains(fault), "{fault}: {found:?}");
    }
    // Those that are not there, and one that nobody knows.
    let dir = tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"host/*\"]\n"),
        ("host/new/Cargo.toml", "[package]\nname = \"mantis-other\"\n"),
    ]);
    let found = faults(&packages(dir.path()));
    for fault in
        ["there is no package mantis-ledger", "mantis-other has no floor", "mantis-other lies in host/new"]
    {
        assert!(found.iter().any(|found| found == fault), "{fault}: {found:#?}");
    }
}

fn circles_among(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tree(files);
    circles(dir.path()).into_iter().map(|said| said.split(':').next().unwrap().to_owned()).collect()
}

fn circles_are_found() {
    let lib = ("lib.rs", "pub mod a; pub mod b; pub mod c;");
    // A line: a folder uses a file, which uses another.
    let (a, below) = (("a/mod.rs", "mod below;"), ("a/below.rs", "use crate::b::Thing;"));
    let (b, c) = (("b.rs", "use crate::c::{self, Other};"), ("c.rs", "pub struct Other;"));
    assert_eq!(circles_among(&[lib, a, below, b, c]), [""; 0]);
    // Closed in each of the ways to name a thing.
    for closes in [
        "use crate::a::below::Thing;",
        "use crate::{a::Thing};",
        "use super::a::Thing;",
        "pub(crate) use super::{d::X, a as other};",
        "fn f() -> crate::a::Thing { todo!() }",
        "macro_rules! m { () => { $crate::a::x() } }",
    ] {
        let expected = ["a -> b", "b -> c", "c -> a"];
        assert_eq!(circles_among(&[lib, a, below, b, ("c.rs", closes)]), expected, "{closes}");
    }
    // Within a folder, through a name that the folder passes on.
    let names = ("a/mod.rs", "mod one; mod two; pub use one::One; use two::{Two, Three};");
    let one = ("a/one.rs", "use super::Two;");
    assert_eq!(circles_among(&[names, one, ("a/two.rs", "use super::Other;")]), [""; 0]);
    assert_eq!(
        circles_among(&[names, one, ("a/two.rs", "use crate::a::One;")]),
        ["one -> two", "two -> one"]
    );
}

fn comments_strings_and_tests_make_no_circle() {
    let lib = ("lib.rs", "mod a; mod b;");
    let a = ("a.rs", "use crate::b::B;");
    for harmless in [
        "// use crate::a::A;",
        "/// See [`crate::a`].\npub struct B;",
        "/* use crate::a::A; */",
        "const S: &str = \"\\\" use crate::a::A;\";",
        "const S: &[u8] = br#\"\" use crate::a::A;\"#;",
        "const C: char = '\"'; const D: char = '\\''; // crate::a::A",
        "fn f<'a>(x: &'a str) {} #[cfg(test)] mod tests { use crate::a::A; fn g() { h() } }",
        "#[cfg(test)]\nuse crate::a::A;",
        "pub(in crate::b) struct B;",
    ] {
        assert_eq!(circles_among(&[lib, a, ("b.rs", harmless)]), [""; 0], "{harmless}");
    }
    // A file that a module declares for its tests.
    let b = ("b/mod.rs", "#[cfg(test)]\nmod b_test;\npub struct B;");
    assert_eq!(circles_among(&[lib, a, b, ("b/b_test.rs", "use crate::a::A;")]), [""; 0]);
    // What follows such an item counts again.
    let b = ("b.rs", "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::a::A;");
    assert_eq!(circles_among(&[lib, a, b]), ["a -> b", "b -> a"]);
}

fn long_files_are_found() {
    let dir = tree(&[
        ("src/short.rs", &"\n".repeat(500)),
        ("src/deep/long.rs", &"\n".repeat(501)),
        ("target/built.rs", &"\n".repeat(600)),
        ("notes.txt", &"\n".repeat(600)),
    ]);
    let long = long_files(dir.path());
    let expected = Path::new("src/deep/long.rs: 501 lines");
    assert!(long.len() == 1 && Path::new(&long[0]).ends_with(expected), "{long:?}");
}
