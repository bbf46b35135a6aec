//! Plain HTTP/1.1 requests to a server on loopback, byte by byte, so that wrong ones can be sent as well.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, by name in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Asks for a path.
///
/// # Panics
/// If no answer comes.
#[must_use]
pub fn get(server: SocketAddr, path: &str) -> Answer {
    ask(server, format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Sends these bytes; gives the answer.
///
/// # Errors
/// If no answer comes.
pub fn ask(server: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut writer = stream.try_clone()?;
    let request = request.to_vec();
    // A server may answer, and close, before it has read all.
    let sending = std::thread::spawn(move || writer.write_all(&request));
    let answer = read(&mut BufReader::new(stream), false);
    let _ = sending.join();
    answer
}

/// Reads one answer; `head` says that it is one to HEAD, without a body.
///
/// # Errors
/// If it breaks off.
pub fn read(from: &mut impl BufRead, head: bool) -> io::Result<Answer> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    from.read_line(&mut line)?;
    let status =
        line.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(|| broken("no status"))?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; if head { 0 } else { length }];
    from.read_exact(&mut body)?;
    Ok(Answer { status, headers, body })
}

/// Sends JSON, as `POST` where there is any, else as `GET`.
///
/// # Errors
/// If no answer comes.
pub fn call(server: SocketAddr, path: &str, body: Option<&Value>) -> io::Result<Answer> {
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map_or_else(String::new, Value::to_string);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    ask(server, format!("{head}{body}").as_bytes())
}
