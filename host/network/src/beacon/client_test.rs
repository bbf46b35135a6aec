//! The client against servers on loopback.

use super::{BeaconClient, BeaconError};
use crate::loopback::beacon::BeaconServer;
use crate::loopback::beacon::Clock;
use mantis_payload::beacon::Scheme;
use mantis_payload::beacon::signing::BeaconKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn key(seed: u8) -> BeaconKey {
    BeaconKey::from_seed(&[seed; 32]).unwrap()
}

fn scheme() -> Scheme {
    Scheme::new(&key(1).public_key(), 1000, 3).unwrap()
}

async fn server(seed: u8) -> (BeaconServer, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(1030));
    let clock: Clock = {
        let now = Arc::clone(&now);
        Arc::new(move || now.load(Ordering::Relaxed))
    };
    (BeaconServer::start(key(seed), scheme(), clock).await.unwrap(), now)
}

/// A server that gives the same answer to everybody.
async fn fixed(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    base
}

fn client(bases: &[&str]) -> BeaconClient {
    BeaconClient::new(scheme(), &bases.iter().map(|base| base.to_string()).collect::<Vec<_>>()).unwrap()
}

#[tokio::test]
async fn gives_verified_signatures_of_rounds_that_are_out() {
    let (server, now) = server(1).await;
    let client = client(&[&server.base()]);
    assert_eq!(client.signature(11).await, Ok(key(1).sign(11)));
    assert_eq!(client.signature(12).await, Err(BeaconError::NotYet { round: 12 }));
    now.store(1033, Ordering::Relaxed);
    assert_eq!(client.signature(12).await, Ok(key(1).sign(12)));
    server.set_down(true);
    let down = client.signature(12).await.unwrap_err();
    assert!(matches!(&down, BeaconError::Unavailable { reasons, .. } if reasons.contains("503")), "{down}");
    server.set_down(false);
    assert_eq!(client.signature(12).await, Ok(key(1).sign(12)));
}

#[tokio::test]
async fn a_round_is_fetched_once_however_many_ask() {
    let (server, _) = server(1).await;
    let client = client(&[&server.base()]);
    let asking: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let client = client.clone();
                async move { client.signature(5).await }
            })
        })
        .collect();
    for one in asking {
        assert_eq!(one.await.unwrap(), Ok(key(1).sign(5)));
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_false_endpoint_is_passed_over_and_then_tried_last() {
    let ((false_one, _), (good, _)) = (server(2).await, server(1).await);
    let client = client(&[&false_one.base(), &good.base()]);
    assert_eq!(client.signature(3).await, Ok(key(1).sign(3)));
    assert_eq!(client.signature(4).await, Ok(key(1).sign(4)));
    assert_eq!((false_one.requests(), good.requests()), (1, 2));
    good.set_down(true);
    let wrong = client.signature(5).await.unwrap_err();
    assert_eq!(wrong, BeaconError::Invalid { round: 5, endpoint: false_one.base() });
}

#[tokio::test]
async fn bad_answers_are_told_apart() {
    let long = Box::leak(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5000)).into_boxed_str());
    for (answer, says) in [
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "redirects"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "not {\"signature\": hex}"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"signature\":\"ab\"}", "not 96 hexadecimal digits"),
        (long, "larger than 4096 bytes"),
        ("nonsense", "not HTTP"),
    ] {
        let base = fixed(answer).await;
        let error = client(&[&base]).signature(1).await.unwrap_err();
        assert!(matches!(error, BeaconError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}

#[tokio::test]
async fn one_endpoint_that_is_behind_does_not_hide_the_round() {
    let ((behind, now), (good, _)) = (server(1).await, server(1).await);
    now.store(1000, Ordering::Relaxed);
    let client = client(&[&behind.base(), &good.base()]);
    assert_eq!(client.signature(9).await, Ok(key(1).sign(9)));
    good.set_down(true);
    let mixed = client.signature(9).await.unwrap_err();
    assert!(
        matches!(&mixed, BeaconError::Unavailable { reasons, .. } if reasons.contains("not out")),
        "{mixed}"
    );
}

#[tokio::test]
async fn without_endpoints_it_says_so() {
    let error = client(&[]).signature(1).await.unwrap_err().to_string();
    assert!(error.contains("none is configured"), "{error}");
    let error =
        client(&["http://user:secret@127.0.0.1:1/x?key=secret"]).signature(1).await.unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1/x: ") && !error.contains("secret"), "{error}");
}
