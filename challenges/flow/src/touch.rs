//! Which of two prices is reached first.

use std::ops::Range;

/// Rows of a block whose lowest and highest price are kept.
const BLOCK: usize = 64;

/// Lowest and highest price of each row and of each block of rows, so that a search steps over blocks in which nothing is
/// reached. What is found is the same as row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extremes {
    rows: Vec<Wick>,
    blocks: Vec<Wick>,
}

/// Lowest and highest price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wick {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Wick {
    /// Worst and best price for a side (1 long, -1 short), both times the side, so that more is better.
    fn seen_from(self, side: f64) -> (f64, f64) {
        if side > 0.0 { (self.low, self.high) } else { (-self.high, -self.low) }
    }
}

/// What a search came upon; prices are times the side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Touch {
    /// Row in which the stop or the target was reached, and whether it was the stop.
    pub(crate) hit: Option<(usize, bool)>,
    /// Worst price up to that row, it included, or in the whole window.
    pub(crate) worst: f64,
    /// Best price in the same rows.
    pub(crate) best: f64,
}

impl Extremes {
    pub(crate) fn new(rows: Vec<Wick>) -> Self {
        let join = |a: Wick, b: &Wick| Wick { low: a.low.min(b.low), high: a.high.max(b.high) };
        let blocks = rows.chunks(BLOCK).map(|block| block.iter().fold(block[0], join)).collect();
        Self { rows, blocks }
    }

    /// Searches a window for the first row that reaches the stop or the target. Where one row reaches both, it was the stop.
    pub(crate) fn first_touch(&self, window: Range<usize>, side: f64, stop: f64, target: f64) -> Touch {
        let (stop, target) = (stop * side, target * side);
        let mut touch = Touch { hit: None, worst: f64::INFINITY, best: f64::NEG_INFINITY };
        let see = |wick: Wick, touch: &mut Touch| {
            let (worst, best) = wick.seen_from(side);
            touch.worst = touch.worst.min(worst);
            touch.best = touch.best.max(best);
        };
        let mut row = window.start;
        while row < window.end {
            let block_end = (row / BLOCK + 1) * BLOCK;
            if row.is_multiple_of(BLOCK) && block_end <= window.end {
                let (worst, best) = self.blocks[row / BLOCK].seen_from(side);
                if worst > stop && best < target {
                    see(self.blocks[row / BLOCK], &mut touch);
                    row = block_end;
                    continue;
                }
            }
            let end = block_end.min(window.end);
            for (at, &wick) in (row..end).zip(&self.rows[row..end]) {
                see(wick, &mut touch);
                let (worst, best) = wick.seen_from(side);
                if worst <= stop || best >= target {
                    return Touch { hit: Some((at, worst <= stop)), ..touch };
                }
            }
            row = end;
        }
        touch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row_by_row(rows: &[Wick], window: Range<usize>, side: f64, stop: f64, target: f64) -> Touch {
        let mut touch = Touch { hit: None, worst: f64::INFINITY, best: f64::NEG_INFINITY };
        for row in window {
            let (adverse, favourable) =
                if side == 1.0 { (rows[row].low, rows[row].high) } else { (rows[row].high, rows[row].low) };
            touch.worst = touch.worst.min(adverse * side);
            touch.best = touch.best.max(favourable * side);
            let (stopped, reached) = ((adverse - stop) * side <= 0.0, (favourable - target) * side >= 0.0);
            if stopped || reached {
                return Touch { hit: Some((row, stopped)), ..touch };
            }
        }
        touch
    }

    proptest! {
        #[test]
        fn blocks_find_what_rows_find(
            prices in prop::collection::vec((90..110_i32, 0..4_i32), 2..400),
            from in 0..100_usize, length in 0..400_usize, is_long: bool,
            stop in 1..14_i32, target in 1..14_i32,
        ) {
            let wick = |&(low, size): &(i32, i32)| Wick { low: f64::from(low), high: f64::from(low + size) };
            let rows: Vec<Wick> = prices.iter().map(wick).collect();
            let end = (from + length).min(rows.len());
            let window = from.min(end)..end;
            let side = if is_long { 1.0 } else { -1.0 };
            let (stop, target) = (100.0 - side * f64::from(stop), 100.0 + side * f64::from(target));
            let found = Extremes::new(rows.clone()).first_touch(window.clone(), side, stop, target);
            prop_assert_eq!(found, row_by_row(&rows, window, side, stop, target));
        }
    }
}
