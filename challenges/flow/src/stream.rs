//! Reads what miners sent, block by block of rows, and keeps what became of it.

use crate::Labels;
use crate::intent::Fault;
use crate::machine::{Machine, Opened, Step};
use crate::settle::Stake;
use crate::skin::{Backing, MinerSkin};
use crate::{FIELDS, NUMBERS, Params, REGIMES};
use mantis_plugin_api::{History, PluginError, Progress, Shape};

/// Numbers of a block that is read at once: 4 MB, whatever the number of miners.
const BLOCK_NUMBERS: usize = 1 << 20;

/// What came of one miner's intents.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Book {
    /// Whether any number but 0 came.
    pub(crate) is_present: bool,
    /// Trades opened.
    pub(crate) opened: usize,
    /// Intents that used up their id without a trade, by [`Fault`].
    pub(crate) invalid: [usize; Fault::ALL.len()],
    /// Trades without a bet, and trades whose bet came too late.
    pub(crate) without_bet: usize,
    pub(crate) late_bet: usize,
    /// Trades that have ended, in the order of their ends, then of their openings, then of regimes.
    pub(crate) closed: Vec<Closed>,
    /// Those of the running period that something stands behind.
    pub(crate) stakes: Vec<Stake>,
}

/// A trade that has ended, as pay sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Closed {
    /// Row in which it ended.
    pub(crate) row: u32,
    /// Row in which it was opened.
    pub(crate) opened: u32,
    pub(crate) regime: u8,
    pub(crate) evidence: f64,
    /// What it pays, what stands behind it included.
    pub(crate) pay: f64,
}

/// Follows all miners through all rows.
pub(crate) fn books(
    history: &dyn History,
    labels: &Labels,
    params: &Params,
    progress: &dyn Progress,
) -> Result<Vec<Book>, PluginError> {
    let step = BLOCK_NUMBERS / (history.shape().miners * NUMBERS).max(1);
    in_blocks(history, labels, params, progress, step.max(1))
}

/// The same, so many rows at once.
fn in_blocks(
    history: &dyn History,
    labels: &Labels,
    params: &Params,
    progress: &dyn Progress,
    step: usize,
) -> Result<Vec<Book>, PluginError> {
    let Shape { rows: stored, miners, dim } = history.shape();
    let rows = &labels.tape.rows;
    if dim != NUMBERS || rows.last().is_some_and(|&last| last >= stored) {
        return Err(PluginError::data(format!("a history of {stored} rows of {dim} numbers does not fit")));
    }
    let mut desks: Vec<Desk> =
        history.hotkeys().iter().map(|hotkey| Desk::new(labels.skins.of(hotkey))).collect();
    let mut buffer = Vec::new();
    let mut next = 0;
    while let Some(&start) = rows.get(next) {
        let end = rows.partition_point(|&row| row < start + step);
        let block = start..rows[end - 1] + 1;
        buffer.resize(miners * block.len() * NUMBERS, 0.0_f32);
        history.read_f32(0..miners, block.clone(), &mut buffer)?;
        for (desk, numbers) in desks.iter_mut().zip(buffer.as_chunks().0.chunks(block.len())) {
            for t in next..end {
                desk.see(t, &numbers[rows[t] - start], labels, params);
            }
        }
        next = end;
        progress.report(next as f64 / rows.len() as f64);
    }
    Ok(desks.into_iter().map(Desk::into_book).collect())
}

/// One miner at its four regimes.
struct Desk<'a> {
    /// Its numbers in the row before.
    before: [f32; NUMBERS],
    machines: [Machine; REGIMES],
    /// First row in which something can happen if its numbers stay as they are.
    wakes_at: usize,
    skin: MinerSkin<'a>,
    book: Book,
}

impl<'a> Desk<'a> {
    fn new(skin: MinerSkin<'a>) -> Self {
        let machines = std::array::from_fn(Machine::new);
        Self { before: [0.0; NUMBERS], machines, wakes_at: usize::MAX, skin, book: Book::default() }
    }

    /// Takes in the next row. Nearly always nothing has changed and nothing is waited for.
    fn see(&mut self, row: usize, numbers: &[f32; NUMBERS], labels: &Labels, params: &Params) {
        if !is_same(numbers, &self.before) {
            self.before = *numbers;
            self.book.is_present |= numbers.iter().any(|&x| x != 0.0);
            self.machines.iter_mut().for_each(Machine::change);
        } else if row < self.wakes_at {
            return;
        }
        self.wakes_at = usize::MAX;
        for (regime, intent) in numbers.as_chunks::<FIELDS>().0.iter().enumerate() {
            match self.machines[regime].step(row, intent, &labels.tape, params) {
                Some(Step::Invalid(fault)) => self.book.invalid[fault as usize] += 1,
                Some(Step::Opened(trade)) => self.book.add(regime, &trade, self.skin, labels, params),
                None => (),
            }
            self.wakes_at = self.wakes_at.min(self.machines[regime].wakes_at(row + 1));
        }
    }

    fn into_book(self) -> Book {
        let mut book = self.book;
        book.closed.sort_by_key(|trade| (trade.row, trade.opened, trade.regime));
        book
    }
}

impl Book {
    fn add(&mut self, regime: usize, trade: &Opened, skin: MinerSkin, labels: &Labels, params: &Params) {
        let backing = skin.behind(regime, trade.id, trade.row, &labels.tape, params);
        self.opened += 1;
        self.without_bet += usize::from(backing == Backing::Missing);
        self.late_bet += usize::from(backing == Backing::Late);
        let Some(outcome) = trade.outcome else { return };
        self.closed.push(Closed {
            row: outcome.row as u32,
            opened: trade.row as u32,
            regime: regime as u8,
            evidence: outcome.evidence,
            pay: outcome.pay * backing.factor(trade.size),
        });
        let stake = skin.stake(backing, trade.size);
        if stake > 0.0 && labels.period.is_some_and(|period| outcome.row >= period.from_row) {
            let money = outcome.made * trade.size * stake;
            self.stakes.push(Stake { row: outcome.row, regime, money, stake });
        }
    }
}

/// Whether all numbers have the same bits.
fn is_same(a: &[f32; NUMBERS], b: &[f32; NUMBERS]) -> bool {
    a.iter().zip(b).fold(0, |different, (a, b)| different | (a.to_bits() ^ b.to_bits())) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skin::Skins;
    use crate::tape::Tape;
    use mantis_plugin_api::test_kit::{MarketBuilder, MemoryHistory, Noise};
    use mantis_plugin_api::{Silent, Storage};

    const ROWS: usize = 2_000;

    /// Two minutes from row to row, some without a price.
    fn labels() -> Labels {
        let mut noise = Noise::new(1);
        let minutes: Vec<i64> = (0..ROWS as i64).map(|row| 2 * row).collect();
        let market = MarketBuilder::new(1)
            .walk(ROWS, 100.0, |price| price * (1.0 + 1e-3 * noise.normal()))
            .at(&minutes)
            .build();
        let mut market = market;
        market.prices.iter_mut().skip(7).step_by(13).for_each(|price| *price = f64::NAN);
        let tape = Tape::new(&market, &crate::made::flow_spec(), &Params::default()).unwrap();
        Labels { tape, skins: Skins::None, period: None }
    }

    /// Numbers that stay for some rows: few ids, some out of bounds, zeros in between.
    fn sent(seed: u64) -> Vec<f32> {
        let mut noise = Noise::new(seed);
        let mut numbers = Vec::new();
        let mut row = [0.0_f32; NUMBERS];
        for _ in 0..ROWS {
            for intent in row.as_chunks_mut::<FIELDS>().0 {
                if noise.uniform() > 0.9 {
                    let side = (2.2 * noise.uniform()).round() as f32;
                    let id = (40.0 * noise.uniform().abs()).round() as f32;
                    *intent = [side, 0.1, 0.01, 0.01, 0.02, 1.0 + 0.5 * noise.uniform() as f32, id];
                }
            }
            numbers.extend(if noise.uniform() > 0.9 { [0.0; NUMBERS] } else { row });
        }
        numbers
    }

    /// Looks at every number of every row.
    fn row_by_row(numbers: &[f32], labels: &Labels) -> Vec<Book> {
        let params = Params::default();
        let mut book = Book { is_present: true, ..Book::default() };
        for regime in 0..REGIMES {
            let mut machine = Machine::new(regime);
            for (t, &row) in labels.tape.rows.iter().enumerate() {
                let intents = numbers[row * NUMBERS..(row + 1) * NUMBERS].as_chunks::<FIELDS>().0;
                machine.change();
                match machine.step(t, &intents[regime], &labels.tape, &params) {
                    Some(Step::Invalid(fault)) => book.invalid[fault as usize] += 1,
                    Some(Step::Opened(trade)) => book.add(regime, &trade, MinerSkin::Free, labels, &params),
                    None => (),
                }
            }
        }
        book.closed.sort_by_key(|trade| (trade.row, trade.opened, trade.regime));
        vec![book]
    }

    #[test]
    fn blocks_and_changes_find_what_every_row_says() {
        let labels = labels();
        for seed in 0..8 {
            let numbers = sent(seed);
            let mut history = MemoryHistory::new(ROWS, NUMBERS).stored(Storage::F32);
            history.push("a", &numbers);
            let expected = row_by_row(&numbers, &labels);
            assert!(expected[0].closed.len() > 4 && expected[0].invalid[0] > 5, "{expected:?}");
            for step in [1, 7, 64, 1_999, 5_000] {
                let found = in_blocks(&history, &labels, &Params::default(), &Silent, step).unwrap();
                assert_eq!(found, expected, "{step}");
            }
        }
    }

    #[test]
    fn a_history_of_another_shape_is_refused() {
        let labels = labels();
        for (rows, dim) in [(ROWS - 1, NUMBERS), (ROWS, 7)] {
            let history = MemoryHistory::new(rows, dim).stored(Storage::F32);
            assert!(books(&history, &labels, &Params::default(), &Silent).is_err(), "{rows} {dim}");
        }
    }

    #[test]
    fn zeros_of_either_sign_are_nothing() {
        let labels = labels();
        let mut history = MemoryHistory::new(ROWS, NUMBERS).stored(Storage::F32);
        history.push("a", &[-0.0; ROWS * NUMBERS]);
        let mut one = vec![0.0; ROWS * NUMBERS];
        one[5 * NUMBERS + 3] = 0.5;
        history.push("b", &one);
        let found = books(&history, &labels, &Params::default(), &Silent).unwrap();
        assert_eq!(found.iter().map(|book| book.is_present).collect::<Vec<_>>(), [false, true]);
    }
}
