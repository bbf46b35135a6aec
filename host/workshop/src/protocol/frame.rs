//! Records as bytes.

use std::io::{self, ErrorKind, Read};
use thiserror::Error;

/// Why no record could be read.
#[derive(Debug, Error)]
pub enum FrameError {
    /// A record longer than any that is allowed.
    #[error("it sent a record of {found} bytes; the longest that is taken here has {most}")]
    TooLong {
        /// Its length.
        found: usize,
        /// The longest that is taken.
        most: usize,
    },
    /// A record without even a kind.
    #[error("it sent a record of no bytes; each has a byte for its kind")]
    Empty,
    /// The output ended in the middle of a record.
    #[error("its output ended in the middle of a record")]
    Torn,
    /// The pipe cannot be read.
    #[error("its output cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads one record: its kind and its body; `None` where the output ended before it.
///
/// # Errors
/// [`FrameError`]; a record that is too long is not read.
pub fn read_frame(pipe: &mut impl Read, most: usize) -> Result<Option<(u8, Vec<u8>)>, FrameError> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < length.len() {
        match pipe.read(&mut length[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(FrameError::Torn),
            Ok(read) => have += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let found = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if found == 0 {
        return Err(FrameError::Empty);
    }
    if found > most {
        return Err(FrameError::TooLong { found, most });
    }
    let mut record = vec![0; found];
    pipe.read_exact(&mut record).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => FrameError::Torn,
        _ => FrameError::Io(error),
    })?;
    let kind = record.remove(0);
    Ok(Some((kind, record)))
}

/// Appends one record to what will be sent.
pub(super) fn write_frame(kind: u8, body: &[u8], out: &mut Vec<u8>) {
    // A row of all assets is some hundred bytes, a greeting some thousand: far below 4 GiB.
    let length = u32::try_from(body.len() + 1).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut bytes = Vec::new();
        write_frame(b'a', &[1, 2, 3], &mut bytes);
        write_frame(b'b', &[], &mut bytes);
        let mut pipe = bytes.as_slice();
        assert_eq!(read_frame(&mut pipe, 4).unwrap(), Some((b'a', vec![1, 2, 3])));
        assert_eq!(read_frame(&mut pipe, 4).unwrap(), Some((b'b', vec![])));
        assert_eq!(read_frame(&mut pipe, 4).unwrap(), None);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let error = |bytes: &[u8]| read_frame(&mut &*bytes, 8).unwrap_err().to_string();
        assert!(error(&[0, 0, 0, 0]).contains("no bytes"));
        assert!(
            error(&[255, 255, 255, 255, 1])
                .contains("4294967295 bytes; the longest that is taken here has 8")
        );
        assert!(error(&[9, 0, 0, 0]).contains("9 bytes"));
        assert!(error(&[2, 0, 0, 0, 7]).contains("middle"));
        assert!(error(&[2, 0]).contains("middle"));
    }
}
