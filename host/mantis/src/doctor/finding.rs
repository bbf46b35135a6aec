//! What a check finds.

use serde::Serialize;
use std::fmt::Display;
use std::time::Instant;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All is well.
    Ok,
    /// It works, and will not always.
    Warning,
    /// A validator does not work, or not rightly.
    Fault,
    /// It was not checked; `what` says why.
    Skipped,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The check's name; it does not change.
    pub check: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found: a sentence, or a line and a list of faults below it.
    pub what: String,
    /// What to do about it; `None` where there is nothing to do.
    pub cure: Option<String>,
    /// How long it took, s.
    pub seconds: f64,
}

/// A judgement that has no name yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) what: String,
    pub(super) cure: Option<String>,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

impl Verdict {
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self { status: Status::Ok, what: what.into(), cure: None }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self { status: Status::Skipped, what: why.into(), cure: None }
    }

    pub(super) fn warning(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { status: Status::Warning, what: what.into(), cure: Some(cure.into()) }
    }

    pub(super) fn fault(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { status: Status::Fault, what: what.into(), cure: Some(cure.into()) }
    }

    /// A fault by an error of ours: those end with what to do, behind a semicolon. `cure` is for one that does not.
    pub(super) fn error(error: impl Display, cure: &str) -> Self {
        let text = error.to_string();
        match text.rsplit_once("; ") {
            Some((what, own)) if !own.is_empty() => Self::fault(what, own),
            _ => Self::fault(text, cure),
        }
    }

    /// The same as a warning, where it is a fault.
    pub(super) fn at_most_warning(mut self) -> Self {
        if self.status == Status::Fault {
            self.status = Status::Warning;
        }
        self
    }

    /// The finding of a check that began at `since`.
    pub(super) fn into_finding(self, check: &'static str, since: Instant) -> Finding {
        let Self { status, what, cure } = self;
        // Milliseconds: more is noise.
        let seconds = since.elapsed().as_millis() as f64 / 1000.0;
        Finding { check, status, what, cure, seconds }
    }
}

/// The same reason for several checks that cannot be made.
pub(super) fn skip(checks: &[&'static str], why: &str) -> Vec<Finding> {
    checks.iter().map(|check| Verdict::skipped(why).into_finding(check, Instant::now())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_what_and_cure() {
        let split = Verdict::error("a.db: cut off; b; restore it", "none");
        assert_eq!((split.what.as_str(), split.cure.as_deref()), ("a.db: cut off; b", Some("restore it")));
        let whole = Verdict::error("a.db: odd", "look at it");
        assert_eq!((whole.what.as_str(), whole.cure.as_deref()), ("a.db: odd", Some("look at it")));
    }

    #[test]
    fn programs_read_it() {
        let finding = Verdict::fault("a", "b").into_finding("disk", Instant::now());
        let json = serde_json::to_value(finding).unwrap();
        assert_eq!(
            (&json["status"], &json["cure"], &json["check"]),
            (&"fault".into(), &"b".into(), &"disk".into())
        );
        assert!(json["seconds"].is_number());
    }
}
