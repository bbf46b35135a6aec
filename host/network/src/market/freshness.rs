//! Whether the feed is fresh.

use super::feed::Document;
use thiserror::Error;

/// Age of a document, by its own date, from which it is stale, s.
const OLD: u64 = 300;
/// Seconds between two readings that count: of one moment, the document may be the same.
const APART: u64 = 30;
/// Readings after the first, so far apart, in which the document may be the same.
const SAME: u32 = 1;

/// Why a document is stale.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StaleFeed {
    /// It says so itself.
    #[error("the market feed was last written {seconds} s ago")]
    Old {
        /// How long ago.
        seconds: u64,
    },
    /// Not a byte has changed.
    #[error("the market feed has been the same to the byte for {seconds} s")]
    Unchanged {
        /// For how long.
        seconds: u64,
    },
}

/// Remembers what the feed served.
#[derive(Clone, Debug, Default)]
pub struct Freshness {
    /// The last document's digest, when it came first, when it was last counted, and how often since.
    last: Option<([u8; 32], u64, u64, u32)>,
}

impl Freshness {
    /// Judges a document at a Unix time.
    ///
    /// # Errors
    /// Why it is stale.
    pub fn judge(&mut self, document: &Document, now: u64) -> Result<(), StaleFeed> {
        let (first, times) = match &mut self.last {
            Some((digest, first, counted, times)) if *digest == document.sha256 => {
                if now.saturating_sub(*counted) >= APART {
                    (*counted, *times) = (now, *times + 1);
                }
                (*first, *times)
            }
            _ => {
                self.last = Some((document.sha256, now, now, 0));
                (now, 0)
            }
        };
        if let Some(seconds) = document.written.map(|written| now.saturating_sub(written))
            && seconds > OLD
        {
            return Err(StaleFeed::Old { seconds });
        }
        if times > SAME {
            return Err(StaleFeed::Unchanged { seconds: now.saturating_sub(first) });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Quotes;

    fn document(byte: u8, written: Option<u64>) -> Document {
        Document { quotes: Quotes::default(), sha256: [byte; 32], written, faults: Vec::new() }
    }

    #[test]
    fn the_same_bytes_are_stale_at_the_second_sample_after_the_first() {
        let mut freshness = Freshness::default();
        let mut at = |now, byte| freshness.judge(&document(byte, None), now).map_err(|why| why.to_string());
        assert_eq!(at(1000, 1), Ok(()));
        // Two samples that are caught up at one moment.
        assert_eq!((at(1001, 1), at(1002, 1)), (Ok(()), Ok(())));
        assert_eq!(at(1060, 1), Ok(()));
        let stale = Err("the market feed has been the same to the byte for 120 s".to_owned());
        assert_eq!(at(1120, 1), stale);
        assert!(at(1121, 1).is_err());
        assert_eq!(at(1180, 2), Ok(()));
        assert_eq!(at(1240, 1), Ok(()));
    }

    #[test]
    fn an_old_date_is_stale_at_once() {
        let mut freshness = Freshness::default();
        assert_eq!(freshness.judge(&document(1, Some(1000)), 1300), Ok(()));
        assert_eq!(freshness.judge(&document(2, Some(1000)), 1301), Err(StaleFeed::Old { seconds: 301 }));
        // Ahead of this machine's clock.
        assert_eq!(freshness.judge(&document(3, Some(5000)), 1301), Ok(()));
    }
}
