//! This machine's clock, against servers and the chain.

use super::finding::Verdict;

pub(super) const CHECK: &str = "clock";

/// Seconds that a clock may be wrong unnoticed: the header counts whole seconds, and the way takes its time.
const UNSEEN: f64 = 2.0;
/// Seconds from which on rounds are asked for at the wrong time.
const WRONG: f64 = 5.0;

/// This machine's clock beside a server's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// How far this machine's is ahead of it, s.
    pub(super) ahead: f64,
}

/// Judges by the middle one of the servers' clocks, of two the one that agrees better. The time of the chain's newest block, minus ours (s), counts where
/// it is in our future; that it is in our past says nothing.
pub(super) fn judge(readings: &[Reading], chain: Option<f64>) -> Verdict {
    let middle = middle(readings);
    let behind_chain = chain.filter(|future| *future > UNSEEN);
    let (ahead, by) = match (middle, behind_chain) {
        (Some(ahead), _) => (ahead, "servers' clocks"),
        (None, Some(future)) => (-future, "the chain's newest block"),
        (None, None) if chain.is_some() => {
            return Verdict::ok("this machine's clock is not behind the chain's newest block");
        }
        (None, None) => {
            return Verdict::skipped("no server and no chain to compare this machine's clock with");
        }
    };
    let way = if ahead > 0.0 { "ahead of" } else { "behind" };
    let what = format!("this machine's clock is {:.0} s {way} {by}", ahead.abs());
    let cure = "let the system set its clock: `timedatectl set-ntp true`, or install chrony";
    match ahead.abs() {
        off if off > WRONG => Verdict::fault(what, cure),
        off if off > UNSEEN => Verdict::warning(what, cure),
        _ => Verdict::ok(format!("this machine's clock agrees with {by} within {UNSEEN:.0} s")),
    }
}

fn middle(readings: &[Reading]) -> Option<f64> {
    let mut sorted: Vec<f64> = readings.iter().map(|reading| reading.ahead).collect();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(if lower.abs() < upper.abs() { lower } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn status(ahead: &[f64], chain: Option<f64>) -> Status {
        let readings: Vec<_> = ahead.iter().map(|&ahead| Reading { ahead }).collect();
        judge(&readings, chain).status
    }

    #[test]
    fn the_middle_clock_decides() {
        assert_eq!(status(&[0.4], None), Status::Ok);
        assert_eq!(status(&[-3.0], None), Status::Warning);
        assert_eq!(status(&[7.0], None), Status::Fault);
        assert_eq!(status(&[-7.0], Some(-1.0)), Status::Fault);
        // One server of three is wrong.
        assert_eq!(status(&[0.1, 900.0, -0.2], None), Status::Ok);
        assert_eq!(status(&[0.1, 30.0], None), Status::Ok);
        assert_eq!(status(&[29.0, 30.0], None), Status::Fault);
        assert_eq!(status(&[], None), Status::Skipped);
    }

    #[test]
    fn a_block_of_the_future_is_a_clock_behind() {
        assert_eq!(status(&[], Some(-8.0)), Status::Ok);
        assert_eq!(status(&[], Some(30.0)), Status::Fault);
        let verdict = judge(&[], Some(30.0));
        assert!(verdict.what.contains("30 s behind the chain"), "{verdict:?}");
    }
}
