//! Fetching a ledger of many gigabytes over a connection that may break.

use mantis_config::{Block, Datalog};
use mantis_ledger::{Ledger, LedgerError};
use mantis_network::http::{HttpError, builder};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE};
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};

/// Attempts in a row that may bring nothing.
const ATTEMPTS: u32 = 8;
/// Longest silence of the server.
const IDLE: Duration = Duration::from_secs(30);
/// Pause after the first attempt that brought nothing; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// Why there is no ledger. Nothing is in its place; what was fetched is kept, and the next attempt goes on from there,
/// unless it was bad.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// The server does not give it.
    #[error(
        "the published ledger cannot be fetched ([datalog] url): {fault}; {had} bytes are kept in {part}: start again to go on"
    )]
    Http {
        /// What happened last.
        fault: HttpError,
        /// Bytes that are had.
        had: u64,
        /// Where they are.
        part: PathBuf,
    },
    /// It is not what was announced.
    #[error(
        "the published ledger has sha256 {found}, and [datalog] sha256 says {expected}; it was removed: correct the digest, \
         or ask the publisher"
    )]
    Digest {
        /// What it has, hexadecimal.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// It is larger than it may be.
    #[error(
        "the published ledger has more than {limit} bytes, and was not taken; raise `max_bytes` in [datalog] if it may have"
    )]
    TooLarge {
        /// Bytes that it may have.
        limit: u64,
    },
    /// It is no ledger, damaged, or not to be trusted.
    #[error("the published ledger cannot be used and was removed: {0}")]
    Bad(#[source] LedgerError),
    /// The disk does not take it.
    #[error("{path}: {source}; it needs room for the whole ledger")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Fetches the ledger at `from` to the path `to`, and judges it ([`Ledger::adopt`]) by the newest block that there can be
/// and the blocks from one row to the next; `progress` hears how many bytes are had, and of how many, where the
/// server says. What an earlier attempt fetched is not fetched again, while the server still has the same file. Needs a
/// runtime with more than one thread.
///
/// # Errors
/// [`BootstrapError`].
pub async fn fetch(
    from: &Datalog,
    to: &Path,
    (newest, sample_every): (Block, u32),
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<(), BootstrapError> {
    let part = to.with_added_extension("part");
    let tag = to.with_added_extension("part.tag");
    let file = |path: &Path| {
        let path = path.to_path_buf();
        move |source| BootstrapError::File { path, source }
    };
    let mut out = OpenOptions::new().create(true).append(true).open(&part).await.map_err(file(&part))?;
    let (mut vain, mut pause) = (0, PAUSE);
    loop {
        let had = written(&mut out).await.map_err(file(&part))?;
        let fault = match attempt(from, had, &tag, &mut out, &mut progress).await {
            Ok(()) => break,
            Err(AttemptError::File(source)) => return Err(BootstrapError::File { path: part, source }),
            Err(AttemptError::TooLarge) => {
                drop(out);
                for path in [&part, &tag] {
                    let _ = fs::remove_file(path).await;
                }
                return Err(BootstrapError::TooLarge { limit: from.max_bytes });
            }
            Err(AttemptError::Http(fault)) => fault,
        };
        let has = written(&mut out).await.map_err(file(&part))?;
        if has > had {
            (vain, pause) = (0, PAUSE);
            continue;
        }
        vain += 1;
        let hopeless = matches!(fault, HttpError::Status { status: 400..=407 | 410..=428 } | HttpError::Redirected { .. });
        if vain >= ATTEMPTS || hopeless {
            return Err(BootstrapError::Http { fault, had: has, part });
        }
        sleep(pause).await;
        pause *= 2;
    }
    out.sync_all().await.map_err(file(&part))?;
    drop(out);
    let verdict = verify(from, &part, newest, sample_every).await;
    // Good or bad, there is nothing to go on with.
    let _ = fs::remove_file(&tag).await;
    if let Err(error) = verdict {
        let _ = fs::remove_file(&part).await;
        return Err(error);
    }
    fs::rename(&part, to).await.map_err(file(to))
}

/// How long the file is once all that was handed to it is in it: writing goes on behind `write_all`.
async fn written(file: &mut File) -> io::Result<u64> {
    file.flush().await?;
    Ok(file.metadata().await?.len())
}

enum AttemptError {
    Http(HttpError),
    TooLarge,
    File(io::Error),
}

impl From<reqwest::Error> for AttemptError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.into())
    }
}

impl From<io::Error> for AttemptError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Asks for what is missing after `had` bytes and appends it.
async fn attempt(
    from: &Datalog,
    had: u64,
    tag: &Path,
    out: &mut File,
    progress: &mut impl FnMut(u64, Option<u64>),
) -> Result<(), AttemptError> {
    let client = builder().connect_timeout(IDLE).read_timeout(IDLE).build()?;
    let mut request = client.get(&from.url);
    // Only the same file may be gone on with; without a mark of it, it is begun again.
    let mark = fs::read_to_string(tag).await.ok().filter(|mark| had > 0 && !mark.is_empty());
    if let Some(mark) = &mark {
        request = request.header(RANGE, format!("bytes={had}-")).header(IF_RANGE, mark);
    }
    let mut response =
        timeout(IDLE, request.send()).await.map_err(|_| AttemptError::Http(HttpError::TimedOut))??;
    let status = response.status();
    let mut at = had;
    let total = match status {
        StatusCode::PARTIAL_CONTENT if mark.is_some() => match range(response.headers()) {
            Some((start, total)) if start == had => total,
            _ => return Err(broken("it sends another part than was asked for")),
        },
        StatusCode::OK => {
            out.set_len(0).await?;
            at = 0;
            fs::write(tag, identity(response.headers()).unwrap_or_default()).await?;
            response.content_length()
        }
        // There is no more: the last attempt broke off just after the last byte.
        StatusCode::RANGE_NOT_SATISFIABLE if whole(response.headers()) == Some(had) => return Ok(()),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            out.set_len(0).await?;
            return Err(broken("what was fetched is longer than the file is now"));
        }
        _ if status.is_redirection() => {
            return Err(AttemptError::Http(HttpError::Redirected { status: status.as_u16() }));
        }
        _ => return Err(AttemptError::Http(HttpError::Status { status: status.as_u16() })),
    };
    if total.is_some_and(|total| total > from.max_bytes) {
        return Err(AttemptError::TooLarge);
    }
    while let Some(chunk) = response.chunk().await? {
        if at + chunk.len() as u64 > from.max_bytes {
            return Err(AttemptError::TooLarge);
        }
        out.write_all(&chunk).await?;
        at += chunk.len() as u64;
        progress(at, total);
    }
    out.flush().await?;
    match total {
        Some(total) if at != total => Err(broken("the connection ended before the file did")),
        _ => Ok(()),
    }
}

fn broken(reason: &str) -> AttemptError {
    AttemptError::Http(HttpError::Broken { reason: reason.into() })
}

/// What tells this file from a later one under the same URL: a strong tag, else the time of its last change.
fn identity(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name)?.to_str().ok().map(String::from);
    text(ETAG).filter(|tag| !tag.starts_with("W/")).or_else(|| text(LAST_MODIFIED))
}

/// First byte and whole length of `bytes 7-99/100`.
fn range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (part, total) = text.split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()))
}

/// Whole length of `bytes */100`.
fn whole(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes */")?.parse().ok()
}

/// Checks the digest, where one is given, then that it is a ledger that can be begun with, and makes it one.
async fn verify(from: &Datalog, part: &Path, newest: Block, sample_every: u32) -> Result<(), BootstrapError> {
    if let Some(expected) = from.sha256 {
        let found =
            digest(part).await.map_err(|source| BootstrapError::File { path: part.into(), source })?;
        if found != expected {
            return Err(BootstrapError::Digest {
                found: hex::encode(found),
                expected: hex::encode(expected),
            });
        }
    }
    let check = || Ledger::adopt(part, newest, sample_every);
    let checked = block_in_place(check).map_err(BootstrapError::Bad);
    // Looking at it leaves SQLite's side files.
    for side in ["-wal", "-shm"] {
        let mut name = part.as_os_str().to_owned();
        name.push(side);
        let _ = fs::remove_file(name).await;
    }
    checked
}

async fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path).await?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok(hash.finalize().into()),
            n => hash.update(&buffer[..n]),
        }
    }
}
