//! How agreement is said.

use super::output::{Table, short};
use mantis_network::chain::BLOCK_SECONDS;
use mantis_validator::agreement::{Agreement, MinerDifference, Reasons, RowAgreement};

/// Challenges that are named of each miner.
const CHALLENGES: usize = 3;

/// The answer for people; `miners` is how many differ, those that are not listed too.
pub(super) fn text(agreement: &Agreement, miners: usize) -> String {
    let about = about(agreement);
    let our_rows = our_rows(agreement);
    let validators = validators(agreement);
    let differences = differences(agreement, miners);
    format!("{about}\n{our_rows}\n{validators}\n{differences}")
}

fn about(agreement: &Agreement) -> String {
    let Agreement { block, computed, subnet, ours, .. } = agreement;
    let mut text = format!(
        "subnet {} at block {block}, against the weights that the ledger holds for block {computed}\n",
        subnet.netuid
    );
    text += &match ours {
        Some(ours) => format!(
            "{} is UID {}, with {} of the stake that counts; {}\n",
            ours.hotkey,
            ours.uid,
            percent(ours.stake),
            match (&agreement.shown, ours.committed) {
                (None, None) => "the chain shows no weights of it".to_owned(),
                (None, Some(age)) =>
                    format!("the chain shows no weights of it yet: it committed some {}", ago(age)),
                (Some(_), None) => format!("it set its weights {}", ago(ours.age)),
                (Some(_), Some(age)) => format!(
                    "its weights that are shown are of before {}, when it committed others that are not shown yet",
                    ago(age)
                ),
            }
        ),
        None => "no --hotkey: the weights stand as those of somebody without stake\n".into(),
    };
    if let Some(epochs) = subnet.reveal_period {
        text += &format!(
            "weights are committed here and shown {epochs} epochs of {} blocks later: what others have committed since is not seen\n",
            subnet.tempo
        );
    }
    text
}

fn our_rows(agreement: &Agreement) -> String {
    let Agreement { ours, shown, newest, .. } = agreement;
    let last = |what: Option<f64>| {
        what.map_or(String::new(), |x| format!("the chain's last epoch gave it {}", percent(x)))
    };
    let mut table = Table::new(["", "on the chain", "newest", ""]);
    let row = |name: &str, of: &dyn Fn(&RowAgreement) -> String, note: String| {
        [name.into(), shown.as_ref().map_or("-".into(), of), of(newest), note]
    };
    table.row(row(
        "distance to the consensus",
        &|one| distance(one.consensus_distance),
        "0 is the same, 2 has nothing in common".into(),
    ));
    table.row(row("clipped", &|one| percent(one.clipped), "above the consensus: it does not count".into()));
    table.row(row(
        "validator trust",
        &|one| percent(one.validator_trust),
        last(ours.as_ref().and_then(|ours| ours.validator_trust)),
    ));
    if ours.is_some() {
        let part = |x: Option<f64>| x.map_or("-".into(), percent);
        table.row(row(
            "dividends, next epoch",
            &|one| part(one.dividends),
            last(ours.as_ref().and_then(|ours| ours.dividends)),
        ));
        table.row(row(
            "dividends, settled",
            &|one| part(one.dividends_settled),
            "once bonds have followed, if all weights stay".into(),
        ));
    }
    table.render()
}

fn validators(agreement: &Agreement) -> String {
    if agreement.validators.is_empty() {
        return "no other validator has stake\n".into();
    }
    let mut table = Table::new(["uid", "validator", "stake", "set", "trust", "from on chain", "from newest"]);
    for other in &agreement.validators {
        table.row([
            other.uid.to_string(),
            short(&other.hotkey),
            percent(other.stake),
            match other.committed {
                Some(age) => format!("before {}", ago(age)),
                None => ago(other.age),
            },
            percent(other.validator_trust),
            distance(other.distance_shown),
            distance(other.distance_newest),
        ]);
    }
    table.render()
}

fn differences(agreement: &Agreement, miners: usize) -> String {
    if miners == 0 {
        return "no miner's weight differs from the consensus\n".into();
    }
    let mut table = Table::new(["uid", "miner", "newest", "consensus", "difference", "ours is from"]);
    for miner in &agreement.miners {
        table.row([
            miner.uid.to_string(),
            short(&miner.hotkey),
            format!("{:.6}", miner.newest),
            format!("{:.6}", miner.consensus),
            format!("{:+.6}", miner.difference()),
            reasons(miner),
        ]);
    }
    let listed = agreement.miners.len();
    let rest = match miners - listed.min(miners) {
        0 => String::new(),
        rest => format!("and {rest} more: --limit {miners} lists all\n"),
    };
    format!("{}{rest}", table.render())
}

fn reasons(miner: &MinerDifference) -> String {
    let Reasons { challenges, young, burn, unknown } = &miner.reasons;
    let mut parts: Vec<String> = Vec::new();
    if *burn {
        parts.push("the burn".into());
    }
    if *unknown {
        parts.push("registered since the computation".into());
    }
    if *young {
        parts.push("young: a fixed small weight".into());
    } else {
        let named = challenges.iter().take(CHALLENGES);
        parts.extend(named.map(|(ticker, part)| format!("{ticker} {:.0}%", 100.0 * part)));
        if challenges.len() > CHALLENGES {
            parts.push(format!("{} more", challenges.len() - CHALLENGES));
        }
    }
    if parts.is_empty() { "no challenge pays it".into() } else { parts.join(", ") }
}

fn percent(part: f64) -> String {
    format!("{:.3}%", 100.0 * part)
}

fn distance(distance: Option<f64>) -> String {
    distance.map_or("-".into(), |distance| format!("{distance:.4}"))
}

/// A number of blocks as people say it.
fn ago(blocks: i64) -> String {
    let minutes = blocks.max(0).cast_unsigned() * BLOCK_SECONDS / 60;
    let time = match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    };
    format!("{blocks} blocks ({time}) ago")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_validator::agreement::{OtherValidator, Ours, Subnet};

    fn agreement() -> Agreement {
        let row = |distance, clipped, dividends| RowAgreement {
            consensus_distance: Some(distance),
            clipped,
            validator_trust: 1.0 - clipped,
            dividends: Some(dividends),
            dividends_settled: Some(dividends + 0.01),
        };
        let reasons = Reasons {
            challenges: ["ETH", "BTC", "XSEC", "FLOW"].map(|name| (name.to_owned(), 0.25)).into(),
            ..Reasons::default()
        };
        let miner = MinerDifference {
            uid: 7,
            hotkey: "5Miner".into(),
            newest: 0.25,
            shown: None,
            consensus: 0.5,
            reasons,
        };
        Agreement {
            block: 1000,
            computed: 900,
            subnet: Subnet {
                netuid: 123,
                kappa: 0.5,
                yuma3: true,
                tempo: 360,
                last_epoch: None,
                reveal_period: Some(2),
            },
            ours: Some(Ours {
                uid: 3,
                hotkey: "5Ours".into(),
                stake: 0.125,
                age: 30,
                committed: None,
                validator_trust: Some(0.5),
                dividends: None,
            }),
            shown: Some(row(0.5, 0.25, 0.1)),
            newest: row(0.125, 0.0625, 0.2),
            validators: vec![OtherValidator {
                uid: 4,
                hotkey: "5Other".into(),
                stake: 0.875,
                age: 12_000,
                committed: None,
                validator_trust: 1.0,
                distance_shown: Some(2.0),
                distance_newest: None,
            }],
            alpha_per_day: std::collections::BTreeMap::new(),
            miners: vec![miner],
        }
    }

    #[test]
    fn all_of_it_is_said() {
        let text = text(&agreement(), 5);
        for part in [
            "subnet 123 at block 1000, against the weights that the ledger holds for block 900",
            "5Ours is UID 3, with 12.500% of the stake that counts; it set its weights 30 blocks (6 min) ago",
            "shown 2 epochs of 360 blocks later",
            "distance to the consensus        0.5000   0.1250",
            "clipped                         25.000%   6.250%",
            "validator trust                 75.000%  93.750%  the chain's last epoch gave it 50.000%",
            "dividends, next epoch           10.000%  20.000%",
            "dividends, settled              11.000%  21.000%",
            "5Other     87.500%  12000 blocks (40 h) ago  100.000%         2.0000            -",
            "5Miner  0.250000   0.500000   -0.250000  ETH 25%, BTC 25%, XSEC 25%, 1 more",
            "and 4 more: --limit 5 lists all",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_said_too() {
        let mut bare = agreement();
        bare.ours = None;
        bare.shown = None;
        bare.validators.clear();
        bare.miners.clear();
        bare.subnet.reveal_period = None;
        let text = text(&bare, 0);
        for part in ["no --hotkey", "no other validator has stake", "no miner's weight differs"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("dividends") && !text.contains("committed"), "{text}");
    }
}
