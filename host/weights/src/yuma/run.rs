//! An epoch.

use super::input::YumaInput;
use super::row::{Row, at, counted, scale_columns, scale_list};
use super::{bonds, consensus};

/// Which bonds share the incentive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bonds {
    /// Those that the chain keeps, one epoch further.
    Next,
    /// Those that they come to when all weights stay as they are.
    Settled,
}

/// What an epoch comes to. Lists are by UID; where nobody earns, they are 0, and the chain pays by stake.
#[derive(Clone, Debug, PartialEq)]
pub struct YumaOutcome {
    /// The stake that counts; sums to 1, or to 0 where none does.
    pub active_stake: Vec<f64>,
    /// The weights that count, each row with sum 1 or empty.
    pub rows: Vec<Row>,
    /// The weight that enough stake gives each miner at least.
    pub consensus: Vec<f64>,
    /// What of a row is not clipped, 0 to 1.
    pub validator_trust: Vec<f64>,
    /// The miners' part of the emission; sums to 1 or 0.
    pub incentive: Vec<f64>,
    /// The part of what is given to a miner that is not clipped, 0 to 1.
    pub trust: Vec<f64>,
    /// The validators' part of the emission; sums to 1 or 0.
    pub dividends: Vec<f64>,
    /// Bonds as the chain stores them, 0 to 1.
    pub bonds: Vec<Row>,
}

/// Runs an epoch.
#[must_use]
pub fn run(input: &YumaInput, which: Bonds) -> YumaOutcome {
    let miners = input.neurons.len();
    let active_stake = active_stake(input);
    let rows = counted(input);
    let consensus = consensus::medians(miners, &active_stake, &rows, input.rules.kappa);
    let clipped = consensus::clip(&rows, &consensus);
    let validator_trust = clipped.iter().map(|row| row.values().sum()).collect();
    let before = ranks(miners, &rows, &active_stake);
    let mut incentive = ranks(miners, &clipped, &active_stake);
    let trust = incentive.iter().zip(&before).map(|(after, b)| if *b > 0.0 { after / b } else { 0.0 });
    let trust = trust.collect();
    scale_list(&mut incentive);
    let followed = bonds::followed(&rows, &clipped, input.rules.bonds_penalty);
    let earning = Earning { active_stake: &active_stake, consensus: &consensus, incentive: &incentive };
    let (dividends, bonds) = if input.rules.yuma3 {
        yuma3(input, which, &followed, &earning)
    } else {
        yuma2(input, which, &followed, &earning)
    };
    YumaOutcome { active_stake, rows, consensus, validator_trust, incentive, trust, dividends, bonds }
}

struct Earning<'a> {
    active_stake: &'a [f64],
    consensus: &'a [f64],
    incentive: &'a [f64],
}

fn yuma2(input: &YumaInput, which: Bonds, followed: &[Row], earning: &Earning<'_>) -> (Vec<f64>, Vec<Row>) {
    let old = (which == Bonds::Next).then(|| bonds::kept(input));
    let mut shares = bonds::shares(old, followed, earning.active_stake, input.rules.alpha);
    let mut dividends = earned(&shares, earning.incentive);
    scale_list(&mut dividends);
    scale_columns(&mut shares, f64::max);
    (dividends, shares)
}

fn yuma3(input: &YumaInput, which: Bonds, followed: &[Row], earning: &Earning<'_>) -> (Vec<f64>, Vec<Row>) {
    let bonds = match which {
        Bonds::Next => {
            let old = bonds::kept(input);
            let agreed = earning.consensus.iter().any(|consensus| *consensus > 0.0);
            match input.rules.liquid_alpha.filter(|_| agreed) {
                Some(liquid) => bonds::liquid(&old, followed, earning.consensus, liquid),
                None => bonds::moved(&old, followed, input.rules.alpha),
            }
        }
        Bonds::Settled => followed.to_vec(),
    };
    let mut shares = bonds.clone();
    scale_columns(&mut shares, |sum, value| sum + value);
    let mut dividends = earned(&shares, earning.incentive);
    dividends.iter_mut().zip(earning.active_stake).for_each(|(dividend, stake)| *dividend *= stake);
    scale_list(&mut dividends);
    (dividends, bonds)
}

fn active_stake(input: &YumaInput) -> Vec<f64> {
    let counts = |uid| input.may_set(uid) && input.is_active(uid);
    let stake = |(uid, stake): (usize, f64)| if counts(uid) { stake } else { 0.0 };
    let mut stake: Vec<f64> =
        input.neurons.iter().map(|neuron| neuron.stake).enumerate().map(stake).collect();
    scale_list(&mut stake);
    stake
}

/// What each miner is given, by stake.
fn ranks(miners: usize, rows: &[Row], stake: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; miners];
    for (row, stake) in rows.iter().zip(stake) {
        for (uid, weight) in row {
            if let Some(rank) = ranks.get_mut(usize::from(*uid)) {
                *rank += stake * weight;
            }
        }
    }
    ranks
}

/// What each validator earns of the incentive, by its shares of the miners.
fn earned(shares: &[Row], incentive: &[f64]) -> Vec<f64> {
    let incentives: Row = (0..=u16::MAX).zip(incentive.iter().copied()).collect();
    let earned = |row: &Row| row.iter().map(|(uid, share)| share * at(&incentives, *uid)).sum();
    shares.iter().map(earned).collect()
}
