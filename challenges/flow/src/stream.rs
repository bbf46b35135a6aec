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
    let Shape { rows: stored, miners, dim } = history.shape();
    let rows = &labels.tape.rows;
    if dim != NUMBERS || rows.last().is_some_and(|&last| last >= stored) {
        return Err(PluginError::data(format!("a history of {stored} rows of {dim} numbers does not fit")));
    }
    let mut desks: Vec<Desk> =
        history.hotkeys().iter().map(|hotkey| Desk::new(labels.skins.of(hotkey))).collect();
    let step = (BLOCK_NUMBERS / (miners * NUMBERS).max(1)).max(1);
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
        let is_same = is_same(numbers, &self.before);
        if is_same && row < self.wakes_at {
            return;
        }
        let of_regimes = || numbers.as_chunks::<FIELDS>().0;
        let before = self.before.as_chunks::<FIELDS>().0;
        for ((machine, now), before) in self.machines.iter_mut().zip(of_regimes()).zip(before) {
            if !is_same && !self::is_same(now, before) {
                machine.change(now, params);
            }
        }
        self.before = *numbers;
        self.book.is_present |= numbers.iter().any(|&x| x != 0.0);
        self.wakes_at = usize::MAX;
        for (regime, now) in of_regimes().iter().enumerate() {
            match self.machines[regime].step(row, now, &labels.tape, params) {
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
fn is_same<const N: usize>(a: &[f32; N], b: &[f32; N]) -> bool {
    a.iter().zip(b).fold(0, |different, (a, b)| different | (a.to_bits() ^ b.to_bits())) == 0
}
