//! Writing a part's bytes.

use super::form::{
    CHALLENGE, END, HAS_PRICE, HAS_PRICES, MAGIC, PartContents, PartHead, PartRow, ROW, canonical,
};
use super::hashed::Hashed;
use mantis_config::Block;
use std::io::{self, Write};

/// Writes a part: all blocks in order, then all rows by ticker and `sidx`.
pub(crate) struct PartWriter<W> {
    out: Hashed<W>,
    head: PartHead,
    contents: PartContents,
    ticker: Option<String>,
}

impl<W: Write> PartWriter<W> {
    /// Begins with the blocks.
    pub(crate) fn begin(out: W, head: PartHead, blocks: &[Block]) -> io::Result<Self> {
        let mut out = Hashed::new(out);
        out.write_all(MAGIC)?;
        out.write_all(&head.netuid.to_le_bytes())?;
        out.write_all(&head.sample_every.to_le_bytes())?;
        out.write_all(&head.day.0.to_le_bytes())?;
        out.write_all(&length(blocks.len())?)?;
        let mut contents = PartContents { blocks: blocks.len() as u64, ..PartContents::default() };
        for block in blocks {
            out.write_all(&block.0.to_le_bytes())?;
            contents.reach(*block);
        }
        Ok(Self { out, head, contents, ticker: None })
    }

    pub(crate) fn row(&mut self, row: &PartRow<'_>) -> io::Result<()> {
        let PartRow { ticker, sidx, price, price_data, blob } = *row;
        if self.ticker.as_deref() != Some(ticker) {
            let length = u8::try_from(ticker.len()).map_err(io::Error::other)?;
            self.out.write_all(&[CHALLENGE, length])?;
            self.out.write_all(ticker.as_bytes())?;
            self.ticker = Some(ticker.to_owned());
        }
        let price = canonical(price);
        let has = |there: bool, flag: u8| if there { flag } else { 0 };
        self.out.write_all(&[ROW])?;
        self.out.write_all(&sidx.0.to_le_bytes())?;
        self.out.write_all(&[has(price.is_some(), HAS_PRICE) | has(price_data.is_some(), HAS_PRICES)])?;
        if let Some(price) = price {
            self.out.write_all(&price.to_bits().to_le_bytes())?;
        }
        for bytes in price_data.map(str::as_bytes).into_iter().chain([blob]) {
            self.out.write_all(&length(bytes.len())?)?;
            self.out.write_all(bytes)?;
        }
        self.contents.rows += 1;
        self.contents.reach(sidx.block(self.head.sample_every));
        Ok(())
    }

    /// Ends it; gives back what it was written to.
    pub(crate) fn end(mut self) -> io::Result<(W, PartContents)> {
        self.out.write_all(&[END])?;
        let (out, sha256, bytes) = self.out.finish();
        Ok((out, PartContents { sha256, bytes, ..self.contents }))
    }
}

/// A length before what is so long.
fn length(length: usize) -> io::Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(io::Error::other)
}
