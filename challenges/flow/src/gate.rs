//! Evidence of skill, and who passes the gate.

use crate::Params;
use crate::moments::moments;

/// Deviations up to this are rounding.
const MIN_DEVIATION: f64 = 1e-12;

/// A miner's evidence in blocks of hours, and whether it has passed (scoring: flow, gate).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gate {
    /// Block and sum, of blocks in which a trade ended, ascending.
    blocks: Vec<i64>,
    sums: Vec<f64>,
    /// t of the evidence; `None` as long as there is too little.
    pub(crate) t: Option<f64>,
    pub(crate) is_passed: bool,
}

impl Gate {
    /// Adds the evidence of a trade that ended in an hour; hours ascend.
    pub(crate) fn add(&mut self, hour: f64, evidence: f64, params: &Params) {
        let block = (hour / params.gate_block_h).floor() as i64;
        match self.sums.last_mut().filter(|_| self.blocks.last() == Some(&block)) {
            Some(sum) => *sum += evidence,
            None => {
                self.blocks.push(block);
                self.sums.push(evidence);
            }
        }
    }

    /// Opens or shuts by all evidence so far.
    pub(crate) fn update(&mut self, params: &Params) {
        self.t = self.evidence(params.gate_min_n);
        let t = self.t.unwrap_or(f64::NEG_INFINITY);
        // In this order, so that bounds which cross each other leave it open.
        if t < params.gate_z_out {
            self.is_passed = false;
        }
        if t >= params.gate_z_in {
            self.is_passed = true;
        }
    }

    /// The larger t of all blocks and of the last `least`; `None` of fewer, or if neither varies.
    fn evidence(&self, least: usize) -> Option<f64> {
        let recent = &self.sums[self.sums.len().checked_sub(least)?..];
        match (t_statistic(&self.sums), t_statistic(recent)) {
            (Some(all), Some(recent)) => Some(all.max(recent)),
            (all, recent) => all.or(recent),
        }
    }
}

/// Mean over its error; `None` of numbers that do not vary.
fn t_statistic(x: &[f64]) -> Option<f64> {
    let (mean, deviation) = moments(x).filter(|&(_, deviation)| deviation > MIN_DEVIATION)?;
    Some(mean / deviation * (x.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gate after evidence in one block each.
    fn after(evidence: &[f64]) -> Gate {
        let params = Params::default();
        let mut gate = Gate::default();
        for (block, &x) in evidence.iter().enumerate() {
            gate.add(168.0 * block as f64 + 1.0, x, &params);
            gate.update(&params);
        }
        gate
    }

    #[test]
    fn evidence_is_summed_by_absolute_blocks() {
        let params = Params::default();
        let mut gate = Gate::default();
        for (hour, x) in [(167.9, 1.0), (168.0, 2.0), (335.9, 4.0), (336.0, 8.0), (900.0, 16.0)] {
            gate.add(hour, x, &params);
        }
        assert_eq!((gate.blocks, gate.sums), (vec![0, 1, 2, 5], vec![1.0, 6.0, 8.0, 16.0]));
    }

    #[test]
    fn four_blocks_are_needed() {
        assert_eq!((after(&[3.0, 4.0, 5.0]).t, after(&[3.0, 4.0, 5.0]).is_passed), (None, false));
        let gate = after(&[3.0, 4.0, 5.0, 4.0]);
        // Mean 4, sample deviation sqrt(2 / 3), root of the count 2.
        assert!((gate.t.unwrap() - 4.0 / (2.0_f64 / 3.0).sqrt() * 2.0).abs() < 1e-12);
        assert!(gate.is_passed);
    }

    #[test]
    fn the_better_of_all_and_the_last_four_counts() {
        let recent = after(&[-9.0, -9.0, -9.0, 3.0, 4.0, 5.0, 4.0]);
        assert!(recent.t.unwrap() > 9.0 && recent.is_passed);
        let all = after(&[3.0, 4.0, 5.0, 4.0, 3.0, 4.0, 5.0, -6.0]);
        assert_eq!(all.t, t_statistic(&[3.0, 4.0, 5.0, 4.0, 3.0, 4.0, 5.0, -6.0]));
        // Where one of them does not vary, the other counts; where neither does, there is no evidence.
        assert!(after(&[0.0, 1.0, 1.0, 1.0, 1.0]).t.unwrap() > 1.0);
        assert_eq!(after(&[1.0; 6]).t, None);
    }

    #[test]
    fn it_opens_high_and_shuts_low() {
        // t of a, -a and so on with one number more: chosen between both bounds, and below.
        let between = [1.0, -0.2, 1.0, -0.2];
        let t = t_statistic(&between).unwrap();
        assert!(t > 0.5 && t < 1.25, "{t}");
        assert!(!after(&between).is_passed, "not enough to pass");
        let params = Params::default();
        let mut gate = Gate { is_passed: true, ..after(&between) };
        gate.update(&params);
        assert!(gate.is_passed, "enough to stay");
        let mut gate = Gate { is_passed: true, ..after(&[1.0, -0.9, 1.0, -0.9]) };
        assert!(gate.t.unwrap() < 0.5);
        gate.update(&params);
        assert!(!gate.is_passed);
        let mut gate = Gate { is_passed: true, ..after(&[1.0; 4]) };
        gate.update(&params);
        assert!(!gate.is_passed, "nothing is known");
    }

    #[test]
    fn bounds_belong_to_those_who_pass() {
        let t = t_statistic(&[3.0, 4.0, 5.0, 4.0]).unwrap();
        let gate = |is_passed: bool, gate_z_in: f64, gate_z_out: f64| {
            let mut gate = Gate { is_passed, ..after(&[3.0, 4.0, 5.0, 4.0]) };
            gate.update(&Params { gate_z_in, gate_z_out, ..Params::default() });
            gate.is_passed
        };
        assert!(gate(false, t, 0.0) && !gate(false, t.next_up(), 0.0));
        assert!(gate(true, 99.0, t) && !gate(true, 99.0, t.next_up()));
    }
}
