//! Text and numbers for the page.

/// Characters of a text from outside that are shown.
const LONGEST: usize = 300;

/// A text from outside, made safe for element content and quoted attributes, and not longer than a few lines.
///
/// Characters that XML forbids, and those that turn the direction of writing, become U+FFFD.
pub(super) fn esc(text: &str) -> String {
    esc_to(text, LONGEST)
}

/// As [`esc`], with so many characters at most.
pub(super) fn esc_to(text: &str, longest: usize) -> String {
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
pub(super) fn short(hotkey: &str) -> String {
    match hotkey.char_indices().nth(10) {
        Some((end, _)) => format!("{}…", &hotkey[..end]),
        None => hotkey.into(),
    }
}

/// A part of a whole as a percentage, with about three digits.
pub(super) fn percent(x: f64) -> String {
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
pub(super) fn count(n: impl Into<i128>) -> String {
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
pub(super) fn number(x: f64) -> String {
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

/// `1 miner`, `2 miners`.
pub(super) fn plural(n: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(n as i128), if n == 1 { one } else { more })
}

/// A snake_case name as words, not yet escaped.
pub(super) fn words(name: &str) -> String {
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
    fn hotkeys_are_cut_between_letters() {
        assert_eq!(short("5F3sa2TJAWMqDhXG6jhV"), "5F3sa2TJAW…");
        assert_eq!(short("漢漢漢漢漢漢漢漢漢漢漢"), "漢漢漢漢漢漢漢漢漢漢…");
    }
}
