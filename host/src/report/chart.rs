//! A chart with its axes, from a series.

use super::prices::{Series, Unit};
use super::svg;
use super::text::{count, number};

/// The prices of a challenge over the ledger. `name` is already escaped.
pub(super) fn chart(series: &Series, name: &str, sample_every: i64) -> String {
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
    format!(
        r#"<figure class="chart"><figcaption>{what}{legend}</figcaption><div class="plot"><div class="y"><span>{}</span><span>{}</span><span>{}</span></div>{}</div><div class="x"><span>block {}</span><span>block {}</span></div></figure>
"#,
        tick(1.0),
        tick(0.5),
        tick(0.0),
        svg::curves(&curves, &label),
        block(series.range.0),
        block(series.range.1)
    )
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
