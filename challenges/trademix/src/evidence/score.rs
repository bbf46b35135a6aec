//! From positions to saliences.

use super::attendance::Attendance;
use super::books::Book;
use super::cosines::Cosines;
use super::field::{Field, Settled};
use super::null::Null;
use super::panel::Panel;
use super::profit::profit;
use super::seniority::residualise;
use super::{EvidenceParams, report};
use crate::moments::spread;
use mantis_plugin_api::{History, PluginError, Progress, Salience};

impl Panel {
    /// Pays miners of `history` (scoring: trademix, evidence); `fee` is the cost of changing a position by 1.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(crate) fn score(
        &self,
        history: &dyn History,
        params: &EvidenceParams,
        fee: f64,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        if miners == 0 {
            return Ok(Salience::empty(0, "no miner ever sent a position"));
        }
        if self.rows.len() < params.needed_hours() {
            return Ok(report::warming_up(miners, self.rows.len(), params));
        }
        let mut field = self.read(history, params, fee, progress)?;
        let cosines = Cosines::new(&field.newest);
        self.compare(&mut field, &cosines, params, progress);
        let coverage: Vec<f64> = field.attendance.iter().map(|attendance| attendance.coverage).collect();
        let settled = Settled {
            relative: field.relative.pay(&coverage, &cosines, params),
            market: field.market.pay(&coverage, &cosines, params),
        };
        Ok(report::report(history.hotkeys(), self.rows.len(), &field, &settled, params))
    }

    /// Reads miner by miner what does not depend on others: books, attendance, profits, evidence of the market channel.
    fn read(
        &self,
        history: &dyn History,
        params: &EvidenceParams,
        fee: f64,
        progress: &dyn Progress,
    ) -> Result<Field, PluginError> {
        let miners = history.shape().miners;
        let returns = [self.factors.market.as_slice()];
        let null = Null::new(&returns, std::iter::once((params.market_horizon, 1.0)), params);
        let relative_returns: Vec<&[f64]> = self.factors.relative.iter().map(Vec::as_slice).collect();
        let mut field = Field::default();
        for miner in 0..miners {
            progress.report(0.5 * miner as f64 / miners as f64);
            let Book { market, relative, submitted } = Book::read(history, miner, self)?;
            let relative: Vec<&[f64]> = relative.iter().map(Vec::as_slice).collect();
            let attendance = Attendance::new(&submitted, params);
            let spread = spread(&mut from(&relative, params.warmup));
            field.market.takes_part.push(attendance.is_through);
            field.market.profits.push(profit(&[&market], &returns, params.pay_window, fee));
            field.market.evidence.push(null.evidence(&[&market]));
            field.relative.takes_part.push(attendance.is_through && spread >= params.min_std);
            field.relative.profits.push(profit(&relative, &relative_returns, params.pay_window, fee));
            field.newest.push(from(&relative, self.rows.len().saturating_sub(params.dedup_window)));
            field.books.push(relative.concat());
            field.attendance.push(attendance);
            field.spreads.push(spread);
        }
        Ok(field)
    }

    /// Takes seniors' books out of juniors', and measures what is left.
    fn compare(
        &self,
        field: &mut Field,
        cosines: &Cosines,
        params: &EvidenceParams,
        progress: &dyn Progress,
    ) {
        let miners = field.attendance.len();
        // By hotkey where the first positions are of the same hour: columns are sorted by it.
        let mut order: Vec<usize> = (0..miners).collect();
        order.sort_by_key(|&miner| field.attendance[miner].first);
        field.residues = residualise(&mut field.books, &order, cosines, params);
        let returns: Vec<&[f64]> = self.factors.relative.iter().map(Vec::as_slice).collect();
        let horizons = params.horizons.iter().copied().zip(params.blend.iter().copied());
        let null = Null::new(&returns, horizons, params);
        for (miner, book) in field.books.iter().enumerate() {
            progress.report(0.5 + 0.5 * miner as f64 / miners as f64);
            let book: Vec<&[f64]> = book.chunks(self.rows.len()).collect();
            field.relative.evidence.push(null.evidence(&book));
        }
    }
}

/// The hours from one on, assets one behind another.
fn from(book: &[&[f64]], first: usize) -> Vec<f64> {
    book.iter().flat_map(|of_asset| of_asset.get(first..).unwrap_or_default()).copied().collect()
}
