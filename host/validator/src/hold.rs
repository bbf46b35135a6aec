//! What stands in for a challenge that failed. Its part of the weights must not fall to the others: that would move
//! everybody's pay for a fault of ours.

use crate::earlier::Earlier;
use mantis_config::{Block, Config};
use mantis_ledger::LedgerError;
use mantis_weights::{Scores, WeightsRejection, failed};

/// Puts the last good saliences of each challenge that failed, and that counts, in its place. If there are none, or if
/// they have stood in for `hold` computations already, no weights may come of the scores: the reason is given back.
///
/// With `hold` 0 nothing stands in, and the others share what it counts for, as on the network.
pub(crate) fn hold_failed(
    config: &Config,
    earlier: &dyn Earlier,
    block: Block,
    scores: &mut Scores,
) -> Result<Option<WeightsRejection>, LedgerError> {
    let limit = config.network.hold;
    if limit == 0 {
        return Ok(None);
    }
    let counted = failed(&scores.challenges).filter(|(scored, _)| scored.weight > 0.0);
    let counted: Vec<_> = counted.map(|(scored, cause)| (scored.ticker.clone(), cause)).collect();
    let mut reasons = Vec::new();
    for (ticker, cause) in counted {
        match earlier.last_good(&ticker, block)? {
            Some((held, shares)) if held.computations <= limit => scores.hold(&ticker, held, &shares),
            Some((held, _)) => reasons.push(format!(
                "{ticker} failed ({cause}), and its last good saliences, of block {}, are {} computations old; they stand in \
                 for {limit} at most",
                held.block, held.computations
            )),
            None => reasons.push(format!(
                "{ticker} failed ({cause}), and there are no saliences of an earlier computation to stand in"
            )),
        }
    }
    Ok((!reasons.is_empty()).then(|| WeightsRejection::Failed(reasons.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_ledger::{Computation, Ledger};
    use mantis_plugin_api::Salience;
    use mantis_weights::{FailureCause, Scored};
    use std::path::Path;

    fn config(hold: u32) -> Config {
        let challenge = |ticker: &str, weight: u32| {
            format!(
                "[[challenge]]\nname=\"{ticker}\"\nticker=\"{ticker}\"\nplugin=\"binary\"\nprice_key=\"{ticker}\"\n\
                 dim=2\nblocks_ahead=300\nweight={weight}\n"
            )
        };
        let text = format!("[network]\nhold = {hold}\n{}{}", challenge("A", 4), challenge("B", 1));
        Config::parse(&text, Path::new("a.toml")).unwrap()
    }

    fn good(ticker: &str, weight: f64, hotkey: &str) -> Scored {
        let mut salience = Salience::new(1);
        salience.set(0, 1.0);
        let hotkeys = vec![hotkey.to_owned()];
        Scored { ticker: ticker.into(), weight, hotkeys, salience: Some(salience), ..Scored::default() }
    }

    fn failed(ticker: &str, weight: f64) -> Scored {
        let skipped = Some("it aborted".into());
        Scored {
            ticker: ticker.into(),
            weight,
            skipped,
            failure: Some(FailureCause::Crash),
            ..Scored::default()
        }
    }

    /// A ledger, and the scores of computation after computation in which A failed; the first one is good.
    fn after(computations: i64, limit: u32) -> (Scores, Option<WeightsRejection>) {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let config = config(limit);
        let first = Computation {
            block: Block(1000),
            scored: vec![good("A", 4.0, "x"), good("B", 1.0, "y")],
            ..Computation::default()
        };
        ledger.store_computation(&first).unwrap();
        let mut newest = None;
        for n in 1..=computations {
            let block = Block(1000 + 1000 * n);
            let mut scores = Scores::new(vec![failed("A", 4.0), good("B", 1.0, "y")], 0);
            let rejection = hold_failed(&config, &ledger, block, &mut scores).unwrap();
            let scored = scores.challenges.clone();
            ledger.store_computation(&Computation { block, scored, ..Computation::default() }).unwrap();
            newest = Some((scores, rejection));
        }
        newest.unwrap()
    }

    #[test]
    fn the_last_good_saliences_stand_in_and_no_other_gains() {
        for computations in [1, 2, 3] {
            let (scores, rejection) = after(computations, 3);
            assert_eq!(rejection, None);
            assert_eq!((scores.total["x"], scores.total["y"]), (0.8, 0.2));
            assert_eq!(scores.challenges[0].held.unwrap().block, Block(1000));
        }
    }

    #[test]
    fn after_so_many_computations_weights_stay_as_they_are() {
        let (_, rejection) = after(4, 3);
        let said = rejection.unwrap().to_string();
        assert!(said.contains("A failed (crash)") && said.contains("4 computations old"), "{said}");
    }

    #[test]
    fn nothing_stands_in_for_what_never_was() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let mut scores = Scores::new(vec![failed("A", 4.0), good("B", 1.0, "y")], 0);
        let rejection = hold_failed(&config(8), &ledger, Block(1000), &mut scores).unwrap();
        assert!(rejection.unwrap().to_string().contains("no saliences of an earlier computation"));
        // A shadow, which counts for nothing, holds nothing up.
        let mut scores = Scores::new(vec![failed("A", 0.0), good("B", 1.0, "y")], 0);
        assert_eq!(hold_failed(&config(8), &ledger, Block(1000), &mut scores).unwrap(), None);
        assert_eq!(scores.total["y"], 1.0);
    }

    #[test]
    fn as_on_the_network_the_others_share_it() {
        let (scores, rejection) = after(1, 0);
        assert_eq!((rejection, scores.total["y"]), (None, 1.0));
    }
}
