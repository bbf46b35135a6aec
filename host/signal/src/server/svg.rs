//! Small drawings, without scripts. They have no colours of their own: the style sheet gives them.

use crate::record::Bin;
use std::fmt::Write;

/// Width and height of a curve's own coordinates; it is stretched to the room that there is.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 60.0;
/// Side of the drawing of a calibration.
const SIDE: f64 = 160.0;

/// A curve of values in their order; those that are missing leave gaps. Empty for fewer than two.
pub(super) fn spark(values: &[Option<f64>], label: &str) -> String {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
    let most = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if known.len() < 2 {
        return String::new();
    }
    let room = if most > least { most - least } else { 1.0 };
    let (mut path, mut goes_on) = (String::new(), false);
    for (at, value) in values.iter().enumerate() {
        let Some(value) = value else {
            goes_on = false;
            continue;
        };
        let x = WIDTH * at as f64 / (values.len() - 1) as f64;
        let y = HEIGHT - 4.0 - (HEIGHT - 8.0) * (value - least) / room;
        // Writing to a string cannot fail.
        let _ = write!(path, "{}{x:.1} {y:.1}", if goes_on { 'L' } else { 'M' });
        goes_on = true;
    }
    format!(
        r#"<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"><path d="{path}"/></svg>"#,
        escaped(label)
    )
}

/// What came true beside what was said: a dot for each bin, the larger the more pairs, on the diagonal where it should be.
pub(super) fn calibration(bins: &[Bin]) -> String {
    let all: usize = bins.iter().map(|bin| bin.n).sum();
    if all == 0 {
        return String::new();
    }
    let mut label = String::from("What was said, and how often it came true:");
    let mut dots = String::new();
    for bin in bins {
        let radius = 2.0 + 8.0 * (bin.n as f64 / all as f64).sqrt();
        let (x, y) = (SIDE * bin.said, SIDE * (1.0 - bin.came));
        // Writing to a string cannot fail.
        let _ = write!(dots, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"/>"#);
        let _ = write!(label, " {:.0} %, {:.0} % of {};", 100.0 * bin.said, 100.0 * bin.came, bin.n);
    }
    format!(
        r#"<svg class="calibration" role="img" aria-label="{}" viewBox="-12 -12 184 184"><path class="frame" d="M0 0V{SIDE}H{SIDE}"/><path class="even" d="M0 {SIDE}L{SIDE} 0"/>{dots}</svg>"#,
        escaped(label.trim_end_matches(';'))
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_gaps_where_nothing_was_said() {
        let drawn = spark(&[Some(0.0), Some(1.0), None, Some(0.5)], "a \"<b>");
        assert!(drawn.contains(r#"d="M0.0 56.0L100.0 4.0M300.0 30.0""#), "{drawn}");
        assert!(drawn.contains("a &quot;&lt;b&gt;"));
        assert_eq!(spark(&[Some(1.0), None], "x"), "");
        assert!(!spark(&[Some(1.0), Some(1.0)], "x").contains("NaN"));
    }

    #[test]
    fn a_calibration_has_a_dot_for_each_bin() {
        let bin = |said, came, n| Bin { from: 0.0, to: 0.1, n, said, came };
        let drawn = calibration(&[bin(0.25, 0.5, 75), bin(0.75, 1.0, 25)]);
        assert!(
            drawn.contains(r#"<circle cx="40.0" cy="80.0""#)
                && drawn.contains(r#"cx="120.0" cy="0.0" r="6.0""#)
        );
        assert!(drawn.contains("25 %, 50 % of 75; 75 %, 100 % of 25\""), "{drawn}");
        assert_eq!(calibration(&[]), "");
    }
}
