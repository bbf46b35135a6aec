//! A mirror of a published ledger: the signed list, and the files that it names.

use crate::http::{HttpError, builder, fetch};
use crate::releases::SignedBytes;
use mantis_release::ledger::{LARGEST_LEDGER_INDEX, LEDGER_INDEX, LedgerRejection};
use mantis_release::{LARGEST_SIGNATURE, SIGNATURE_SUFFIX};
use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// Time for the list.
const SMALL: Duration = Duration::from_secs(60);

/// How long a mirror is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Time to connect, and longest silence.
    pub idle: Duration,
    /// Bytes a second, on the average since the request, that come at least.
    pub least: u64,
    /// Time after which that is looked at.
    pub grace: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { idle: Duration::from_secs(20), least: 16 << 10, grace: Duration::from_secs(30) }
    }
}

/// A place from which a published ledger can be fetched. Nothing that it says is believed here: signatures and digests are for
/// the caller to judge.
#[derive(Clone, Debug)]
pub struct LedgerMirror {
    client: Client,
    index: Url,
    patience: Patience,
}

impl LedgerMirror {
    /// The place whose list, `ledger.toml`, lies at `url`; a URL that ends with a slash is that of the folder.
    ///
    /// # Errors
    /// If HTTP cannot be set up, or `url` is none.
    pub fn new(url: &str, patience: Patience) -> Result<Self, HttpError> {
        let client = builder().connect_timeout(patience.idle).read_timeout(patience.idle).build()?;
        let unreachable = |reason: String| HttpError::Unreachable { reason };
        let mut index = Url::parse(url).map_err(|error| unreachable(error.to_string()))?;
        if index.cannot_be_a_base() {
            return Err(unreachable("the URL has no host".into()));
        }
        if index.path().ends_with('/') {
            index.set_path(&format!("{}{LEDGER_INDEX}", index.path()));
        }
        Ok(Self { client, index, patience })
    }

    /// Its host, for messages.
    #[must_use]
    pub fn host(&self) -> String {
        let port = self.index.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("{}{port}", self.index.host_str().unwrap_or_default())
    }

    /// The list and its signature.
    ///
    /// # Errors
    /// [`LedgerRejection::Http`].
    pub async fn index(&self) -> Result<SignedBytes, LedgerRejection> {
        let mut signature = self.index.clone();
        signature.set_path(&format!("{}{SIGNATURE_SUFFIX}", self.index.path()));
        Ok(SignedBytes {
            bytes: self.small(LEDGER_INDEX, self.index.clone(), LARGEST_LEDGER_INDEX).await?,
            signature: self.small("ledger.toml.sig", signature, LARGEST_SIGNATURE).await?,
        })
    }

    /// Fetches a file of so many bytes to a path, and goes on with what is there of it. It is not whole where this fails.
    ///
    /// # Errors
    /// [`LedgerRejection`]: of the server, of the disk, that it comes too slowly, or has more bytes.
    pub async fn fetch(&self, name: &str, size: u64, to: &Path) -> Result<(), LedgerRejection> {
        let file = |error: std::io::Error| LedgerRejection::file(to, &error);
        let mut out = OpenOptions::new().create(true).append(true).open(to).await.map_err(file)?;
        let mut had = out.metadata().await.map_err(file)?.len();
        if had > size {
            out.set_len(0).await.map_err(file)?;
            had = 0;
        }
        if had < size {
            self.append(name, size, had, &mut out, to).await?;
        }
        out.flush().await.map_err(file)?;
        out.sync_all().await.map_err(file)
    }

    async fn append(
        &self,
        name: &str,
        size: u64,
        mut had: u64,
        out: &mut File,
        to: &Path,
    ) -> Result<(), LedgerRejection> {
        let file = |error: std::io::Error| LedgerRejection::file(to, &error);
        let Patience { idle, least, grace } = self.patience;
        let begun = Instant::now();
        let mut response = tokio::time::timeout(idle, self.answer(name, had))
            .await
            .unwrap_or_else(|_| Err(http(name, &HttpError::TimedOut)))?;
        // It sends all of it, from the beginning.
        if response.status() == StatusCode::OK && had > 0 {
            out.set_len(0).await.map_err(file)?;
            had = 0;
        }
        let from = had;
        while let Some(chunk) = response.chunk().await.map_err(|fault| http(name, &fault.into()))? {
            had += chunk.len() as u64;
            if had > size {
                // What was appended is of no use, wherever it came from.
                out.set_len(0).await.map_err(file)?;
                return Err(LedgerRejection::Size { path: name.into(), found: had, expected: size });
            }
            out.write_all(&chunk).await.map_err(file)?;
            let since = begun.elapsed();
            if since > grace && had < size && (had - from) / since.as_secs().max(1) < least {
                out.flush().await.map_err(file)?;
                return Err(LedgerRejection::Slow { path: name.into(), least });
            }
        }
        out.flush().await.map_err(file)?;
        if had < size {
            let reason = format!("the answer ended after {had} of {size} bytes");
            return Err(LedgerRejection::Http { what: name.into(), reason });
        }
        Ok(())
    }

    async fn answer(&self, name: &str, had: u64) -> Result<Response, LedgerRejection> {
        let url = self.index.join(name);
        let url =
            url.map_err(|error| LedgerRejection::Http { what: name.into(), reason: error.to_string() })?;
        let mut request = self.client.get(url);
        if had > 0 {
            request = request.header(RANGE, format!("bytes={had}-"));
        }
        let response = request.send().await.map_err(|fault| http(name, &fault.into()))?;
        if let Some(encoding) = response.headers().get(CONTENT_ENCODING) {
            let encoding = String::from_utf8_lossy(encoding.as_bytes()).chars().take(40).collect::<String>();
            if !encoding.eq_ignore_ascii_case("identity") {
                return Err(http(name, &HttpError::Encoded { encoding }));
            }
        }
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::PARTIAL_CONTENT if had > 0 => {
                let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
                if range.is_some_and(|range| range.starts_with(&format!("bytes {had}-"))) {
                    return Ok(response);
                }
                let reason = "it sends another part of the file than was asked for".into();
                Err(LedgerRejection::Http { what: name.into(), reason })
            }
            status if status.is_redirection() => {
                Err(http(name, &HttpError::Redirected { status: status.as_u16() }))
            }
            status => Err(http(name, &HttpError::Status { status: status.as_u16() })),
        }
    }

    async fn small(&self, what: &str, url: Url, limit: u64) -> Result<Vec<u8>, LedgerRejection> {
        let fetched =
            fetch(self.client.get(url).timeout(SMALL.min(3 * self.patience.idle)), limit, &mut ()).await;
        fetched.map_err(|fault| http(what, &fault))
    }
}

fn http(what: &str, fault: &HttpError) -> LedgerRejection {
    LedgerRejection::Http { what: what.into(), reason: fault.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::ObjectServer;
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    const QUICK: Patience =
        Patience { idle: Duration::from_secs(5), least: 1 << 20, grace: Duration::from_millis(200) };

    /// A server that sends this after the head, piece by piece, to each who asks; it gives the ranges that were asked for.
    fn serve(
        head: &'static str,
        pieces: Vec<&'static [u8]>,
        pause: Duration,
    ) -> (String, std::sync::mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/ledger.toml", listener.local_addr().unwrap());
        let (asked, ranges) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines =
                    BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                let range = lines
                    .filter_map(|line| line.to_lowercase().strip_prefix("range: ").map(String::from))
                    .next();
                // The rest of the head is read, or the socket would be reset.
                let _ = asked.send(range.unwrap_or_default());
                let _ = write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
                for piece in &pieces {
                    if stream.write_all(piece).is_err() {
                        break;
                    }
                    thread::sleep(pause);
                }
            }
        });
        (url, ranges)
    }

    #[tokio::test]
    async fn a_list_without_end_is_not_read_to_it() {
        let server = ObjectServer::start().await.unwrap();
        let mirror = LedgerMirror::new(&format!("{}/", server.public_url()), Patience::default()).unwrap();
        server.objects().put("ledger.toml", "list");
        server.objects().put("ledger.toml.sig", "s");
        assert_eq!(mirror.index().await.unwrap().bytes, b"list");
        server.objects().put("ledger.toml", vec![b' '; 3 << 20]);
        let refused = mirror.index().await.unwrap_err().to_string();
        assert!(refused.contains("larger than 2097152 bytes"), "{refused}");
        server.stop().await;
    }

    #[tokio::test]
    async fn a_file_is_gone_on_with_wherever_its_beginning_came_from() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("a");
        let (broken, _) = serve("200 OK\r\ncontent-length: 9", vec![b"comp"], Duration::ZERO);
        let (rest, asked) = serve(
            "206 Part\r\ncontent-range: bytes 4-8/9\r\ncontent-length: 5",
            vec![b"onent"],
            Duration::ZERO,
        );
        let mirror = |url: &str| LedgerMirror::new(url, QUICK).unwrap();
        let refused = mirror(&broken).fetch("parts/a", 9, &to).await.unwrap_err().to_string();
        assert!(refused.starts_with("parts/a cannot be fetched"), "{refused}");
        assert_eq!(fs::read(&to).unwrap(), b"comp");
        mirror(&rest).fetch("parts/a", 9, &to).await.unwrap();
        assert_eq!(
            (asked.recv().unwrap().as_str(), &fs::read(&to).unwrap()[..]),
            ("bytes=4-", &b"component"[..])
        );
        // Nothing is asked for once it is whole; and one that sends all of it is taken from its beginning.
        mirror(&broken).fetch("parts/a", 9, &to).await.unwrap();
        let (whole, _) = serve("200 OK\r\ncontent-length: 9", vec![b"COMPONENT"], Duration::ZERO);
        fs::write(&to, "comp").unwrap();
        mirror(&whole).fetch("parts/a", 9, &to).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"COMPONENT");
        // Another part than was asked for.
        fs::write(&to, "co").unwrap();
        let refused = mirror(&rest).fetch("parts/a", 9, &to).await.unwrap_err().to_string();
        assert!(refused.contains("another part of the file"), "{refused}");
    }

    #[tokio::test]
    async fn one_that_drips_falls_silent_or_has_no_end_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("a");
        let piece: &[u8] = &[7; 1000];
        let (drips, _) =
            serve("200 OK\r\ncontent-length: 100000", vec![piece; 100], Duration::from_millis(50));
        let begun = Instant::now();
        let refused = LedgerMirror::new(&drips, QUICK).unwrap().fetch("a", 100_000, &to).await.unwrap_err();
        assert!(matches!(refused, LedgerRejection::Slow { .. }), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        let kept = fs::read(&to).unwrap().len();
        assert!((1000..100_000).contains(&kept), "what came is kept: {kept}");

        let silent = Patience { idle: Duration::from_millis(200), ..QUICK };
        let (url, _) = serve("200 OK\r\ncontent-length: 100000", vec![piece], Duration::from_secs(3));
        let refused =
            LedgerMirror::new(&url, silent).unwrap().fetch("b", 100_000, &dir.path().join("b")).await;
        assert!(refused.unwrap_err().to_string().contains("did not send it all in time"));

        let (url, _) = serve("200 OK", vec![piece; 100], Duration::ZERO);
        let refused = LedgerMirror::new(&url, QUICK)
            .unwrap()
            .fetch("c", 2500, &dir.path().join("c"))
            .await
            .unwrap_err();
        assert!(matches!(refused, LedgerRejection::Size { expected: 2500, .. }), "{refused}");
        assert_eq!(fs::read(dir.path().join("c")).unwrap(), b"");

        let (url, _) = serve("200 OK\r\ncontent-encoding: gzip", vec![piece], Duration::ZERO);
        let refused = LedgerMirror::new(&url, QUICK).unwrap().fetch("d", 1000, &dir.path().join("d")).await;
        assert!(refused.unwrap_err().to_string().contains("gzip"));
    }
}
