//! What miners are told.

use super::EvidenceParams;
use super::field::{Field, Settled};
use super::pay::{Channel, Pay};
use mantis_plugin_api::{Salience, WhyZero};

/// Everything is burned: there are too few hours for any evidence.
pub(super) fn warming_up(miners: usize, hours: usize, params: &EvidenceParams) -> Salience {
    let mut salience = Salience { burn: 1.0, ..Salience::new(miners) };
    let needed = params.needed_hours();
    let text = format!("warming up: {hours} hours with a price of every asset, {needed} are needed");
    for miner in 0..miners {
        salience.zero(miner, WhyZero::new("warming_up", text.clone()));
    }
    salience.fact("hours", hours as f64);
    salience.fact("hours_needed", needed as f64);
    salience
}

/// Saliences, and the numbers behind them.
pub(super) fn report(
    hotkeys: &[String],
    hours: usize,
    field: &Field,
    settled: &Settled,
    params: &EvidenceParams,
) -> Salience {
    let mut salience = Salience::new(hotkeys.len());
    let Settled { relative, market } = settled;
    let blend = |relative: f64, market: f64| {
        let sum = params.relative_share * relative + (1.0 - params.relative_share) * market;
        if sum > params.dust { sum } else { 0.0 }
    };
    for miner in 0..hotkeys.len() {
        note_standing(&mut salience, miner, field);
        note_channel(&mut salience, miner, "relative", &field.relative, relative);
        note_channel(&mut salience, miner, "market", &field.market, market);
        match blend(relative.shares[miner], market.shares[miner]) {
            0.0 => salience.zero(miner, why(miner, hotkeys, field, settled, params)),
            paid => salience.set(miner, paid),
        }
    }
    salience.burn = blend(relative.burn, market.burn);
    salience.fact("hours", hours as f64);
    for (name, channel, pay) in [("relative", &field.relative, relative), ("market", &field.market, market)] {
        let count = |of: &[bool]| of.iter().filter(|&&is| is).count() as f64;
        salience.fact(&format!("{name}_tested"), count(&channel.takes_part));
        salience.fact(&format!("{name}_passed"), count(&pay.passes));
        salience.fact(&format!("{name}_burn"), pay.burn);
    }
    let paid = salience.miners.iter().filter(|miner| miner.salience > 0.0).count();
    salience.fact("paid_miners", paid as f64);
    salience
}

fn note_standing(salience: &mut Salience, miner: usize, field: &Field) {
    let (attendance, residue) = (&field.attendance[miner], &field.residues[miner]);
    salience.note(miner, "hours_since_first", attendance.age as f64);
    salience.note(miner, "coverage", attendance.coverage);
    salience.note(miner, "probation_coverage", attendance.probation);
    salience.note(miner, "probation_passed", f64::from(attendance.is_through));
    salience.note(miner, "relative_std", field.spreads[miner]);
    salience.note(miner, "active", f64::from(field.relative.takes_part[miner]));
    salience.note(miner, "seniors", residue.seniors as f64);
    salience.note(miner, "left_by_seniors", residue.left);
    if let Some(senior) = residue.nearest {
        salience.note(miner, "like_senior_with_miner", senior as f64);
    }
}

fn note_channel(salience: &mut Salience, miner: usize, name: &str, channel: &Channel, pay: &Pay) {
    let mut note = |what: &str, value: f64| salience.note(miner, &format!("{name}_{what}"), value);
    note("t", channel.evidence[miner].t);
    note("p", channel.evidence[miner].p);
    note("passed", f64::from(pay.passes[miner]));
    note("attribution", channel.profits[miner]);
    note("worth", pay.worth[miner]);
    note("share", pay.shares[miner]);
    if pay.leaders[miner] != miner {
        note("duplicate_with_miner", pay.leaders[miner] as f64);
    }
}

/// Why a miner earns nothing: the first gate that it does not pass.
fn why(
    miner: usize,
    hotkeys: &[String],
    field: &Field,
    settled: &Settled,
    params: &EvidenceParams,
) -> WhyZero {
    let attendance = &field.attendance[miner];
    if attendance.age == 0 {
        return WhyZero::absent();
    }
    if !attendance.is_through {
        let text = format!(
            "on probation: first position {} hours ago, positions in {:.1}% of the newest {hours}; \
             {hours} hours and {:.1}% are needed",
            attendance.age,
            100.0 * attendance.probation,
            100.0 * params.probation_coverage,
            hours = params.probation_hours,
        );
        return WhyZero::new("probation", text);
    }
    if !settled.relative.passes[miner] && !settled.market.passes[miner] {
        let relative = match field.residues[miner].nearest {
            Some(senior) if field.residues[miner].left == 0.0 => {
                format!("it says what {} and others before it said", hotkeys[senior])
            }
            _ if !field.relative.takes_part[miner] => "it hardly moves".into(),
            _ => figures(&field.relative, miner),
        };
        let text = format!(
            "no evidence of foresight: against the market {relative}; of the market {}",
            figures(&field.market, miner)
        );
        return WhyZero::new("evidence", text);
    }
    if settled.relative.worth[miner] + settled.market.worth[miner] <= 0.0 {
        let text = format!(
            "the evidence is enough, but its positions made nothing after fees in the newest {} hours",
            params.pay_window
        );
        return WhyZero::new("no_profit", text);
    }
    WhyZero::new("dust", format!("what it earned is not above {}", params.dust))
}

fn figures(channel: &Channel, miner: usize) -> String {
    let evidence = channel.evidence[miner];
    format!("t {:.2}, p {:.4}", evidence.t, evidence.p)
}
