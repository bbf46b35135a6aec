//! How it stands with the batch engine that runs the workers of challenges.

use mantis_scoring::{Attempt, AttemptState};
use serde::Serialize;
use utoipa::ToSchema;

/// How it stands with the batch engine. Times are Unix seconds; what is not known is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct BatchStatus {
    /// The jobs of the newest computation, in the order in which they were given to it.
    pub jobs: Vec<JobStatus>,
    /// Attempts since the start that gave what was asked for.
    pub done_total: u64,
    /// Attempts since the start that gave nothing.
    pub failed_total: u64,
    /// Jobs since the start that this machine did, since no attempt did.
    pub fallback_total: u64,
}

/// A challenge that is given to the batch engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct JobStatus {
    /// Which.
    pub ticker: String,
    /// The attempt, from 1 on.
    pub attempt: u32,
    /// `queued`, `running`, `done`, `failed`, or `here`: this machine does it, or did.
    pub state: String,
    /// The machine that the attempt runs or ran on.
    pub node: Option<String>,
    /// Since when it stands so.
    pub since: u64,
    /// Why the last attempt that failed did; null where none has.
    pub why: Option<String>,
    #[serde(skip)]
    job: u64,
}

impl BatchStatus {
    /// A computation begins.
    pub fn begin(&mut self) {
        self.jobs.clear();
    }

    /// What becomes of an attempt, now.
    pub fn tell(&mut self, attempt: &Attempt, now: u64) {
        let known = self.jobs.iter().position(|job| job.job == attempt.job);
        let place = known.unwrap_or_else(|| {
            let (ticker, job) = (attempt.ticker.clone(), attempt.job);
            self.jobs.push(JobStatus { ticker, job, ..JobStatus::default() });
            self.jobs.len() - 1
        });
        let job = &mut self.jobs[place];
        (job.attempt, job.since) = (attempt.attempt, now);
        job.state = match &attempt.state {
            AttemptState::Queued => {
                job.node = None;
                "queued"
            }
            AttemptState::Running { node } => {
                job.node.clone_from(node);
                "running"
            }
            AttemptState::Done => {
                self.done_total += 1;
                "done"
            }
            AttemptState::Failed { why } => {
                self.failed_total += 1;
                job.why = Some(why.clone());
                "failed"
            }
            AttemptState::Fallback => {
                self.fallback_total += 1;
                job.node = None;
                "here"
            }
        }
        .into();
    }

    /// Jobs that stand so.
    #[must_use]
    pub fn count(&self, state: &str) -> usize {
        self.jobs.iter().filter(|job| job.state == state).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line_however_often_it_is_tried() {
        let mut status = BatchStatus::default();
        let mut tell = |job: u64, attempt: u32, state: AttemptState| {
            status.tell(&Attempt { ticker: format!("T{job}"), job, attempt, state }, 9);
            status.clone()
        };
        tell(0, 1, AttemptState::Queued);
        tell(1, 1, AttemptState::Queued);
        let running = tell(0, 1, AttemptState::Running { node: Some("n1".into()) });
        assert_eq!((running.count("running"), running.count("queued")), (1, 1));
        let failed = tell(0, 1, AttemptState::Failed { why: "gone".into() });
        assert_eq!(failed.jobs[0].node.as_deref(), Some("n1"));
        tell(0, 2, AttemptState::Queued);
        let done = tell(0, 2, AttemptState::Done);
        assert_eq!((done.jobs.len(), done.done_total, done.failed_total), (2, 1, 1));
        assert_eq!((done.jobs[0].attempt, done.jobs[0].why.as_deref()), (2, Some("gone")));
        let here = tell(1, 4, AttemptState::Fallback);
        assert_eq!((here.count("here"), here.fallback_total), (1, 1));
        status.begin();
        assert!(status.jobs.is_empty() && status.fallback_total == 1);
    }
}
