//! Settled forecasts as rows of pairs: what was said of a subject, and what came true.

use crate::store::{Outcome, Settled};
use mantis_plugin_api::{Outlook, OutlookKind, Reading};

/// How pairs are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Probabilities of so many classes; of an event, two.
    Probabilities(usize),
    /// Scores that rank the subjects of a row.
    Ranks,
    /// Weights and returns.
    Portfolio,
}

/// Of one subject in one row.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Place of its row among [`Rows::windows`].
    pub(super) row: usize,
    pub(super) subject: usize,
    /// Probabilities of all classes; or the one number.
    pub(super) said: Vec<f64>,
    /// The class; of ranks 1 above; of portfolios nothing.
    pub(super) came: usize,
    /// The return; of portfolios alone.
    pub(super) gained: f64,
}

/// All pairs of one form, in the order of rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) form: Form,
    pub(super) pairs: Vec<Pair>,
    /// For each row, when it was said and when its outcome was known, as rows of the ledger.
    pub(super) windows: Vec<(i64, i64)>,
    pub(super) subjects: usize,
    /// Settled forecasts of another form than the newest: the challenge has changed since.
    pub(super) skipped: usize,
}

impl Rows {
    /// `settled` in the order of rows. Those without an outcome for any subject make no row.
    pub(super) fn new(settled: &[Settled], outlook: &Outlook) -> Option<Self> {
        let form = form(outlook, &settled.last()?.outcome)?;
        let width = outlook.classes.len().max(1);
        let subjects = outlook.subjects.len();
        let mut rows = Self { form, pairs: Vec::new(), windows: Vec::new(), subjects, skipped: 0 };
        for one in settled {
            let fits = one.values.len() == subjects * width && one.outcome.subjects() == subjects;
            if !fits || self::form(outlook, &one.outcome) != Some(form) {
                rows.skipped += 1;
                continue;
            }
            let row = rows.windows.len();
            let before = rows.pairs.len();
            for (subject, said) in one.values.chunks_exact(width).enumerate() {
                rows.pairs.extend(pair(form, row, subject, said, &one.outcome));
            }
            if rows.pairs.len() > before {
                rows.windows.push((one.sidx, one.known_sidx));
            }
        }
        Some(rows)
    }

    /// How many of the rows' windows, from row to outcome, do not overlap: as many as can be chosen so, from the first on.
    pub(super) fn disjoint(&self) -> Vec<usize> {
        let mut free = i64::MIN;
        let mut chosen = Vec::new();
        for (row, (from, until)) in self.windows.iter().enumerate() {
            if *from >= free {
                chosen.push(row);
                free = *until;
            }
        }
        chosen
    }
}

fn form(outlook: &Outlook, outcome: &Outcome) -> Option<Form> {
    let classes = outlook.classes.len();
    match (outlook.kind, outcome) {
        (OutlookKind::Probability, Outcome::Labels { reading: Reading::Event, .. }) if classes <= 1 => {
            Some(Form::Probabilities(2))
        }
        (OutlookKind::Classes, Outcome::Labels { reading: Reading::Classes { classes: of }, .. })
            if classes == usize::from(*of) =>
        {
            Some(Form::Probabilities(classes))
        }
        (OutlookKind::Scores, Outcome::Labels { reading: Reading::Ranks | Reading::Event, .. })
            if classes <= 1 =>
        {
            Some(Form::Ranks)
        }
        (OutlookKind::Weights, Outcome::Returns { .. }) if classes <= 1 => Some(Form::Portfolio),
        _ => None,
    }
}

fn pair(form: Form, row: usize, subject: usize, said: &[Option<f64>], outcome: &Outcome) -> Option<Pair> {
    let said: Vec<f64> = said.iter().copied().collect::<Option<_>>()?;
    let (came, gained) = match outcome {
        Outcome::Labels { values, .. } => (usize::from((*values.get(subject)?)?), 0.0),
        Outcome::Returns { values } => (0, (*values.get(subject)?)?),
    };
    let said = match (form, said.as_slice()) {
        (Form::Probabilities(2), [p]) => vec![1.0 - p, *p],
        _ => said,
    };
    Some(Pair { row, subject, said, came, gained })
}
