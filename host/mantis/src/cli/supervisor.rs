//! What systemd is told of the program, by its protocol of notifications: sd_notify(3).

use mantis_validator::{Board, unix};
use std::ffi::OsStr;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use tracing::warn;

/// Where notifications go, and how often it must be said that the program goes on.
pub(super) struct Supervisor {
    socket: UnixDatagram,
    /// Half of the time after which systemd ends a program that says nothing; `None` where it does not watch.
    every: Option<Duration>,
}

impl Supervisor {
    /// The one that started this process; `None` if none did, or none that can be spoken to.
    pub(super) fn from_env() -> Option<Self> {
        let path = std::env::var_os("NOTIFY_SOCKET")?;
        let micros = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse::<u64>().ok());
        // Where it names a process, it means that one alone.
        let ours = std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
        let every =
            micros.filter(|micros| ours && *micros > 0).map(|micros| Duration::from_micros(micros / 2));
        match connect(&path) {
            Ok(socket) => Some(Self { socket, every }),
            Err(error) => {
                warn!(%error, "NOTIFY_SOCKET cannot be reached: systemd is told nothing");
                None
            }
        }
    }

    /// Tells it something, such as `READY=1`.
    pub(super) fn tell(&self, what: &str) {
        if let Err(error) = self.socket.send(what.as_bytes()) {
            warn!(%error, "systemd cannot be told {what}");
        }
    }

    /// Says from now on that the program goes on, as long as it does: by the same rule as `/healthz`. On a thread of its
    /// own, since work may keep all others for a while.
    pub(super) fn watch(self, board: Board) {
        let Some(every) = self.every else { return };
        std::thread::spawn(move || {
            loop {
                match board.status().stuck(unix()) {
                    None => self.tell("WATCHDOG=1"),
                    Some(seconds) => warn!(seconds, "stuck: systemd is not told that it goes on"),
                }
                std::thread::sleep(every);
            }
        });
    }
}

/// A socket of the file system, or, behind an `@`, of Linux's own namespace.
fn connect(path: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::SocketAddr;
        if let Some(name) = path.as_bytes().strip_prefix(b"@") {
            socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?;
            return Ok(socket);
        }
    }
    socket.connect(path)?;
    Ok(socket)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    #[test]
    fn it_is_heard_through_both_kinds_of_sockets() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = format!("mantis-test-{}", std::process::id());
        let abstract_one = SocketAddr::from_abstract_name(&name).unwrap();
        for (there, address) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&abstract_one).unwrap(), format!("@{name}").into()),
        ] {
            let supervisor = Supervisor { socket: connect(&address).unwrap(), every: None };
            supervisor.tell("READY=1");
            let mut heard = [0; 64];
            let length = there.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"READY=1");
        }
        assert!(connect(OsStr::new("/nowhere/at/all")).is_err());
    }
}
