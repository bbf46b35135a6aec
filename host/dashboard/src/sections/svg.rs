//! Small drawings. They have no size and no colour of their own: the style sheet gives them both.

use askama::filters::{Html, HtmlSafe, escape};
use std::fmt::{self, Display, Formatter, Write};

/// Width and height of a drawing's own coordinates; it is stretched to the room that there is.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

/// A drawing: markup, which templates insert as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Svg(String);

impl Display for Svg {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl HtmlSafe for Svg {}

/// A bar whose filled part is `part`, 0 to 1.
pub(crate) fn bar(part: f64) -> Svg {
    let width = 100.0 * clamp(part);
    Svg(format!(r#"<svg class="b"><rect width="{}%" height="9"/></svg>"#, fixed(width)))
}

/// Curves through points with both coordinates 0 to 1 (y upwards); the last curve is drawn on top, as the main one.
/// `label` says what is seen.
pub(crate) fn curves(curves: &[Vec<(f64, f64)>], label: &str) -> Svg {
    let mut out = begin("curves", label);
    for quarter in 1..4 {
        let y = HEIGHT * f64::from(quarter) / 4.0;
        out += &format!(r#"<path class="grid" d="M0 {y}H{WIDTH}"/>"#);
    }
    for (i, points) in curves.iter().enumerate() {
        let class = if i + 1 == curves.len() { "main" } else { "thin" };
        if let Some(path) = path(points) {
            out += &format!(r#"<path class="{class}" d="{path}"/>"#);
        }
    }
    Svg(out + "</svg>")
}

/// Curves of equal rank, each in the colour of its place, the first on top; coordinates and `label` as in [`curves`].
pub(crate) fn lines(lines: &[Vec<(f64, f64)>], label: &str) -> Svg {
    let mut out = begin("curves", label);
    for quarter in 1..4 {
        let y = HEIGHT * f64::from(quarter) / 4.0;
        out += &format!(r#"<path class="grid" d="M0 {y}H{WIDTH}"/>"#);
    }
    for (i, points) in lines.iter().enumerate().rev() {
        if let Some(path) = path(points) {
            out += &format!(r#"<path class="l{}" d="{path}"/>"#, i % 6);
        }
    }
    Svg(out + "</svg>")
}

/// A small curve of values from 0 to the largest of them, oldest first; nothing if there are fewer than two.
pub(crate) fn spark(values: &[f64]) -> Svg {
    let most = values.iter().copied().fold(0.0, f64::max);
    let last = values.len().saturating_sub(1);
    if last == 0 || most <= 0.0 {
        return Svg::default();
    }
    let mut drawn = String::new();
    for (i, value) in values.iter().enumerate() {
        let (x, y) = (100.0 * i as f64 / last as f64, 22.0 - 20.0 * clamp(value / most));
        // Writing to a string cannot fail.
        let _ = write!(drawn, "{}{} {}", if i == 0 { 'M' } else { 'L' }, fixed(x), fixed(y));
    }
    Svg(format!(
        r#"<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path d="{drawn}"/></svg>"#
    ))
}

/// One bar of several parts, which sum to at most 1; `label` as in [`curves`].
pub(crate) fn balance(parts: &[f64], label: &str) -> Svg {
    let mut out = format!(r#"<svg class="balance" role="img" aria-label="{}">"#, attribute(label));
    let mut from = 0.0;
    for (i, part) in parts.iter().enumerate() {
        let width = 100.0 * clamp(*part);
        out += &format!(
            r#"<rect class="p{}" x="{}%" width="{}%" height="100%"/>"#,
            i % 6,
            fixed(from),
            fixed(width)
        );
        from += width;
    }
    Svg(out + "</svg>")
}

/// A curve with dots on it, each of the class that is given beside its place; coordinates and `label` as in [`curves`].
pub(crate) fn dotted(curve: &[(f64, f64)], dots: &[(f64, f64, &str)], label: &str) -> Svg {
    let mut out = begin("curves", label);
    if let Some(path) = path(curve) {
        out += &format!(r#"<path class="main" d="{path}"/>"#);
    }
    for (x, y, class) in dots {
        if let Some(path) = path(&[(*x, *y)]) {
            // A line without length has round ends: a dot that stays round however the drawing is stretched.
            out += &format!(r#"<path class="dot {class}" d="{path}h0"/>"#);
        }
    }
    Svg(out + "</svg>")
}

/// Columns beside each other, `parts` of the full height; those that are `marked` in another colour.
pub(crate) fn columns(parts: &[f64], marked: impl Fn(usize) -> bool, label: &str) -> Svg {
    let mut out = begin("columns", label);
    let step = WIDTH / parts.len().max(1) as f64;
    let width = step * if parts.len() > 120 { 0.9 } else { 0.72 };
    for (i, part) in parts.iter().enumerate() {
        // The smallest part can be seen.
        let height = if *part > 0.0 { (HEIGHT * clamp(*part)).max(1.5) } else { 0.0 };
        let class = if marked(i) { r#" class="marked""# } else { "" };
        out += &format!(
            r#"<rect{class} x="{}" y="{}" width="{}" height="{}"/>"#,
            fixed(i as f64 * step + (step - width) / 2.0),
            fixed(HEIGHT - height),
            fixed(width),
            fixed(height)
        );
    }
    Svg(out + "</svg>")
}

/// How strongly a cell is coloured, 0 to 6: its size beside the largest, by the square root, as most are small.
pub(crate) fn heat(x: f64, largest: f64) -> u8 {
    if x <= 0.0 || largest <= 0.0 {
        return 0;
    }
    (1.0 + 5.0 * clamp(x / largest).sqrt()).round() as u8
}

/// The beginning of a drawing that is stretched.
fn begin(class: &str, label: &str) -> String {
    let label = attribute(label);
    format!(
        r#"<svg class="{class}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">"#
    )
}

/// A text as it stands in a quoted attribute.
fn attribute(text: &str) -> impl Display {
    let Ok(escaped) = escape(text, Html);
    escaped
}

fn path(points: &[(f64, f64)]) -> Option<String> {
    let mut out = String::new();
    let mut last = None;
    for &(x, y) in points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
        let at = ((WIDTH * clamp(x)).round() as i64, (HEIGHT * (1.0 - clamp(y))).round() as i64);
        if last == Some(at) {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{}{} {}", if last.is_none() { 'M' } else { 'L' }, at.0, at.1);
        last = Some(at);
    }
    last.map(|_| out)
}

fn clamp(x: f64) -> f64 {
    if x.is_finite() { x.clamp(0.0, 1.0) } else { 0.0 }
}

/// At most one decimal.
fn fixed(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map(String::from).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_in_their_room() {
        let drawn = |part| bar(part).to_string();
        assert_eq!(drawn(0.25), r#"<svg class="b"><rect width="25%" height="9"/></svg>"#);
        assert!(
            drawn(7.0).contains("\"100%\"")
                && drawn(-1.0).contains("\"0%\"")
                && drawn(f64::NAN).contains("\"0%\"")
        );
    }

    #[test]
    fn curves_go_through_their_points_from_the_top_left() {
        let drawn =
            curves(&[vec![(0.0, 0.5)], vec![(0.0, 0.0), (0.5, 1.0), (0.5001, 1.0), (1.0, f64::NAN)]], "a").0;
        assert!(
            drawn.contains(r#"<path class="thin" d="M0 100"/><path class="main" d="M0 200L500 0"/>"#),
            "{drawn}"
        );
        assert!(!curves(&[vec![]], "a").0.contains("main"));
        assert!(curves(&[], "<a> & \"b\"").0.contains("aria-label=\"&#60;a&#62; &#38; &#34;b&#34;\""));
    }

    #[test]
    fn lines_have_the_colours_of_their_places_and_the_first_lies_on_top() {
        let drawn =
            lines(&[vec![(0.0, 0.0), (1.0, 1.0)], vec![(0.0, 1.0), (0.5, f64::NAN), (1.0, 1.0)]], "a").0;
        assert!(
            drawn.contains(r#"<path class="l1" d="M0 0L1000 0"/><path class="l0" d="M0 200L1000 0"/>"#),
            "{drawn}"
        );
    }

    #[test]
    fn columns_share_the_width() {
        let drawn = columns(&[1.0, 0.0, 1e-9, 0.5], |i| i < 1, "a").0;
        assert!(drawn.contains(r#"<rect class="marked" x="35" y="0" width="180" height="200"/>"#), "{drawn}");
        assert!(drawn.contains(r#"y="198.5" width="180" height="1.5""#), "{drawn}");
        assert!(drawn.contains(r#"y="100" width="180" height="100""#), "{drawn}");
    }

    #[test]
    fn small_drawings_stay_in_their_room() {
        let drawn = spark(&[0.0, 0.5, 1.0]).0;
        assert!(drawn.contains(r#"d="M0 22L50 12L100 2""#), "{drawn}");
        assert_eq!((spark(&[1.0]), spark(&[0.0, 0.0])), (Svg::default(), Svg::default()));
        let drawn = balance(&[0.25, 0.75], "a").0;
        assert!(
            drawn.contains(r#"x="0%" width="25%""#) && drawn.contains(r#"x="25%" width="75%""#),
            "{drawn}"
        );
        let drawn = dotted(&[(0.0, 0.0), (1.0, 1.0)], &[(0.5, 0.5, "up"), (f64::NAN, 0.0, "down")], "a").0;
        assert!(
            drawn.contains(r#"<path class="dot up" d="M500 100h0"/>"#) && !drawn.contains("down"),
            "{drawn}"
        );
    }

    #[test]
    fn heat_rises_with_the_share() {
        let levels = [0.0, 1e-9, 0.04, 0.25, 0.64, 1.0].map(|x| heat(x, 1.0));
        assert_eq!(levels, [0, 1, 2, 4, 5, 6]);
        assert_eq!(heat(1.0, 0.0), 0);
    }
}
