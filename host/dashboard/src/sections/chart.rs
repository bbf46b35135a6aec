//! A chart with its axes, from a series.

use super::svg;
use super::text::{count, number};
use crate::standing::series::{Series, Unit};

/// The prices of a challenge over the ledger. `name` is already escaped.
pub(crate) fn chart(series: &Series, name: &str, sample_every: i64) -> String {
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
        Unit::Price => (format!("Price of {name}"), String::new()),
        Unit::Change => (
            format!("Prices of {} assets, change since the start", series.assets.len()),
            "; the median is the strong line".to_owned(),
        ),
        Unit::Rate => (
            format!("Funding rates of {} assets", series.assets.len()),
            "; the median is the strong line".to_owned(),
        ),
    };
    let last = series.main.last().map_or(0.0, |point| (point.1 - bottom) / height);
    let label = format!("{what}: lowest {}, highest {}, last {}", tick(0.0), tick(1.0), tick(last));
    let block = |sidx: i64| count(sidx.saturating_mul(sample_every));
    let caption = format!("{what}{legend}");
    let drawn = svg::curves(&curves, &label);
    let ends = (block(series.range.0), block(series.range.1));
    figure(
        &caption,
        [tick(1.0), tick(0.5), tick(0.0)],
        &drawn,
        (&format!("block {}", ends.0), &format!("block {}", ends.1)),
    )
}

/// A drawing with its caption, three marks of its height, highest first, and the ends of its width; all escaped.
pub(crate) fn figure(caption: &str, marks: [String; 3], drawn: &str, ends: (&str, &str)) -> String {
    let [high, middle, low] = marks;
    format!(
        r#"<figure class="chart"><figcaption>{caption}</figcaption><div class="plot"><div class="y"><span>{high}</span><span>{middle}</span><span>{low}</span></div>{drawn}</div><div class="x"><span>{}</span><span>{}</span></div></figure>
"#,
        ends.0, ends.1
    )
}

/// Values over computations, 0 at the bottom: blocks, oldest first, and a value for each. Nothing where there are
/// fewer than two. `write` gives a value's text; `name` is escaped.
pub(crate) fn over_time(name: &str, blocks: &[i64], values: &[f64], write: impl Fn(f64) -> String) -> String {
    let (Some(first), Some(last), Some(now)) = (blocks.first(), blocks.last(), values.last()) else {
        return String::new();
    };
    if blocks.len() < 2 {
        return String::new();
    }
    let most = values.iter().copied().fold(0.0, f64::max);
    let top = if most > 0.0 { most } else { 1.0 };
    let width = last.saturating_sub(*first).max(1) as f64;
    let points =
        blocks.iter().zip(values).map(|(&block, &y)| (block.saturating_sub(*first) as f64 / width, y / top));
    let label = format!("{name}: highest {}, last {}", write(most), write(*now));
    let drawn = svg::curves(&[points.collect()], &label);
    let caption = format!("{name} <b>{}</b>", write(*now));
    let ends = (format!("block {}", count(*first)), format!("block {}", count(*last)));
    figure(&caption, [write(top), write(top / 2.0), write(0.0)], &drawn, (&ends.0, &ends.1))
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
        let drawn = over_time("Weight", &[1000, 2000, 3000], &[0.0, 2.0, 1.0], |x| format!("{x}"));
        assert!(drawn.contains(r#"d="M0 200L500 0L1000 100""#) && drawn.contains("block 3,000"), "{drawn}");
        assert_eq!(over_time("Weight", &[1000], &[1.0], |x| format!("{x}")), "");
    }

    #[test]
    fn a_flat_price_is_drawn_in_the_middle() {
        let series =
            Series { assets: vec![], main: vec![(0.0, 7.0), (1.0, 7.0)], unit: Unit::Price, range: (10, 20) };
        let drawn = chart(&series, "A", 5);
        assert!(
            drawn.contains(r#"d="M0 100L1000 100""#)
                && drawn.contains("block 50")
                && drawn.contains("block 100")
        );
    }
}
