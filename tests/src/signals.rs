//! A store of signals with a past, and the program that serves it.

use crate::http::{Answer, ask};
use crate::mantis;
use crate::served::Served;
use mantis_plugin_api::{Outlook, OutlookKind, Reading};
use mantis_signal::store::{Digest, Head, NewFit, NewForecast, Outcome, Published, Settlement, Store};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A probability, of one subject.
pub const ETH: &str = "ETH-1H";
/// Scores of four subjects.
pub const XSEC: &str = "XSEC";
/// Plans that leave room for tests.
pub const PLANS: &str = "[plans.free]\ndelay = \"24h\"\nrate = \"100000/min\"\nhistory = \"7d\"\nstreams = 100\n\
    [plans.pro]\ndelay = \"0s\"\nrate = \"100000/min\"\nhistory = \"400d\"\nstreams = 10000\n\
    [signals.ETH-1H]\ntitle = \"Ether & <an hour>\"\nprice = \"10 a month\"\nplan = \"pro\"\n\
    [signals.SECRET]\nhidden = true\n";

/// A store in a folder of its own, and fits in it.
pub struct Shop {
    dir: TempDir,
    /// The store, as a process beside the server's writes it.
    pub store: Store,
    next: i64,
}

impl Shop {
    /// A store without forecasts, with the [`PLANS`].
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("signals");
        let store = Store::open(&folder).expect("a store");
        std::fs::write(folder.join("signal.toml"), PLANS).expect("plans");
        for (ticker, kind, subjects) in [
            (ETH, OutlookKind::Probability, vec!["ETH"]),
            (XSEC, OutlookKind::Scores, vec!["A", "B", "C", "D"]),
            ("SECRET", OutlookKind::Probability, vec!["S"]),
        ] {
            store.add_fit(&fit(ticker, kind, &subjects)).expect("a fit");
        }
        Self { dir, store, next: 1 }
    }

    /// The same with forecasts that anyone may know of, numbers 1 to 40, and some that are new, 41 to 46.
    #[must_use]
    pub fn stocked() -> Self {
        let mut shop = Self::new();
        for at in 0..20 {
            shop.publish(60 * 3600 - at * 3600);
        }
        for at in 0..3 {
            shop.publish(1800 - at * 60);
        }
        shop
    }

    /// The line of a head that sends a new key of the plan without delay.
    #[must_use]
    pub fn pro(&self) -> String {
        bearer(&self.key(&["--plan", "pro"]))
    }

    /// Keeps a fit of scores of so many subjects; gives its number.
    ///
    /// # Panics
    /// If that is refused.
    pub fn add_wide(&self, ticker: &str, subjects: usize) -> i64 {
        let names: Vec<String> = (0..subjects).map(|at| at.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.store.add_fit(&fit(ticker, OutlookKind::Scores, &names)).expect("a fit")
    }

    /// The folder of the store.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("signals")
    }

    /// Publishes a forecast of ETH and one of XSEC so many seconds ago, with an outcome; gives both.
    ///
    /// # Panics
    /// If that is refused.
    pub fn publish(&mut self, seconds_ago: i64) -> [Published; 2] {
        let sidx = self.next;
        let p = 0.3 + 0.4 * ((sidx * 37 % 100) as f64) / 100.0;
        let eth = self.publish_one(ETH, 1, vec![Some(p)], seconds_ago);
        let label = |came: &[u16]| came.iter().copied().map(Some).collect();
        let came = u16::from(sidx * 53 % 100 < (p * 100.0) as i64);
        let settlement = |reading, values| Settlement {
            outcome: Outcome::Labels { reading, values },
            known_sidx: sidx + 12,
            settled_at: now_ms(),
        };
        self.store.settle(eth.seq, &settlement(Reading::Event, label(&[came]))).expect("kept");
        self.next = sidx;
        let scores = [0.25, -1.5, 3.0, 0.125].map(Some).to_vec();
        let xsec = self.publish_one(XSEC, 2, scores, seconds_ago);
        self.store.settle(xsec.seq, &settlement(Reading::Ranks, label(&[0, 0, 1, 1]))).expect("kept");
        [eth, xsec]
    }

    /// Publishes one forecast of the next row.
    ///
    /// # Panics
    /// If that is refused.
    pub fn publish_one(
        &mut self,
        ticker: &str,
        fit: i64,
        values: Vec<Option<f64>>,
        seconds_ago: i64,
    ) -> Published {
        let (sidx, now) = (self.next, now_ms() - 1000 * seconds_ago);
        self.next += 1;
        let (block, ticker) = (sidx * 5, ticker.to_owned());
        let new =
            NewForecast { ticker, sidx, block, as_of: Some(now - 900), fit, values, miners: 41, within: 60 };
        self.store.publish(&new, Head { block: block + 1, now }).expect("published")
    }

    /// Starts `mantis signal serve` of it.
    #[must_use]
    pub fn serve(&self) -> Served {
        let mut command = mantis();
        command.args(["signal", "serve", "--netuid", "123", "--listen", "127.0.0.1:0", "--store"]);
        Served::start(command.arg(self.folder()))
    }

    /// A new key, by the command.
    ///
    /// # Panics
    /// If it is not made.
    #[must_use]
    pub fn key(&self, more: &[&str]) -> String {
        let mut command = mantis();
        command.args(["signal", "key", "add", "--json", "--store"]).arg(self.folder()).args(more);
        crate::json(&mut command)["key"].as_str().expect("a key").to_owned()
    }

    /// Writes other plans, before it is served.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn plans(&self, text: &str) {
        std::fs::write(self.folder().join("signal.toml"), text).expect("plans");
    }

    /// Whether these bytes are in one of the folder's files.
    ///
    /// # Panics
    /// If they cannot be read.
    #[must_use]
    pub fn has_bytes(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(self.folder()).expect("a folder");
        files.flatten().any(|entry| {
            let all = std::fs::read(entry.path()).expect("a file");
            all.windows(bytes.len()).any(|part| part == bytes)
        })
    }
}

impl Default for Shop {
    fn default() -> Self {
        Self::new()
    }
}

fn fit(ticker: &str, kind: OutlookKind, subjects: &[&str]) -> NewFit {
    NewFit {
        ticker: ticker.into(),
        plugin: Digest([7; 32]),
        params: "ab".into(),
        sidx: 0,
        block: 0,
        hotkeys: vec!["5F".into()],
        outlook: Outlook {
            kind,
            subjects: subjects.iter().map(|&name| name.to_owned()).collect(),
            classes: Vec::new(),
            horizon_rows: 12,
            market_rows: 1,
            unit: "what it is".into(),
        },
        bytes: ticker.as_bytes().to_vec(),
        made_at: now_ms(),
    }
}

/// Now, in Unix milliseconds.
#[must_use]
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Asks for a path with these lines in the head.
///
/// # Panics
/// If no answer comes.
#[must_use]
pub fn get_with(server: SocketAddr, path: &str, lines: &[String]) -> Answer {
    request(server, "GET", path, lines)
}

/// The same with another method.
///
/// # Panics
/// If no answer comes.
#[must_use]
pub fn request(server: SocketAddr, method: &str, path: &str, lines: &[String]) -> Answer {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n{lines}\r\n");
    ask(server, head.as_bytes()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The line of a head that sends a key.
#[must_use]
pub fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

/// An open stream of events.
pub struct Events {
    from: BufReader<Chunks>,
    /// The connection.
    pub socket: TcpStream,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: Option<i64>,
    /// What it says.
    pub data: String,
}

/// A body in chunks.
struct Chunks {
    from: BufReader<TcpStream>,
    left: usize,
}

impl Events {
    /// Opens a stream; the head of the answer is read, and must be 200.
    ///
    /// # Errors
    /// If it is not.
    pub fn open(server: SocketAddr, path: &str, lines: &[String]) -> io::Result<Self> {
        let mut socket = TcpStream::connect(server)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: {server}\r\n{lines}\r\n").as_bytes())?;
        let mut from = BufReader::new(socket.try_clone()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if from.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if !head.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(head));
        }
        Ok(Self { from: BufReader::new(Chunks { from, left: 0 }), socket })
    }

    /// The next event; `None` where the stream ends.
    ///
    /// # Errors
    /// If it breaks off.
    pub fn read_event(&mut self) -> io::Result<Option<Event>> {
        let mut event = Event::default();
        let mut line = String::new();
        loop {
            line.clear();
            if self.from.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end().split_once(": ") {
                Some(("event", kind)) => event.kind = kind.into(),
                Some(("id", id)) => event.id = id.parse().ok(),
                Some(("data", data)) => event.data = data.into(),
                _ if line == "\n" && !event.data.is_empty() => return Ok(Some(event)),
                _ => {}
            }
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let mut line = String::new();
            while line.trim().is_empty() {
                line.clear();
                if self.from.read_line(&mut line)? == 0 {
                    return Ok(0);
                }
            }
            self.left = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let most = into.len().min(self.left);
        let read = self.from.read(&mut into[..most])?;
        self.left -= read;
        Ok(read)
    }
}

/// The file of the Python client.
#[must_use]
pub fn python_client() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../python")
}
