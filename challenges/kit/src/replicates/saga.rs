//! Replicates of an elastic net to where the network's solver stops.

use super::{Columns, Replicates, check, class_sums};
use crate::logistic::{FitError, Model, Penalty, Saga, Sample, Table};

/// Each replicate of an elastic net to where the network's scorer stops; `None` if it has one class only.
///
/// As [`logistic::fit`](crate::logistic::fit) with [`Stop::Network`](crate::logistic::Stop::Network) of the drawn rows in
/// order, one that was drawn twice being there twice. Replicate b, those without a model counted, visits its rows in the
/// order of `seed + b`. All features are copied in single precision, each row filled up to whole lines of 64 bytes; 16
/// bytes per row and replicate besides.
///
/// # Errors
/// As [`logistic::fit`](crate::logistic::fit), and [`FitError::BadParameter`] for another penalty.
pub fn fit_saga(
    problem: &Replicates<'_>,
    tol: f64,
    max_iter: usize,
    seed: u32,
) -> Result<Vec<Option<Model>>, FitError> {
    check(problem)?;
    let Penalty::ElasticNet { l1_ratio } = problem.penalty else {
        let name = "penalty";
        return Err(FitError::BadParameter { name, value: f64::NAN, allowed: "an elastic net here" });
    };
    let table = match problem.x {
        Columns::F64(columns) => {
            let columns = columns.iter().map(|column| column.iter().map(|&x| x as f32));
            Table::new(columns, problem.y, problem.weights)
        }
        Columns::F32(columns) => {
            Table::new(columns.iter().map(|column| column.iter().copied()), problem.y, problem.weights)
        }
    };
    let usable: Vec<usize> =
        (0..problem.starts.len()).filter(|&b| class_sums(problem, b).iter().all(|&sum| sum > 0.0)).collect();
    let drawn = |&b: &usize| sample(problem, b, seed.wrapping_add(b as u32));
    let saga = Saga { table: &table, balanced: problem.balanced, c: problem.c, l1_ratio, tol, max_iter };
    let fitted = saga.fit(usable.iter().map(drawn).collect());
    let mut models = vec![None; problem.starts.len()];
    for (b, parameters) in usable.into_iter().zip(fitted) {
        models[b] = Some(match parameters {
            Some(parameters) => super::model(&parameters),
            None => super::fit_alone(problem, b, None)?,
        });
    }
    Ok(models)
}

/// The rows of a replicate, block by block.
fn sample(problem: &Replicates<'_>, replicate: usize, seed: u32) -> Sample {
    let starts = &problem.starts[replicate];
    let rows = problem.y.len();
    let end = |start: usize| start.saturating_add(problem.block).min(rows);
    if starts.iter().all(|&start| end(start) == start.saturating_add(problem.block)) {
        let starts = starts.iter().map(|&start| start as u32).collect();
        return Sample { starts, block: problem.block as u32, seed };
    }
    // Some blocks are cut off: row by row.
    let starts = starts.iter().flat_map(|&start| start as u32..end(start) as u32).collect();
    Sample { starts, block: 1, seed }
}
