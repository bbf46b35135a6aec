//! Moments and durations as people read them.

use super::text::count;
use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;
use mantis_network::chain::BLOCK_SECONDS;

/// A moment, with how long before now it was; the script keeps that up to date.
#[derive(Clone, Debug, Template)]
#[template(path = "moment.html")]
pub(crate) struct Moment {
    /// Unix seconds.
    unix: u64,
    /// Unix seconds of the time that the page is made.
    now: u64,
}

impl HtmlSafe for Moment {}

impl Moment {
    pub(crate) fn new(unix: u64, now: u64) -> Self {
        Self { unix, now }
    }

    fn utc(&self) -> String {
        utc(self.unix)
    }

    fn distance(&self) -> String {
        match self.now.checked_sub(self.unix) {
            Some(past) => format!("{} ago", duration(past as f64)),
            None => format!("in {}", duration(self.unix.saturating_sub(self.now) as f64)),
        }
    }
}

/// So many seconds in the unit that people use: `12 s`, `5 min`, `3.5 h`, `12 days`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.abs();
    match seconds {
        _ if !seconds.is_finite() => "–".into(),
        _ if seconds < 90.0 => format!("{seconds:.0} s"),
        _ if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{} days", count((seconds / 86_400.0) as i64)),
    }
}

/// The time that so many blocks take.
pub(crate) fn duration_of_blocks(blocks: i64) -> String {
    duration(blocks as f64 * BLOCK_SECONDS as f64)
}

/// A moment in Unix seconds: `2026-05-01T12:34:56Z`. One that is too late to have a date is shown as the last that has.
fn utc(unix: u64) -> String {
    let moment = i64::try_from(unix).ok().and_then(|unix| Timestamp::from_second(unix).ok());
    // Without fractions, which the last one has.
    format!("{:.0}", moment.unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dated() {
        let dates = [0, 951_782_399, 951_868_800, 1_709_164_800, 1_735_689_599, 4_107_542_400].map(utc);
        assert_eq!(
            dates,
            [
                "1970-01-01T00:00:00Z",
                "2000-02-28T23:59:59Z",
                "2000-03-01T00:00:00Z",
                "2024-02-29T00:00:00Z",
                "2024-12-31T23:59:59Z",
                "2100-03-01T00:00:00Z"
            ]
        );
        assert!(utc(u64::MAX).ends_with('Z'));
        // The last second that has a date, the one after it, and those that no signed number holds.
        let last = 253_402_207_200;
        for unix in [last, last + 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            assert_eq!(utc(unix), "9999-12-30T22:00:00Z");
        }
        let shown = |unix, now| Moment::new(unix, now).to_string();
        assert!(
            shown(100, 175).ends_with(">75 s ago</time>") && shown(175, 100).ends_with(">in 75 s</time>")
        );
        let durations = [12.0, 300.0, 12_600.0, 1e6].map(duration);
        assert_eq!(durations, ["12 s", "5 min", "3.5 h", "11 days"]);
    }
}
