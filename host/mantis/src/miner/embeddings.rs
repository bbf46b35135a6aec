//! Where a miner's embeddings come from.

use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use thiserror::Error;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// Largest text of embeddings, bytes: sealed, it is written in hex and must stay below the 25 MiB of a payload.
const LARGEST: u64 = 12 << 20;

/// Where the embeddings of each round come from: JSON, an object of ticker or challenge name to numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Embeddings {
    /// A file, read each round.
    File(PathBuf),
    /// A command, run by `sh` each round: what it writes to its standard output, within `timeout`. It finds the hotkey
    /// in `MANTIS_HOTKEY`.
    Command {
        /// The command line.
        line: String,
        /// How long it may take.
        timeout: Duration,
    },
}

/// Why there are no embeddings this round.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbeddingsError {
    /// The file cannot be read, or the command cannot be run.
    #[error("{place}: {reason}")]
    Read {
        /// The file or command.
        place: String,
        /// What happened.
        reason: io::Error,
    },
    /// The command failed; it has said why on standard error.
    #[error("{place}: ended with {status}")]
    Failed {
        /// The command.
        place: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The command took too long, and was stopped.
    #[error(
        "{place}: not done within {seconds} s; give it more time with --command-timeout, or make it faster"
    )]
    TimedOut {
        /// The command.
        place: String,
        /// The time it had, s.
        seconds: f64,
    },
    /// Too much of it.
    #[error("{place}: more than {LARGEST} bytes")]
    TooLarge {
        /// The file or command.
        place: String,
    },
    /// Not a JSON object.
    #[error("{place}: not a JSON object of ticker to numbers: {reason}")]
    NotJson {
        /// The file or command.
        place: String,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
}

impl Embeddings {
    /// What `text` names: a file that is there and cannot be executed is read, anything else is a command.
    #[must_use]
    pub fn from_argument(text: &str, timeout: Duration) -> Self {
        let path = Path::new(text);
        if path.is_file() && !is_executable(path) {
            Self::File(path.into())
        } else {
            Self::Command { line: text.into(), timeout }
        }
    }

    /// The embeddings as they are now.
    ///
    /// # Errors
    /// If they cannot be had in time, or are not a JSON object.
    pub async fn read(&self, hotkey: &str) -> Result<Map<String, Value>, EmbeddingsError> {
        let place = self.place();
        let failed = |reason| EmbeddingsError::Read { place: place.clone(), reason };
        let text = match self {
            Self::File(path) => capped(File::open(path).await.map_err(failed)?).await.map_err(failed)?,
            Self::Command { line, timeout } => {
                match tokio::time::timeout(*timeout, run(line, hotkey)).await {
                    Err(_) => {
                        return Err(EmbeddingsError::TimedOut { place, seconds: timeout.as_secs_f64() });
                    }
                    Ok(Err(reason)) => return Err(failed(reason)),
                    Ok(Ok((_, status))) if !status.success() => {
                        return Err(EmbeddingsError::Failed { place, status });
                    }
                    Ok(Ok((text, _))) => text,
                }
            }
        };
        if text.len() as u64 > LARGEST {
            return Err(EmbeddingsError::TooLarge { place });
        }
        serde_json::from_slice(&text).map_err(|reason| EmbeddingsError::NotJson { place, reason })
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Command { line, .. } => format!("`{line}`"),
        }
    }
}

/// Runs a command; it is killed where the future is dropped.
async fn run(line: &str, hotkey: &str) -> io::Result<(Vec<u8>, ExitStatus)> {
    let mut child = Command::new("sh")
        .args(["-c", line])
        .env("MANTIS_HOTKEY", hotkey)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let text = match child.stdout.take() {
        Some(out) => capped(out).await?,
        None => Vec::new(),
    };
    if text.len() as u64 > LARGEST {
        // Its pipe is full or closed by now: it need not go on.
        child.kill().await?;
        return Ok((text, ExitStatus::default()));
    }
    Ok((text, child.wait().await?))
}

/// What there is, one byte more than allowed at the most.
async fn capped(from: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut text).await?;
    Ok(text)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn command(line: &str, timeout: f64) -> Result<Map<String, Value>, String> {
        let embeddings = Embeddings::from_argument(line, Duration::from_secs_f64(timeout));
        embeddings.read("5Grw").await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_file_is_read_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("embeddings.json");
        std::fs::write(&path, r#"{"ETH": [0.1, 0.2]}"#).unwrap();
        let embeddings = Embeddings::from_argument(&path.display().to_string(), Duration::from_secs(1));
        assert_eq!(embeddings, Embeddings::File(path.clone()));
        assert_eq!(embeddings.read("hk").await.unwrap()["ETH"][1], 0.2);
        std::fs::write(&path, "[1]").unwrap();
        let error = embeddings.read("hk").await.unwrap_err().to_string();
        assert!(error.contains("embeddings.json: not a JSON object of ticker to numbers"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(embeddings.read("hk").await, Err(EmbeddingsError::Read { .. })));
    }

    #[tokio::test]
    async fn a_command_is_run_and_knows_the_hotkey() {
        let read = command("printf '{\"ETH\": [1], \"by\": \"%s\"}' $MANTIS_HOTKEY", 30.0).await.unwrap();
        assert_eq!(read["by"], "5Grw");
    }

    #[tokio::test]
    async fn a_command_that_fails_says_so() {
        assert!(command("echo '{}'; exit 3", 30.0).await.unwrap_err().ends_with("ended with exit status: 3"));
        assert!(command("no-such-program-at-all", 30.0).await.unwrap_err().contains("ended with"));
        assert!(command("echo hello", 30.0).await.unwrap_err().contains("not a JSON object"));
        assert!(command("sleep 60", 0.1).await.unwrap_err().contains("not done within 0.1 s"));
        let error = command("yes", 30.0).await.unwrap_err();
        assert_eq!(error, format!("`yes`: more than {LARGEST} bytes"));
    }
}
