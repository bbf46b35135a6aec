//! What is known of releases, and what is done about them.

use super::look::{Answer, Candidate, Outcome, Question, ReleaseFault, look};
use super::store::ReleaseStore;
use super::timeline::Followed;
use crate::clock::unix;
use crate::hot_reload::{HotReload, Template};
use mantis_config::{Block, Config, ReleaseSource, Take};
use mantis_ledger::TakenRelease;
use mantis_network::chain::Chain;
use mantis_network::http::HttpError;
use mantis_network::releases::ReleaseClient;
use mantis_release::{Circumstances, Digest, Known, ReleaseRejection};
use semver::Version;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Whether a release that is sound is also wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It counts from its block on.
    Agreed,
    /// The operator has not agreed to it yet.
    Asked,
}

/// A release that is sound and does not count yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedRelease {
    /// Its number.
    pub number: u32,
    /// Digest of its `release.toml`.
    pub digest: Digest,
    /// The block from which on it counts.
    pub activate: Block,
    /// The block after which it is no longer taken.
    pub expires: Block,
    /// Whether it is wanted.
    pub agreement: Agreement,
}

/// What is known of releases.
pub struct ReleaseKeeper {
    source: ReleaseSource,
    client: ReleaseClient,
    store: ReleaseStore,
    version: Version,
    known: Option<Known>,
    staged: Vec<StagedRelease>,
    /// Those that wait for the operator.
    asked: BTreeMap<Digest, HotReload>,
    refused: BTreeMap<Digest, ReleaseRejection>,
    looking: Option<JoinHandle<Answer>>,
    /// When a look ended last, Unix seconds.
    looked: Option<u64>,
}

/// What a look changed.
#[derive(Default)]
pub(crate) struct Looked {
    /// To be put in force.
    pub(crate) arrived: Vec<Followed>,
    /// Not sound any more, or replaced: numbers of what is to be taken out again.
    pub(crate) gone: Vec<u32>,
    /// What is not taken, the first of it.
    pub(crate) fault: Option<ReleaseFault>,
}

impl ReleaseKeeper {
    /// Of a place, and of what the ledger says was taken; `None` where releases are not looked at.
    ///
    /// # Errors
    /// If HTTP cannot be set up.
    pub fn new(
        source: &ReleaseSource,
        store: ReleaseStore,
        taken: &[TakenRelease],
        version: Version,
    ) -> Result<Option<Self>, HttpError> {
        if source.take == Take::Never {
            return Ok(None);
        }
        let known = taken.last().map(|last| Known { number: last.number, digest: Digest(last.sha256) });
        Ok(Some(Self {
            client: ReleaseClient::new(&source.url)?,
            source: source.clone(),
            store,
            version,
            known,
            staged: Vec::new(),
            asked: BTreeMap::new(),
            refused: BTreeMap::new(),
            looking: None,
            looked: None,
        }))
    }

    /// Where releases come from.
    #[must_use]
    pub fn source(&self) -> &ReleaseSource {
        &self.source
    }

    /// What is sound and does not count yet.
    #[must_use]
    pub fn staged(&self) -> &[StagedRelease] {
        &self.staged
    }

    /// When a look ended last, Unix seconds; `None` before the first.
    pub(crate) fn looked(&self) -> Option<u64> {
        self.looked
    }

    /// Begins to look, unless it does so already.
    pub(crate) fn start(
        &mut self,
        chain: &Arc<dyn Chain>,
        head: Block,
        template: Template,
        file: Arc<Config>,
    ) {
        if self.looking.is_some() {
            return;
        }
        let at = Circumstances { netuid: file.network.netuid, version: self.version.clone(), head };
        let question = Question {
            client: self.client.clone(),
            store: self.store.clone(),
            chain: chain.clone(),
            key: self.source.key.clone(),
            at,
            known: self.known,
            staged: self.staged.iter().map(|staged| (staged.digest, staged.number)).collect(),
            refused: self.refused.clone(),
            template,
            file,
        };
        self.looking = Some(tokio::spawn(async move { look(&question).await }));
    }

    /// Whether a look is over, and waits to be taken in.
    pub(crate) fn is_done(&self) -> bool {
        self.looking.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Takes in what a look came to.
    pub(crate) async fn finish(&mut self) -> Looked {
        let Some(looking) = self.looking.take() else { return Looked::default() };
        self.looked = Some(unix());
        match looking.await {
            Ok(answer) => self.take_in(answer),
            Err(error) => {
                let rejection = ReleaseRejection::Configuration { faults: error.to_string() };
                Looked {
                    fault: Some(ReleaseFault { rejection, number: None, activate: None }),
                    ..Looked::default()
                }
            }
        }
    }

    fn take_in(&mut self, answer: Answer) -> Looked {
        let Answer { candidates, unsigned, fault } = answer;
        // Where the list could not be read, or says nothing, what is staged stays.
        let is_known = !candidates.is_empty() || fault.is_none();
        let mut looked = Looked { fault, ..Looked::default() };
        let stays = |staged: &StagedRelease| {
            candidates.iter().any(|candidate| {
                candidate.digest == staged.digest && matches!(candidate.outcome, Outcome::Staged)
            })
        };
        // What could not be read this time is not gone.
        let silent = looked.fault.as_ref().filter(|fault| fault.rejection.passes());
        let silent = silent.and_then(|fault| fault.number);
        let (stay, gone): (Vec<_>, Vec<_>) = self.staged.drain(..).partition(|staged| {
            let is_silent = silent.is_some_and(|from| staged.number >= from);
            !unsigned.contains(&staged.digest) && (stays(staged) || !is_known || is_silent)
        });
        self.staged = stay;
        looked.gone.extend(gone.iter().map(|gone| gone.number));
        self.asked.retain(|digest, _| self.staged.iter().any(|staged| staged.digest == *digest));
        for candidate in candidates {
            self.judge(candidate, &mut looked);
        }
        self.staged.sort_by_key(|staged| staged.number);
        looked
    }

    fn judge(&mut self, candidate: Candidate, looked: &mut Looked) {
        let Candidate { number, digest, activate, expires, outcome } = candidate;
        match outcome {
            Outcome::Staged => {}
            Outcome::Refused(rejection) => {
                // Of the rest the next look may find another.
                if matches!(rejection, ReleaseRejection::Configuration { .. }) {
                    self.refused.insert(digest, rejection.clone());
                }
                let fault = ReleaseFault { rejection, number: Some(number), activate: Some(activate) };
                looked.fault.get_or_insert(fault);
            }
            Outcome::Sound(live) => {
                let agreement = self.agreement(number, &digest);
                self.staged.push(StagedRelease { number, digest, activate, expires, agreement });
                match agreement {
                    Agreement::Agreed => {
                        looked.arrived.push(Followed { number, from: activate, live: *live });
                    }
                    Agreement::Asked => drop(self.asked.insert(digest, *live)),
                }
            }
        }
    }

    fn agreement(&self, number: u32, digest: &Digest) -> Agreement {
        if self.source.take == Take::Auto || self.store.is_agreed(number, digest) {
            Agreement::Agreed
        } else {
            Agreement::Asked
        }
    }

    /// Those to which the operator has agreed since, to be put in force.
    pub(crate) fn newly_agreed(&mut self) -> Vec<Followed> {
        let mut agreed = Vec::new();
        for staged in &mut self.staged {
            if staged.agreement == Agreement::Asked
                && self.store.is_agreed(staged.number, &staged.digest)
                && let Some(live) = self.asked.remove(&staged.digest)
            {
                staged.agreement = Agreement::Agreed;
                agreed.push(Followed { number: staged.number, from: staged.activate, live });
            }
        }
        agreed
    }

    /// The next one that counts by now, if it is wanted.
    pub(crate) fn due(&self, head: Block) -> Option<&StagedRelease> {
        let mut agreed = self.staged.iter().filter(|staged| staged.agreement == Agreement::Agreed);
        agreed.find(|staged| staged.activate <= head)
    }

    /// It was taken.
    pub(crate) fn took(&mut self, number: u32, digest: Digest) {
        self.known = Some(Known { number, digest });
        self.staged.retain(|staged| staged.number > number);
        self.asked.retain(|digest, _| self.staged.iter().any(|staged| staged.digest == *digest));
    }

    /// A release turned out not to fit the ledger, after all.
    pub(crate) fn refuse(&mut self, number: u32, faults: String) -> Option<ReleaseFault> {
        let at = self.staged.iter().position(|staged| staged.number == number)?;
        let StagedRelease { digest, activate, .. } = self.staged.remove(at);
        let rejection = ReleaseRejection::Configuration { faults };
        self.refused.insert(digest, rejection.clone());
        Some(ReleaseFault { rejection, number: Some(number), activate: Some(activate) })
    }

    /// The operator's file is another: what was refused may be taken now.
    pub(crate) fn try_again(&mut self) {
        self.refused.clear();
    }
}

impl Drop for ReleaseKeeper {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
    }
}
