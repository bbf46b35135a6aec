//! Following the releases of the subnet's owner.

use super::Service;
use crate::clock::unix;
use crate::release::{Agreement, Followed, ReleaseFault, StagedRelease};
use crate::{ReleaseStatus, StagedStatus};
use mantis_config::{Block, bare_url};
use mantis_ledger::TakenRelease;
use mantis_network::chain::Head;
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

/// Blocks before a release counts from which on it is said loudly that it is not taken.
const LOUD: i64 = 1000;
/// How long the first look is waited for before rows are sampled: what counts by now should count for them.
const FIRST_LOOK: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What was said of releases last.
#[derive(Debug, Default)]
pub(super) struct Said {
    fault: Option<String>,
    /// Whether it was said as an error.
    loudly: bool,
    /// The number of the newest one that the operator was asked about, and whether loudly.
    asked: Option<(u32, bool)>,
}

impl Service {
    /// Begins to look for new ones, unless it is done already.
    pub(super) fn look_at_releases(&mut self, head: Block) {
        let (Some(keeper), Some(live)) = (&mut self.releases, &self.live) else { return };
        keeper.start(&self.chain, head, live.template(), live.file().clone());
    }

    /// Takes in what was found, and what counts by now.
    pub(super) async fn follow_releases(&mut self, head: Head) {
        if self.releases.is_none() {
            return;
        }
        self.await_first_look(head.block).await;
        // Where the files are looked at just now, it is for the next turn.
        if self.live.is_none() {
            return;
        }
        if self.releases.as_ref().is_some_and(|keeper| keeper.is_done()) {
            self.take_look(head.block).await;
        }
        let agreed = self.releases.as_mut().map(|keeper| keeper.newly_agreed()).unwrap_or_default();
        self.stage(agreed);
        self.ask(head.block);
        self.take_due(head.block);
    }

    /// A validator that was away must not sample by what counted when it went.
    async fn await_first_look(&mut self, head: Block) {
        if self.releases.as_ref().is_none_or(|keeper| keeper.looked().is_some()) {
            return;
        }
        self.look_at_releases(head);
        let until = Instant::now() + FIRST_LOOK;
        while self.releases.as_ref().is_some_and(|keeper| !keeper.is_done()) && Instant::now() < until {
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn take_look(&mut self, head: Block) {
        let Some(keeper) = &mut self.releases else { return };
        let looked = keeper.finish().await;
        if let Some(live) = &mut self.live {
            looked.gone.iter().for_each(|number| live.remove(*number));
        }
        if !looked.gone.is_empty() {
            self.set_eras();
        }
        let mut fault = looked.fault;
        let misfit = self.stage(looked.arrived);
        if fault.is_none() {
            fault = misfit;
        }
        self.say(head, fault.as_ref());
        self.show_releases(fault.as_ref().map(|fault| (fault, head)));
    }

    /// Puts releases in force from their blocks on; what does not fit the ledger is refused.
    fn stage(&mut self, arrived: Vec<Followed>) -> Option<ReleaseFault> {
        let mut misfit = None;
        for release in arrived {
            let (number, from) = (release.number, release.from);
            if let Err(error) = self.ledger.check_layout(release.live.current()) {
                let keeper = self.releases.as_mut();
                misfit =
                    misfit.or_else(|| keeper.and_then(|keeper| keeper.refuse(number, error.to_string())));
                continue;
            }
            info!(
                release = number,
                activate = from.0,
                "a release is staged: signed, whole, and taken by its plugins"
            );
            if let Some(live) = &mut self.live {
                live.add(release);
            }
        }
        self.set_eras();
        misfit
    }

    /// Says which release waits for the operator.
    fn ask(&mut self, head: Block) {
        let Some(keeper) = &self.releases else { return };
        let asked = keeper.staged().iter().rfind(|staged| staged.agreement == Agreement::Asked);
        let Some(StagedRelease { number, activate, .. }) = asked else { return };
        let is_near = head + LOUD >= *activate;
        if self.said.asked.is_some_and(|(said, loudly)| said == *number && (loudly || !is_near)) {
            return;
        }
        let how = format!("mantis release take {number} --ledger {}", self.ledger.path().display());
        if is_near {
            error!(release = number, activate = activate.0, %how, "a release waits for you to agree, and counts soon");
        } else {
            warn!(release = number, activate = activate.0, %how, "a release waits for you to agree");
        }
        self.said.asked = Some((*number, is_near));
        self.show_releases(None);
    }

    /// Keeps that what counts by now is taken.
    fn take_due(&mut self, head: Block) {
        while let Some(StagedRelease { number, digest, activate, .. }) =
            self.releases.as_ref().and_then(|keeper| keeper.due(head)).cloned()
        {
            let release = TakenRelease { number, sha256: digest.0, activate, taken: head, unix: unix() };
            if let Err(error) = block_in_place(|| self.ledger.store_release(&release)) {
                let why = format!("that release {number} is taken cannot be recorded: {error}");
                if self.said.fault.as_ref() != Some(&why) {
                    error!(%why, "a release is not taken; the old one runs on");
                }
                self.said.fault = Some(why);
                return;
            }
            info!(release = number, activate = activate.0, late = head - activate, "the release is taken");
            if let Some(keeper) = &mut self.releases {
                keeper.took(number, digest);
            }
            // What payloads still wait for stays.
            let oldest = self.ledger.pending().ok().and_then(|pending| Some(pending.first()?.block));
            if let Some(live) = &mut self.live {
                live.forget_before(oldest.map_or(head, |oldest| oldest.min(head)));
            }
            self.set_eras();
            self.show_releases(None);
        }
    }

    /// Says once why a release is not taken, and once more, loudly, when it soon counts for others.
    fn say(&mut self, head: Block, fault: Option<&ReleaseFault>) {
        let Some(fault) = fault else {
            if self.said.fault.take().is_some() {
                info!("nothing stands against the releases any more");
            }
            self.said.loudly = false;
            return;
        };
        let (why, is_near) = (sentence(fault), is_pressing(fault, head));
        let is_said = self.said.fault.as_ref() == Some(&why);
        if is_said && (self.said.loudly || !is_near) {
            return;
        }
        if is_near {
            error!(release = fault.number, %why, "a release is not taken; the old one runs on");
        } else {
            warn!(release = fault.number, %why, "a release is not taken; the old one runs on");
        }
        (self.said.fault, self.said.loudly) = (Some(why), is_near);
    }

    /// Writes on the board how it stands; with what a look came to, or with what was known of it.
    pub(super) fn show_releases(&self, looked: Option<(&ReleaseFault, Block)>) {
        let Some(keeper) = &self.releases else { return };
        let number = self.counts();
        let taken = self.ledger.releases().unwrap_or_default();
        let activate = taken.iter().find(|taken| Some(taken.number) == number).map(|taken| taken.activate);
        let staged = keeper.staged().iter().map(|staged| StagedStatus {
            number: staged.number,
            activate: staged.activate,
            agreed: staged.agreement == Agreement::Agreed,
        });
        let (staged, url) = (staged.collect(), bare_url(&keeper.source().url));
        let looked_at = keeper.looked();
        self.board.write(|status| {
            let before = status.release.take().unwrap_or_default();
            let fault = match looked {
                Some((fault, head)) => Some((sentence(fault), is_pressing(fault, head))),
                None => before.fault.clone().map(|fault| (fault, before.pressing)),
            };
            let fault = fault.filter(|_| looked.is_some() || self.said.fault.is_some());
            status.release = Some(ReleaseStatus {
                url,
                number,
                activate,
                staged,
                looked: looked_at,
                pressing: fault.as_ref().is_some_and(|(_, is_pressing)| *is_pressing),
                fault: fault.map(|(why, _)| why),
            });
        });
    }
}

/// What is wrong, and with which release.
fn sentence(fault: &ReleaseFault) -> String {
    match fault.number {
        Some(number) => format!("release {number}: {}", fault.rejection),
        None => fault.rejection.to_string(),
    }
}

/// Whether it soon counts for others, or does already.
fn is_pressing(fault: &ReleaseFault, head: Block) -> bool {
    fault.activate.is_some_and(|activate| head + LOUD >= activate)
}
