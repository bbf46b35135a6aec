//! The beacon: every endpoint answers, with the current round, under the configured key.

use super::configuration::listed;
use super::finding::{Finding, Verdict, skip};
use super::stamp::unix;
use mantis_config::{Beacon, bare_url};
use mantis_network::beacon::{BeaconClient, BeaconError};
use mantis_payload::beacon::Scheme;
use std::time::{Duration, Instant};

pub(super) const ENDPOINTS: &str = "beacon";
pub(super) const KEY: &str = "beacon_key";

/// Seconds that a round may take to be everywhere, besides a period.
const WAY: u64 = 3;
/// Seconds after which a round must be out, if the beacon works at all.
const LATE: u64 = 60;

/// What one endpoint said of the current round.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    /// Its signature, and it verifies.
    Signed,
    /// It verifies for a round of a minute ago; the current one is not out.
    Late,
    /// Neither round is out.
    NotYet,
    /// A signature that does not verify.
    Wrong,
    /// Nothing of use.
    Failed(String),
}

/// Asks every endpoint, side by side.
pub(super) async fn check(beacon: &Beacon, limit: Duration) -> Vec<Finding> {
    let since = Instant::now();
    let scheme = match Scheme::from_config(beacon) {
        Ok(scheme) => scheme,
        Err(bad) => {
            let key = Verdict::error(bad, "copy `public_key` in [beacon] again").into_finding(KEY, since);
            return skip(&[ENDPOINTS], "the beacon's key is not usable").into_iter().chain([key]).collect();
        }
    };
    let mut asked = Vec::new();
    for base in &beacon.api {
        let (scheme, base) = (scheme.clone(), base.clone());
        asked.push(tokio::spawn(async move {
            let said = tokio::time::timeout(limit, ask(scheme, &base)).await;
            said.unwrap_or_else(|_| Said::Failed(format!("no answer in {} s", limit.as_secs())))
        }));
    }
    let mut said = Vec::new();
    for (task, base) in asked.into_iter().zip(&beacon.api) {
        let one = task.await.unwrap_or_else(|error| Said::Failed(error.to_string()));
        said.push((bare_url(base), one));
    }
    vec![judge_endpoints(&said).into_finding(ENDPOINTS, since), judge_key(&said).into_finding(KEY, since)]
}

async fn ask(scheme: Scheme, base: &str) -> Said {
    let now = unix() as u64;
    let round = |ago| scheme.round_at(now.saturating_sub(ago)).max(1);
    let period = scheme.published_at(2).saturating_sub(scheme.published_at(1));
    let rounds = [round(WAY + period), round(LATE + period)];
    let client = match BeaconClient::new(scheme, &[base.to_owned()]) {
        Ok(client) => client,
        Err(fault) => return Said::Failed(fault.to_string()),
    };
    for (round, found) in rounds.into_iter().zip([Said::Signed, Said::Late]) {
        match client.signature(round).await {
            Ok(_) => return found,
            Err(BeaconError::NotYet { .. }) => {}
            Err(BeaconError::Invalid { .. }) => return Said::Wrong,
            Err(BeaconError::Unavailable { reasons, .. }) => return Said::Failed(reasons),
        }
    }
    Said::NotYet
}

fn judge_endpoints(said: &[(String, Said)]) -> Verdict {
    let answers = |one: &Said| matches!(one, Said::Signed | Said::Wrong);
    let good = said.iter().filter(|(_, one)| answers(one)).count();
    if good == said.len() && good > 0 {
        return Verdict::ok(format!("{good} of {good} endpoints give the current round"));
    }
    let faults = said.iter().filter_map(|(base, one)| match one {
        Said::Signed | Said::Wrong => None,
        Said::Late => Some(format!("{base}: the current round is not out there, one of a minute ago is")),
        Said::NotYet => Some(format!("{base}: says that the current round is not out")),
        // The client's own reasons begin with the endpoint.
        Said::Failed(reason) => Some(reason.clone()),
    });
    let faults = listed(faults);
    let is_time = said.iter().any(|(_, one)| matches!(one, Said::Late | Said::NotYet));
    let cure = if is_time {
        "set this machine's clock (see the check `clock`), or correct `genesis` and `period` in [beacon]"
    } else {
        "is the network up, and a firewall open for https? else correct `api` in [beacon]"
    };
    let verdict = Verdict::fault(faults, cure);
    if good > 0 { verdict.at_most_warning() } else { verdict }
}

fn judge_key(said: &[(String, Said)]) -> Verdict {
    let has = |wanted: &[Said]| said.iter().any(|(_, one)| wanted.contains(one));
    let wrong: Vec<&str> =
        said.iter().filter(|(_, one)| *one == Said::Wrong).map(|(base, _)| base.as_str()).collect();
    match (has(&[Said::Signed, Said::Late]), wrong.as_slice()) {
        (true, []) => Verdict::ok("the beacon's signature verifies under the configured key"),
        (false, []) => Verdict::skipped("no endpoint gave a signature"),
        (true, wrong) => Verdict::warning(
            format!("{}: its signature is not the beacon's", wrong.join(", ")),
            "remove the endpoint from `api` in [beacon]",
        ),
        (false, wrong) => Verdict::fault(
            format!("{}: the signature does not verify under the configured key", wrong.join(", ")),
            "correct `public_key`, `genesis` and `period` in [beacon], or `api` if it is another beacon's",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn statuses(said: &[Said]) -> (Status, Status) {
        let said: Vec<_> = said.iter().map(|one| ("https://a".to_string(), one.clone())).collect();
        (judge_endpoints(&said).status, judge_key(&said).status)
    }

    #[test]
    fn endpoints_and_key_are_judged_apart() {
        use Said::{Failed, Late, NotYet, Signed, Wrong};
        let failed = || Failed("down".into());
        assert_eq!(statuses(&[Signed, Signed]), (Status::Ok, Status::Ok));
        assert_eq!(statuses(&[Signed, failed()]), (Status::Warning, Status::Ok));
        assert_eq!(statuses(&[failed(), failed()]), (Status::Fault, Status::Skipped));
        assert_eq!(statuses(&[Wrong, Wrong]), (Status::Ok, Status::Fault));
        assert_eq!(statuses(&[Signed, Wrong]), (Status::Ok, Status::Warning));
        assert_eq!(statuses(&[NotYet]), (Status::Fault, Status::Skipped));
        assert_eq!(statuses(&[Late]), (Status::Fault, Status::Ok));
        let late = judge_endpoints(&[("https://a".into(), NotYet)]);
        assert!(late.cure.unwrap().contains("clock"));
    }
}
