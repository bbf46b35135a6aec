//! A worker's process, and all that it may have started.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// A process that leads a group of its own. Ends and reaps it in every case, and everything else in the group.
#[derive(Debug)]
pub struct Group {
    leader: Child,
    status: Option<ExitStatus>,
    /// How long it is asked to end by itself.
    grace: Duration,
}

impl Group {
    /// A process that was started as the leader of a new group.
    #[must_use]
    pub fn new(leader: Child) -> Self {
        Self { leader, status: None, grace: Duration::ZERO }
    }

    /// Asks it to end, before it is ended, and waits so long: a launcher gives back what it was given for the job.
    pub(super) fn ask_first(&mut self, grace: Duration) {
        self.grace = grace;
    }

    /// Waits for the leader to end by itself, a little beyond its last word, then ends what is left.
    pub fn reap(&mut self, until: Instant) -> Option<ExitStatus> {
        let until = until.min(Instant::now() + Duration::from_secs(2));
        while Instant::now() < until && !self.has_ended() {
            thread::sleep(Duration::from_millis(5));
        }
        self.end();
        self.status
    }

    /// The leader's process, as long as it was not reaped.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.leader.id().cast_signed())
    }

    /// Whether the leader has ended. It is not reaped by that: until it is, the group's number is nobody else's.
    fn has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.pid().is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), look), Ok(None)))
    }

    fn end(&mut self) {
        if self.status.is_some() {
            return;
        }
        if let Some(pid) = self.pid().filter(|_| !self.grace.is_zero() && !self.has_ended()) {
            let _ = kill_process_group(pid, Signal::TERM);
            let until = Instant::now() + self.grace;
            while Instant::now() < until && !self.has_ended() {
                thread::sleep(Duration::from_millis(5));
            }
        }
        if let Some(pid) = self.pid() {
            // Fails where there is no such group; then the leader alone is ended.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.leader.kill();
        self.status = self.leader.wait().ok();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}
