//! `mantis plugin new`: a crate to start from.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};
use thiserror::Error;

/// The crate's files; in their names and texts stands what [`create`] replaces.
const TEMPLATE: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("README.md", include_str!("template/README.md.in")),
    ("challenge.toml", include_str!("template/challenge.toml.in")),
    ("src/lib.rs", include_str!("template/src/lib.rs.in")),
    ("src/params.rs", include_str!("template/src/params.rs.in")),
    ("src/label.rs", include_str!("template/src/label.rs.in")),
    ("src/score.rs", include_str!("template/src/score.rs.in")),
    ("src/tests.rs", include_str!("template/src/tests.rs.in")),
];

/// Where the crate finds `mantis-plugin-api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Api {
    /// In a folder.
    Path(PathBuf),
    /// In a git repository.
    Git(String),
}

/// A crate that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its folder.
    pub dir: PathBuf,
    /// What to paste into `challenges.toml`.
    pub stanza: String,
}

/// Why no crate was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NewError {
    /// A name that no challenge could refer to.
    #[error(
        "`{name}` is no plugin's name: 1 to 48 small letters, digits, `_` or `-`, the first one a letter"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Something is there already.
    #[error("{} is there already; choose another name, or another folder with --dir", dir.display())]
    Exists {
        /// The crate's folder.
        dir: PathBuf,
    },
    /// No contract.
    #[error(
        "no crate mantis-plugin-api above this program or this folder; say where it is with --api PATH, or --api URL \
         of a git repository"
    )]
    NoApi,
    /// A folder without the contract.
    #[error("{}: not the crate mantis-plugin-api: it has no Cargo.toml of that name", path.display())]
    BadApi {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Api {
    /// What `--api` says: a folder, or the URL of a git repository. Without it, the contract's crate in a folder above
    /// this program or above the current folder.
    ///
    /// # Errors
    /// If there is no such crate.
    pub fn find(said: Option<&str>) -> Result<Self, NewError> {
        if let Some(url) = said.filter(|said| said.contains("://")) {
            return Ok(Self::Git(url.into()));
        }
        let found = match said {
            Some(path) => {
                let path = PathBuf::from(path);
                if !is_contract(&path) {
                    return Err(NewError::BadApi { path });
                }
                Some(path)
            }
            None => {
                let starts = [env::current_exe().ok(), env::current_dir().ok()];
                let above = starts.iter().flatten().flat_map(|start| start.ancestors());
                above.map(|dir| dir.join("plugin-api")).find(|dir| is_contract(dir))
            }
        };
        let path = found.ok_or(NewError::NoApi)?;
        path.canonicalize().map(Self::Path).map_err(|source| NewError::Io { path, source })
    }

    /// As it stands in a manifest.
    fn dependency(&self) -> String {
        // A string in TOML, quoted as one in JSON.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Path(path) => format!("path = {}", quoted(&path.display().to_string())),
            Self::Git(url) => format!("git = {}", quoted(url)),
        }
    }
}

/// Writes a crate named `name` into `folder`.
///
/// # Errors
/// [`NewError`]; what is there is never overwritten.
pub fn create(name: &str, folder: &Path, api: &Api) -> Result<Created, NewError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if !starts_well || name.len() > 48 || !name.bytes().all(fits) {
        return Err(NewError::Name { name: name.into() });
    }
    let dir = folder.join(name);
    if dir.exists() {
        return Err(NewError::Exists { dir });
    }
    let filled = |text: &str| {
        text.replace("__name__", name)
            .replace("__file__", &name.replace('-', "_"))
            .replace("__Type__", &type_name(name))
            .replace("__TICKER__", &name.to_uppercase().chars().take(32).collect::<String>())
            .replace("__api__", &api.dependency())
    };
    let mut stanza = String::new();
    for (file, text) in TEMPLATE {
        let text = filled(text);
        write(&dir.join(file), &text)?;
        if file == "challenge.toml" {
            stanza = text;
        }
    }
    write(&dir.join(".gitignore"), "/target\n")?;
    format(&dir);
    // The versions of its dependencies that the contract itself is built and tested with.
    if let Api::Path(path) = api
        && let Some(lock) = path.parent().map(|root| root.join("Cargo.lock")).filter(|lock| lock.is_file())
    {
        let text = fs::read_to_string(&lock).map_err(|source| NewError::Io { path: lock, source })?;
        write(&dir.join("Cargo.lock"), &text)?;
    }
    Ok(Created { dir, stanza })
}

/// Formats the crate in the style of where it lies, if rustfmt is there: the order of some lines depends on the name.
fn format(dir: &Path) {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024"]).arg(dir.join("src/lib.rs"));
    // Without it, the crate is well all the same.
    let _ = rustfmt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

fn write(path: &Path, text: &str) -> Result<(), NewError> {
    let fail = |source| NewError::Io { path: path.to_path_buf(), source };
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(fail)?;
    fs::write(path, text).map_err(fail)
}

fn is_contract(dir: &Path) -> bool {
    fs::read_to_string(dir.join("Cargo.toml"))
        .is_ok_and(|text| text.lines().any(|line| line.trim() == "name = \"mantis-plugin-api\""))
}

/// Types that the template has already, and a word that can be no type.
const TAKEN: [&str; 16] = [
    "Allowed",
    "Challenge",
    "Description",
    "History",
    "Label",
    "Labels",
    "Market",
    "ParamMap",
    "Params",
    "PluginError",
    "Progress",
    "Salience",
    "Score",
    "Self",
    "Spec",
    "WhyZero",
];

/// `my-momentum` is `MyMomentum`; a name that the template has itself gets a word behind it.
fn type_name(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_uppercase() + rest
    };
    let joined: String = name.split(['-', '_']).map(capital).collect();
    if TAKEN.contains(&joined.as_str()) { joined + "Plugin" } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        Api::find(Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugin-api"))).unwrap()
    }

    #[test]
    fn fills_every_place_of_the_template() {
        let dir = tempfile::tempdir().unwrap();
        let created = create("my-momentum2", dir.path(), &api()).unwrap();
        for (file, _) in TEMPLATE {
            let text = fs::read_to_string(created.dir.join(file)).unwrap();
            assert!(!text.contains("__"), "{file}: {text}");
        }
        let lib = fs::read_to_string(created.dir.join("src/lib.rs")).unwrap();
        assert!(lib.contains("pub struct MyMomentum2"));
        assert!(created.dir.join("Cargo.lock").is_file());
        let config = mantis_config::Config::parse(&created.stanza, Path::new("challenge.toml")).unwrap();
        assert_eq!((config.challenges[0].plugin.as_str(), config.challenges[0].dim), ("my-momentum2", 1));
        assert!(matches!(create("my-momentum2", dir.path(), &api()), Err(NewError::Exists { .. })));
    }

    #[test]
    fn types_have_names_of_their_own() {
        let of = ["my-momentum_2", "params", "self", "why-zero"].map(type_name);
        assert_eq!(of, ["MyMomentum2", "ParamsPlugin", "SelfPlugin", "WhyZeroPlugin"]);
    }

    #[test]
    fn refuses_names_that_no_challenge_could_have() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["", "A", "1a", "../x", "a b", "ä", &"a".repeat(49)] {
            assert!(matches!(create(name, dir.path(), &api()), Err(NewError::Name { .. })), "{name}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_contract_is_a_folder_or_a_repository() {
        let git = Api::find(Some("https://example.org/mantis.git")).unwrap();
        assert_eq!(git.dependency(), "git = \"https://example.org/mantis.git\"");
        assert!(matches!(Api::find(Some("/no/such/folder")), Err(NewError::BadApi { .. })));
        assert!(Api::find(None).is_ok(), "tests run beside it");
    }
}
