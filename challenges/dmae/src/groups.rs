//! Miners that contribute alike.

use mantis_kit::math;

/// A miner's contributions, less their mean and scaled to length 1.
struct Direction(Vec<f64>);

/// Deviations of contributions from their mean, and their variance.
fn deviations(contributions: &[f32]) -> (Vec<f64>, f64) {
    let mut d: Vec<f64> = contributions.iter().map(|&u| f64::from(u)).collect();
    let n = d.len().max(1) as f64;
    let mean = math::sum(&d) / n;
    d.iter_mut().for_each(|d| *d -= mean);
    let variance = math::dot(&d, &d) / n;
    (d, variance)
}

/// How much each miner's contributions vary; 0 where the model makes nothing of what it sends.
pub(crate) fn spreads(contributions: &[Vec<f32>]) -> Vec<f64> {
    contributions.iter().map(|contributions| deviations(contributions).1).collect()
}

/// Groups of the miners in `order`: each joins the first group with all of whose members its contributions correlate by
/// `alike` or more, else it begins one (scoring: dmae, groups). The contributions of all of them vary.
pub(crate) fn groups(contributions: &[Vec<f32>], order: &[usize], alike: f64) -> Vec<Vec<usize>> {
    let direction = |&miner: &usize| {
        let (mut d, variance) = deviations(&contributions[miner]);
        let length = (variance * d.len() as f64).sqrt();
        d.iter_mut().for_each(|d| *d /= length);
        Direction(d)
    };
    let directions: Vec<Direction> = order.iter().map(direction).collect();
    let is_alike = |a: usize, b: usize| math::dot(&directions[a].0, &directions[b].0) >= alike;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for place in 0..order.len() {
        match groups.iter_mut().find(|group| group.iter().all(|&member| is_alike(place, member))) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups.into_iter().map(|group| group.into_iter().map(|place| order[place]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_members_of_a_group_are_alike() {
        // Angles in degrees: neighbours 40 apart correlate by 0.77, those 80 apart do not.
        let at = |degrees: f64| {
            let (sin, cos) = math::sin_cos(degrees.to_radians());
            (0..4).map(|i| [cos, sin, -cos, -sin][i] as f32 + 5.0).collect::<Vec<f32>>()
        };
        let contributions: Vec<Vec<f32>> = [0.0, 40.0, 80.0, 81.0, 0.0].map(at).to_vec();
        assert_eq!(groups(&contributions, &[0, 1, 2, 3, 4], 0.7), [vec![0, 1, 4], vec![2, 3]]);
        assert_eq!(groups(&contributions, &[2, 1, 0], 0.7), [vec![2, 1], vec![0]]);
        assert_eq!(groups(&contributions, &[0, 4], 0.999).len(), 1);
    }

    #[test]
    fn what_never_varies_has_no_spread() {
        let found = spreads(&[vec![0.0; 5], vec![1.0, -1.0, 1.0, -1.0]]);
        assert_eq!(found, [0.0, 1.0]);
    }
}
