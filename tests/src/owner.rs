//! The subnet's owner: makes, signs and publishes releases with the built program.

use crate::{json, mantis};
use mantis_network::loopback::Objects;
use mantis_network::wallet::Hotkey;
use mantis_release::signature::{Signed, to_file};
use mantis_release::{Digest, Folder, Index, IndexEntry};
use std::fs;
use std::path::{Path, PathBuf};

/// An owner with a folder for releases.
pub struct Owner {
    dir: PathBuf,
    uri: String,
}

impl Owner {
    /// One who signs with a development key.
    ///
    /// # Panics
    /// If the folder cannot be made.
    #[must_use]
    pub fn new(dir: &Path, uri: &str) -> Self {
        fs::create_dir_all(dir).expect("a folder");
        Self { dir: dir.into(), uri: uri.into() }
    }

    /// Who signs.
    ///
    /// # Panics
    /// If the key is none.
    #[must_use]
    pub fn key(&self) -> Hotkey {
        Hotkey::from_uri(&self.uri).expect("a development key")
    }

    /// The folder of a release.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Makes a release of a configuration, after another one if one is named, and signs it.
    ///
    /// # Panics
    /// If the program does not do it.
    pub fn make(
        &self,
        name: &str,
        from: Option<&str>,
        config: &Path,
        activate: i64,
        more: &[&str],
    ) -> PathBuf {
        let out = self.path(name);
        let mut command = mantis();
        command
            .args(["release", "new", "--json", "--activate", &activate.to_string(), "--config"])
            .arg(config);
        command.arg("--out").arg(&out).args(more);
        if let Some(from) = from {
            command.arg("--from").arg(self.path(from));
        }
        json(&mut command);
        self.sign(name);
        out
    }

    /// Signs a release.
    ///
    /// # Panics
    /// If the program does not do it.
    pub fn sign(&self, name: &str) {
        let mut command = mantis();
        json(command.args(["release", "sign", "--json", "--hotkey-uri", &self.uri]).arg(self.path(name)));
    }

    /// Publishes a release into a folder, and all of that on a server.
    ///
    /// # Panics
    /// If the program does not do it.
    pub fn publish(&self, name: &str, place: &str, server: &Objects) {
        let place = self.path(place);
        let mut command = mantis();
        command.args(["release", "publish", "--json", "--hotkey-uri", &self.uri, "--to"]).arg(&place);
        let published = json(command.arg(self.path(name)));
        for file in published["files"].as_array().expect("files") {
            let file = file.as_str().expect("a name");
            server.put(file, fs::read(place.join(file)).expect("a published file"));
        }
    }

    /// Puts a list of releases on a server that the program would not make.
    ///
    /// # Panics
    /// If it is no list.
    pub fn list(&self, netuid: u16, entries: &[IndexEntry], server: &Objects) {
        let newest = entries.last().expect("an entry").number;
        let text = Index { netuid, newest, releases: entries.into() }.to_text().expect("a list");
        let signature = self.key().sign_message(&Signed::Index.message(text.as_bytes()));
        server.put("index.toml.sig", to_file(&signature));
        server.put("index.toml", text);
    }

    /// The entry of a release in a list.
    ///
    /// # Panics
    /// If there is no such release.
    #[must_use]
    pub fn entry(&self, name: &str) -> IndexEntry {
        let folder = Folder::verify(&self.path(name)).expect("a release");
        IndexEntry {
            number: folder.release.number,
            activate: folder.release.activate,
            size: folder.manifest.len() as u64,
            sha256: folder.digest(),
        }
    }

    /// Puts the files of a release on a server, under its number.
    ///
    /// # Panics
    /// If there is no such release.
    pub fn upload(&self, name: &str, server: &Objects) {
        let folder = Folder::verify(&self.path(name)).expect("a release");
        let number = folder.release.number;
        let lists = ["release.toml".to_owned(), "release.toml.sig".to_owned()];
        for file in folder.release.files.keys().chain(&lists) {
            let bytes = fs::read(folder.path.join(file)).expect("a file of the release");
            server.put(&format!("{number}/{file}"), bytes);
        }
    }

    /// The digest of a release.
    #[must_use]
    pub fn digest(&self, name: &str) -> Digest {
        self.entry(name).sha256
    }
}
