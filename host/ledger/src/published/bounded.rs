//! Reading bytes that may be anybody's: no more of them than are listed.

use super::error::PartRejection;
use super::hashed::Hashed;
use std::io::{self, Read};

/// Bytes that are counted, hashed, and bounded.
pub(super) struct Bounded<R> {
    input: Hashed<R>,
    limit: u64,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(input: R, limit: u64) -> Self {
        Self { input: Hashed::new(input), limit }
    }

    /// What is wrong, and where.
    pub(super) fn no(&self, what: impl Into<String>) -> PartRejection {
        PartRejection::Form { what: what.into(), at: self.input.so_far() }
    }

    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<(), PartRejection> {
        self.has_room(buffer.len())?;
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.no("it ends too early"),
            _ => PartRejection::Packed { reason: error.to_string() },
        })
    }

    fn has_room(&self, more: usize) -> Result<(), PartRejection> {
        if self.input.so_far().saturating_add(more as u64) > self.limit {
            return Err(PartRejection::TooLarge { limit: self.limit });
        }
        Ok(())
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PartRejection> {
        let mut array = [0; N];
        self.fill(&mut array)?;
        Ok(array)
    }

    /// So many bytes as the length before them says.
    pub(super) fn bytes(&mut self, longest: usize, into: &mut Vec<u8>) -> Result<(), PartRejection> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        if length > longest {
            return Err(self.no(format!("{length} bytes where {longest} are allowed")));
        }
        // Before memory is taken for it.
        self.has_room(length)?;
        into.clear();
        into.resize(length, 0);
        self.fill(into)
    }

    /// Nothing follows. Gives the digest, and how many bytes there were.
    pub(super) fn end(mut self) -> Result<([u8; 32], u64), PartRejection> {
        match self.input.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => return Err(self.no("more follows its end")),
            Err(error) => return Err(PartRejection::Packed { reason: error.to_string() }),
        }
        let (_, sha256, bytes) = self.input.finish();
        Ok((sha256, bytes))
    }
}
