//! The subnet on a subtensor chain, as a [`Chain`].

use super::confirm::{same, shown, upscaled};
use super::endpoints::endpoints;
use super::link::Link;
use super::neurons::exists;
use super::node_error::NodeError;
use super::settings::ChainSettings;
use super::transaction::{Included, send};
use super::values::{block, number, optional, value};
use super::{commitments, epoch_state, neurons, owner, rules, shapes, weights};
use crate::chain::{
    Chain, ChainError, EpochState, Finality, Head, Hyperparameters, Neuron, Receipt, Runtime,
};
use crate::wallet::Hotkey;
use async_trait::async_trait;
use mantis_config::Block;
use std::collections::BTreeMap;
use std::time::Duration;

const WEIGHTS: &str = "the weights";
const COMMITMENT: &str = "the commitment";
/// How often it is looked whether a transaction arrived after all, and the time between.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_secs(6);

/// The subnet on a subtensor chain. Nothing is connected before it is needed.
pub struct Subtensor {
    link: Link,
    settings: ChainSettings,
    /// Who signs; without one, nothing can be written.
    key: Option<Hotkey>,
}

impl Subtensor {
    /// The subnet on the chain of `network`: presets and URLs with commas between them.
    ///
    /// # Errors
    /// If `network` is neither.
    pub fn new(network: &str, settings: ChainSettings, key: Option<Hotkey>) -> Result<Self, ChainError> {
        let link = Link::new(endpoints(network)?, settings.limits);
        Ok(Self { link, settings, key })
    }

    fn key(&self, doing: &'static str) -> Result<&Hotkey, ChainError> {
        let cure = "choose the hotkey that signs: --wallet-name and --wallet-hotkey, or --hotkey-uri";
        self.key.as_ref().ok_or_else(|| ChainError::Refused {
            doing,
            name: "NoSigner".into(),
            cure: cure.into(),
        })
    }

    /// What became of a transaction, where following it failed: `look` gives `None` as long as it cannot be seen.
    async fn await_inclusion<T, F>(
        &self,
        outcome: Result<T, ChainError>,
        look: impl Fn(String) -> F,
    ) -> Result<T, ChainError>
    where
        F: Future<Output = Result<Option<T>, ChainError>>,
    {
        let Err(ChainError::Unconfirmed { transaction, .. }) = &outcome else { return outcome };
        for _ in 0..LOOKS {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            if let Ok(Some(done)) = look(transaction.clone()).await {
                return Ok(done);
            }
        }
        outcome
    }
}

#[async_trait]
impl Chain for Subtensor {
    fn has_own_time(&self) -> bool {
        false
    }

    async fn genesis(&self) -> Result<Option<String>, ChainError> {
        self.link
            .read("reading the first block", |node| async move {
                Ok(Some(format!("{:?}", node.online.genesis_hash())))
            })
            .await
    }

    async fn finality(&self, known: Option<Block>) -> Result<Option<Finality>, ChainError> {
        self.link
            .read("reading the final block", |node| async move { node.finality(known).await.map(Some) })
            .await
    }

    async fn runtime(&self) -> Result<Option<Runtime>, ChainError> {
        self.link
            .read("reading what the chain runs", |node| async move {
                let at = node.newest().await?;
                let lacking = shapes::lacking(at.metadata_ref(), &self.settings);
                Ok(Some(Runtime { spec_version: at.spec_version(), lacking }))
            })
            .await
    }

    fn doubt(&self) {
        self.link.doubt();
    }

    async fn head(&self) -> Result<Head, ChainError> {
        self.link
            .read("reading the block", |node| async move {
                let at = node.newest().await?;
                let block = block(at.block_number());
                self.link.saw(&node, block)?;
                let now: Option<u64> = optional(&at, "Timestamp", "Now", vec![]).await?;
                let now = now.ok_or_else(|| NodeError::broken(format!("its block {block} has no time")))?;
                Ok(Head { block, unix: now / 1000 })
            })
            .await
    }

    async fn metagraph(&self) -> Result<Vec<Neuron>, ChainError> {
        let subnet = (self.settings.netuid, self.settings.index());
        self.link
            .read("reading the metagraph", |node| async move { neurons::neurons(&node, subnet).await })
            .await
    }

    async fn commitments(&self, at: Option<Block>) -> Result<BTreeMap<String, String>, ChainError> {
        let netuid = self.settings.netuid;
        self.link
            .read("reading the commitments", |node| async move {
                let at = match at {
                    Some(block) => node.at_number(block).await?,
                    None => node.newest().await?,
                };
                commitments::commitments(&at, netuid).await
            })
            .await
    }

    async fn hyperparameters(&self) -> Result<Hyperparameters, ChainError> {
        let netuid = self.settings.netuid;
        self.link
            .read("reading the subnet's settings", |node| async move {
                let at = node.newest().await?;
                exists(&at, netuid).await?;
                rules::hyperparameters(&at, netuid).await
            })
            .await
    }

    async fn weights_of(&self, uid: u16) -> Result<Vec<(u16, u16)>, ChainError> {
        let index = self.settings.index();
        self.link
            .read("reading weights", |node| async move { shown(&node.newest().await?, index, uid).await })
            .await
    }

    async fn registered_at(&self, uid: u16) -> Result<Option<Block>, ChainError> {
        let netuid = self.settings.netuid;
        self.link
            .read("reading a registration", |node| async move {
                let keys = vec![number(netuid), number(uid)];
                value::<u64>(&node.newest().await?, "BlockAtRegistration", keys).await.map(block)
            })
            .await
            .map(Some)
    }

    async fn owner(&self) -> Result<Option<String>, ChainError> {
        let netuid = self.settings.netuid;
        self.link
            .read("reading who owns the subnet", |node| async move {
                owner::owner(&node.finalized().await?, netuid).await
            })
            .await
    }

    async fn epoch_state(&self) -> Result<EpochState, ChainError> {
        let subnet = (self.settings.netuid, self.settings.index());
        self.link
            .read(
                "reading what epochs go by",
                |node| async move { epoch_state::epoch_state(&node, subnet).await },
            )
            .await
    }

    async fn commit(&self, text: &str) -> Result<(), ChainError> {
        let key = self.key(COMMITMENT)?;
        let netuid = self.settings.netuid;
        let sent = self.link.once(COMMITMENT, self.settings.limits.confirm, |node| async move {
            let call = commitments::call(node.newest().await?.metadata_ref(), netuid, text)?;
            let included = send(&node, key, COMMITMENT, &call).await?;
            let at = node.at(included.block).await.map_err(|fault| lost(fault, &included))?;
            match commitments::commitment(&at, netuid, &key.account()).await {
                Ok(Some(found)) if found == text => Ok(()),
                Ok(_) => Err(lost(NodeError::broken("the chain shows another text"), &included)),
                Err(fault) => Err(lost(fault, &included)),
            }
        });
        let sent = sent.await;
        let look = |_| async move {
            let commitments = self.commitments(None).await?;
            Ok((commitments.get(key.address()).map(String::as_str) == Some(text)).then_some(()))
        };
        self.await_inclusion(sent, look).await
    }

    async fn set_weights(&self, weights: &[(u16, u16)]) -> Result<Receipt, ChainError> {
        let key = self.key(WEIGHTS)?;
        let weights = &upscaled(weights);
        let before = &std::sync::Mutex::new((0, Block(0), true));
        let sent = self.link.once(WEIGHTS, self.settings.limits.confirm, |node| async move {
            let (netuid, index) = (self.settings.netuid, self.settings.index());
            let at = node.newest().await?;
            exists(&at, netuid).await?;
            let rules = rules::hyperparameters(&at, netuid).await?;
            let standing = rules::standing(&at, (netuid, index), &key.account()).await?;
            rules::check(&rules, &standing, self.settings.version_key, block(at.block_number()))?;
            let revealed = !rules.commit_reveal;
            let call = if revealed {
                weights::plain(at.metadata_ref(), &self.settings, weights)?
            } else {
                let commit = weights::commit(&at, &self.settings, &rules, &key.account().0, weights).await?;
                weights::sealed(at.metadata_ref(), &self.settings, &commit)?
            };
            if let Ok(mut before) = before.lock() {
                *before = (standing.uid, standing.last_update, revealed);
            }
            let included = send(&node, key, WEIGHTS, &call).await?;
            let at = node.at(included.block).await.map_err(|fault| lost(fault, &included))?;
            if revealed {
                let shown = shown(&at, index, standing.uid).await.map_err(|fault| lost(fault, &included))?;
                if !same(weights, &shown) {
                    return Err(lost(NodeError::broken("the chain shows other weights"), &included));
                }
            }
            Ok(Receipt { transaction: included.transaction, block: block(at.block_number()), revealed })
        });
        let sent = sent.await;
        let (uid, last_update, revealed) = before.lock().map(|before| *before).unwrap_or_default();
        let look = |transaction| async move {
            // The chain took something of ours since then; where it shows weights, they are these.
            let neurons = self.metagraph().await?;
            let own = neurons.into_iter().find(|neuron| neuron.uid == uid && neuron.hotkey == key.address());
            let Some(own) = own.filter(|own| own.last_update > last_update) else { return Ok(None) };
            let seen = !revealed || same(weights, &self.weights_of(uid).await?);
            Ok(seen.then_some(Receipt { transaction, block: own.last_update, revealed }))
        };
        self.await_inclusion(sent, look).await
    }
}

/// A fault after the transaction was seen in a block.
fn lost(fault: NodeError, included: &Included) -> NodeError {
    match fault {
        NodeError::Broken(reason) => NodeError::Sent { transaction: included.transaction.clone(), reason },
        other => other,
    }
}
