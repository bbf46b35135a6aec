//! Which walls the system lets a worker raise around itself.

use super::finding::Verdict;
use mantis_scoring::worker::{Launcher, Walls, WorkerError};

pub(super) const CHECK: &str = "walls";

/// Asks a worker.
pub(super) fn check(launcher: &Launcher) -> Verdict {
    judge(launcher.walls())
}

fn judge(walls: Result<Walls, WorkerError>) -> Verdict {
    let walls = match walls {
        Ok(walls) => walls,
        Err(error) => return Verdict::error(error, "can this program start processes?"),
    };
    let names = |stands: bool| -> Vec<&str> {
        walls.named().iter().filter(|(_, wall)| *wall == stands).map(|(name, _)| *name).collect()
    };
    let (standing, missing) = (names(true).join(", "), names(false).join(", "));
    let around = "workers run with an empty environment in a group of their own";
    if missing.is_empty() {
        return Verdict::ok(format!("{around}, behind {standing}"));
    }
    let behind = if standing.is_empty() { String::new() } else { format!(", behind {standing}") };
    Verdict::warning(
        format!("{around}{behind}; this system has no {missing}"),
        "run plugins as WebAssembly, which is a sandbox of its own, or pin every shared library; Landlock needs Linux 5.13 \
         with `landlock` among its security modules, and a container that lets it through",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn walls_that_are_missing_are_named() {
        let all = Walls { no_new_privileges: true, limits: true, files: true, calls: true };
        let verdict = judge(Ok(all));
        assert!(verdict.status == Status::Ok && verdict.what.ends_with("Landlock, seccomp"), "{verdict:?}");
        let verdict = judge(Ok(Walls { files: false, ..all }));
        assert!(
            verdict.status == Status::Warning && verdict.what.ends_with("has no Landlock"),
            "{verdict:?}"
        );
        let late = judge(Err(WorkerError::Deadline { seconds: 1.0 }));
        assert_eq!(late.status, Status::Fault);
    }
}
