//! Fetching a ledger from a server that breaks off, changes the file, or lies.

use super::{BootstrapError, fetch};
use mantis_config::{Block, Datalog, Sidx};
use mantis_ledger::{Ledger, NewRow, SampledBlock};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// The newest block that there can be, and the blocks from one row to the next.
const BOUNDS: (Block, u32) = (Block(1_000_000), 5);

/// What a server does.
#[derive(Clone)]
struct Served {
    file: Vec<u8>,
    tag: &'static str,
    /// Bytes after which each answer breaks off.
    breaks_after: usize,
    status: Option<u16>,
}

struct Server {
    url: String,
    served: Arc<Mutex<Served>>,
    /// The ranges that were asked for.
    asked: Arc<Mutex<Vec<Option<usize>>>>,
}

fn serve(file: Vec<u8>, breaks_after: usize) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/datalog.db", listener.local_addr().unwrap());
    let served = Arc::new(Mutex::new(Served { file, tag: "\"one\"", breaks_after, status: None }));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let server = Server { url, served: served.clone(), asked: asked.clone() };
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut headers = Vec::new();
            for line in BufReader::new(&stream).lines() {
                let line = line.unwrap();
                if line.is_empty() {
                    break;
                }
                headers.push(line.to_lowercase());
            }
            let find = |name: &str| headers.iter().find_map(|line| line.strip_prefix(name));
            let Served { file, tag, breaks_after, status } = served.lock().unwrap().clone();
            let same = find("if-range: ").is_none_or(|mark| mark == tag);
            let from = find("range: bytes=").filter(|_| same);
            let from: Option<usize> = from.map(|range| range.trim_end_matches('-').parse().unwrap());
            asked.lock().unwrap().push(from);
            let start = from.unwrap_or(0);
            let head = match (status, from) {
                (Some(status), _) => format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n"),
                (None, Some(start)) if start >= file.len() => {
                    format!(
                        "HTTP/1.1 416 No\r\ncontent-length: 0\r\ncontent-range: bytes */{}\r\n",
                        file.len()
                    )
                }
                (None, Some(start)) => format!(
                    "HTTP/1.1 206 Part\r\ncontent-length: {}\r\ncontent-range: bytes {start}-{}/{}\r\n",
                    file.len() - start,
                    file.len() - 1,
                    file.len()
                ),
                (None, None) => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", file.len()),
            };
            let _ = write!(stream, "{head}etag: {tag}\r\nconnection: close\r\n\r\n");
            if status.is_none() && start < file.len() {
                let _ = stream.write_all(&file[start..file.len().min(start + breaks_after)]);
            }
        }
    });
    server
}

fn ledger(dir: &Path, rows: i64) -> Vec<u8> {
    let path: PathBuf = dir.join(format!("made-{rows}.db"));
    let mut ledger = Ledger::open(&path).unwrap();
    let record = NewRow { ticker: "A".into(), price: Some(1.5), ..NewRow::default() };
    let steps =
        (1..=rows).map(|k| SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![record.clone()] });
    ledger.append_many(steps.collect::<Vec<_>>(), 1000).unwrap();
    drop(ledger);
    // As the network's own program writes it: without a record of a validator of ours.
    Ledger::adopt(&path, BOUNDS.0, BOUNDS.1).unwrap();
    fs::read(path).unwrap()
}

fn datalog(server: &Server, sha256: Option<[u8; 32]>) -> Datalog {
    Datalog { url: server.url.clone(), sha256, max_bytes: 1 << 30 }
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_where_the_connection_broke() {
    let dir = tempfile::tempdir().unwrap();
    let file = ledger(dir.path(), 3000);
    let server = serve(file.clone(), 40_000);
    let to = dir.path().join("datalog.db");
    let mut heard = Vec::new();
    let digest = Sha256::digest(&file).into();
    fetch(&datalog(&server, Some(digest)), &to, BOUNDS, |had, total| heard.push((had, total))).await.unwrap();
    assert_eq!(fs::read(&to).unwrap(), file);
    assert_eq!(*heard.last().unwrap(), (file.len() as u64, Some(file.len() as u64)));
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked.len() > 2 && asked[0].is_none() && asked[1..].iter().all(Option::is_some), "{asked:?}");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("part")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_is_kept_and_another_file_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (ledger(dir.path(), 2000), ledger(dir.path(), 2500));
    let server = serve(first.clone(), 30_000);
    let to = dir.path().join("datalog.db");
    // A first start that is ended in the middle.
    let from = datalog(&server, None);
    let half = fetch(&from, &to, BOUNDS, |_, _| {});
    tokio::select! {
        biased;
        _ = half => panic!("it was done at once"),
        () = async {
            while !dir.path().join("datalog.db.part").metadata().is_ok_and(|part| part.len() > 0) {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    // Meanwhile a newer file was published.
    {
        let mut served = server.served.lock().unwrap();
        (served.file, served.tag, served.breaks_after) = (second.clone(), "\"two\"", usize::MAX);
    }
    fetch(&datalog(&server, None), &to, BOUNDS, |_, _| {}).await.unwrap();
    assert_eq!(fs::read(&to).unwrap(), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bad_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("datalog.db");
    let file = ledger(dir.path(), 500);

    let server = serve(file.clone(), usize::MAX);
    let error = fetch(&datalog(&server, Some([7; 32])), &to, BOUNDS, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, BootstrapError::Digest { .. }) && error.to_string().contains("0707"), "{error}");

    let mut damaged = file.clone();
    for byte in &mut damaged[8192..12_288] {
        *byte = 0xa5;
    }
    for bad in [damaged, b"<html>no such file</html>".to_vec(), Vec::new()] {
        let server = serve(bad, usize::MAX);
        let error = fetch(&datalog(&server, None), &to, BOUNDS, |_, _| {}).await.unwrap_err();
        assert!(matches!(error, BootstrapError::Bad(_)), "{error}");
    }
    let server = serve(file.clone(), usize::MAX);
    let error = fetch(&datalog(&server, None), &to, (Block(1000), 5), |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("a block that there cannot be"), "{error}");
    let from = Datalog { max_bytes: file.len() as u64 - 1, ..datalog(&server, None) };
    let error = fetch(&from, &to, BOUNDS, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, BootstrapError::TooLarge { .. }), "{error}");
    assert!(!dir.path().join("datalog.db.part").exists());

    server.served.lock().unwrap().status = Some(404);
    let error = fetch(&datalog(&server, None), &to, BOUNDS, |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("status 404"), "{error}");
    assert!(!to.exists());
}
