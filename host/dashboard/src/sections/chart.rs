//! Charts with their axes.

use super::svg::{self, Svg};
use super::text::{count, number};
use crate::standing::{Series, Unit};
use askama::Template;
use askama::filters::HtmlSafe;
use mantis_config::{Block, Sidx};

/// A drawing with its caption and the marks of its axes.
#[derive(Clone, Debug, Template)]
#[template(path = "figure.html")]
pub(crate) struct Figure {
    caption: String,
    /// What the caption stresses.
    value: Option<String>,
    /// Marks of its height, highest first.
    marks: [String; 3],
    drawn: Svg,
    /// The ends of its width.
    ends: [String; 2],
}

impl HtmlSafe for Figure {}

impl Figure {
    /// A drawing whose height is marked at three places, highest first, and whose width goes from end to end.
    pub(super) fn new(caption: String, marks: [String; 3], drawn: Svg, ends: [String; 2]) -> Self {
        Self { caption, value: None, marks, drawn, ends }
    }
}

/// The prices of a challenge over the ledger.
pub(super) fn prices(series: &Series, name: &str, sample_every: u32) -> Figure {
    let all = || series.assets.iter().flat_map(|(_, points)| points).chain(&series.main).map(|point| point.1);
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    // A flat line lies in the middle.
    let (bottom, height) = if high > low { (low, high - low) } else { (low - 0.5, 1.0) };
    let place = |points: &Vec<(f64, f64)>| points.iter().map(|&(x, y)| (x, (y - bottom) / height)).collect();
    let curves: Vec<Vec<(f64, f64)>> =
        series.assets.iter().map(|(_, points)| points).chain([&series.main]).map(place).collect();
    let tick = |part: f64| value(bottom + part * height, height, series.unit);
    let (what, legend) = match series.unit {
        Unit::Price => (format!("Price of {name}"), ""),
        Unit::Change => (
            format!("Prices of {} assets, change since the start", series.assets.len()),
            "; the median is the strong line",
        ),
        Unit::Rate => {
            (format!("Funding rates of {} assets", series.assets.len()), "; the median is the strong line")
        }
    };
    let last = series.main.last().map_or(0.0, |point| (point.1 - bottom) / height);
    let label = format!("{what}: lowest {}, highest {}, last {}", tick(0.0), tick(1.0), tick(last));
    let block = |sidx: Sidx| format!("block {}", count(sidx.block(sample_every)));
    Figure::new(
        format!("{what}{legend}"),
        [tick(1.0), tick(0.5), tick(0.0)],
        svg::curves(&curves, &label),
        [block(series.range.0), block(series.range.1)],
    )
}

/// Values over computations, 0 at the bottom: blocks, oldest first, and a value for each. `None` if there are fewer than
/// two. `write` gives a value's text.
pub(crate) fn over_time(
    name: &str,
    blocks: &[Block],
    values: &[f64],
    write: impl Fn(f64) -> String,
) -> Option<Figure> {
    let (first, last, now) = (*blocks.first()?, *blocks.last()?, values.last()?);
    if blocks.len() < 2 {
        return None;
    }
    let most = values.iter().copied().fold(0.0, f64::max);
    let top = if most > 0.0 { most } else { 1.0 };
    let width = (last - first).max(1) as f64;
    let points = blocks.iter().zip(values).map(|(&block, &y)| ((block - first) as f64 / width, y / top));
    let label = format!("{name}: highest {}, last {}", write(most), write(*now));
    let ends = [first, last].map(|block| format!("block {}", count(block)));
    let marks = [write(top), write(top / 2.0), write(0.0)];
    let drawn = svg::curves(&[points.collect()], &label);
    Some(Figure { value: Some(write(*now)), ..Figure::new(name.to_owned(), marks, drawn, ends) })
}

/// Several courses over the same computations, 0 at the bottom, each in the colour of its place. What is not a number is left
/// out. `None` if there are fewer than two computations.
pub(crate) fn together(
    name: &str,
    blocks: &[Block],
    courses: &[Vec<f64>],
    write: impl Fn(f64) -> String,
) -> Option<Figure> {
    let (first, last) = (*blocks.first()?, *blocks.last()?);
    if blocks.len() < 2 {
        return None;
    }
    let most = courses.iter().flatten().copied().fold(0.0, f64::max);
    let top = if most > 0.0 { most } else { 1.0 };
    let width = (last - first).max(1) as f64;
    let points = |values: &Vec<f64>| {
        blocks.iter().zip(values).map(|(&block, &y)| ((block - first) as f64 / width, y / top)).collect()
    };
    let drawn: Vec<Vec<(f64, f64)>> = courses.iter().map(points).collect();
    let now: Vec<String> =
        courses.iter().filter_map(|values| values.last()).map(|value| write(*value)).collect();
    let label = format!("{name}: highest {}, last {}", write(most), now.join(", "));
    let ends = [first, last].map(|block| format!("block {}", count(block)));
    let marks = [write(top), write(top / 2.0), write(0.0)];
    Some(Figure::new(name.to_owned(), marks, svg::lines(&drawn, &label), ends))
}

/// A number of an axis that spans so much: as many decimals as tell its ends apart.
fn value(y: f64, span: f64, unit: Unit) -> String {
    let suffix = if unit == Unit::Price { "" } else { "%" };
    let decimals = (0_u32..8).find(|&d| span * f64::from(10_u32.pow(d)) >= 20.0).unwrap_or(8);
    let text = match decimals {
        0 if y.abs() < 1e15 => count(y.round() as i64),
        0 => number(y),
        d => format!("{y:.*}", d as usize).replace('-', "−"),
    };
    let sign = if unit == Unit::Change && y > 0.0 { "+" } else { "" };
    format!("{sign}{text}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_as_many_decimals_as_they_need() {
        assert_eq!(value(3021.7, 400.0, Unit::Price), "3,022");
        assert_eq!(value(0.7312, 0.02, Unit::Price), "0.731");
        assert_eq!(value(12.0, 30.0, Unit::Change), "+12%");
        assert_eq!(value(-0.005, 0.03, Unit::Rate), "−0.005%");
    }

    #[test]
    fn a_course_of_computations_begins_at_nothing() {
        let drawn = over_time("Weight", &[1000, 2000, 3000].map(Block), &[0.0, 2.0, 1.0], |x| format!("{x}"));
        let drawn = drawn.unwrap().to_string();
        assert!(drawn.contains(r#"d="M0 200L500 0L1000 100""#) && drawn.contains("block 3,000"), "{drawn}");
        assert!(over_time("Weight", &[Block(1000)], &[1.0], |x| format!("{x}")).is_none());
    }

    #[test]
    fn a_flat_price_is_drawn_in_the_middle() {
        let (main, range) = (vec![(0.0, 7.0), (1.0, 7.0)], (Sidx(10), Sidx(20)));
        let series = Series { assets: vec![], main, unit: Unit::Price, range };
        let drawn = prices(&series, "A", 5).to_string();
        assert!(
            drawn.contains(r#"d="M0 100L1000 100""#)
                && drawn.contains("block 50")
                && drawn.contains("block 100")
        );
    }
}
