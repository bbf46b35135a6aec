//! A proxy that changes what a server says.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What becomes of the server's bytes.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Nothing.
    Pass,
    /// Every first string becomes the second one, of the same length.
    Replace(Vec<u8>, Vec<u8>),
    /// Every client gets this, and nothing else.
    Say(Vec<u8>),
    /// They come as they are, so much later.
    Slow(Duration),
    /// They are lost, and the connection stays.
    Swallow,
    /// They come a byte at a time, so far apart.
    Drip(Duration),
    /// The connection ends; so does every new one.
    Reset,
}

/// A proxy on a port of loopback; its threads live as long as the process.
pub struct Proxy {
    /// Its port.
    pub port: u16,
    mode: Arc<Mutex<Mode>>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy to a port of loopback.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mode = Arc::new(Mutex::new(Mode::Pass));
        let open = Arc::new(AtomicUsize::new(0));
        let (shared, counter) = (mode.clone(), open.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (mode, open) = (shared.clone(), counter.clone());
                thread::spawn(move || {
                    open.fetch_add(1, Ordering::SeqCst);
                    serve(client, to, &mode);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, mode, open }
    }

    /// Changes what becomes of bytes from now on.
    ///
    /// # Panics
    /// Never.
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().expect("a lock") = mode;
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn serve(mut client: TcpStream, to: u16, mode: &Mutex<Mode>) {
    match &*mode.lock().expect("a lock") {
        Mode::Say(text) => {
            let _ = client.write_all(text);
            return;
        }
        Mode::Reset => return,
        _ => {}
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)) else { return };
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else { return };
    let up = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 1 << 16];
    let mut held = Vec::new();
    while let Ok(count) = server.read(&mut buffer) {
        if count == 0 {
            break;
        }
        held.extend(&buffer[..count]);
        let now = mode.lock().expect("a lock").clone();
        let kept = match &now {
            Mode::Replace(from, into) => replace(&mut held, from, into),
            Mode::Slow(time) => {
                thread::sleep(*time);
                0
            }
            Mode::Swallow => {
                held.clear();
                0
            }
            Mode::Drip(time) => {
                if !drip(&mut client, &held, *time) {
                    break;
                }
                held.clear();
                0
            }
            Mode::Reset => break,
            Mode::Pass | Mode::Say(_) => 0,
        };
        let ready = held.len() - kept;
        if client.write_all(&held[..ready]).is_err() {
            break;
        }
        held.drain(..ready);
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = up.join();
}

/// Sends bytes one at a time, as long as the client is there.
fn drip(client: &mut TcpStream, bytes: &[u8], time: Duration) -> bool {
    bytes.iter().all(|byte| {
        thread::sleep(time);
        client.write_all(&[*byte]).is_ok()
    })
}

/// Replaces one string by another; gives how many bytes at the end may be the beginning of a string that has not come yet.
fn replace(held: &mut [u8], from: &[u8], into: &[u8]) -> usize {
    let places: Vec<usize> = (0..held.len()).filter(|at| held[*at..].starts_with(from)).collect();
    places.into_iter().for_each(|at| held[at..at + from.len()].copy_from_slice(into));
    (1..from.len()).rev().find(|n| held.ends_with(&from[..*n])).unwrap_or(0)
}
