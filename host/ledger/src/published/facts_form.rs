//! The form of the facts' file: all lists of facts from outside, packed.

use super::bounded::Bounded;
use super::error::PartRejection;
use super::hashed::Hashed;
use crate::FactsHead;
use mantis_plugin_api::FactRow;
use std::io::{self, Read, Write};

const MAGIC: &[u8] = b"mantis-ledger-facts 1\n";
const END: u8 = 0;
const LIST: u8 = 1;
const FACT: u8 = 2;

/// Bytes of a text, and numbers of a fact.
const LONGEST: usize = 64 << 10;
const MOST_NUMBERS: usize = 4096;

/// A list of facts as it is published: its name, how far it is complete, all of its facts.
pub(super) type PublishedFacts = (String, FactsHead, Vec<FactRow>);

/// Writes lists; gives back what was written to, the digest and the number of bytes.
pub(super) fn write<W: Write>(
    out: W,
    netuid: u16,
    lists: &[PublishedFacts],
) -> io::Result<(W, [u8; 32], u64)> {
    let mut out = Hashed::new(out);
    out.write_all(MAGIC)?;
    out.write_all(&netuid.to_le_bytes())?;
    for (name, head, rows) in lists {
        out.write_all(&[LIST])?;
        text(&mut out, name)?;
        text(&mut out, &head.source)?;
        text(&mut out, head.hash.as_deref().unwrap_or_default())?;
        optional(&mut out, head.block.map(i64::to_le_bytes))?;
        optional(&mut out, head.time.map(|time| time.to_bits().to_le_bytes()))?;
        for row in rows {
            out.write_all(&[FACT])?;
            text(&mut out, &row.hotkey)?;
            optional(&mut out, row.block.map(i64::to_le_bytes))?;
            optional(&mut out, row.time.map(|time| time.to_bits().to_le_bytes()))?;
            let count = u32::try_from(row.numbers.len()).map_err(io::Error::other)?;
            out.write_all(&count.to_le_bytes())?;
            for number in &row.numbers {
                out.write_all(&number.to_bits().to_le_bytes())?;
            }
        }
    }
    out.write_all(&[END])?;
    Ok(out.finish())
}

fn text(out: &mut impl Write, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(text.as_bytes())
}

fn optional(out: &mut impl Write, bytes: Option<[u8; 8]>) -> io::Result<()> {
    match bytes {
        None => out.write_all(&[0]),
        Some(bytes) => out.write_all(&[1]).and_then(|()| out.write_all(&bytes)),
    }
}

/// Reads lists of at most `limit` bytes; gives them with their digest and the number of bytes.
pub(super) fn read(
    input: impl Read,
    netuid: u16,
    limit: u64,
) -> Result<(Vec<PublishedFacts>, [u8; 32], u64), PartRejection> {
    let mut reader = Reader(Bounded::new(input, limit));
    let magic: [u8; MAGIC.len()] = reader.0.array()?;
    if magic != MAGIC || u16::from_le_bytes(reader.0.array()?) != netuid {
        return Err(reader.0.no("it begins otherwise, or is of another subnet"));
    }
    let mut lists: Vec<PublishedFacts> = Vec::new();
    loop {
        match (u8::from_le_bytes(reader.0.array()?), lists.last_mut()) {
            (END, _) => break,
            (LIST, before) => {
                let after = before.map(|(name, ..)| name.clone()).unwrap_or_default();
                let name = reader.text()?;
                if name <= after {
                    return Err(reader.0.no("a list has no place in it"));
                }
                let (source, hash) = (reader.text()?, reader.text()?);
                let head = FactsHead {
                    source,
                    hash: (!hash.is_empty()).then_some(hash),
                    block: reader.optional()?.map(i64::from_le_bytes),
                    time: reader.time()?,
                    is_complete: true,
                    unix: 0,
                };
                lists.push((name, head, Vec::new()));
            }
            (FACT, Some((_, _, rows))) => {
                let hotkey = reader.text()?;
                let (block, time) = (reader.optional()?.map(i64::from_le_bytes), reader.time()?);
                let count = u32::from_le_bytes(reader.0.array()?) as usize;
                if count > MOST_NUMBERS {
                    return Err(reader.0.no(format!("a fact has {count} numbers")));
                }
                let mut numbers = Vec::with_capacity(count);
                for _ in 0..count {
                    numbers.push(reader.number()?);
                }
                rows.push(FactRow { hotkey, block, time, numbers });
            }
            (other, _) => return Err(reader.0.no(format!("a {other} where no such thing can be"))),
        }
    }
    let (sha256, bytes) = reader.0.end()?;
    Ok((lists, sha256, bytes))
}

struct Reader<R>(Bounded<R>);

impl<R: Read> Reader<R> {
    fn text(&mut self) -> Result<String, PartRejection> {
        let mut bytes = Vec::new();
        self.0.bytes(LONGEST, &mut bytes)?;
        String::from_utf8(bytes).map_err(|_| self.0.no("a text that is none"))
    }

    fn optional(&mut self) -> Result<Option<[u8; 8]>, PartRejection> {
        match u8::from_le_bytes(self.0.array()?) {
            0 => Ok(None),
            1 => self.0.array().map(Some),
            other => Err(self.0.no(format!("a {other} where 0 or 1 is"))),
        }
    }

    fn number(&mut self) -> Result<f64, PartRejection> {
        let number = f64::from_bits(u64::from_le_bytes(self.0.array()?));
        if number.is_finite() { Ok(number) } else { Err(self.0.no("a number that is none")) }
    }

    fn time(&mut self) -> Result<Option<f64>, PartRejection> {
        let time = self.optional()?.map(|bytes| f64::from_bits(u64::from_le_bytes(bytes)));
        if time.is_none_or(f64::is_finite) { Ok(time) } else { Err(self.0.no("a time that is none")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Vec<PublishedFacts> {
        let head = FactsHead {
            source: "{}".into(),
            block: Some(7),
            hash: Some("ab".into()),
            is_complete: true,
            ..FactsHead::default()
        };
        let row =
            FactRow { hotkey: "5A".into(), block: Some(5), time: Some(1.5), numbers: vec![0.1 + 0.2, -0.0] };
        let other = FactRow { hotkey: "5B".into(), block: None, time: None, numbers: Vec::new() };
        vec![
            ("bets".into(), head.clone(), vec![row, other]),
            ("stakes".into(), FactsHead { hash: None, ..head }, Vec::new()),
        ]
    }

    #[test]
    fn facts_come_back_as_they_were_and_no_flipped_bit_does() {
        let (bytes, sha256, count) = write(Vec::new(), 123, &lists()).unwrap();
        assert_eq!(count, bytes.len() as u64);
        assert_eq!(read(&bytes[..], 123, count).unwrap(), (lists(), sha256, count));
        assert!(read(&bytes[..], 9, count).is_err());
        assert_eq!(read(&bytes[..], 123, count - 1), Err(PartRejection::TooLarge { limit: count - 1 }));
        for bit in 0..8 * bytes.len() {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok((_, found, _)) = read(&bytes[..], 123, count) {
                assert_ne!(found, sha256, "bit {bit}");
            }
        }
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end], 123, count).is_err(), "{end}");
        }
    }
}
