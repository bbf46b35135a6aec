//! Which prices of a sampled block are hardly to be believed.

use mantis_config::{Config, Doubtful};
use mantis_ledger::{DoubtfulPrice, Ledger, LedgerError, SampledBlock};
use mantis_network::market::{PriceDoubt, doubt};

/// Rows before it that a price is held against.
const ROWS: i64 = 5;
/// Prices that are named in a message.
const NAMED: usize = 5;

/// The prices of a block that are hardly to be believed; they are taken out of its rows if the configuration says so.
pub(crate) fn doubtful_prices(
    config: &Config,
    ledger: &Ledger,
    step: &mut SampledBlock,
) -> Result<Vec<DoubtfulPrice>, LedgerError> {
    let stored = config.market.doubtful == Doubtful::Store;
    let mut all = Vec::new();
    for row in &mut step.rows {
        let Some(challenge) = config.challenges.iter().find(|challenge| challenge.ticker == row.ticker)
        else {
            continue;
        };
        if row.price.is_none_or(|price| price == 0.0) && row.price_data.is_none() {
            continue;
        }
        let before = ledger.prices_before(&row.ticker, step.sidx, ROWS)?;
        let mut judge = |asset: &str, price: f64| {
            let found = doubt(challenge.quotes, price, before.get(asset).map_or(&[], Vec::as_slice));
            let Some(PriceDoubt { code, usual }) = found else { return false };
            let (ticker, asset, code) = (row.ticker.clone(), asset.to_owned(), code.to_owned());
            all.push(DoubtfulPrice { ticker, sidx: step.sidx, asset, price, usual, code, stored });
            true
        };
        if let Some(price) = &mut row.price
            && *price != 0.0
            && judge("", *price)
            && !stored
        {
            // The feed's word for none.
            *price = 0.0;
        }
        if let Some(prices) = &mut row.price_data {
            prices.retain(|(asset, price)| !judge(asset, *price) || stored);
        }
    }
    Ok(all)
}

/// Prices that are hardly to be believed, in words; `None` if there are none.
pub(crate) fn in_words(doubtful: &[DoubtfulPrice]) -> Option<String> {
    let word = |one: &DoubtfulPrice| {
        let asset = if one.asset.is_empty() { String::new() } else { format!(" {}", one.asset) };
        let usual = one.usual.map_or(String::new(), |usual| format!(" after {usual:e}"));
        format!("{}{asset} {:e}{usual}", one.ticker, one.price)
    };
    let mut words: Vec<String> = doubtful.iter().take(NAMED).map(word).collect();
    let more = doubtful.len().saturating_sub(NAMED);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::{Block, Sidx};
    use mantis_ledger::NewRow;
    use std::path::Path;

    fn config(market: &str) -> Config {
        let text = format!(
            "[market]\n{market}\n[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\n\
             blocks_ahead=300\nweight=1\n[[challenge]]\nname=\"B\"\nticker=\"B\"\nplugin=\"xsec\"\nassets=[\"X\", \"Y\"]\ndim=2\n\
             blocks_ahead=300\nweight=1"
        );
        Config::parse(&text, Path::new("a.toml")).unwrap()
    }

    fn step(k: i64, a: f64, x: f64) -> SampledBlock {
        let one = NewRow { ticker: "A".into(), price: Some(a), ..NewRow::default() };
        let prices = vec![("X".to_owned(), x), ("Y".to_owned(), 5.0)];
        let many = NewRow { ticker: "B".into(), price_data: Some(prices), ..NewRow::default() };
        SampledBlock { block: Block(5 * k), sidx: Sidx(k), rows: vec![one, many] }
    }

    #[test]
    fn a_wrong_price_is_marked_and_taken_out_only_if_that_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        ledger.append_many((0..5).map(|k| step(k, 3000.0, 2.0)), 10).unwrap();
        let judged = |market: &str, a: f64, x: f64| {
            let mut step = step(5, a, x);
            let all = doubtful_prices(&config(market), &ledger, &mut step).unwrap();
            (in_words(&all), step.rows[0].price, step.rows[1].price_data.as_ref().unwrap().len())
        };
        assert_eq!(judged("", 3100.0, 2.1), (None, Some(3100.0), 2));
        let words = Some("A 1e308 after 3e3, B X 2e1 after 2e0".to_owned());
        assert_eq!(judged("", 1e308, 20.0), (words.clone(), Some(1e308), 2));
        assert_eq!(judged("doubtful = \"leave_out\"", 1e308, 20.0), (words, Some(0.0), 1));
        // None is none, and no doubt.
        assert_eq!(judged("", 0.0, 2.0), (None, Some(0.0), 2));
    }
}
