//! Releases of the subnet's owner, where they are published.

use crate::http::{HttpError, builder, fetch};
use mantis_release::{
    Digest, IndexEntry, LARGEST_INDEX, LARGEST_MANIFEST, LARGEST_SIGNATURE, ListedFile, MANIFEST,
    ReleaseRejection, SIGNATURE_SUFFIX,
};
use reqwest::{Client, Response, StatusCode, Url};
use std::path::Path;
use std::time::Duration;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

/// Time to connect, and longest silence of a server that is sending.
const IDLE: Duration = Duration::from_secs(15);
/// Time for a small file.
const SMALL: Duration = Duration::from_secs(30);
/// Time for a file of a release.
const LARGE: Duration = Duration::from_secs(600);

/// A place where releases are published: a list, and a folder beside it for each release. Nothing that it says is believed
/// here: signatures and lists are for the caller to judge.
#[derive(Clone, Debug)]
pub struct ReleaseClient {
    client: Client,
    index: Url,
}

/// Bytes, and the content of the file of their signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBytes {
    /// What is signed.
    pub bytes: Vec<u8>,
    /// The signature's file.
    pub signature: Vec<u8>,
}

impl ReleaseClient {
    /// The place whose list lies at `url`.
    ///
    /// # Errors
    /// If HTTP cannot be set up, or `url` is none.
    pub fn new(url: &str) -> Result<Self, HttpError> {
        let client = builder().connect_timeout(IDLE).read_timeout(IDLE).build()?;
        let index = Url::parse(url).map_err(|error| HttpError::Unreachable { reason: error.to_string() })?;
        Ok(Self { client, index })
    }

    /// The list and its signature.
    ///
    /// # Errors
    /// [`ReleaseRejection::Http`] or [`ReleaseRejection::TooLarge`].
    pub async fn index(&self) -> Result<SignedBytes, ReleaseRejection> {
        let mut signature = self.index.clone();
        signature.set_path(&format!("{}{SIGNATURE_SUFFIX}", self.index.path()));
        Ok(SignedBytes {
            bytes: self.small("index.toml", self.index.clone(), LARGEST_INDEX).await?,
            signature: self.small("index.toml.sig", signature, LARGEST_SIGNATURE).await?,
        })
    }

    /// The `release.toml` of an entry of the list, which it has the digest of, and its signature.
    ///
    /// # Errors
    /// As [`ReleaseClient::index`], and [`ReleaseRejection::Digest`].
    pub async fn manifest(&self, entry: &IndexEntry) -> Result<SignedBytes, ReleaseRejection> {
        let number = entry.number;
        let sig = format!("{MANIFEST}{SIGNATURE_SUFFIX}");
        let bytes = self.small(MANIFEST, self.file(number, MANIFEST)?, LARGEST_MANIFEST).await?;
        let (found, expected) = (Digest::of(&bytes), entry.sha256);
        if found != expected {
            let path = format!("{number}/{MANIFEST}");
            return Err(ReleaseRejection::Digest { path, list: "index.toml", found, expected });
        }
        Ok(SignedBytes {
            bytes,
            signature: self.small(&sig, self.file(number, &sig)?, LARGEST_SIGNATURE).await?,
        })
    }

    /// Fetches a file of a release to the path `to`, unless the listed one is there. What is not the listed file, or not whole,
    /// is not left at that path.
    ///
    /// # Errors
    /// [`ReleaseRejection`]: of the server, of the disk, or that it is not the listed file.
    pub async fn fetch(
        &self,
        number: u32,
        name: &str,
        listed: &ListedFile,
        to: &Path,
    ) -> Result<(), ReleaseRejection> {
        if listed.check(name, to).is_ok() {
            return Ok(());
        }
        let error = |error: std::io::Error| ReleaseRejection::file(to, &error);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).await.map_err(error)?;
        }
        let part = to.with_added_extension("part");
        let url = self.file(number, name)?;
        let what = format!("{name} of release {number}");
        let written = tokio::time::timeout(LARGE, self.write(&what, url, listed.size, &part)).await;
        let written = written.unwrap_or_else(|_| Err(http(&what, &HttpError::TimedOut)));
        let checked = written.and_then(|()| listed.check(name, &part));
        if let Err(rejection) = checked {
            // A part is of no use: files are small.
            let _ = fs::remove_file(&part).await;
            return Err(rejection);
        }
        fs::rename(&part, to).await.map_err(error)
    }

    /// Writes a body of so many bytes to a file, and no more of it.
    async fn write(&self, what: &str, url: Url, size: u64, part: &Path) -> Result<(), ReleaseRejection> {
        let error = |error: std::io::Error| ReleaseRejection::file(part, &error);
        let mut response = self.answer(what, url).await?;
        let mut out = File::create(part).await.map_err(error)?;
        let mut had = 0;
        while let Some(chunk) = response.chunk().await.map_err(|fault| http(what, &fault.into()))? {
            had += chunk.len() as u64;
            if had > size {
                return Err(ReleaseRejection::Size { path: what.into(), found: had, expected: size });
            }
            out.write_all(&chunk).await.map_err(error)?;
        }
        out.flush().await.map_err(error)?;
        out.sync_all().await.map_err(error)?;
        if had < size {
            let reason = format!("the answer ended after {had} of {size} bytes");
            return Err(ReleaseRejection::Http { what: what.into(), reason });
        }
        Ok(())
    }

    async fn answer(&self, what: &str, url: Url) -> Result<Response, ReleaseRejection> {
        let response = self.client.get(url).send().await.map_err(|fault| http(what, &fault.into()))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status if status.is_redirection() => {
                Err(http(what, &HttpError::Redirected { status: status.as_u16() }))
            }
            status => Err(http(what, &HttpError::Status { status: status.as_u16() })),
        }
    }

    async fn small(&self, what: &str, url: Url, limit: u64) -> Result<Vec<u8>, ReleaseRejection> {
        match fetch(self.client.get(url).timeout(SMALL), limit, &mut ()).await {
            Ok(bytes) => Ok(bytes),
            Err(HttpError::TooLarge { limit }) => {
                Err(ReleaseRejection::TooLarge { path: what.into(), limit })
            }
            Err(fault) => Err(http(what, &fault)),
        }
    }

    /// Where a file of a release lies.
    fn file(&self, number: u32, name: &str) -> Result<Url, ReleaseRejection> {
        let place = self.index.join(&format!("{number}/{name}"));
        place.map_err(|error| ReleaseRejection::Http { what: name.into(), reason: error.to_string() })
    }
}

fn http(what: &str, fault: &HttpError) -> ReleaseRejection {
    ReleaseRejection::Http { what: what.into(), reason: fault.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::ObjectServer;

    async fn place() -> (ObjectServer, ReleaseClient) {
        let server = ObjectServer::start().await.unwrap();
        let client = ReleaseClient::new(&format!("{}/index.toml", server.public_url())).unwrap();
        (server, client)
    }

    fn listed(bytes: &[u8]) -> ListedFile {
        ListedFile { size: bytes.len() as u64, sha256: Digest::of(bytes) }
    }

    #[tokio::test]
    async fn the_list_and_a_release_are_read_with_their_signatures() {
        let (server, client) = place().await;
        let absent = client.index().await.unwrap_err().to_string();
        assert!(
            absent.starts_with("index.toml cannot be fetched: the server answers with status 404"),
            "{absent}"
        );
        for (name, text) in [
            ("index.toml", "list"),
            ("index.toml.sig", "s"),
            ("7/release.toml", "seven"),
            ("7/release.toml.sig", "t"),
        ] {
            server.objects().put(name, text);
        }
        let read = client.index().await.unwrap();
        assert_eq!((&read.bytes[..], &read.signature[..]), (&b"list"[..], &b"s"[..]));
        let entry = IndexEntry { number: 7, activate: 1, size: 5, sha256: Digest::of(b"seven") };
        assert_eq!(client.manifest(&entry).await.unwrap().signature, b"t");
        let other = IndexEntry { sha256: Digest::of(b"other"), ..entry };
        let refused = client.manifest(&other).await.unwrap_err().to_string();
        assert!(
            refused.contains("7/release.toml has the digest") && refused.contains("index.toml says"),
            "{refused}"
        );
        // What has no end is not read to it.
        server.objects().put("index.toml", " ".repeat(200_000));
        assert_eq!(
            client.index().await.unwrap_err(),
            ReleaseRejection::TooLarge { path: "index.toml".into(), limit: LARGEST_INDEX }
        );
        server.stop().await;
    }

    #[tokio::test]
    async fn only_the_listed_file_is_left_and_what_is_there_is_not_fetched_again() {
        let (server, client) = place().await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("plugins/a.wasm");
        let file = listed(b"component");
        let fetch = async |body: &'static str| {
            server.objects().put("7/plugins/a.wasm", body);
            client.fetch(7, "plugins/a.wasm", &file, &to).await.map_err(|error| error.to_string())
        };
        for (body, says) in [
            ("compo", "the answer ended after 5 of 9 bytes"),
            ("component and more", "bytes, and release.toml says 9"),
            ("componeNt", "has the digest"),
        ] {
            let refused = fetch(body).await.unwrap_err();
            assert!(refused.contains(says), "{refused}");
            assert!(
                std::fs::read_dir(to.parent().unwrap()).unwrap().next().is_none(),
                "{says}: nothing is left"
            );
        }
        fetch("component").await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"component");
        fetch("gone").await.unwrap();
        server.stop().await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_full_disk_is_said() {
        let (server, client) = place().await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("a");
        std::os::unix::fs::symlink("/dev/full", dir.path().join("a.part")).unwrap();
        server.objects().put("7/a", "bytes");
        let refused = client.fetch(7, "a", &listed(b"bytes"), &to).await.unwrap_err();
        assert!(refused.to_string().contains("No space left on device") && refused.passes(), "{refused}");
        client.fetch(7, "a", &listed(b"bytes"), &to).await.unwrap();
        server.stop().await;
    }
}
