//! What of a challenge's market a strategy is given, row by row.

use crate::protocol::Told;
use mantis_plugin_api::{Market, Targets};
use std::ops::Range;

/// The rows of a market as a strategy gets them: what was known at each, and labels once they are known.
#[derive(Debug)]
pub struct Feed<'a> {
    market: &'a Market,
    channels: usize,
    /// Unix time of each row, s; NaN where nobody knows.
    times: &'a [f64],
    sample_every: i64,
    labels: Option<Labels<'a>>,
}

#[derive(Debug)]
struct Labels<'a> {
    targets: &'a Targets,
    subjects: usize,
    /// Places in `targets` and the row from which on each may be told, by that row.
    order: Vec<(usize, usize)>,
}

impl<'a> Feed<'a> {
    /// The rows of a market with their times, `sample_every` blocks from one to the next.
    #[must_use]
    pub fn new(market: &'a Market, times: &'a [f64], sample_every: u32) -> Self {
        let channels = market.channels.len() / market.rows().max(1);
        Self { market, channels, times, sample_every: sample_every.into(), labels: None }
    }

    /// The same with labels of so many subjects, each told so many rows after it has become known.
    #[must_use]
    pub fn with_labels(self, targets: &'a Targets, subjects: usize, embargo: usize) -> Self {
        let told = targets.known.iter().map(|known| known.saturating_add(embargo));
        let mut order: Vec<(usize, usize)> = told.enumerate().map(|(place, from)| (from, place)).collect();
        order.sort_unstable();
        Self { labels: Some(Labels { targets, subjects, order }), ..self }
    }

    /// All rows that there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.market.rows()
    }

    /// The block of a row.
    #[must_use]
    pub fn block(&self, row: usize) -> i64 {
        self.market.sidx.get(row).map_or(0, |sidx| sidx.saturating_mul(self.sample_every))
    }

    /// What is told with a row when the first that was told is `first`: labels that are known with it, then the row
    /// itself, with the prices of `lag` rows before it.
    pub(crate) fn write(&self, first: usize, row: usize, lag: usize, out: &mut Vec<u8>) {
        self.write_labels(first, row, out);
        let of = row.saturating_sub(lag).max(first);
        let (assets, channels) = (self.market.assets, self.channels);
        Told::Row {
            t: (row - first) as u64,
            time: self.times.get(row).copied().unwrap_or(f64::NAN),
            block: self.block(row),
            prices: &self.market.prices[of * assets..(of + 1) * assets],
            fields: &self.market.channels[of * channels..(of + 1) * channels],
        }
        .write(out);
    }

    /// Labels of rows since the first, known with this row.
    fn write_labels(&self, first: usize, row: usize, out: &mut Vec<u8>) {
        let Some(Labels { targets, subjects, order }) = &self.labels else { return };
        let from = order.partition_point(|(from, _)| *from < row);
        for (_, place) in order[from..].iter().take_while(|(from, _)| *from == row) {
            let Some(t) = targets.rows[*place].checked_sub(first) else { continue };
            let values = &targets.values[place * subjects..(place + 1) * subjects];
            let values: Vec<f64> = values.iter().map(|value| value.map_or(f64::NAN, f64::from)).collect();
            Told::Label { t: t as u64, values: &values }.write(out);
        }
    }

    /// The rows of the last days before the end, by their blocks of 12 s.
    #[must_use]
    pub fn last_days(&self, days: f64) -> Range<usize> {
        let rows = self.rows();
        let Some(last) = self.market.sidx.last() else { return 0..0 };
        let first = *last as f64 - days * 7200.0 / self.sample_every as f64;
        self.market.sidx.partition_point(|sidx| *sidx as f64 <= first)..rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::read_frame;
    use mantis_plugin_api::Reading;

    fn market(rows: usize) -> Market {
        Market {
            sidx: (0..rows as i64).map(|row| 1000 + row).collect(),
            prices: (0..rows).map(|row| row as f64).collect(),
            assets: 1,
            submitted: vec![true; rows],
            scored_rows: rows,
            ..Market::default()
        }
    }

    /// Kind, then numbers, of all that is told.
    fn told(feed: &Feed<'_>, first: usize, rows: Range<usize>, lag: usize) -> Vec<(char, Vec<f64>)> {
        let mut out = Vec::new();
        rows.for_each(|row| feed.write(first, row, lag, &mut out));
        let mut pipe = out.as_slice();
        let mut all = Vec::new();
        while let Some((kind, body)) = read_frame(&mut pipe, 1000).unwrap() {
            all.push((kind.into(), body.as_chunks::<8>().0.iter().map(|w| f64::from_le_bytes(*w)).collect()));
        }
        all
    }

    #[test]
    fn labels_are_told_with_the_row_that_makes_them_known() {
        let (market, times) = (market(8), vec![f64::NAN; 8]);
        let mut targets = Targets::new(Reading::Event);
        (0..4).for_each(|row| targets.push(row, row + 3, [Some((row % 2) as u16)]));
        let feed = Feed::new(&market, &times, 5).with_labels(&targets, 1, 1);
        let told = told(&feed, 1, 1..8, 0);
        let kinds: String = told.iter().map(|(kind, _)| kind).collect();
        // Row 1 is t = 0. Its label, known with row 4, comes with row 5; that of row 0 is of no use to a child.
        assert_eq!(kinds, "RRRRLRLRLR");
        assert_eq!(told[4], ('L', vec![0.0, 1.0]));
        assert_eq!(told[5].1[3], 5.0);
        assert_eq!(told[0].1[2], 5005.0);
    }

    #[test]
    fn a_lag_tells_the_price_of_a_row_before() {
        let (market, times) = (market(5), vec![0.0; 5]);
        let feed = Feed::new(&market, &times, 5);
        let prices: Vec<f64> = told(&feed, 1, 1..5, 1).iter().map(|(_, numbers)| numbers[3]).collect();
        assert_eq!(prices, [1.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn days_are_counted_back_from_the_last_block() {
        let market = market(4000);
        let feed = Feed::new(&market, &[], 5);
        assert_eq!(feed.last_days(1.0), 2560..4000);
        assert_eq!(feed.last_days(100.0), 0..4000);
    }
}
