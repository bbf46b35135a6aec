//! What stands behind a trade: nothing, a fixed amount, or a bet.

use crate::tape::{BLOCK_SECONDS, Tape};
use crate::{Params, REGIMES};
use mantis_plugin_api::{FactList, FactRow, Market, PluginError, Spec};
use std::collections::BTreeMap;

/// Amounts beyond this are no amounts: there is not so much of any token.
const MAX_ALPHA: f64 = 1e18;

/// What stands behind all miners' trades.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Skins {
    /// Pay goes by size only.
    None,
    /// A fixed amount per hotkey, which weighs its score.
    Static(BTreeMap<String, f64>),
    /// Bets on trades.
    Bets(Bets),
}

/// All bets, and until when one is in time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bets {
    /// By hotkey; sorted by regime and id, one for each.
    by_miner: BTreeMap<String, Vec<Bet>>,
    timing: Timing,
    /// Rows of the list that say nothing: another form, or no amount.
    pub(crate) unreadable: usize,
    /// The block up to which the list is complete, if it is known.
    pub(crate) block: Option<i64>,
}

/// A bet on one trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bet {
    regime: usize,
    id: u32,
    alpha: f64,
    /// Unix time or block, as the [`Timing`] counts.
    posted: f64,
}

/// What tells whether a bet is in time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Timing {
    /// The time of its block, against that of the row: counted back from the time at which the list is complete, as if the
    /// last row were of that moment.
    Clock { now: f64 },
    /// Its block, against that of the row.
    Block,
}

/// What stands behind one trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Backing {
    /// Nothing is asked for.
    Free,
    /// A bet, in alpha.
    Bet(f64),
    /// A bet that was posted too late.
    Late,
    /// No bet.
    Missing,
}

/// Refuses a challenge that is not given the list of facts that its skin needs.
pub(crate) fn require_list(spec: &Spec, params: &Params) -> Result<(), PluginError> {
    let skin = params.skin.as_str();
    if skin == "none" || spec.facts.iter().any(|name| name == skin) {
        return Ok(());
    }
    let allowed = format!("a list `{skin}`, which skin = \"{skin}\" needs");
    Err(PluginError::spec("facts", format!("no list `{skin}`"), allowed))
}

impl Skins {
    /// Reads the list of facts that the parameters name.
    pub(crate) fn new(market: &Market, params: &Params) -> Result<Self, PluginError> {
        let skin = params.skin.as_str();
        if skin == "none" {
            return Ok(Self::None);
        }
        let list = market.fact_list(skin).ok_or_else(|| {
            PluginError::data(format!(
                "skin = \"{skin}\" needs the list of facts `{skin}`, which is not given; declare it"
            ))
        })?;
        match skin {
            "bets" => Ok(Self::Bets(Bets::new(list, params)?)),
            _ => Ok(Self::Static(amounts(list)?)),
        }
    }

    /// The trades of one miner are asked about one after the other.
    pub(crate) fn of(&self, hotkey: &str) -> MinerSkin<'_> {
        match self {
            Self::None => MinerSkin::Free,
            Self::Static(amounts) => MinerSkin::Fixed(amounts.get(hotkey).copied().unwrap_or(0.0)),
            Self::Bets(bets) => {
                MinerSkin::Bets(bets, bets.by_miner.get(hotkey).map_or(&[], |of_miner| of_miner.as_slice()))
            }
        }
    }
}

/// What stands behind one miner's trades.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MinerSkin<'a> {
    Free,
    Fixed(f64),
    Bets(&'a Bets, &'a [Bet]),
}

impl MinerSkin<'_> {
    /// What stands behind the trade of an id.
    pub(crate) fn behind(&self, regime: usize, id: u32, row: usize, tape: &Tape, params: &Params) -> Backing {
        let Self::Bets(bets, of_miner) = self else { return Backing::Free };
        let Ok(at) = of_miner.binary_search_by_key(&(regime, id), |bet| (bet.regime, bet.id)) else {
            return Backing::Missing;
        };
        let is_in_time = of_miner[at].posted <= bets.timing.deadline(row, tape, params);
        if is_in_time { Backing::Bet(of_miner[at].alpha) } else { Backing::Late }
    }

    /// What a miner's score is weighed with.
    pub(crate) fn weight(&self) -> f64 {
        if let Self::Fixed(alpha) = self { *alpha } else { 1.0 }
    }

    /// What a trade's result is a part of, in alpha, for the settlement (scoring: flow, settlement).
    pub(crate) fn stake(&self, backing: Backing, size: f64) -> f64 {
        match (self, backing) {
            (Self::Fixed(alpha), _) => *alpha,
            (_, Backing::Bet(alpha)) => alpha / size,
            _ => 0.0,
        }
    }
}

impl Backing {
    /// What a trade's pay is multiplied by: a bet takes the place of the size.
    pub(crate) fn factor(self, size: f64) -> f64 {
        match self {
            Self::Free => 1.0,
            Self::Bet(alpha) => alpha / size,
            Self::Late | Self::Missing => 0.0,
        }
    }
}

impl Bets {
    fn new(list: &FactList, params: &Params) -> Result<Self, PluginError> {
        let timing = Timing::new(list, params)?;
        let mut by_miner: BTreeMap<String, Vec<Bet>> = BTreeMap::new();
        let mut unreadable = 0;
        for row in &list.rows {
            match timing.bet(row) {
                Some(bet) => by_miner.entry(row.hotkey.clone()).or_default().push(bet),
                None => unreadable += 1,
            }
        }
        for bets in by_miner.values_mut() {
            // Of two posts of one trade the first counts: the sort is stable.
            bets.sort_by_key(|bet| (bet.regime, bet.id));
            bets.dedup_by_key(|bet| (bet.regime, bet.id));
        }
        Ok(Self { by_miner, timing, unreadable, block: list.block })
    }

    /// Bets that can be read, one for each trade.
    pub(crate) fn count(&self) -> usize {
        self.by_miner.values().map(Vec::len).sum()
    }
}

impl Timing {
    fn new(list: &FactList, params: &Params) -> Result<Self, PluginError> {
        if params.bet_time == "clock" {
            let now = list
                .time
                .filter(|time| time.is_finite())
                .ok_or_else(|| missing(list, "the time of the chain", "bet_time = \"clock\""))?;
            return Ok(Self::Clock { now });
        }
        list.block.map(|_| Self::Block).ok_or_else(|| missing(list, "a block", "bet_time = \"block\""))
    }

    /// Reads a row [regime, id, alpha]; `None` if it is not one. A bet whose moment is not known is never in time.
    fn bet(self, row: &FactRow) -> Option<Bet> {
        let &[regime, id, alpha] = row.numbers.as_slice() else { return None };
        let is_whole = |x: f64, below: f64| (0.0..below).contains(&x) && x.fract() == 0.0;
        if !is_whole(regime, REGIMES as f64) || !is_whole(id, 4_294_967_296.0) {
            return None;
        }
        let posted = match self {
            Self::Clock { .. } => row.time,
            Self::Block => row.block.map(|block| block as f64),
        };
        let posted = posted.filter(|posted| !posted.is_nan()).unwrap_or(f64::INFINITY);
        let bet = Bet { regime: regime as usize, id: id as u32, alpha, posted };
        (0.0..=MAX_ALPHA).contains(&alpha).then_some(bet)
    }

    /// Unix time or block until which a trade that is opened in a row can be bet on (scoring: flow, bets).
    fn deadline(self, row: usize, tape: &Tape, params: &Params) -> f64 {
        match self {
            Self::Clock { now } => {
                now + (tape.hours[row] - tape.last_hour()) * 3_600.0 + params.bet_grace_seconds
            }
            Self::Block => tape.blocks[row] + params.bet_grace_seconds / BLOCK_SECONDS,
        }
    }
}

/// The fixed amounts, by hotkey; the first of two counts.
fn amounts(list: &FactList) -> Result<BTreeMap<String, f64>, PluginError> {
    if list.time.is_none() && list.rows.is_empty() {
        return Err(missing(list, "any row", "skin = \"static\""));
    }
    let mut amounts = BTreeMap::new();
    for row in &list.rows {
        let alpha = row.numbers.first().copied().filter(|alpha| (0.0..=MAX_ALPHA).contains(alpha));
        amounts.entry(row.hotkey.clone()).or_insert(alpha.unwrap_or(0.0));
    }
    Ok(amounts)
}

/// A list that has not had what is needed yet.
fn missing(list: &FactList, what: &str, needs: &str) -> PluginError {
    PluginError::data(format!(
        "the list of facts `{}` does not have {what} yet, which {needs} needs: its source has not answered",
        list.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{market, tape};

    const ROWS: [(i64, f64, f64, f64); 3] = [(0, 1.0, 1.0, 1.0), (60, 1.0, 1.0, 1.0), (120, 1.0, 1.0, 1.0)];

    fn params(skin: &str, bet_time: &str) -> Params {
        Params { skin: skin.into(), bet_time: bet_time.into(), ..Params::default() }
    }

    fn fact(hotkey: &str, block: i64, time: f64, numbers: &[f64]) -> FactRow {
        FactRow { hotkey: hotkey.into(), block: Some(block), time: Some(time), numbers: numbers.to_vec() }
    }

    fn skins(name: &str, block: Option<i64>, time: Option<f64>, rows: Vec<FactRow>, bet_time: &str) -> Skins {
        read(name, block, time, rows, bet_time).unwrap()
    }

    fn read(
        name: &str,
        block: Option<i64>,
        time: Option<f64>,
        rows: Vec<FactRow>,
        bet_time: &str,
    ) -> Result<Skins, PluginError> {
        let list = FactList { name: name.into(), block, time, rows };
        let market = Market { facts: vec![FactList::default(), list], ..market(&ROWS) };
        Skins::new(&market, &params(name, bet_time))
    }

    fn behind(skins: &Skins, hotkey: &str, regime: usize, id: u32, row: usize, bet_time: &str) -> Backing {
        skins.of(hotkey).behind(regime, id, row, &tape(&ROWS), &params("bets", bet_time))
    }

    #[test]
    fn a_bet_is_found_by_hotkey_regime_and_id() {
        let rows = vec![
            fact("b", 0, 0.0, &[2.0, 7.0, 1.5]),
            fact("a", 0, 0.0, &[2.0, 7.0, 2.5]),
            fact("a", 0, 0.0, &[0.0, 9.0, 3.5]),
            fact("a", 0, 0.0, &[2.0, 7.0, 9.5]),
        ];
        let skins = skins("bets", None, Some(1e6), rows, "clock");
        let found = |hotkey, regime, id| behind(&skins, hotkey, regime, id, 0, "clock");
        assert_eq!((found("a", 2, 7), found("b", 2, 7)), (Backing::Bet(2.5), Backing::Bet(1.5)));
        assert_eq!(found("a", 0, 9), Backing::Bet(3.5));
        for (hotkey, regime, id) in [("a", 1, 7), ("a", 2, 9), ("b", 0, 9), ("c", 2, 7)] {
            assert_eq!(found(hotkey, regime, id), Backing::Missing, "{hotkey} {regime} {id}");
        }
    }

    #[test]
    fn of_two_posts_the_first_counts_even_if_it_is_late() {
        let rows = vec![fact("a", 0, 1e9, &[0.0, 1.0, 1.0]), fact("a", 0, 0.0, &[0.0, 1.0, 2.0])];
        let skins = skins("bets", None, Some(1e6), rows, "clock");
        assert_eq!(behind(&skins, "a", 0, 1, 0, "clock"), Backing::Late);
    }

    #[test]
    fn by_clock_the_last_row_is_of_the_moment_of_the_list() {
        // Row 1 is an hour before the last: until 1,000,000 - 3,600 + 900.
        let posted = |time| {
            let skins = skins("bets", None, Some(1e6), vec![fact("a", 0, time, &[0.0, 1.0, 1.0])], "clock");
            behind(&skins, "a", 0, 1, 1, "clock")
        };
        assert_eq!((posted(997_300.0), posted(997_300.5)), (Backing::Bet(1.0), Backing::Late));
        assert_eq!(posted(f64::NAN), Backing::Late);
    }

    #[test]
    fn by_block_no_clock_is_asked() {
        // Row 1 was sampled in block 300; 900 s are 75 blocks.
        let posted = |block, time| {
            let rows = vec![fact("a", block, time, &[0.0, 1.0, 1.0])];
            behind(&skins("bets", Some(9_999), None, rows, "block"), "a", 0, 1, 1, "block")
        };
        assert_eq!((posted(375, 1e12), posted(376, 0.0)), (Backing::Bet(1.0), Backing::Late));
        let rows = vec![FactRow { block: None, ..fact("a", 0, 0.0, &[0.0, 1.0, 1.0]) }];
        let unknown = skins("bets", Some(9_999), None, rows, "block");
        assert_eq!(behind(&unknown, "a", 0, 1, 1, "block"), Backing::Late);
    }

    #[test]
    fn rows_that_say_nothing_are_counted() {
        let numbers: [&[f64]; 8] = [
            &[0.0, 1.0],
            &[4.0, 1.0, 1.0],
            &[0.5, 1.0, 1.0],
            &[-1.0, 1.0, 1.0],
            &[0.0, 1.5, 1.0],
            &[0.0, 1.0, f64::NAN],
            &[0.0, 1.0, -1.0],
            &[0.0, 1.0, 1e300],
        ];
        let rows = numbers.iter().map(|numbers| fact("a", 0, 0.0, numbers)).collect();
        let Skins::Bets(bets) = skins("bets", None, Some(1e6), rows, "clock") else { panic!("no bets") };
        assert_eq!((bets.unreadable, bets.count()), (8, 0));
    }

    #[test]
    fn a_bet_takes_the_place_of_the_size_and_a_fixed_amount_weighs_the_score() {
        let factors =
            [Backing::Free, Backing::Bet(3.0), Backing::Late, Backing::Missing].map(|b| b.factor(0.25));
        assert_eq!(factors, [1.0, 12.0, 0.0, 0.0]);
        let rows = vec![fact("a", 0, 0.0, &[3.0]), fact("b", 0, 0.0, &[-3.0]), fact("a", 0, 0.0, &[9.0])];
        let fixed = skins("static", None, None, rows, "clock");
        let weights = ["a", "b", "c"].map(|hotkey| fixed.of(hotkey).weight());
        assert_eq!((weights, Skins::None.of("a").weight()), ([3.0, 0.0, 0.0], 1.0));
        assert_eq!(behind(&fixed, "a", 0, 1, 0, "clock"), Backing::Free);
        let stakes =
            [fixed.of("a").stake(Backing::Free, 0.25), Skins::None.of("a").stake(Backing::Free, 0.25)];
        assert_eq!(stakes, [3.0, 0.0]);
    }

    #[test]
    fn a_list_that_is_not_there_yet_is_an_error() {
        let error = |name: &str, block, time, bet_time: &str| {
            read(name, block, time, Vec::new(), bet_time).unwrap_err().to_string()
        };
        let says = "the list of facts `bets` does not have the time of the chain yet, which bet_time = \"clock\" needs: \
                    its source has not answered";
        assert_eq!(error("bets", Some(1), None, "clock"), says);
        assert!(error("bets", None, Some(1.0), "block").contains("does not have a block yet"));
        assert!(error("static", None, None, "clock").contains("does not have any row yet"));
        let error = Skins::new(&market(&ROWS), &params("bets", "clock")).unwrap_err().to_string();
        assert_eq!(error, "skin = \"bets\" needs the list of facts `bets`, which is not given; declare it");
        // One that has answered may be empty.
        assert!(read("static", None, Some(1.0), Vec::new(), "clock").is_ok());
    }
}
