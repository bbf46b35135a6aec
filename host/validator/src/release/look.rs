//! One look at what is published.

use super::fetch::{complete, verify};
use super::store::ReleaseStore;
use crate::hot_reload::{HotReload, HotReloadError, Template};
use mantis_config::{Block, Config};
use mantis_network::chain::Chain;
use mantis_network::releases::{ReleaseClient, SignedBytes};
use mantis_network::wallet::public_key;
use mantis_release::signature::Signed;
use mantis_release::{Circumstances, Digest, Folder, Index, IndexEntry, Known, Release, ReleaseRejection};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Time between two tries of a list and its signature.
const BETWEEN: Duration = Duration::from_secs(2);

/// What a look goes by.
pub(super) struct Question {
    pub(super) client: ReleaseClient,
    pub(super) store: ReleaseStore,
    pub(super) chain: Arc<dyn Chain>,
    /// Who signs, where it is not the subnet's owner.
    pub(super) key: Option<String>,
    pub(super) at: Circumstances,
    pub(super) known: Option<Known>,
    /// Numbers and digests of releases that were found sound, and need no second check of what they are.
    pub(super) staged: BTreeMap<Digest, u32>,
    /// Releases that were refused for what they are.
    pub(super) refused: BTreeMap<Digest, ReleaseRejection>,
    pub(super) template: Template,
    /// The operator's file alone.
    pub(super) file: Arc<Config>,
}

/// What a look came to.
#[derive(Default)]
pub struct Answer {
    /// The releases that follow what was taken, oldest first; those that another one replaces before they count are left
    /// out.
    pub candidates: Vec<Candidate>,
    /// Releases that were found sound before, and are not signed by who signs now.
    pub unsigned: BTreeSet<Digest>,
    /// Why there are not more of them.
    pub fault: Option<ReleaseFault>,
}

/// A release that is signed and follows those before it.
pub struct Candidate {
    /// Its number.
    pub number: u32,
    /// Digest of its `release.toml`.
    pub digest: Digest,
    /// The block from which on it counts.
    pub activate: Block,
    /// The block after which it is no longer taken.
    pub expires: Block,
    /// Whether it can be taken.
    pub outcome: Outcome,
}

/// Whether a release can be taken.
pub enum Outcome {
    /// It was found sound before.
    Staged,
    /// Its plugins take it: this configuration runs it.
    Sound(Box<HotReload>),
    /// It cannot.
    Refused(ReleaseRejection),
}

/// Why releases are not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFault {
    /// Why.
    pub rejection: ReleaseRejection,
    /// Which, if it is one.
    pub number: Option<u32>,
    /// The block from which on that one counts.
    pub activate: Option<Block>,
}

impl ReleaseFault {
    fn general(rejection: ReleaseRejection) -> Self {
        Self { rejection, number: None, activate: None }
    }

    fn of(entry: &IndexEntry, rejection: ReleaseRejection) -> Self {
        Self { rejection, number: Some(entry.number), activate: Some(entry.activate()) }
    }
}

/// Who must have signed.
struct Signer {
    address: String,
    key: [u8; 32],
    is_owner: bool,
}

/// Where lists and releases are read from: the server, or, where it does not answer, what is had.
enum Place<'q> {
    Server(&'q ReleaseClient),
    Store(&'q ReleaseStore),
}

/// Looks.
pub(super) async fn look(question: &Question) -> Answer {
    let mut answer = Answer::default();
    if let Err(fault) = collect(question, &mut answer).await {
        answer.fault = Some(fault);
    }
    answer
}

async fn collect(question: &Question, answer: &mut Answer) -> Result<(), ReleaseFault> {
    let signer = question.signer().await.map_err(ReleaseFault::general)?;
    // Whatever the list says, or whether there is one: another key on the chain ends what the one before has signed.
    let is_signed = |digest: &Digest, number: u32| {
        let signed = question.store.signed(number, digest);
        signed.is_some_and(|signed| signer.check(Signed::Release, &signed, "").is_ok())
    };
    let unsigned = question.staged.iter().filter(|(digest, number)| !is_signed(digest, **number));
    answer.unsigned = unsigned.map(|(digest, _)| *digest).collect();
    let (index, place) = match question.index(&signer).await {
        Ok(index) => (index, Place::Server(&question.client)),
        Err(rejection) if rejection.passes() => {
            let fault = ReleaseFault::general(rejection);
            answer.fault = Some(fault.clone());
            (question.stored_index().await.ok_or(fault)?, Place::Store(&question.store))
        }
        Err(rejection) => return Err(ReleaseFault::general(rejection)),
    };
    let following = match (index.following(question.known, &question.at), &answer.fault) {
        (Ok(following), _) => following,
        // What is had says less than the list that is not there.
        (Err(_), Some(fault)) => return Err(fault.clone()),
        (Err(rejection), None) => return Err(ReleaseFault::general(rejection)),
    };
    let mut before = question.known.map(|known| known.digest);
    let mut chain = Vec::new();
    let mut broken = None;
    for entry in following {
        match authentic(question, &signer, &place, entry, before).await {
            Ok(found) => chain.push((entry, found)),
            Err(rejection) => {
                broken = Some(ReleaseFault::of(entry, rejection));
                break;
            }
        }
        before = Some(entry.sha256);
    }
    // The newest speaks for those before it.
    let current = chain.last().map_or(Ok(()), |(_, (release, _))| release.is_current(&question.at));
    for (at, (entry, (release, signed))) in chain.iter().enumerate() {
        let is_replaced = chain.get(at + 1).is_some_and(|(next, _)| next.activate <= entry.activate);
        if is_replaced {
            continue;
        }
        let outcome = match current.clone().and_then(|()| release.runs_on(&question.at.version)) {
            Err(rejection) => Outcome::Refused(rejection),
            Ok(()) => question.outcome(&place, entry, release, signed).await,
        };
        answer.candidates.push(Candidate {
            number: entry.number,
            digest: entry.sha256,
            activate: release.activate(),
            expires: release.expires(),
            outcome,
        });
    }
    broken.map_or(Ok(()), Err)
}

/// The release of an entry: signed, and made from the one before it.
async fn authentic(
    question: &Question,
    signer: &Signer,
    place: &Place<'_>,
    entry: &IndexEntry,
    before: Option<Digest>,
) -> Result<(Release, SignedBytes), ReleaseRejection> {
    let signed = place.manifest(entry).await?;
    signer.check(Signed::Release, &signed, &format!("release.toml of release {}", entry.number))?;
    let release = Release::parse(&signed.bytes)?;
    release.follows(entry, before, &question.at)?;
    Ok((release, signed))
}

impl Question {
    async fn signer(&self) -> Result<Signer, ReleaseRejection> {
        let unknown = |reason: String| ReleaseRejection::Owner { reason };
        let (address, is_owner) = match &self.key {
            Some(key) => (key.clone(), false),
            None => {
                let owner = self.chain.owner().await.map_err(|error| unknown(error.to_string()))?;
                (owner.ok_or_else(|| unknown("the chain names nobody; set `key` in [release]".into()))?, true)
            }
        };
        let key = public_key(&address).map_err(|error| unknown(error.to_string()))?;
        Ok(Signer { address, key, is_owner })
    }

    async fn index(&self, signer: &Signer) -> Result<Index, ReleaseRejection> {
        let mut signed = self.client.index().await?;
        if signer.check(Signed::Index, &signed, "").is_err() {
            // Two files are not replaced at one moment.
            sleep(BETWEEN).await;
            signed = self.client.index().await?;
        }
        signer.check(Signed::Index, &signed, "index.toml")?;
        Index::parse(&signed.bytes)
    }

    /// What is had, where nobody answers.
    async fn stored_index(&self) -> Option<Index> {
        let store = self.store.clone();
        spawn_blocking(move || store.index()).await.ok().flatten()
    }

    /// Whether a release that is signed and follows can be taken.
    async fn outcome(
        &self,
        place: &Place<'_>,
        entry: &IndexEntry,
        release: &Release,
        signed: &SignedBytes,
    ) -> Outcome {
        if self.staged.contains_key(&entry.sha256) {
            return Outcome::Staged;
        }
        if let Some(rejection) = self.refused.get(&entry.sha256) {
            return Outcome::Refused(rejection.clone());
        }
        let whole = verify(self.store.path(entry.number, &entry.sha256)).await;
        let folder = match (whole, place) {
            (Ok(folder), _) if folder.digest() == entry.sha256 => Ok(folder),
            (_, Place::Server(client)) => complete(client, &self.store, signed, release).await,
            (Err(rejection), _) => Err(rejection),
            (Ok(_), _) => Err(ReleaseRejection::Missing { path: format!("release {}", entry.number) }),
        };
        match folder {
            Ok(folder) => self.configure(folder).await,
            Err(rejection) => Outcome::Refused(rejection),
        }
    }

    /// Asks its plugins.
    async fn configure(&self, folder: Folder) -> Outcome {
        let (template, file) = (self.template.clone(), self.file.clone());
        let configured = spawn_blocking(move || over(&template, &folder, &file)).await;
        match configured {
            Ok(Ok(live)) => Outcome::Sound(Box::new(live)),
            Ok(Err(rejection)) => Outcome::Refused(rejection),
            Err(error) => Outcome::Refused(ReleaseRejection::Configuration { faults: error.to_string() }),
        }
    }
}

/// The operator's file with a release over it, which its plugins take. It blocks.
pub(super) fn over(
    template: &Template,
    folder: &Folder,
    file: &Config,
) -> Result<HotReload, ReleaseRejection> {
    let config = folder.config()?;
    let name = format!("{}-{}", folder.release.number, folder.digest().short());
    template.over(config, &name, file).map_err(|error| match error {
        HotReloadError::File { path, source } => ReleaseRejection::file(path, &source),
        other => ReleaseRejection::Configuration { faults: other.to_string() },
    })
}

impl Place<'_> {
    async fn manifest(&self, entry: &IndexEntry) -> Result<SignedBytes, ReleaseRejection> {
        match self {
            Self::Server(client) => client.manifest(entry).await,
            Self::Store(store) => {
                let folder = store.open(entry.number, &entry.sha256)?;
                let signature = folder.signature.unwrap_or_default();
                Ok(SignedBytes { bytes: folder.manifest, signature })
            }
        }
    }
}

impl Signer {
    fn check(&self, what: Signed, signed: &SignedBytes, file: &str) -> Result<(), ReleaseRejection> {
        if what.is_by(&self.key, &signed.bytes, &signed.signature) {
            return Ok(());
        }
        let (signer, is_owner) = (self.address.clone(), self.is_owner);
        Err(ReleaseRejection::Signature { file: file.into(), signer, is_owner })
    }
}
