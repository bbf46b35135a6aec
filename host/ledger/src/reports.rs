//! Why computations paid whom: our own tables `host_challenges`, a row per computation and challenge, and `host_reasons`, a row
//! per challenge and miner of the newest computations.

use super::{Ledger, LedgerError};
use mantis_config::Block;
use mantis_plugin_api::{Description, Fact, MinerReport, Salience, WhyZero};
use mantis_weights::Scored;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Computations whose reports are kept: a week of them at one every 1,000 blocks. 256 miners in 12 challenges take about 1 MB of each.
const KEPT: i64 = 50;

impl Ledger {
    /// What each challenge gave in the computation for a block, in the order of the configuration. Miners are there for
    /// the newest computations, a week of them, and left out for those before. Empty where nothing is stored.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn scored(&self, block: Block) -> Result<Vec<Scored>, LedgerError> {
        let sql = "SELECT ticker, weight, seconds, skipped, plugin, facts FROM host_challenges
            WHERE block = ?1 ORDER BY place";
        let mut all = self.record("host_challenges", sql, [block.0], |row| {
            let plugin: Option<String> = row.get(4)?;
            Ok(Scored {
                ticker: row.get(0)?,
                weight: row.get(1)?,
                seconds: row.get(2)?,
                skipped: row.get(3)?,
                description: plugin.and_then(|text| serde_json::from_str::<Description>(&text).ok()),
                salience: Some(Salience { facts: facts(&row.get::<_, String>(5)?), ..Salience::default() }),
                ..Scored::default()
            })
        })?;
        let (mut runs, burns) = (self.runs(block)?, self.burns(block)?);
        for scored in &mut all {
            let run = runs.remove(&scored.ticker).unwrap_or_default();
            (scored.failure, scored.held, scored.made_with) = (run.failure, run.held, run.made_with);
            if let (Some(salience), Some(burn)) = (&mut scored.salience, burns.get(&scored.ticker)) {
                salience.burn = *burn;
            }
        }
        let mut miners = self.reports(block)?;
        for scored in &mut all {
            let (hotkeys, reports) = miners.remove(&scored.ticker).unwrap_or_default().into_iter().unzip();
            scored.hotkeys = hotkeys;
            if let Some(salience) = &mut scored.salience {
                salience.miners = reports;
            }
        }
        for scored in &mut all {
            let nothing = |s: &Salience| s.miners.is_empty() && s.facts.is_empty() && s.burn <= 0.0;
            if scored.skipped.is_some() && scored.salience.as_ref().is_some_and(nothing) {
                scored.salience = None;
            }
        }
        Ok(all)
    }

    /// Every miner's report of a computation, by ticker, in the order of the plugin's columns.
    fn reports(&self, block: Block) -> Result<BTreeMap<String, Vec<(String, MinerReport)>>, LedgerError> {
        let sql = "SELECT ticker, hotkey, salience, why_code, why_text, facts FROM host_reasons
            WHERE block = ?1 ORDER BY ticker, place";
        let rows = self.record("host_reasons", sql, [block.0], |row| {
            let why: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
            let report = MinerReport {
                salience: row.get(2)?,
                why_zero: why.0.zip(why.1).map(|(code, text)| WhyZero { code, text }),
                facts: facts(&row.get::<_, String>(5)?),
            };
            Ok((row.get::<_, String>(0)?, (row.get::<_, String>(1)?, report)))
        })?;
        let mut all: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (ticker, miner) in rows {
            all.entry(ticker).or_default().push(miner);
        }
        Ok(all)
    }
}

/// Stores what a computation's challenges gave, in place of what is stored for the same block.
pub(super) fn write(tx: &Connection, block: Block, scored: &[Scored]) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM host_challenges WHERE block = ?1", [block.0])?;
    tx.execute("DELETE FROM host_reasons WHERE block = ?1", [block.0])?;
    tx.execute(
        "DELETE FROM host_reasons WHERE block <= (
            SELECT block FROM (SELECT DISTINCT block FROM host_challenges WHERE block <> ?1)
            ORDER BY block DESC LIMIT 1 OFFSET ?2)",
        (block.0, KEPT - 1),
    )?;
    let mut challenge = tx.prepare_cached(
        "INSERT INTO host_challenges (block, ticker, place, weight, seconds, skipped, plugin, facts, miners, paid)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut miner = tx.prepare_cached(
        "INSERT INTO host_reasons (block, ticker, hotkey, place, salience, why_code, why_text, facts)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (place, one) in (0_i64..).zip(scored) {
        let Scored { ticker, weight, seconds, skipped, hotkeys, salience, description, .. } = one;
        let plugin = description.as_ref().and_then(|words| serde_json::to_string(words).ok());
        let none = Salience::default();
        let salience = salience.as_ref().unwrap_or(&none);
        let about = text(&salience.facts);
        let paid = salience.miners.iter().filter(|miner| miner.salience > 0.0).count();
        let counts = (hotkeys.len() as i64, paid as i64);
        challenge
            .execute((block.0, ticker, place, weight, seconds, skipped, plugin, about, counts.0, counts.1))?;
        for ((place, hotkey), report) in (0_i64..).zip(hotkeys).zip(&salience.miners) {
            let why = report.why_zero.as_ref();
            let (code, why) = (why.map(|why| &why.code), why.map(|why| &why.text));
            miner.execute((
                block.0,
                ticker,
                hotkey,
                place,
                report.salience,
                code,
                why,
                text(&report.facts),
            ))?;
        }
    }
    Ok(())
}

/// `[["auc",0.53],...]`: in their order.
fn text(facts: &[Fact]) -> String {
    serde_json::Value::from_iter(facts.iter().map(|fact| serde_json::json!([fact.name, fact.value])))
        .to_string()
}

fn facts(text: &str) -> Vec<Fact> {
    let pairs: Vec<(String, f64)> = serde_json::from_str(text).unwrap_or_default();
    pairs.into_iter().map(|(name, value)| Fact { name, value }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Computation;

    #[test]
    fn the_newest_computations_keep_their_miners_and_all_keep_their_challenges() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        assert_eq!(ledger.scored(Block(1000)).unwrap(), []);
        let mut salience = Salience::new(2);
        salience.set(0, 0.1 + 0.2);
        salience.note(0, "auc", 0.53);
        salience.zero(1, WhyZero::constant());
        salience.fact("share_up", 0.5);
        salience.burn = 0.1;
        let paid = Scored {
            ticker: "B".into(),
            weight: 2.0,
            hotkeys: vec!["y".into(), "x".into()],
            salience: Some(salience),
            skipped: None,
            description: Some(Description::new("binary", "1.0.0", "It pays.")),
            seconds: 0.25,
            ..Scored::default()
        };
        let skipped = Scored {
            ticker: "A".into(),
            weight: 1.0,
            hotkeys: Vec::new(),
            salience: None,
            skipped: Some("no plugin".into()),
            description: None,
            seconds: 0.0,
            ..Scored::default()
        };
        let computation = |block| Computation {
            block: Block(block),
            scored: vec![paid.clone(), skipped.clone()],
            ..Computation::default()
        };
        ledger.store_computation(&computation(1000)).unwrap();
        assert_eq!(ledger.scored(Block(1000)).unwrap(), [paid.clone(), skipped.clone()]);
        ledger.store_computation(&computation(2000)).unwrap();
        assert_eq!(ledger.scored(Block(2000)).unwrap(), [paid.clone(), skipped.clone()]);
        assert_eq!(ledger.scored(Block(1000)).unwrap(), [paid.clone(), skipped.clone()]);
        // Again for the same block, and many after it.
        for block in (2000..=51_000).step_by(1000) {
            ledger.store_computation(&computation(block)).unwrap();
        }
        let before = ledger.scored(Block(1000)).unwrap();
        assert_eq!(before[0].salience.as_ref().unwrap().facts[0].value, 0.5);
        assert!(before[0].hotkeys.is_empty());
        assert_eq!(ledger.scored(Block(2000)).unwrap(), [paid, skipped]);
    }
}
