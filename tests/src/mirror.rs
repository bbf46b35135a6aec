//! A mirror of a folder over HTTP on loopback, which serves it as it is, or lies, or dies.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a mirror does with files of the folder `parts`; the list it serves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It serves them.
    Honest,
    /// It changes a byte in the middle of each.
    Lies,
    /// It closes the connection in the middle of each.
    Dies,
    /// It has none of them.
    Lacks,
    /// It sends them a little at a time: so many bytes every ten milliseconds.
    Slow(usize),
    /// Its list has no end.
    Endless,
}

/// A mirror, until the test ends.
#[derive(Clone)]
pub struct Mirror {
    /// Where its list lies.
    pub url: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// Serves a folder.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn start(folder: &Path, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/ledger.toml", listener.local_addr().expect("an address"));
        let mirror = Self { url, manner: Arc::new(Mutex::new(manner)), asked: Arc::default() };
        let (serving, folder) = (mirror.clone(), folder.to_path_buf());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serving, folder) = (serving.clone(), folder.clone());
                thread::spawn(move || serving.serve(stream, &folder));
            }
        });
        mirror
    }

    /// From now on it does this.
    ///
    /// # Panics
    /// If a thread of it panicked.
    pub fn becomes(&self, manner: Manner) {
        *self.manner.lock().expect("a manner") = manner;
    }

    /// What was asked for so far, and forgets it: a path, and a range if there was one.
    ///
    /// # Panics
    /// If a thread of it panicked.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("a list"))
    }

    fn serve(&self, mut stream: TcpStream, folder: &Path) {
        let Ok(reading) = stream.try_clone() else { return };
        let lines = BufReader::new(reading).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else { return };
        let range =
            head.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(String::from));
        let from: usize =
            range.as_deref().and_then(|range| range.trim_end_matches('-').parse().ok()).unwrap_or(0);
        let asked = range.map_or_else(|| path.to_owned(), |range| format!("{path} {range}"));
        self.asked.lock().expect("a list").push(asked);
        let manner = *self.manner.lock().expect("a manner");
        let file: PathBuf = folder.join(path.trim_start_matches('/'));
        let is_part = path.starts_with("/parts/");
        // Whoever breaks off is not served any further, and that is all.
        let _ = match (manner, fs::read(file)) {
            (Manner::Endless, _) if path == "/ledger.toml" => endless(&mut stream),
            (Manner::Lacks, _) if is_part => {
                write!(stream, "HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            }
            (_, Err(_)) => {
                write!(stream, "HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            }
            (manner, Ok(bytes)) => {
                answer(&mut stream, bytes, from, if is_part { manner } else { Manner::Honest })
            }
        };
    }
}

fn answer(stream: &mut TcpStream, mut bytes: Vec<u8>, from: usize, manner: Manner) -> std::io::Result<()> {
    let (whole, middle) = (bytes.len(), bytes.len() / 2);
    if manner == Manner::Lies {
        bytes[middle] ^= 1;
    }
    if from > 0 && from < whole {
        write!(stream, "HTTP/1.1 206 Part\r\ncontent-range: bytes {from}-{}/{whole}\r\n", whole - 1)?;
    } else {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
    }
    let body = &bytes[if from < whole { from } else { 0 }..];
    write!(stream, "content-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    match manner {
        Manner::Dies => stream.write_all(&body[..body.len() / 2]),
        Manner::Slow(piece) => body.chunks(piece).try_for_each(|piece| {
            thread::sleep(Duration::from_millis(10));
            stream.write_all(piece)
        }),
        _ => stream.write_all(body),
    }
}

fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
    loop {
        stream.write_all(&[b' '; 64 << 10])?;
    }
}
