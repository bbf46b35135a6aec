//! Bytes that are counted and hashed on their way.

use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// What is read or written, with its SHA-256 and its length.
pub(super) struct Hashed<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashed<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// How many bytes there were so far.
    pub(super) fn so_far(&self) -> u64 {
        self.bytes
    }

    /// The stream itself, the digest, and how many bytes there were.
    pub(super) fn finish(self) -> (T, [u8; 32], u64) {
        (self.inner, self.hash.finalize().into(), self.bytes)
    }

    fn count(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count(&buffer[..read]);
        Ok(read)
    }
}
