//! What a book made.

use mantis_kit::math;

/// Profit of a book over the newest hours, less fees on its changes, not below 0 (scoring: trademix, evidence, pay). A
/// position earns the return of the hour after it. Both are by asset and hour.
pub(crate) fn profit(book: &[&[f64]], returns: &[&[f64]], window: usize, fee: f64) -> f64 {
    let (mut earned, mut turnover) = (0.0, 0.0);
    for (of_asset, returns) in book.iter().zip(returns) {
        let from = of_asset.len().saturating_sub(window);
        let held = &of_asset[from..];
        earned += math::dot(held, returns.get(from + 1..).unwrap_or_default());
        turnover += held.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>();
    }
    (earned - fee * turnover).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_hour_pays_and_changes_cost() {
        let book = [9.0, 1.0, -1.0, 0.5];
        let returns = [9.0, 9.0, 0.2, -0.1];
        // Three hours: 1 * 0.2 + -1 * -0.1, turned by 2 and by 1.5.
        assert!((profit(&[&book], &[&returns], 3, 0.01) - (0.3 - 0.035)).abs() < 1e-15);
        assert_eq!(profit(&[&book], &[&returns], 3, 0.1), 0.0);
        assert!((profit(&[&book[..]; 2], &[&returns[..]; 2], 3, 0.01) - 0.53).abs() < 1e-15);
        assert_eq!(profit(&[&[]], &[&[]], 3, 0.01), 0.0);
    }
}
