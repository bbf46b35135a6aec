//! Moments and durations as people read them.

use super::text::count;
use askama::Template;
use askama::filters::HtmlSafe;
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

/// A moment in Unix seconds: `2026-05-01T12:34:56Z`.
fn utc(unix: u64) -> String {
    let (days, second) = ((unix / 86_400).min(10_000_000), unix % 86_400);
    // Days are counted from 0000-03-01 in cycles of 400 years, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = 400 * cycle + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
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
        let shown = |unix, now| Moment::new(unix, now).to_string();
        assert!(
            shown(100, 175).ends_with(">75 s ago</time>") && shown(175, 100).ends_with(">in 75 s</time>")
        );
        let durations = [12.0, 300.0, 12_600.0, 1e6].map(duration);
        assert_eq!(durations, ["12 s", "5 min", "3.5 h", "11 days"]);
    }
}
