//! Readers of signals, all at once: `cargo xtask bench signal`.
//!
//! A server in this process, twelve forecasts a second, and in a process of their own so many readers of the stream; then
//! readers who ask for the newest forecast as fast as they are answered. Prints how long forecasts took from their
//! publication to each reader, and fails where one is lost.

use mantis_signal::plans::Plans;
use mantis_signal::server::{SignalServer, SignalSite};
use mantis_signal::signing::{KEY_FILE, SigningKey};
use mantis_signal::store::{Head, NewForecast, Store};
use mantis_tests::signals::{Shop, bearer, now_ms};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader as StdReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const SIGNALS: usize = 12;
/// Connections that ask for the newest forecast, and for how long.
const ASKING: usize = 16;
const ASKED: Duration = Duration::from_secs(5);

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.as_slice() {
        ["read", server, key, readers, events] => {
            runtime.block_on(read(server.parse()?, key, readers.parse()?, events.parse()?))
        }
        ["ask", server, key] => runtime.block_on(ask(server.parse()?, key)),
        [] => runtime.block_on(measure(1000, 20)),
        [readers, rounds] => runtime.block_on(measure(readers.parse()?, rounds.parse()?)),
        _ => Err("usage: signals [READERS ROUNDS]".into()),
    }
}

async fn measure(readers: usize, rounds: usize) -> Result<(), Failed> {
    let shop = Shop::new();
    shop.plans("[server]\nconnections = 20000\nstreams = 10000\n[plans.pro]\ndelay = \"0s\"\nrate = \"1000000/s\"\nstreams = 10000\n");
    let key = shop.key(&["--plan", "pro"]);
    let fits: Vec<(String, i64)> = (0..SIGNALS)
        .map(|at| {
            let ticker = format!("S{at}");
            let fit = shop.add_wide(&ticker, 1);
            (ticker, fit)
        })
        .collect();
    let store = Arc::new(Store::existing(&shop.folder())?);
    let signing = Arc::new(SigningKey::load_or_make(&shop.folder().join(KEY_FILE))?);
    let plans = Plans::load(&shop.folder().join("signal.toml"))?;
    let site = SignalSite::new(store.clone(), plans, signing, None)?;
    let server = SignalServer::start(([127, 0, 0, 1], 0).into(), &[], site)?;
    let address = server.address().to_string();
    let events = (rounds * SIGNALS).to_string();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["read", &address, &key, &readers.to_string(), &events])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = StdReader::new(child.stdout.take().ok_or("a pipe")?).lines();
    let ready = tokio::task::spawn_blocking(move || (lines.next(), lines)).await?;
    let (Some(Ok(_)), lines) = ready else { return Err("the readers did not begin".into()) };
    println!("{readers} readers are there; this process has {} MB", resident()?);
    // Meanwhile what they say is read.
    let said = tokio::task::spawn_blocking(move || lines.collect::<Result<Vec<String>, _>>());
    let mut published = BTreeMap::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    for round in 0..rounds {
        ticks.tick().await;
        let (store, fits) = (store.clone(), fits.clone());
        let times = tokio::task::spawn_blocking(move || publish(&store, &fits, round as i64 + 1)).await??;
        published.extend(times);
    }
    let mut took = Vec::new();
    let mut by_reader: BTreeMap<String, usize> = BTreeMap::new();
    for line in said.await?? {
        let mut words = line.split(' ');
        let (Some(reader), Some(seq), Some(at)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let begun = published.get(&seq.parse::<i64>()?).ok_or("a forecast that was not published")?;
        took.push(at.parse::<i64>()?.saturating_sub(*begun));
        *by_reader.entry(reader.to_owned()).or_default() += 1;
    }
    child.wait()?;
    let whole = by_reader.values().filter(|count| **count == rounds * SIGNALS).count();
    println!("{} forecasts to each of {whole} readers, {} MB", rounds * SIGNALS, resident()?);
    println!("from publication to a reader, ms: {}", percentiles(&mut took));
    if whole != readers {
        return Err(format!("{} readers lost some", readers - whole).into());
    }
    let asked = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe()?).args(["ask", &address, &key]).status()
    });
    if asked.await??.success() { Ok(()) } else { Err("not all were answered".into()) }
}

/// Publishes a forecast of each signal; gives when each was begun.
fn publish(store: &Store, fits: &[(String, i64)], sidx: i64) -> Result<Vec<(i64, i64)>, Failed> {
    let mut times = Vec::new();
    for (ticker, fit) in fits {
        let (block, values) = (sidx * 5, vec![Some(0.5)]);
        let new = NewForecast {
            ticker: ticker.clone(),
            sidx,
            block,
            as_of: None,
            fit: *fit,
            values,
            miners: 9,
            within: 60,
        };
        let published = store.publish(&new, Head { block, now: now_ms() })?;
        // It is durable from here on; writing it to the disk is not what is measured.
        times.push((published.seq, micros()));
    }
    Ok(times)
}

fn micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// Readers of the stream: prints a line when all are connected, then a line for each event of each.
async fn read(server: SocketAddr, key: &str, readers: usize, events: usize) -> Result<(), Failed> {
    let mut connected = Vec::new();
    for _ in 0..readers {
        let mut socket = TcpStream::connect(server).await?;
        let head = format!("GET /v1/stream HTTP/1.1\r\nHost: {server}\r\n{}\r\n\r\n", bearer(key));
        socket.write_all(head.as_bytes()).await?;
        let mut from = BufReader::new(socket);
        let mut line = String::new();
        while !line.contains("retry: ") {
            line.clear();
            if from.read_line(&mut line).await? == 0 {
                return Err("a stream did not begin".into());
            }
        }
        connected.push(from);
    }
    println!("ready");
    let tasks: Vec<_> = connected
        .into_iter()
        .map(|mut from| {
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut line = String::new();
                while seen.len() < events {
                    line.clear();
                    if from.read_line(&mut line).await? == 0 {
                        break;
                    }
                    if let Some(seq) = line.strip_prefix("id: ") {
                        seen.push((seq.trim().to_owned(), micros()));
                    }
                }
                Ok::<_, std::io::Error>(seen)
            })
        })
        .collect();
    for (reader, task) in tasks.into_iter().enumerate() {
        let seen = tokio::time::timeout(Duration::from_secs(120), task).await???;
        let lines: String = seen.iter().map(|(seq, at)| format!("{reader} {seq} {at}\n")).collect();
        print!("{lines}");
    }
    Ok(())
}

/// Asks for the newest forecast, again and again.
async fn ask(server: SocketAddr, key: &str) -> Result<(), Failed> {
    let until = Instant::now() + ASKED;
    let request = format!("GET /v1/signals/S1/latest HTTP/1.1\r\nHost: {server}\r\n{}\r\n\r\n", bearer(key));
    let request = Arc::new(request);
    let tasks: Vec<_> = (0..ASKING)
        .map(|_| {
            let request = request.clone();
            tokio::spawn(async move {
                let mut from = BufReader::new(TcpStream::connect(server).await?);
                let mut took = Vec::new();
                while Instant::now() < until {
                    let begun = Instant::now();
                    from.write_all(request.as_bytes()).await?;
                    let (mut line, mut length) = (String::new(), 0);
                    while line != "\r\n" {
                        line.clear();
                        if from.read_line(&mut line).await? == 0 {
                            return Err(std::io::ErrorKind::UnexpectedEof.into());
                        }
                        if line.starts_with("HTTP/1.1") && !line.contains(" 200 ") {
                            return Err(std::io::Error::other(line));
                        }
                        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                            length = text.trim().parse().map_err(std::io::Error::other)?;
                        }
                    }
                    let mut body = vec![0; length];
                    from.read_exact(&mut body).await?;
                    took.push(begun.elapsed().as_micros() as i64);
                }
                Ok::<_, std::io::Error>(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    let each = took.len() as f64 / ASKED.as_secs_f64();
    println!("newest forecast, {ASKING} connections: {each:.0} a second; ms: {}", percentiles(&mut took));
    Ok(())
}

fn percentiles(micros: &mut [i64]) -> String {
    micros.sort_unstable();
    let at = |part: f64| {
        let place = ((micros.len().saturating_sub(1)) as f64 * part) as usize;
        micros.get(place).map_or(f64::NAN, |micros| *micros as f64 / 1000.0)
    };
    format!("median {:.1}, 99 % {:.1}, largest {:.1}", at(0.5), at(0.99), at(1.0))
}

/// Memory of this process in MB.
fn resident() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
