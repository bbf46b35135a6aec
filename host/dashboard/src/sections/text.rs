//! Texts and numbers as people read them. Nothing here is markup: templates escape what they insert.

use std::fmt::Display;

/// Characters of a text from outside that are shown.
const LONGEST: usize = 300;

/// A text from outside, not longer than a few lines.
///
/// Characters that XML forbids, and those that turn the direction of writing, become U+FFFD.
pub(crate) fn clean(text: &str) -> String {
    clean_to(text, LONGEST)
}

/// As [`clean`], with so many characters at most.
pub(crate) fn clean_to(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(4 * longest));
    for (i, c) in text.chars().enumerate() {
        if i == longest {
            out.push('…');
            break;
        }
        out.push(match c {
            '\n' | '\r' | '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
                '\u{fffd}'
            }
            '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        });
    }
    out
}

/// The first letters of a name from outside, such as a hotkey or a hash; [`clean`] as well.
pub(crate) fn short(name: &str, letters: usize) -> String {
    clean_to(name, letters)
}

/// A part of a whole as a percentage, with about three digits.
pub(crate) fn percent(x: f64) -> String {
    let p = 100.0 * x;
    match p {
        _ if p <= 0.0 => "0%".into(),
        _ if p < 0.001 => "<0.001%".into(),
        _ if p < 0.1 => format!("{p:.3}%"),
        _ if p < 10.0 => format!("{p:.2}%"),
        _ => format!("{p:.1}%"),
    }
}

/// A whole number with commas.
pub(crate) fn count(n: impl Display) -> String {
    let text = n.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("−", digits));
    let mut out = String::from(sign);
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

/// `1 miner`, `2 miners`.
pub(crate) fn plural(n: impl Display, one: &str, more: &str) -> String {
    let n = count(n);
    let noun = if n == "1" { one } else { more };
    format!("{n} {noun}")
}

/// A snake_case name from outside as words; [`clean`] as well.
pub(crate) fn words(name: &str) -> String {
    clean(&name.chars().take(40).map(|c| if c == '_' { ' ' } else { c }).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_has_no_forbidden_characters_and_is_short() {
        assert_eq!(clean("a\0b\u{202e}c\u{ffff}d\u{1b}[0m\ne"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}[0m e");
        assert_eq!(clean(&"é".repeat(1000)).chars().count(), LONGEST + 1);
        assert_eq!(clean("5F3sa2TJ – ü 漢 <&>"), "5F3sa2TJ – ü 漢 <&>");
    }

    #[test]
    fn numbers_are_short() {
        let percents = [0.0, -0.0, 1e-7, 0.000123, 0.0123, 0.123, 1.0].map(percent);
        assert_eq!(percents, ["0%", "0%", "<0.001%", "0.012%", "1.23%", "12.3%", "100.0%"]);
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
        assert_eq!(short("5F3sa2TJAWMqDhXG6jhV", 10), "5F3sa2TJAW…");
        assert_eq!(short("漢漢漢漢漢漢漢漢漢漢漢", 10), "漢漢漢漢漢漢漢漢漢漢…");
        assert_eq!(short("5F3sa2TJAW", 10), "5F3sa2TJAW");
    }
}
