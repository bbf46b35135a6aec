//! From rows to saliences.

use crate::pay::{Account, Hours, pay};
use crate::report::Miner;
use crate::settle::{Balance, payouts};
use crate::skin::{MinerSkin, Skins};
use crate::stream::{Book, books};
use crate::{Flow, Labels};
use mantis_plugin_api::{History, PluginError, Progress, Salience, Score, WhyZero};

impl Score for Flow {
    fn score(
        &self,
        history: &dyn History,
        labels: &Labels,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        if miners == 0 {
            return Ok(Salience::empty(0, "no miner has stored anything"));
        }
        let mut salience = Salience::new(miners);
        self.note_market(labels, &mut salience);
        if labels.tape.len() < 2 || labels.tape.span() < self.params.warmup_hours {
            self.warm_up(labels, &mut salience);
            return Ok(salience);
        }
        let books = books(history, labels, &self.params, progress)?;
        self.pay(history.hotkeys(), labels, books, &mut salience);
        Ok(salience)
    }
}

impl Flow {
    /// Numbers about rows and facts.
    fn note_market(&self, labels: &Labels, salience: &mut Salience) {
        salience.fact("rows", labels.tape.len() as f64);
        salience.fact("hours", labels.tape.span());
        salience.fact("hours_needed", self.params.warmup_hours);
        salience.fact("tail_hours", labels.tape.tail.iter().filter(|is_tail| **is_tail).count() as f64);
        if let Skins::Bets(bets) = &labels.skins {
            if let Some(block) = bets.block {
                salience.fact("bets_block", block as f64);
            }
            salience.fact("bets", bets.count() as f64);
            salience.fact("bets_unreadable", bets.unreadable as f64);
        }
    }

    /// All is burned as long as there are too few rows.
    fn warm_up(&self, labels: &Labels, salience: &mut Salience) {
        let text = format!(
            "warming up: {} rows over {:.1} hours, {} hours are needed; all is burned",
            labels.tape.len(),
            labels.tape.span(),
            self.params.warmup_hours
        );
        for miner in 0..salience.miners.len() {
            salience.zero(miner, WhyZero::new("warming_up", text.as_str()));
        }
        salience.burn = 1.0;
    }

    /// Pays, burns the rest, and says why (scoring: flow, pay).
    fn pay(&self, hotkeys: &[String], labels: &Labels, mut books: Vec<Book>, salience: &mut Salience) {
        let params = &self.params;
        let hours = Hours::new(&labels.tape, params);
        let skins: Vec<_> = hotkeys.iter().map(|hotkey| labels.skins.of(hotkey)).collect();
        let account = |(book, skin): (&Book, &MinerSkin)| {
            Account::new(&book.closed, skin.weight(), &labels.tape, hours, params)
        };
        let accounts: Vec<Account> = books.iter().zip(&skins).map(account).collect();
        let pays = pay(&accounts, hours, params);
        let balances: Vec<Balance> =
            books.iter_mut().map(|book| Balance::of(&mut book.stakes, params)).collect();
        let paid_out = payouts(&balances);
        for (column, book) in books.iter().enumerate() {
            let settled = labels.period.map(|_| (balances[column], paid_out[column]));
            let (account, skin, pay) = (&accounts[column], skins[column], pays[column]);
            let miner = Miner { book, account, skin, pay, settled, now: labels.tape.last_hour() };
            miner.report(column, params, salience);
        }
        let paid: f64 = pays.iter().map(|pay| pay.share).sum();
        salience.burn = (1.0 - paid).max(0.0);
        salience.fact("trades_opened", books.iter().map(|book| book.opened).sum::<usize>() as f64);
        salience.fact("trades_resolved", books.iter().map(|book| book.closed.len()).sum::<usize>() as f64);
        salience.fact("paid_miners", pays.iter().filter(|pay| pay.share > 0.0).count() as f64);
        salience.fact("burned", salience.burn);
    }
}
