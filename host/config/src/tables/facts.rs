//! `[[facts]]`.

use crate::kinds::{Hex, ListOf, NAME, Optional, SS58, Seconds, TextKind, URL, Words};
use crate::section::{Section, section};
use std::time::Duration;

section! {
    /// One `[[facts]]`: a list of numbers about miners that is fetched from outside, and kept in the ledger.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FactSource {
        /// What challenges call it.
        name: String, in NAME;

        /// Where facts come from: `"evm_logs"`, events of a contract on a chain of Ethereum's kind; `"document"`, a JSON
        /// document.
        kind: FactKind, in FACT_KINDS;

        /// The node, or the document.
        url: String, in URL;

        /// Further nodes or copies, tried in order where one gives nothing. All must agree on the block that is read to.
        others: Vec<String>, else "none", in ListOf(URL);

        /// Time for one request, s.
        timeout: Duration = Duration::from_secs(10), in Seconds;

        /// Largest answer, bytes.
        max_bytes: u64 = 16 << 20, in 1..=1 << 30;

        /// Sampled blocks between two looks.
        every: u32 = 5, in 1..=10_000;

        /// Of `"evm_logs"`: the number of the chain, which a node must name.
        chain_id: Option<u64> = None, in Optional(1..=u64::from(u32::MAX));

        /// Of `"evm_logs"`: the contract, without `0x`.
        contract: Option<[u8; 20]> = None, in Optional(Hex);

        /// Of `"evm_logs"`: the event's signature hash, its first topic, without `0x`.
        event: Option<[u8; 32]> = None, in Optional(Hex);

        /// Of `"evm_logs"`: the block in which the contract was made; logs are read from there.
        from_block: u32 = 0, in 0..=u32::MAX;

        /// Of `"evm_logs"`: blocks that one request asks for.
        request_blocks: u32 = 500, in 1..=100_000;

        /// Of `"evm_logs"`: blocks that the chain goes back at the most; logs are taken from older blocks only, where the
        /// node does not tell which block is final. Where it changes, the list is begun anew.
        confirmations: u32 = 20, in 0..=100_000;

        /// Of `"evm_logs"`: which word of the event is the miner, the 32 bytes of its public key: `topic1` to `topic3`, or
        /// `data0` to `data15`.
        hotkey: String = "topic1".into(), in WORD;

        /// Of `"evm_logs"`: the numbers of a fact, in the order in which the plugin wants them: words of the event as
        /// unsigned numbers, divided and cut: `topic2>>32` the upper part, `topic2&4294967295` the lower, `data0/1e9`.
        numbers: Vec<String>, else "none", in ListOf(NUMBER);

        /// Of `"document"`: hotkey (SS58) that must have signed it; its signature, 128 hex digits, lies at the same address
        /// with `.sig` appended. Without it, the document is believed as it comes.
        signer: Option<String> = None, in Optional(SS58);
    }
}

/// Where facts come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FactKind {
    /// Events of a contract.
    #[default]
    EvmLogs,
    /// A JSON document.
    Document,
}

const FACT_KINDS: Words<FactKind> =
    Words(&[("evm_logs", FactKind::EvmLogs), ("document", FactKind::Document)]);

/// A word of an event.
const WORD: TextKind = TextKind {
    allowed: "`topic1` to `topic3`, or `data0` to `data15`",
    fits: |s| EventWord::parse(s).is_some(),
    is_url: false,
};

const NUMBER: TextKind = TextKind {
    allowed: "a word (`topic1` to `topic3`, `data0` to `data15`), or one followed by `>>` and bits, `&` and a mask, or `/` and \
              a divisor",
    fits: |s| EventNumber::parse(s).is_some(),
    is_url: false,
};

/// One of the 32-byte words of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventWord {
    /// An indexed one; 0 is the event itself.
    Topic(usize),
    /// One of the data.
    Data(usize),
}

impl EventWord {
    /// Reads `topic1` or `data0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| digits.parse::<usize>().ok().filter(|n| n.to_string() == digits);
        match text.strip_prefix("topic").and_then(number) {
            Some(n @ 1..=3) => return Some(Self::Topic(n)),
            Some(_) => return None,
            None => {}
        }
        text.strip_prefix("data").and_then(number).filter(|n| *n < 16).map(Self::Data)
    }
}

/// A number of a fact: a word of an event, and what is done with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventNumber {
    /// The word.
    pub word: EventWord,
    /// Bits that are cut off below.
    pub shift: u32,
    /// Bits that are kept, of the lowest 64.
    pub mask: u64,
    /// What it is divided by.
    pub divisor: f64,
}

impl EventNumber {
    /// Reads `data0`, `topic2>>32`, `topic2&4294967295` or `data0/1e9`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = text.find(['>', '&', '/']).unwrap_or(text.len());
        let (word, rest) = text.split_at(at);
        let plain = Self { word: EventWord::parse(word)?, shift: 0, mask: u64::MAX, divisor: 1.0 };
        if rest.is_empty() {
            return Some(plain);
        }
        if let Some(bits) = rest.strip_prefix(">>") {
            let shift = bits.parse().ok().filter(|bits| (1..=255).contains(bits))?;
            return Some(Self { shift, ..plain });
        }
        if let Some(mask) = rest.strip_prefix('&') {
            return Some(Self { mask: mask.parse().ok()?, ..plain });
        }
        let divisor: f64 = rest.strip_prefix('/')?.parse().ok()?;
        // Any word divided by it is a number that a double holds.
        (divisor.is_finite() && divisor > 1e-200).then_some(Self { divisor, ..plain })
    }
}

impl FactSource {
    /// The numbers of a fact.
    #[must_use]
    pub fn event_numbers(&self) -> Vec<EventNumber> {
        self.numbers.iter().filter_map(|text| EventNumber::parse(text)).collect()
    }

    /// The word that names the miner.
    #[must_use]
    pub fn event_hotkey(&self) -> EventWord {
        EventWord::parse(&self.hotkey).unwrap_or(EventWord::Topic(1))
    }
}

impl Default for FactSource {
    fn default() -> Self {
        Self::absent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_event_are_read() {
        assert_eq!(EventWord::parse("topic3"), Some(EventWord::Topic(3)));
        assert_eq!(EventWord::parse("data15"), Some(EventWord::Data(15)));
        for bad in ["topic0", "topic4", "data16", "data", "data01", "topic-1", "x1", ""] {
            assert_eq!(EventWord::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_of_an_event_are_read() {
        let number = |text| EventNumber::parse(text).map(|n| (n.word, n.shift, n.mask, n.divisor));
        let (topic, data) = (EventWord::Topic(2), EventWord::Data(0));
        assert_eq!(number("topic2"), Some((topic, 0, u64::MAX, 1.0)));
        assert_eq!(number("topic2>>32"), Some((topic, 32, u64::MAX, 1.0)));
        assert_eq!(number("topic2&4294967295"), Some((topic, 0, 0xffff_ffff, 1.0)));
        assert_eq!(number("data0/1e9"), Some((data, 0, u64::MAX, 1e9)));
        for bad in [
            "data0/0",
            "data0/x",
            "data0/-1",
            "data0/1e-300",
            "data0/inf",
            "data0>>0",
            "data0>>256",
            "data0>1",
            "data0&",
        ] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
