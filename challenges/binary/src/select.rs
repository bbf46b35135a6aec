//! Which miners enter the ensemble.

use crate::data::Data;
use crate::verdict::Verdict;
use crate::{Params, daily, half};
use mantis_plugin_api::{PluginError, Progress, Salience, WhyZero};

/// The miners with the best AUC, in falling order; the others are told why not (scoring: binary, step 2).
pub(crate) fn select(
    data: &Data<'_>,
    salience: &mut Salience,
    progress: &dyn Progress,
) -> Result<Vec<usize>, PluginError> {
    let miners = data.history.shape().miners;
    let judge = if is_daily(data.params) { daily::judge } else { half::judge };
    let mut ranking = Vec::with_capacity(miners);
    for miner in 0..miners {
        let column = data.column(miner)?;
        let present = column.rows.len();
        salience.note(miner, "present_rows", present as f64);
        let verdict = judge(data, &column)?;
        if let Verdict::Auc(auc) = verdict {
            salience.note(miner, "auc", auc);
        }
        if present == 0 {
            salience.zero(miner, WhyZero::absent());
        } else if column.is_constant() {
            salience.zero(miner, WhyZero::constant());
        } else if let Verdict::None(text) = &verdict {
            salience.zero(miner, WhyZero::new("too_few_rows", text));
        }
        let auc = if let Verdict::Auc(auc) = verdict { auc } else { 0.5 };
        // Ranked as the network does, in single precision: it makes ties.
        ranking.push((miner, auc as f32));
        progress.report(0.3 * (miner + 1) as f64 / miners as f64);
    }
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(keep(data.params, &ranking, salience))
}

/// The first of a ranking that is in falling order of AUC.
fn keep(params: &Params, ranking: &[(usize, f32)], salience: &mut Salience) -> Vec<usize> {
    let places = places(params, ranking);
    let min_auc = params.min_auc;
    let mut kept = Vec::new();
    for (rank, &(miner, auc)) in ranking.iter().enumerate() {
        let why = if f64::from(auc) <= min_auc {
            WhyZero::auc(f64::from(auc), min_auc)
        } else if rank >= places {
            WhyZero::pruned(rank + 1, places)
        } else {
            kept.push(miner);
            continue;
        };
        if salience.miners[miner].why_zero.is_none() {
            salience.zero(miner, why);
        }
    }
    kept
}

/// How many of a ranking may stay: `top_k`, and with daily windows those that are hardly worse than the last of them.
fn places(params: &Params, ranking: &[(usize, f32)]) -> usize {
    let (first, rest) = ranking.split_at(params.top_k.min(ranking.len()));
    let Some(&(_, last)) = first.last().filter(|_| is_daily(params)) else { return params.top_k };
    let bar = f64::from(last) - params.select_margin;
    let near = rest.iter().take(params.select_extra).take_while(|(_, auc)| f64::from(*auc) >= bar);
    params.top_k + near.count()
}

fn is_daily(params: &Params) -> bool {
    params.select == "daily"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(select: &str, aucs: &[f32]) -> Vec<usize> {
        let params = Params {
            select: select.into(),
            top_k: 2,
            select_extra: 2,
            select_margin: 0.125,
            ..Params::default()
        };
        let ranking: Vec<(usize, f32)> = aucs.iter().copied().enumerate().collect();
        let mut salience = Salience::new(aucs.len());
        let kept = keep(&params, &ranking, &mut salience);
        for (miner, report) in salience.miners.iter().enumerate() {
            assert_eq!(report.why_zero.is_none(), kept.contains(&miner), "{miner}");
        }
        kept
    }

    #[test]
    fn those_hardly_worse_than_the_last_stay_too() {
        // 0.625 is just within the margin of 0.75; what follows the first that is not is not looked at.
        assert_eq!(kept("daily", &[0.875, 0.75, 0.625, 0.62]), [0, 1, 2]);
        assert_eq!(kept("daily", &[0.875, 0.75, 0.7, 0.7, 0.7]), [0, 1, 2, 3]);
        assert_eq!(kept("half", &[0.875, 0.75, 0.75]), [0, 1]);
    }

    #[test]
    fn nobody_stays_who_is_no_better_than_chance() {
        assert_eq!(kept("daily", &[0.53, 0.51, 0.5, 0.45]), [0, 1]);
        assert_eq!(kept("daily", &[0.5]), [0_usize; 0]);
        assert_eq!(kept("daily", &[]), [0_usize; 0]);
    }
}
