//! The batch engine: whether it runs a worker, and where.

use super::finding::Verdict;
use mantis_config::Config;
use mantis_scoring::worker::Launcher;
use mantis_scoring::{EngineAnswer, ask_engine};

pub(super) const CHECK: &str = "batch_engine";

/// Has it load the plugin of the first challenge.
pub(super) fn check(config: &Config, launcher: &Launcher) -> Verdict {
    judge(ask_engine(config, launcher), config.scoring.as_ref().is_some_and(|engine| engine.fallback))
}

fn judge(answer: Option<Result<EngineAnswer, String>>, has_fallback: bool) -> Verdict {
    match answer {
        None => Verdict::ok("none is configured: workers run on this machine"),
        Some(Ok(EngineAnswer { node, seconds })) => {
            let node = node.as_deref().unwrap_or("a machine that does not say its name");
            Verdict::ok(format!("a worker answered on {node} after {seconds:.2} s"))
        }
        Some(Err(why)) => {
            let cure = "run the words of `launcher` with `hostname` after them by hand; is the shared folder the same on every \
                        machine (docs/cluster.md)?";
            if has_fallback {
                Verdict::warning(format!("{why}; challenges would be scored on this machine"), cure)
            } else {
                Verdict::fault(why, cure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn an_engine_that_does_not_answer_is_a_fault_where_nothing_stands_in() {
        let silent = || Some(Err("no worker began within 60 s".to_owned()));
        assert_eq!(judge(silent(), true).status, Status::Warning);
        assert_eq!(judge(silent(), false).status, Status::Fault);
        let answer = EngineAnswer { node: Some("n1".into()), seconds: 0.25 };
        let verdict = judge(Some(Ok(answer)), true);
        assert!(verdict.status == Status::Ok && verdict.what.contains("on n1 after 0.25 s"), "{verdict:?}");
        assert_eq!(judge(None, false).status, Status::Ok);
    }
}
