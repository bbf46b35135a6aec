//! A fitted ensemble by itself: kept by [`Making`](crate::fitted::Making), and asked for a row.

use super::counts::{Line, is_number};
use super::ensemble::{Fitted, decisions};
use crate::fitted::Row;
use crate::logistic::Model;
use half::f16;
use mantis_plugin_api::{Forecast, PluginError};
use serde::{Deserialize, Serialize};

/// The ensemble of a segment of a walk, fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PooledFit {
    intercept: f64,
    members: Vec<Member>,
}

/// A selected miner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    /// Its column.
    miner: usize,
    coefficient: f64,
    /// Slope and offset of its own model; none if it had too few samples.
    line: Option<[f64; 2]>,
    /// Assets for which it counts as absent.
    absent: Vec<usize>,
}

impl PooledFit {
    pub(super) fn new(selected: &[usize], fitted: Fitted) -> Self {
        let Model { coef, intercept } = fitted.mean;
        let members =
            selected.iter().zip(coef).zip(fitted.lines).map(|((&miner, coefficient), line)| Member {
                miner,
                coefficient,
                line: line.map(|line| [line.slope, line.offset]),
                absent: Vec::new(),
            });
        Self { intercept, members: members.collect() }
    }

    /// Has miners count as absent for some assets: `absent` says which, by the miner's column.
    #[must_use]
    pub fn without(mut self, absent: impl Fn(usize) -> Vec<usize>) -> Self {
        self.members.iter_mut().for_each(|member| member.absent = absent(member.miner));
        self
    }

    /// The ensemble's decision value for each asset of a row, in which each miner has a number for each: log odds with both
    /// classes at even weight. An asset that is not `there` has none, as in the walk.
    ///
    /// # Errors
    /// [`PluginError::Data`] if the fit has miners or assets that are not there, or says what is no number.
    pub fn forecast(&self, row: &Row, there: &[bool]) -> Result<Forecast, PluginError> {
        let mut miners = 0;
        let mut values = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let numbers = member.numbers(row, there.len())?;
            let mut counted =
                numbers.iter().zip(there).filter(|(number, there)| **there && is_number(**number));
            miners += usize::from(member.line.is_some() && counted.next().is_some());
            values.push(match member.line {
                Some([slope, offset]) => {
                    numbers.into_iter().map(|number| Line { slope, offset }.value(number)).collect()
                }
                None => vec![0.0; there.len()],
            });
        }
        let coef = self.members.iter().map(|member| member.coefficient).collect();
        let decisions = decisions(&Model { coef, intercept: self.intercept }, &values, there.len());
        if !decisions.iter().all(|z| z.is_finite()) {
            return Err(PluginError::data("the fit says what is no number"));
        }
        let values = decisions.into_iter().zip(there).map(|(z, there)| there.then_some(z)).collect();
        Ok(Forecast { values, miners })
    }
}

impl Member {
    /// Its numbers, without those that count as absent.
    fn numbers(&self, row: &Row, assets: usize) -> Result<Vec<f16>, PluginError> {
        let mut numbers = row.of(self.miner)?.to_vec();
        if numbers.len() != assets {
            let found = numbers.len();
            return Err(PluginError::data(format!("{found} numbers of a miner for {assets} assets")));
        }
        for &asset in &self.absent {
            match numbers.get_mut(asset) {
                Some(number) => *number = f16::ZERO,
                None => {
                    return Err(PluginError::data(format!("the fit has an asset {asset} that is not there")));
                }
            }
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fitted::Making;

    const MAKING: Making = Making { format: "test-1", numbers: 2, subjects: 2 };

    fn fit() -> PooledFit {
        let lines =
            vec![Some(Line { slope: 2.0, offset: -0.5 }), None, Some(Line { slope: -1.0, offset: 0.25 })];
        let mean = Model { coef: vec![0.5, 3.0, 2.0], intercept: 0.125 };
        PooledFit::new(&[3, 0, 1], Fitted::of(mean, lines))
    }

    /// What is forecast after a way through bytes.
    fn forecast(fit: &PooledFit, sent: &[f32], there: &[bool]) -> Result<Forecast, PluginError> {
        let bytes = MAKING.write(4, fit).unwrap().unwrap();
        let (read, row) = MAKING.read::<PooledFit>(&bytes, sent)?;
        assert_eq!(read, *fit);
        read.forecast(&row, there)
    }

    #[test]
    fn a_row_is_forecast_by_those_who_are_there() {
        let sent = [9.0, 9.0, 0.5, 0.0, 9.0, 9.0, 1.0, -0.5];
        let found = forecast(&fit(), &sent, &[true, true]).unwrap();
        // Miner 3 counts, then 0 has no model, then 1 has one number.
        let expected = [0.125 + 0.5 * 1.5 + 2.0 * -0.25, 0.125 + 0.5 * -1.5].map(Some);
        assert_eq!((&found.values[..], found.miners), (&expected[..], 2));
        let second = forecast(&fit(), &sent, &[false, true]).unwrap();
        assert_eq!((second.values, second.miners), (vec![None, expected[1]], 1));
        let muted = fit().without(|miner| if miner == 3 { vec![0, 1] } else { vec![] });
        let muted = forecast(&muted, &sent, &[true; 2]).unwrap();
        assert_eq!((muted.values, muted.miners), (vec![Some(0.125 - 0.5), Some(0.125)], 1));
        for absent in [0.0, -0.0, f32::NAN, f32::INFINITY, 1e9, 1e-12] {
            let found = forecast(&fit(), &[absent; 8], &[true; 2]).unwrap();
            assert_eq!((found.values, found.miners), (vec![Some(0.125); 2], 0), "{absent}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let says = |damage: fn(&mut PooledFit), there: &[bool]| {
            let mut fit = fit();
            damage(&mut fit);
            forecast(&fit, &[1.0; 8], there).unwrap_err().to_string()
        };
        assert_eq!(
            says(|fit| fit.members[0].miner = 4, &[true; 2]),
            "the fit has a miner 4 that is not there"
        );
        let nowhere = "the fit has an asset 2 that is not there";
        assert_eq!(says(|fit| fit.members[0].absent = vec![2], &[true; 2]), nowhere);
        assert_eq!(says(|_| (), &[true; 3]), "2 numbers of a miner for 3 assets");
        let huge: fn(&mut PooledFit) = |fit| fit.members.iter_mut().for_each(|m| m.coefficient = f64::MAX);
        assert_eq!(says(huge, &[true; 2]), "the fit says what is no number");
        assert_eq!(MAKING.write(4, &PooledFit { intercept: f64::NAN, ..fit() }), Ok(None));
    }
}
