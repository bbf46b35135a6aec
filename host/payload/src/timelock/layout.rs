//! Where what stands in a ciphertext.

use crate::PayloadRejection;

/// The sizes of a ciphertext, bytes: as the PyPI client writes it, and the shorter one.
pub const SIZES: [usize; 2] = [372, 356];

/// How the two masked values are written: each with its length before it, or bare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// 372 bytes: what most miners' client writes.
    #[default]
    Long,
    /// 356 bytes.
    Short,
}

/// The parts of a ciphertext whose every length and mark was checked.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// Compressed G2 point.
    pub u: &'a [u8; 96],
    /// sigma, masked.
    pub v: &'a [u8; 32],
    /// The AES key, masked.
    pub w: &'a [u8; 32],
    /// AES-GCM ciphertext, then its tag of 16 bytes.
    pub body: &'a [u8; 144],
    /// AES-GCM nonce.
    pub nonce: &'a [u8; 12],
}

const MARK: &[u8; 8] = b"AES_GCM_";

impl<'a> Layout<'a> {
    /// Reads a ciphertext.
    ///
    /// # Errors
    /// [`PayloadRejection::Length`] or [`PayloadRejection::TimelockLayout`].
    pub fn parse(ciphertext: &'a [u8]) -> Result<Self, PayloadRejection> {
        let mut reader = Reader { rest: ciphertext, at: 0 };
        let long = match SIZES.iter().position(|&size| size == ciphertext.len()) {
            Some(which) => which == 0,
            None => {
                let found = 2 * ciphertext.len();
                return Err(PayloadRejection::Length { field: "W_time.ct", found, expected: "744 or 712" });
            }
        };
        let u = reader.take()?;
        if long {
            reader.number(32, "the length 32 as 8 bytes, little endian")?;
        }
        let v = reader.take()?;
        if long {
            reader.number(32, "the length 32 as 8 bytes, little endian")?;
        }
        let w = reader.take()?;
        reader.number(172, "the length 172 as 8 bytes, little endian")?;
        reader.number(144, "the length 144 as 8 bytes, little endian")?;
        let body = reader.take()?;
        reader.number(12, "the length 12 as 8 bytes, little endian")?;
        let nonce = reader.take()?;
        reader.number(8, "the length 8 as 8 bytes, little endian")?;
        let at = reader.at;
        if reader.take::<8>()? != MARK {
            return Err(PayloadRejection::TimelockLayout { at, expected: "the mark AES_GCM_" });
        }
        Ok(Self { u, v, w, body, nonce })
    }
}

/// Bytes of a long ciphertext beyond those that are locked.
pub const OVERHEAD: usize = 244;

/// The parts of a long ciphertext of any size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub(super) u: &'a [u8; 96],
    pub(super) v: &'a [u8; 32],
    pub(super) w: &'a [u8; 32],
    pub(super) body: &'a [u8],
    pub(super) nonce: &'a [u8; 12],
}

impl<'a> Parts<'a> {
    /// Reads a ciphertext.
    ///
    /// # Errors
    /// [`PayloadRejection::TimelockLayout`].
    pub(super) fn parse(ciphertext: &'a [u8]) -> Result<Self, PayloadRejection> {
        let short = PayloadRejection::TimelockLayout { at: ciphertext.len(), expected: "more bytes" };
        // The tag is part of the body.
        let length =
            ciphertext.len().checked_sub(OVERHEAD - 16).filter(|length| *length >= 16).ok_or(short)?;
        let expected = "a length that fits the whole, as 8 bytes, little endian";
        let mut reader = Reader { rest: ciphertext, at: 0 };
        let u = reader.take()?;
        reader.number(32, expected)?;
        let v = reader.take()?;
        reader.number(32, expected)?;
        let w = reader.take()?;
        reader.number(length as u64 + 28, expected)?;
        reader.number(length as u64, expected)?;
        let body = reader.slice(length)?;
        reader.number(12, expected)?;
        let nonce = reader.take()?;
        reader.number(8, expected)?;
        let at = reader.at;
        if reader.take::<8>()? != MARK {
            return Err(PayloadRejection::TimelockLayout { at, expected: "the mark AES_GCM_" });
        }
        Ok(Self { u, v, w, body, nonce })
    }
}

/// Writes a ciphertext: `header` is U, V and W.
pub(super) fn write(
    size: Size,
    header: &([u8; 96], [u8; 32], [u8; 32]),
    nonce: &[u8; 12],
    body: &[u8],
) -> Vec<u8> {
    let (u, v, w) = header;
    let number = |n: u64| n.to_le_bytes();
    let mut out = u.to_vec();
    for masked in [v, w] {
        if size == Size::Long {
            out.extend(number(32));
        }
        out.extend(masked);
    }
    let length = body.len() as u64;
    for part in [&number(length + 28)[..], &number(length), body, &number(12), nonce, &number(8), MARK] {
        out.extend(part);
    }
    out
}

struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], PayloadRejection> {
        let cut = self.rest.split_first_chunk::<N>();
        let (head, rest) =
            cut.ok_or(PayloadRejection::TimelockLayout { at: self.at, expected: "more bytes" })?;
        self.rest = rest;
        self.at += N;
        Ok(head)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], PayloadRejection> {
        let cut = self.rest.split_at_checked(length);
        let (head, rest) =
            cut.ok_or(PayloadRejection::TimelockLayout { at: self.at, expected: "more bytes" })?;
        self.rest = rest;
        self.at += length;
        Ok(head)
    }

    fn number(&mut self, value: u64, expected: &'static str) -> Result<(), PayloadRejection> {
        let at = self.at;
        if u64::from_le_bytes(*self.take()?) == value {
            Ok(())
        } else {
            Err(PayloadRejection::TimelockLayout { at, expected })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (size, bytes) in [(Size::Long, 372), (Size::Short, 356)] {
            let text = write(size, &([1; 96], [2; 32], [3; 32]), &[4; 12], &[5; 144]);
            assert_eq!(text.len(), bytes);
            let layout = Layout::parse(&text).unwrap();
            assert_eq!((layout.u, layout.v, layout.w), (&[1; 96], &[2; 32], &[3; 32]));
            assert_eq!((layout.nonce, layout.body), (&[4; 12], &[5; 144]));
        }
    }

    #[test]
    fn every_byte_of_a_length_or_mark_counts() {
        let text = write(Size::Long, &([1; 96], [2; 32], [3; 32]), &[4; 12], &[5; 144]);
        let fixed = [96..104, 136..144, 176..192, 336..344, 356..372];
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 0x80;
            let refused = Layout::parse(&changed).is_err();
            assert_eq!(refused, fixed.iter().any(|range| range.contains(&at)), "byte {at}");
        }
    }
}
