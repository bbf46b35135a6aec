//! What trades would win and lose in alpha: for display, nothing is sent.

use crate::Params;
use crate::tape::{BLOCK_SECONDS, Tape};
use mantis_plugin_api::Market;

/// Parts of an alpha that are paid out.
const RAO: f64 = 1e9;

/// Losses this near to what can be lost have reached it.
const ROUNDING: f64 = 1e-12;

/// The running period of the settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// Its first row.
    pub(crate) from_row: usize,
}

/// A trade of a period that something stands behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stake {
    /// Row in which it ended.
    pub(crate) row: usize,
    pub(crate) regime: usize,
    /// What it won or lost.
    pub(crate) money: f64,
    /// What that is a part of.
    pub(crate) stake: f64,
}

/// What a miner is left with in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Balance {
    /// What it lost, not negative.
    pub(crate) loss: f64,
    /// What it won, not negative.
    pub(crate) claim: f64,
}

impl Period {
    /// The period of the last row, where its time is known (scoring: flow, settlement).
    pub(crate) fn running(market: &Market, tape: &Tape, params: &Params) -> Option<Self> {
        let list = market.fact_list(&params.skin)?;
        let (now, last) = (list.time.filter(|time| time.is_finite())?, *tape.blocks.last()?);
        // Where rows are known by block, so is their time; else the last one is taken to be of this moment.
        let newest = if params.bet_time == "block" { list.block.map(|block| block as f64)? } else { last };
        let time = |block: f64| now + (block - newest) * BLOCK_SECONDS;
        let length = params.period_hours * 3_600.0;
        let start = params.period_zero + ((time(last) - params.period_zero) / length).floor() * length;
        Some(Self { from_row: tape.blocks.partition_point(|&block| time(block) < start) })
    }
}

impl Balance {
    /// Settles one miner's trades. Once losses reach a part of its largest stake, the rest of the period is void
    /// (scoring: flow, settlement).
    pub(crate) fn of(stakes: &mut [Stake], params: &Params) -> Self {
        stakes.sort_by_key(|stake| (stake.row, stake.regime));
        let largest = stakes.iter().fold(0.0_f64, |largest, stake| largest.max(stake.stake));
        let budget = params.period_loss_cap * largest;
        let (mut gross, mut net) = (0.0, 0.0);
        for stake in stakes.iter() {
            if gross >= budget - ROUNDING {
                break;
            }
            let money = stake.money.max(gross - budget);
            gross += (-money).max(0.0);
            net += money;
        }
        Self { loss: (-net).clamp(0.0, largest), claim: net.max(0.0) }
    }
}

/// Splits what was lost among those who won, by what they won, in whole rao (scoring: flow, settlement).
pub(crate) fn payouts(balances: &[Balance]) -> Vec<f64> {
    let pool = (balances.iter().map(|balance| balance.loss).sum::<f64>() * RAO).floor();
    let claims: f64 = balances.iter().map(|balance| balance.claim).sum();
    if claims <= 0.0 {
        return vec![0.0; balances.len()];
    }
    let mut parts: Vec<f64> =
        balances.iter().map(|balance| (pool * (balance.claim / claims)).floor()).collect();
    let rest = (pool - parts.iter().sum::<f64>()).max(0.0);
    let mut largest = 0;
    for (miner, balance) in balances.iter().enumerate() {
        if balance.claim > balances[largest].claim {
            largest = miner;
        }
    }
    parts[largest] += rest;
    parts.into_iter().map(|part| part / RAO).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::{MarketBuilder, spec};
    use mantis_plugin_api::{FactList, Solver};

    fn stake(row: usize, money: f64, stake: f64) -> Stake {
        Stake { row, regime: 0, money, stake }
    }

    fn balance(stakes: &[Stake]) -> (f64, f64) {
        let Balance { loss, claim } = Balance::of(&mut stakes.to_vec(), &Params::default());
        (loss, claim)
    }

    #[test]
    fn wins_and_losses_add_up() {
        assert_eq!(balance(&[]), (0.0, 0.0));
        assert_eq!(balance(&[stake(1, 0.5, 8.0), stake(2, -1.5, 8.0), stake(3, 2.0, 8.0)]), (0.0, 1.0));
        assert_eq!(balance(&[stake(1, 0.5, 8.0), stake(2, -1.5, 8.0)]), (1.0, 0.0));
    }

    #[test]
    fn the_loss_that_reaches_the_cap_is_cut_and_what_comes_later_is_void() {
        // A quarter of the largest stake, 8, can be lost.
        assert_eq!(balance(&[stake(1, -1.5, 4.0), stake(2, -1.5, 8.0), stake(3, 9.0, 8.0)]), (2.0, 0.0));
        assert_eq!(balance(&[stake(3, 9.0, 8.0), stake(2, -1.5, 8.0), stake(1, -1.5, 4.0)]), (2.0, 0.0));
        // Gains do not add to it.
        assert_eq!(balance(&[stake(1, 1.0, 8.0), stake(2, -2.0, 8.0), stake(3, 9.0, 8.0)]), (1.0, 0.0));
    }

    #[test]
    fn trades_that_end_together_go_by_regime() {
        let of_regime = |regime, money| Stake { row: 5, regime, money, stake: 4.0 };
        assert_eq!(balance(&[of_regime(2, 3.0), of_regime(1, -2.0)]), (1.0, 0.0));
        assert_eq!(balance(&[of_regime(2, -2.0), of_regime(1, 3.0)]), (0.0, 2.0));
    }

    #[test]
    fn a_pool_is_paid_out_in_whole_rao_and_the_rest_to_the_largest_claim() {
        let balance = |loss, claim| Balance { loss, claim };
        let paid = payouts(&[balance(0.0, 1.0), balance(5e-9, 0.0), balance(0.0, 1.0), balance(5e-9, 1.0)]);
        assert_eq!(paid, [4e-9, 0.0, 3e-9, 3e-9]);
        let paid = payouts(&[balance(0.0, 1.0), balance(1.0, 0.0), balance(0.0, 3.0)]);
        assert_eq!(paid, [0.25, 0.0, 0.75]);
        assert_eq!(payouts(&[balance(3.0, 0.0), balance(0.0, 0.0)]), [0.0, 0.0]);
        assert!(payouts(&[]).is_empty());
    }

    fn period(bet_time: &str, block: Option<i64>, time: Option<f64>) -> Option<usize> {
        let list = FactList { name: "bets".into(), block, time, rows: Vec::new() };
        let market = MarketBuilder::new(1).rows([[1.0]; 301]).build();
        let market = Market { facts: vec![list], ..market };
        let params = Params {
            skin: "bets".into(),
            bet_time: bet_time.into(),
            period_zero: 1_000.0,
            period_hours: 1.0,
            ..Params::default()
        };
        let tape = Tape::new(&market, &spec(crate::NUMBERS, 0, Solver::Exact), &params).unwrap();
        Period::running(&market, &tape, &params).map(|period| period.from_row)
    }

    #[test]
    fn the_running_period_is_that_of_the_last_row() {
        // The last of 301 rows, a minute apart, is at the list's time: 1,000 + 2 h + 600 s.
        let time = 1_000.0 + 7_200.0 + 600.0;
        assert_eq!(period("clock", None, Some(time)), Some(290));
        // By block, it is 50 blocks before the list's: exactly at the period's start.
        assert_eq!(period("block", Some(1_550), Some(time)), Some(300));
        assert_eq!(period("block", Some(1_551), Some(time)), Some(241));
        assert_eq!((period("clock", None, None), period("block", None, Some(time))), (None, None));
    }
}
