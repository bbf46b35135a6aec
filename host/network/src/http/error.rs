//! Why a document was not had.

use super::AddressRejection;
use std::io;
use std::net::IpAddr;
use thiserror::Error;

/// Why a document was not had. No message holds the URL: it may carry a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No connection: the name is unknown, nothing listens, or TLS failed.
    #[error("the server cannot be reached: {reason}")]
    Unreachable {
        /// What happened.
        reason: String,
    },
    /// The host's name leads to an address of this machine, a private network or a reserved range.
    #[error("the URL's host leads to {address}, which is not an address of the public internet")]
    PrivateAddress {
        /// The address.
        address: IpAddr,
    },
    /// The server was silent for too long, or not done in time.
    #[error("the server did not send it all in time")]
    TimedOut,
    /// The server sends elsewhere.
    #[error("the server redirects (status {status}), which is not followed; serve the document itself")]
    Redirected {
        /// HTTP status, 300 to 399.
        status: u16,
    },
    /// The server answers with another status than 200.
    #[error("the server answers with status {status} instead of 200")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// The body is compressed, or encoded otherwise.
    #[error("the body comes with the content encoding \"{encoding}\"; serve it as it is")]
    Encoded {
        /// The header's value, cut to 40 characters.
        encoding: String,
    },
    /// More bytes than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// Bytes that are allowed.
        limit: u64,
    },
    /// There is no room for more bytes of it.
    #[error("there is no room left for it after {bytes} bytes; smaller files always have theirs")]
    NoRoom {
        /// Bytes that had been read.
        bytes: u64,
    },
    /// This machine has no more files, memory or ports to give: nobody else's fault.
    #[error(
        "this machine failed: {reason}; allow the validator more open files (`ulimit -n`) or more memory: the other side \
         was not at fault"
    )]
    Ours {
        /// What the system says.
        reason: String,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the answer broke off or is not HTTP: {reason}")]
    Broken {
        /// What happened.
        reason: String,
    },
}

impl HttpError {
    /// A word for counting and for programs; it does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::PrivateAddress { .. } => "private_address",
            Self::TimedOut => "timed_out",
            Self::Redirected { .. } => "redirected",
            Self::Status { .. } => "bad_status",
            Self::Encoded { .. } => "encoded",
            Self::TooLarge { .. } => "too_large",
            Self::NoRoom { .. } => "no_room",
            Self::Ours { .. } => "validator_fault",
            Self::Broken { .. } => "broken_answer",
        }
    }
}

/// Whether the system refuses for want of something of this machine's: files, memory, buffers, ports.
pub(crate) fn is_ours(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let ours = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL, Errno::NETDOWN];
    let ours = ours.map(Errno::raw_os_error);
    error.kind() == io::ErrorKind::OutOfMemory
        || error.raw_os_error().is_some_and(|code| ours.contains(&code))
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let is_timeout = error.is_timeout();
        let unreachable = error.is_connect() || error.is_dns() || error.is_builder();
        let error = error.without_url();
        // The innermost cause says most: the outer ones say that a request failed.
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
            if let Some(error) = innermost.downcast_ref::<io::Error>().filter(|error| is_ours(error)) {
                return Self::Ours { reason: error.to_string() };
            }
        }
        if is_timeout {
            return Self::TimedOut;
        }
        if let Some(AddressRejection { address }) = innermost.downcast_ref() {
            return Self::PrivateAddress { address: *address };
        }
        let reason = innermost.to_string();
        if unreachable { Self::Unreachable { reason } } else { Self::Broken { reason } }
    }
}
