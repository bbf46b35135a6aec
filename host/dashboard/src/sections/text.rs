//! Text and numbers for the page.

use mantis_network::chain::BLOCK_SECONDS;

/// Characters of a text from outside that are shown.
const LONGEST: usize = 300;

/// A text from outside, made safe for element content and quoted attributes, and not longer than a few lines.
///
/// Characters that XML forbids, and those that turn the direction of writing, become U+FFFD.
pub(crate) fn esc(text: &str) -> String {
    esc_to(text, LONGEST)
}

/// As [`esc`], with so many characters at most.
pub(crate) fn esc_to(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest) + 8);
    for (i, c) in text.chars().enumerate() {
        if i == longest {
            out.push('…');
            break;
        }
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
                out.push('\u{fffd}');
            }
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The first letters of a hotkey, not yet escaped.
pub(crate) fn short(hotkey: &str) -> String {
    match hotkey.char_indices().nth(10) {
        Some((end, _)) => format!("{}…", &hotkey[..end]),
        None => hotkey.into(),
    }
}

/// A part of a whole as a percentage, with about three digits.
pub(crate) fn percent(x: f64) -> String {
    let p = 100.0 * x;
    match p {
        _ if p <= 0.0 => "0%".into(),
        _ if p < 0.001 => "&lt;0.001%".into(),
        _ if p < 0.1 => format!("{p:.3}%"),
        _ if p < 10.0 => format!("{p:.2}%"),
        _ => format!("{p:.1}%"),
    }
}

/// A whole number with commas.
pub(crate) fn count(n: impl Into<i128>) -> String {
    let n: i128 = n.into();
    let digits = n.unsigned_abs().to_string();
    let mut out = String::from(if n < 0 { "−" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Any number, with four decimals or so.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if x == x.trunc() && size < 1e15 {
        return count(x as i64);
    }
    let text = match size {
        _ if !x.is_finite() => return "–".into(),
        _ if !(1e-4..1e15).contains(&size) => format!("{x:.2e}"),
        _ if size >= 1000.0 => {
            let whole = count(x.trunc() as i64);
            return format!("{whole}{}", format!("{:.1}", size.fract().min(0.94)).trim_start_matches('0'));
        }
        _ if size >= 100.0 => format!("{x:.2}"),
        _ => format!("{x:.4}"),
    };
    text.replace('-', "−")
}

/// So many seconds in the unit that people use: `12 s`, `5 min`, `3.5 h`, `12 days`.
pub(crate) fn span(seconds: f64) -> String {
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
pub(crate) fn span_of(blocks: i64) -> String {
    span(blocks as f64 * BLOCK_SECONDS as f64)
}

/// A moment in Unix seconds as a `<time>` element that says how long before `now` it was.
pub(crate) fn ago(unix: u64, now: u64) -> String {
    let text = match now.checked_sub(unix) {
        Some(past) => format!("{} ago", span(past as f64)),
        None => format!("in {}", span(unix.saturating_sub(now) as f64)),
    };
    let utc = utc(unix);
    format!(r#"<time datetime="{utc}" title="{utc}" data-unix="{unix}">{text}</time>"#)
}

/// A moment in Unix seconds: `2026-05-01T12:34:56Z`.
pub(crate) fn utc(unix: u64) -> String {
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

/// `1 miner`, `2 miners`.
pub(crate) fn plural(n: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(n as i128), if n == 1 { one } else { more })
}

/// A snake_case name as words, not yet escaped.
pub(crate) fn words(name: &str) -> String {
    name.chars().take(40).map(|c| if c == '_' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(
            esc("<script>alert(\"a\" + 'b')</script>&amp;"),
            "&lt;script&gt;alert(&quot;a&quot; + &#39;b&#39;)&lt;/script&gt;&amp;amp;"
        );
        assert_eq!(esc("a\0b\u{202e}c\u{ffff}d\u{1b}[0m\ne"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}[0m e");
        assert_eq!(esc(&"é".repeat(1000)).chars().count(), LONGEST + 1);
        assert_eq!(esc("5F3sa2TJ – ü 漢"), "5F3sa2TJ – ü 漢");
    }

    #[test]
    fn numbers_are_short() {
        let percents = [0.0, -0.0, 1e-7, 0.000123, 0.0123, 0.123, 1.0].map(percent);
        assert_eq!(percents, ["0%", "0%", "&lt;0.001%", "0.012%", "1.23%", "12.3%", "100.0%"]);
        let counts = [0, 7, 999, 1000, 1_234_567, -65_535].map(|n: i64| count(n));
        assert_eq!(counts, ["0", "7", "999", "1,000", "1,234,567", "−65,535"]);
        let numbers = [0.0, 0.51234567, -0.25, 14000.0, 123.456, 4321.96, 1e-9, f64::NAN, 1e300].map(number);
        assert_eq!(
            numbers,
            ["0", "0.5123", "−0.2500", "14,000", "123.46", "4,321.9", "1.00e−9", "–", "1.00e300"]
        );
        assert_eq!(
            (plural(1, "miner", "miners"), plural(2, "miner", "miners")),
            ("1 miner".into(), "2 miners".into())
        );
    }

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
        assert!(ago(100, 175).ends_with(">75 s ago</time>") && ago(175, 100).ends_with(">in 75 s</time>"));
        let spans = [12.0, 300.0, 12_600.0, 1e6].map(span);
        assert_eq!(spans, ["12 s", "5 min", "3.5 h", "11 days"]);
    }

    #[test]
    fn hotkeys_are_cut_between_letters() {
        assert_eq!(short("5F3sa2TJAWMqDhXG6jhV"), "5F3sa2TJAW…");
        assert_eq!(short("漢漢漢漢漢漢漢漢漢漢漢"), "漢漢漢漢漢漢漢漢漢漢…");
    }
}
