//! What a validator would have stored of a strategy's answers.

use crate::walk::{Answers, Path};
use mantis_config::Challenge;
use mantis_ledger::Vector;
use mantis_scoring::worker::{Session, WorkerError};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Numbers that are judged at once: they cross to the plugin's process and back as JSON.
const BATCH: usize = 1 << 16;

/// What a validator would have stored, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Numbers of a row.
    pub width: usize,
    /// By row: as many numbers, rounded as the ledger rounds; none for a row in which nothing was sent.
    pub rows: BTreeMap<usize, Vec<f32>>,
    /// What became of the answers.
    pub taken: Taken,
}

/// What became of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Rows that were asked about.
    pub asked: u64,
    /// Of those, rows with an answer that a validator would have stored.
    pub stored: u64,
    /// Of those, rows with nothing to say, or zeros alone.
    pub silent: u64,
    /// Of those, rows with an answer that the challenge's plugin refuses.
    pub refused: u64,
    /// What it says of the first.
    pub first_refused: Option<String>,
}

/// How numbers are put before the plugin.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    List,
    ByAsset,
}

/// Has the challenge's plugin judge what a strategy answered along a path; in between its last answer stands.
///
/// # Errors
/// If the plugin cannot be asked.
pub fn store(
    challenge: &Challenge,
    session: &mut Session,
    answers: &Answers,
    path: Path,
) -> Result<Stored, WorkerError> {
    let width = challenge.storage_dim();
    let mut stored = Stored { width, rows: BTreeMap::new(), taken: Taken::default() };
    let mut form = None;
    let at_once = (BATCH / width.max(1)).max(1);
    for (rows, numbers) in answers.rows.chunks(at_once).zip(answers.numbers.chunks(at_once)) {
        let is_sent = |numbers: &[f32]| numbers.iter().any(|x| *x != 0.0);
        let sent: Vec<(usize, &[f32])> = rows.iter().zip(numbers).map(|(row, one)| (*row, &**one)).collect();
        let (sent, silent): (Vec<_>, Vec<_>) = sent.into_iter().partition(|(_, numbers)| is_sent(numbers));
        stored.taken.asked += rows.len() as u64;
        stored.taken.silent += silent.len() as u64;
        let Some((_, first)) = sent.first() else { continue };
        let form = match form {
            Some(form) => form,
            None => *form.insert(found_form(challenge, session, first)?),
        };
        let values: Vec<Value> = sent.iter().map(|(_, numbers)| written(challenge, numbers, form)).collect();
        for ((row, _), decoded) in sent.iter().zip(session.decode(&values)?) {
            match decoded {
                Ok(decoded) if decoded.len() == width && is_sent(&decoded) => {
                    stored.taken.stored += 1;
                    stored.rows.insert(*row, Vector::new(&decoded, challenge.storage).to_f32());
                }
                Ok(_) => stored.taken.silent += 1,
                Err(error) => {
                    stored.taken.refused += 1;
                    stored.taken.first_refused.get_or_insert_with(|| error.to_string());
                }
            }
        }
    }
    hold(&mut stored, answers, path);
    Ok(stored)
}

/// A row without an answer of its own has that of the row before.
fn hold(stored: &mut Stored, answers: &Answers, path: Path) {
    let ends = answers.rows.iter().skip(1).copied().chain([path.until]);
    let runs: Vec<(usize, usize)> = answers.rows.iter().copied().zip(ends).collect();
    for (row, end) in runs {
        if let Some(numbers) = stored.rows.get(&row).cloned() {
            stored.rows.extend((row + 1..end).map(|row| (row, numbers.clone())));
        }
    }
}

/// An object by asset where the challenge has assets, unless the plugin takes a list alone.
fn found_form(challenge: &Challenge, session: &mut Session, first: &[f32]) -> Result<Form, WorkerError> {
    if challenge.assets.is_empty() {
        return Ok(Form::List);
    }
    let both = [Form::ByAsset, Form::List].map(|form| written(challenge, first, form));
    let decoded = session.decode(&both)?;
    let is_list = matches!(decoded.as_slice(), [Err(_), Ok(_)]);
    Ok(if is_list { Form::List } else { Form::ByAsset })
}

fn written(challenge: &Challenge, numbers: &[f32], form: Form) -> Value {
    match form {
        Form::List => Value::from(numbers),
        Form::ByAsset => {
            let by_asset = numbers.chunks_exact(challenge.dim).map(Value::from);
            Value::Object(challenge.assets.iter().cloned().zip(by_asset).collect::<Map<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_until_the_next() {
        let path = Path { first: 0, from: 10, until: 18, interval: 3 };
        let answers = Answers { rows: vec![10, 13, 16], numbers: vec![vec![1.0], vec![], vec![3.0]] };
        let rows = BTreeMap::from([(10, vec![1.0]), (16, vec![3.0])]);
        let mut stored = Stored { width: 1, rows, taken: Taken::default() };
        hold(&mut stored, &answers, path);
        let rows: Vec<(usize, f32)> = stored.rows.iter().map(|(row, numbers)| (*row, numbers[0])).collect();
        assert_eq!(rows, [(10, 1.0), (11, 1.0), (12, 1.0), (16, 3.0), (17, 3.0)]);
    }
}
