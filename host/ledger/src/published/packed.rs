//! Files of a publisher's place: packed with zstd, and held to what is listed of them.

use super::error::{PartRejection, PublishedError};
use super::hashed::Hashed;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

/// How hard zstd tries.
const LEVEL: i32 = 7;
/// Memory that unpacking may take, as a power of two of bytes: what this level needs, and some more.
const WINDOW: u32 = 24;
/// What of a file is read at once.
const BUFFER: usize = 256 << 10;

/// A file that was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedFile {
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// What is listed of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// Bytes once it is unpacked.
    pub bytes: u64,
    /// SHA-256 of those.
    pub content: [u8; 32],
}

/// What bytes are written to that are packed into a file.
pub(super) type Packer = Encoder<'static, Hashed<BufWriter<File>>>;

/// Begins a packed file.
pub(super) fn pack(to: &Path) -> io::Result<Packer> {
    Encoder::new(Hashed::new(BufWriter::with_capacity(BUFFER, File::create(to)?)), LEVEL)
}

/// Ends it, on the disk.
pub(super) fn finish(packer: Packer) -> io::Result<PackedFile> {
    let mut out = packer.finish()?;
    out.flush()?;
    let (file, sha256, size) = out.finish();
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(PackedFile { size, sha256 })
}

/// What a packed file unpacks to.
pub(super) type Unpacked = BufReader<Decoder<'static, BufReader<File>>>;

/// Begins to unpack a file. What is read of it has to be bounded by who reads.
pub(super) fn unpack(path: &Path) -> Result<Unpacked, PublishedError> {
    let file = File::open(path).map_err(PublishedError::file(path))?;
    let packed = |error: io::Error| {
        PublishedError::rejected(path)(PartRejection::Packed { reason: error.to_string() })
    };
    let mut decoder = Decoder::with_buffer(BufReader::with_capacity(BUFFER, file)).map_err(packed)?;
    decoder.window_log_max(WINDOW).map_err(packed)?;
    Ok(BufReader::with_capacity(BUFFER, decoder))
}

impl ListedFile {
    /// Whether a file is the listed one, as it lies there. It is read no further than one byte behind what it should have.
    ///
    /// # Errors
    /// [`PartRejection::Size`] or [`PartRejection::Digest`], or if it cannot be read.
    pub fn check(&self, path: &Path) -> Result<(), PublishedError> {
        let file = File::open(path).map_err(PublishedError::file(path))?;
        let mut input = Hashed::new(BufReader::with_capacity(BUFFER, file.take(self.size.saturating_add(1))));
        io::copy(&mut input, &mut io::sink()).map_err(PublishedError::file(path))?;
        let (_, sha256, found) = input.finish();
        if found != self.size {
            let expected = self.size;
            return Err(PublishedError::rejected(path)(PartRejection::Size { found, expected }));
        }
        if sha256 != self.sha256 {
            let (found, expected) = (hex::encode(sha256), hex::encode(self.sha256));
            return Err(PublishedError::rejected(path)(PartRejection::Digest { found, expected }));
        }
        Ok(())
    }

    /// Whether what was unpacked is what is listed.
    pub(super) fn check_content(&self, sha256: [u8; 32], bytes: u64) -> Result<(), PartRejection> {
        if (sha256, bytes) == (self.content, self.bytes) {
            return Ok(());
        }
        let (found, expected) = (hex::encode(sha256), hex::encode(self.content));
        Err(PartRejection::Content { found, expected })
    }
}
