//! Who is paid how much of one channel.

use super::EPS;
use super::EvidenceParams;
use super::cosines::Cosines;
use super::gate::benjamini_hochberg;
use super::null::Evidence;
use mantis_kit::math;

/// What is known of all miners in one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channel {
    /// Evidence for each miner.
    pub(crate) evidence: Vec<Evidence>,
    /// Who takes part.
    pub(crate) takes_part: Vec<bool>,
    /// What each one's book made after fees.
    pub(crate) profits: Vec<f64>,
}

/// What the channel pays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pay {
    /// Who is through the gate.
    pub(crate) passes: Vec<bool>,
    /// What each one's is worth, before duplicates share.
    pub(crate) worth: Vec<f64>,
    /// Who leads each one's cluster of duplicates.
    pub(crate) leaders: Vec<usize>,
    /// Parts of the channel.
    pub(crate) shares: Vec<f64>,
    /// The part that nobody earned.
    pub(crate) burn: f64,
}

impl Channel {
    /// Settles the channel (scoring: trademix, evidence, gate) (scoring: trademix, evidence, pay).
    pub(crate) fn pay(&self, coverage: &[f64], cosines: &Cosines, params: &EvidenceParams) -> Pay {
        let p: Vec<f64> = self.evidence.iter().map(|evidence| evidence.p).collect();
        let passes = benjamini_hochberg(&p, &self.takes_part, params.fdr);
        let worth_of = |i: usize| {
            let strength = math::softplus(self.evidence[i].t - params.softplus_shift);
            if passes[i] { strength * self.profits[i] * coverage[i] } else { 0.0 }
        };
        let worth: Vec<f64> = (0..p.len()).map(worth_of).collect();
        let leaders = leaders(&self.evidence, cosines, params.dedup_cosine);
        let mut shares = shared(&worth, &leaders);
        let sum = math::sum(&shares);
        if sum > 0.0 {
            shares.iter_mut().for_each(|share| *share /= sum);
        }
        cap(&mut shares, params.miner_cap);
        let burn = 1.0 - math::sum(&shares);
        Pay { passes, worth, leaders, shares, burn }
    }
}

/// Who leads each miner's duplicates: in falling order of evidence, who has no leader yet leads itself and all without
/// one that are like it.
fn leaders(evidence: &[Evidence], cosines: &Cosines, threshold: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..evidence.len()).collect();
    order.sort_by(|&a, &b| evidence[b].t.total_cmp(&evidence[a].t));
    let mut leaders = vec![None; evidence.len()];
    for &leader in &order {
        if leaders[leader].is_some() {
            continue;
        }
        leaders[leader] = Some(leader);
        for (other, led_by) in leaders.iter_mut().enumerate() {
            if led_by.is_none() && cosines.of(leader, other) >= threshold {
                *led_by = Some(leader);
            }
        }
    }
    leaders.into_iter().enumerate().map(|(miner, leader)| leader.unwrap_or(miner)).collect()
}

/// What each one's is worth once duplicates share: g of them that are worth something get an equal part of their mean, so
/// that together they have no more than one.
fn shared(worth: &[f64], leaders: &[usize]) -> Vec<f64> {
    let (mut sums, mut sizes) = (vec![0.0; worth.len()], vec![0_usize; worth.len()]);
    for (&worth, &leader) in worth.iter().zip(leaders).filter(|(worth, _)| **worth > 0.0) {
        sums[leader] += worth;
        sizes[leader] += 1;
    }
    let share = |(&worth, &leader): (&f64, &usize)| match sizes[leader] {
        size if worth > 0.0 && size >= 2 => sums[leader] / (size * size) as f64,
        _ => worth,
    };
    worth.iter().zip(leaders).map(share).collect()
}

/// Cuts shares at the cap, and gives what was cut off to the others by their shares, once and up to the cap.
fn cap(shares: &mut [f64], cap: f64) {
    let excess: f64 = shares.iter().map(|share| (share - cap).max(0.0)).sum();
    let rest: f64 = shares.iter().filter(|&&share| share <= cap).sum();
    for share in shares {
        let gain = if *share > cap { 0.0 } else { (cap - *share).min(excess * *share / rest.max(EPS)) };
        *share = share.min(cap) + gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn evidence(t: &[f64]) -> Vec<Evidence> {
        t.iter().map(|&t| Evidence { t, p: math::norm_cdf(-t) }).collect()
    }

    #[test]
    fn the_strongest_leads_and_the_first_of_equals() {
        let books = [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.0, 2.0]].map(Vec::from);
        let cosines = Cosines::new(&books);
        assert_eq!(leaders(&evidence(&[1.0, 3.0, 2.0, 2.0]), &cosines, 0.95), [1, 1, 2, 2]);
        assert_eq!(leaders(&evidence(&[1.0, 3.0, 2.0, 2.0]), &cosines, 0.999), [0, 1, 2, 2]);
    }

    #[test]
    fn duplicates_have_together_what_one_has_on_average() {
        assert_eq!(shared(&[3.0, 1.0, 0.0, 5.0], &[0, 0, 0, 3]), [1.0, 1.0, 0.0, 5.0]);
    }

    #[test]
    fn what_is_cut_off_goes_to_others_once() {
        let mut shares = [0.6, 0.19, 0.14, 0.07, 0.0];
        cap(&mut shares, 0.2);
        // 0.4 over 0.4 of others: each would double, and stops at the cap.
        let expected = [0.2, 0.2, 0.2, 0.14, 0.0];
        assert!(shares.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{shares:?}");
        let mut nothing = [0.0; 3];
        cap(&mut nothing, 0.2);
        assert_eq!(nothing, [0.0; 3]);
    }

    #[test]
    fn only_profit_through_the_gate_is_paid() {
        let channel = Channel {
            evidence: evidence(&[5.0, 4.0, 1.0, 6.0]),
            takes_part: vec![true, true, true, false],
            profits: vec![0.1, 0.0, 0.3, 0.5],
        };
        let books = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]].map(Vec::from);
        let pay = channel.pay(&[0.5, 1.0, 1.0, 1.0], &Cosines::new(&books), &EvidenceParams::default());
        assert_eq!(pay.passes, [true, true, false, false]);
        assert_eq!(pay.worth, [math::softplus(3.0) * 0.1 * 0.5, 0.0, 0.0, 0.0]);
        assert_eq!((pay.shares, pay.burn), (vec![0.2, 0.0, 0.0, 0.0], 0.8));
    }

    proptest! {
        #[test]
        fn no_share_is_above_the_cap_and_all_are_one_with_the_burn(
            worth in prop::collection::vec((0.0..1.0f64, 0..4_u32), 0..30),
        ) {
            let worth: Vec<f64> = worth.into_iter().map(|(x, rare)| if rare == 0 { 0.0 } else { x }).collect();
            let sum: f64 = worth.iter().sum();
            let mut shares: Vec<f64> = worth.iter().map(|x| x / sum.max(1e-9)).collect();
            let before = shares.clone();
            cap(&mut shares, 0.2);
            prop_assert!(shares.iter().all(|&share| (0.0..=0.2 + 1e-15).contains(&share)));
            prop_assert!(shares.iter().sum::<f64>() <= 1.0 + 1e-12);
            for (before, after) in before.iter().zip(&shares) {
                prop_assert!(*after >= before.min(0.2) && (*before > 0.0 || *after == 0.0));
            }
        }
    }
}
