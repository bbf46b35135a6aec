//! Rounds against a server that does what servers should not.

use super::resolve::Lookup;
use super::{Collected, Collector};
use async_trait::async_trait;
use mantis_config::Collect;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

/// A server whose behaviour is the path's first word: `/drip-1` drips. It counts its connections.
struct Nasty {
    address: SocketAddr,
    served: Arc<AtomicUsize>,
}

impl Nasty {
    async fn start() -> Self {
        // The usual queue of 128 would leave half of a round's connections to be tried again a second later.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(AtomicUsize::new(0));
        let counter = served.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                // A client that has gone away is what is wanted.
                tokio::spawn(async move { serve(stream).await.ok() });
            }
        });
        Self { address, served }
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let behaviour = path.split('-').next().unwrap_or_default();
    let whole =
        |extra: &str, body: &[u8]| [format!("HTTP/1.1 200 OK\r\n{extra}\r\n").as_bytes(), body].concat();
    let answer = match behaviour {
        "good" => whole(&format!("Content-Length: {}\r\n", path.len()), path.as_bytes()),
        "identity" => whole("Content-Encoding: identity\r\nContent-Length: 2\r\n", b"{}"),
        // Until the connection is closed, which is HTTP too.
        "endless_header" => whole("", b"{}"),
        "empty" => whole("Content-Length: 0\r\n", b""),
        "exact" => whole("Content-Length: 1000\r\n", &[b'x'; 1000]),
        "over" => whole("Content-Length: 1001\r\n", &[b'x'; 1001]),
        // Says ten, sends a hundred: the rest is not read.
        "longer" => whole("Content-Length: 10\r\n", &[b'x'; 100]),
        "shorter" => whole("Content-Length: 100\r\n", b"short"),
        "huge_length" => whole("Content-Length: 18446744073709551615\r\n", b"short"),
        "bad_length" => whole("Content-Length: many\r\n", b"short"),
        "two_lengths" => whole("Content-Length: 2\r\nContent-Length: 3\r\n", b"{} "),
        "redirect" => b"HTTP/1.1 302 Found\r\nLocation: /good-1\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "not_found" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "failing" => b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "no_content" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        "partial" => b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
        // The first bytes of a gzip file; what follows would be a bomb.
        "gzip" => whole("Content-Encoding: gzip\r\nContent-Length: 4\r\n", &[0x1f, 0x8b, 8, 0]),
        "garbage" => b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(),
        "close" => Vec::new(),
        "header_bomb" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(&[b"X: ".as_slice(), &[b'x'; 8000], b"\r\n"].concat()).await?;
            }
        }
        "chunked_endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(b"10\r\n0123456789abcdef\r\n").await?;
            }
        }
        "drip" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b"x").await?;
                sleep(Duration::from_millis(20)).await;
            }
        }
        "drip_header" => loop {
            stream.write_all(b"H").await?;
            sleep(Duration::from_millis(20)).await;
        },
        // Sends some, then nothing, and keeps the connection.
        "stall" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxx").await?;
            return std::future::pending().await;
        }
        _ => return std::future::pending().await,
    };
    stream.write_all(&answer).await
}

fn limits() -> Collect {
    Collect {
        allow_loopback: true,
        max_bytes: 1000,
        connect_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_millis(300),
        timeout: Duration::from_millis(600),
        round_timeout: Duration::from_secs(20),
        ..Collect::default()
    }
}

/// A round of hotkeys that are named after the behaviours.
async fn round(limits: &Collect, names: &[String]) -> (Vec<Collected>, usize) {
    let server = Nasty::start().await;
    let url = |name: &String| (name.clone(), format!("http://{}/{name}", server.address));
    let commitments: BTreeMap<String, String> = names.iter().map(url).collect();
    let collected = Collector::new(limits).unwrap().round(&commitments, names).await;
    assert!(collected.iter().map(|c| &c.hotkey).eq(names), "one outcome each, in order");
    (collected, server.served.load(Ordering::Relaxed))
}

fn said(collected: &Collected) -> String {
    match &collected.outcome {
        Ok(body) => format!("{} bytes", body.len()),
        Err(fault) => fault.code().into(),
    }
}

#[tokio::test]
async fn each_misdeed_is_named_and_harms_nobody_else() {
    let expected = [
        ("good-1", "6 bytes"),
        ("redirect", "redirected"),
        ("over", "too_large"),
        ("exact", "1000 bytes"),
        ("longer", "10 bytes"),
        ("shorter", "broken_answer"),
        ("huge_length", "broken_answer"),
        ("bad_length", "broken_answer"),
        ("two_lengths", "broken_answer"),
        ("drip", "timed_out"),
        ("drip_header", "timed_out"),
        ("silent", "timed_out"),
        ("stall", "timed_out"),
        ("close", "broken_answer"),
        ("garbage", "broken_answer"),
        ("gzip", "encoded"),
        ("identity", "2 bytes"),
        ("not_found", "bad_status"),
        ("failing", "bad_status"),
        ("no_content", "bad_status"),
        ("partial", "bad_status"),
        ("chunked_endless", "too_large"),
        ("header_bomb", "broken_answer"),
        ("endless_header", "2 bytes"),
        ("empty", "0 bytes"),
        ("good-2", "6 bytes"),
    ];
    let names: Vec<String> = expected.iter().map(|(name, _)| (*name).into()).collect();
    let (collected, _) = round(&limits(), &names).await;
    for ((name, expected), got) in expected.iter().zip(&collected) {
        assert_eq!(said(got), *expected, "{name}: {:?}", got.outcome);
    }
    assert_eq!(collected[0].outcome.as_deref(), Ok(b"good-1".as_slice()));
}

#[tokio::test]
async fn a_whole_metagraph_is_fetched() {
    let names: Vec<String> = (0..256).map(|i| format!("good-{i}")).collect();
    let (collected, served) = round(&Collect { parallel: 64, ..limits() }, &names).await;
    for c in &collected {
        assert_eq!(c.outcome.as_deref(), Ok(c.hotkey.as_bytes()));
    }
    assert_eq!(served, 256);
}

#[tokio::test]
async fn with_half_of_the_servers_dead_the_others_are_all_there() {
    let name = |i: usize| if i.is_multiple_of(2) { format!("good-{i}") } else { format!("silent-{i}") };
    let names: Vec<String> = (0..256).map(name).collect();
    let patient =
        Collect { idle_timeout: Duration::from_secs(3), timeout: Duration::from_secs(6), ..limits() };
    let (collected, _) = round(&patient, &names).await;
    let good = collected.iter().filter(|c| c.outcome.is_ok()).count();
    let late = collected.iter().filter(|c| said(c) == "timed_out").count();
    assert_eq!((good, late), (128, 128));
}

#[tokio::test]
async fn the_round_ends_though_no_file_would() {
    let patient = Collect {
        idle_timeout: Duration::from_secs(3600),
        timeout: Duration::from_secs(3600),
        round_timeout: Duration::from_millis(500),
        parallel: 3,
        ..limits()
    };
    let names: Vec<String> =
        (0..6).map(|i| if i == 0 { "good-0".into() } else { format!("silent-{i}") }).collect();
    let (collected, served) = round(&patient, &names).await;
    let said: Vec<_> = collected.iter().map(said).collect();
    assert_eq!(said, ["6 bytes", "round_over", "round_over", "round_over", "round_over", "round_over"]);
    assert!(served <= 4, "three at a time, and one that ended: {served}");
}

#[tokio::test]
async fn memory_is_bounded_and_small_files_have_their_place() {
    // Each of 10 has 100 bytes for sure; 1,000 are common.
    let tight = Collect { round_bytes: 2000, ..limits() };
    let names: Vec<String> =
        (0..10).map(|i| if i < 5 { format!("exact-{i}") } else { format!("good-{i}") }).collect();
    let (collected, _) = round(&tight, &names).await;
    let held: usize = collected.iter().filter_map(|c| c.outcome.as_ref().ok()).map(Vec::len).sum();
    assert!(held <= 2000, "{held}");
    let said: Vec<_> = collected.iter().map(said).collect();
    assert!(said[..5].contains(&"no_room".to_string()), "{said:?}");
    assert!(said[5..].iter().all(|said| said == "6 bytes"), "{said:?}");
}

#[tokio::test]
async fn what_is_not_committed_or_not_allowed_is_not_asked_for() {
    let server = Nasty::start().await;
    let names = ["a", "b", "c"].map(String::from);
    let commitments = BTreeMap::from([
        ("b".to_string(), format!("http://{}/another", server.address)),
        ("c".to_string(), format!("http://{}/c", server.address)),
    ]);
    let strict = Collector::new(&Collect { allow_loopback: false, ..limits() }).unwrap();
    let said = |collected: Vec<Collected>| collected.iter().map(said).collect::<Vec<_>>();
    assert_eq!(said(strict.round(&commitments, &names).await), ["not_committed", "url_scheme", "url_scheme"]);
    let loose = Collector::new(&limits()).unwrap();
    assert_eq!(said(loose.round(&commitments, &names[..2]).await), ["not_committed", "url_path"]);
    assert_eq!(server.served.load(Ordering::Relaxed), 0);
}

/// Names that lead where their owner wants; the second answer differs from the first.
struct Rebinding {
    asked: AtomicUsize,
    server: IpAddr,
}

#[async_trait]
impl Lookup for Rebinding {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let parse = |text: &str| text.parse().unwrap();
        Ok(match host.split('.').next().unwrap_or_default() {
            "cloud" => vec![parse("169.254.169.254")],
            "mapped" => vec![parse("::ffff:10.0.0.1")],
            "mixed" => vec![parse("1.1.1.1"), parse("192.168.0.1")],
            "none" => return Err(io::Error::other("no such name")),
            // No more files to be had (EMFILE): always, or until it is asked for the third time.
            "crowded" => return Err(io::Error::from_raw_os_error(24)),
            "busy" if self.asked.fetch_add(1, Ordering::Relaxed) % 3 < 2 => {
                return Err(io::Error::from_raw_os_error(24));
            }
            "busy" => vec![parse("10.0.0.1")],
            // Public when asked first, ours afterwards: but what is connected to is what was judged.
            _ if self.asked.fetch_add(1, Ordering::Relaxed) == 0 => Vec::new(),
            _ => vec![self.server],
        })
    }
}

#[tokio::test]
async fn what_this_machine_lacks_is_no_fault_of_a_miners() {
    let lookup = Arc::new(Rebinding { asked: AtomicUsize::new(0), server: "127.0.0.1".parse().unwrap() });
    let collector = Collector::with_lookup(&Collect { allow_loopback: false, ..limits() }, lookup).unwrap();
    let commit = |host: &str| (host.to_owned(), format!("https://{host}.r2.dev/{host}"));
    let names = ["busy", "crowded", "none"].map(String::from);
    let commitments = names.iter().map(|name| commit(name)).collect();
    let collected = collector.round(&commitments, &names).await;
    let faults: Vec<_> = collected.iter().map(|c| c.outcome.as_ref().unwrap_err()).collect();
    // The one that gets through in the end is judged by what it is.
    assert_eq!(
        faults.iter().map(|f| f.code()).collect::<Vec<_>>(),
        ["private_address", "validator_fault", "unreachable"]
    );
    assert_eq!(faults.iter().map(|f| f.is_ours()).collect::<Vec<_>>(), [false, true, false]);
    assert!(faults[1].to_string().contains("open files"), "{}", faults[1]);
}

#[tokio::test]
async fn no_more_is_read_than_a_payload_can_have() {
    let small = Collect { max_bytes: 1 << 30, plaintext_bytes: 1024, ..limits() };
    let (collected, _) = round(&small, &["chunked_endless-1".into()]).await;
    let fault = collected[0].outcome.as_ref().unwrap_err().to_string();
    assert!(fault.contains("larger than 18432 bytes"), "{fault}");
}

#[tokio::test]
async fn names_that_lead_home_are_refused() {
    let server = Nasty::start().await;
    let lookup = Arc::new(Rebinding { asked: AtomicUsize::new(0), server: server.address.ip() });
    let strict = Collect { allow_loopback: false, ..limits() };
    let collector = Collector::with_lookup(&strict, lookup).unwrap();
    for (host, expected) in [
        ("cloud", "private_address"),
        ("mapped", "private_address"),
        ("mixed", "private_address"),
        ("none", "unreachable"),
        ("rebind", "unreachable"),
        ("rebind", "private_address"),
        ("rebind", "private_address"),
    ] {
        let commitments = BTreeMap::from([("a".to_string(), format!("https://{host}.r2.dev/a"))]);
        let collected = collector.round(&commitments, &["a".into()]).await;
        assert_eq!(said(&collected[0]), expected, "{host}: {:?}", collected[0].outcome);
    }
    assert_eq!(server.served.load(Ordering::Relaxed), 0);
}
