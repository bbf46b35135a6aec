//! Reading a part's bytes, which may be anybody's.

use super::bounded::Bounded;
use super::error::PartRejection;
use super::form::{
    CHALLENGE, END, HAS_PRICE, HAS_PRICES, LARGEST_PRICE, LONGEST_BLOB, LONGEST_TEXT, LONGEST_TICKER, MAGIC,
    PartContents, PartHead, PartItem, PartRow, ROW,
};
use mantis_config::{Block, Sidx};
use std::io::Read;

/// Reads a part that is to have this head, and hands all that is in it to `visit`. It has at most `limit` bytes. There is one
/// way to write a part: what is written otherwise is refused.
pub(crate) fn walk<E: From<PartRejection>>(
    input: impl Read,
    head: PartHead,
    limit: u64,
    mut visit: impl FnMut(PartItem<'_>) -> Result<(), E>,
) -> Result<PartContents, E> {
    let mut reader = Reader(Bounded::new(input, limit));
    let mut contents = PartContents::default();
    reader.head(head)?;
    let blocks = u32::from_le_bytes(reader.0.array()?);
    let mut before = None;
    for _ in 0..blocks {
        let block = Block(i64::from_le_bytes(reader.0.array()?));
        if before >= Some(block) || !head.day.has(block, head.sample_every) {
            return Err(reader.0.no(format!("block {block} has no place in it")).into());
        }
        before = Some(block);
        contents.reach(block);
        contents.blocks += 1;
        visit(PartItem::Block(block))?;
    }
    let rows = head.day.rows(head.sample_every);
    let (mut ticker, mut prices, mut blob) = (String::new(), Vec::new(), Vec::new());
    // The last row of the ticker; a challenge without rows is not named.
    let mut last: Option<Sidx> = None;
    loop {
        match u8::from_le_bytes(reader.0.array()?) {
            END if ticker.is_empty() || last.is_some() => break,
            CHALLENGE if ticker.is_empty() || last.is_some() => {
                let next = reader.ticker()?;
                if next <= ticker {
                    return Err(reader.0.no(format!("the challenge {next} has no place in it")).into());
                }
                (ticker, last) = (next, None);
            }
            ROW if !ticker.is_empty() => {
                let sidx = Sidx(i64::from_le_bytes(reader.0.array()?));
                if last >= Some(sidx) || !rows.contains(&sidx) {
                    return Err(reader.0.no(format!("the row {sidx} of {ticker} has no place in it")).into());
                }
                last = Some(sidx);
                let row = reader.row(&ticker, sidx, &mut prices, &mut blob)?;
                contents.rows += 1;
                contents.reach(sidx.block(head.sample_every));
                visit(PartItem::Row(row))?;
            }
            other => return Err(reader.0.no(format!("a {other} where no such thing can be")).into()),
        }
    }
    let (sha256, bytes) = reader.0.end()?;
    Ok(PartContents { sha256, bytes, ..contents })
}

struct Reader<R>(Bounded<R>);

impl<R: Read> Reader<R> {
    fn head(&mut self, head: PartHead) -> Result<(), PartRejection> {
        let magic: [u8; MAGIC.len()] = self.0.array()?;
        if magic != MAGIC {
            return Err(self.0.no("it begins otherwise"));
        }
        let netuid = u16::from_le_bytes(self.0.array()?);
        let every = u32::from_le_bytes(self.0.array()?);
        let day = i64::from_le_bytes(self.0.array()?);
        if (netuid, every, day) != (head.netuid, head.sample_every, head.day.0) {
            return Err(self
                .0
                .no(format!("it is day {day} of subnet {netuid}, with a row every {every} blocks")));
        }
        Ok(())
    }

    fn ticker(&mut self) -> Result<String, PartRejection> {
        let length = u8::from_le_bytes(self.0.array()?) as usize;
        let mut ticker = vec![0; length];
        self.0.fill(&mut ticker)?;
        let is_plain = (1..=LONGEST_TICKER).contains(&length) && ticker.iter().all(u8::is_ascii_graphic);
        match String::from_utf8(ticker) {
            Ok(ticker) if is_plain => Ok(ticker),
            _ => Err(self.0.no("a ticker that is none")),
        }
    }

    fn row<'a>(
        &mut self,
        ticker: &'a str,
        sidx: Sidx,
        prices: &'a mut Vec<u8>,
        blob: &'a mut Vec<u8>,
    ) -> Result<PartRow<'a>, PartRejection> {
        let has = u8::from_le_bytes(self.0.array()?);
        if has & !(HAS_PRICE | HAS_PRICES) != 0 {
            return Err(self.0.no(format!("the row {sidx} of {ticker} has what no row has")));
        }
        let mut price = None;
        if has & HAS_PRICE != 0 {
            let bits = u64::from_le_bytes(self.0.array()?);
            let is_one = f64::from_bits(bits).abs() <= LARGEST_PRICE && bits != (-0.0_f64).to_bits();
            price = is_one.then(|| f64::from_bits(bits));
            if price.is_none() {
                return Err(self.0.no(format!("the row {sidx} of {ticker} has a price that is none")));
            }
        }
        prices.clear();
        if has & HAS_PRICES != 0 {
            self.0.bytes(LONGEST_TEXT, prices)?;
        }
        self.0.bytes(LONGEST_BLOB, blob)?;
        if memchr::memchr(0, blob).is_some_and(|end| end > LONGEST_TEXT) {
            return Err(self
                .0
                .no(format!("the row {sidx} of {ticker} has a list of hotkeys that is too long")));
        }
        let text = std::str::from_utf8(prices);
        let text =
            text.map_err(|_| self.0.no(format!("the prices of row {sidx} of {ticker} are no text")))?;
        let price_data = (has & HAS_PRICES != 0).then_some(text);
        Ok(PartRow { ticker, sidx, price, price_data, blob })
    }
}
