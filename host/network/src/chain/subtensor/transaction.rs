//! Sending a transaction, and following it into a block.

use super::node::Node;
use super::node_error::NodeError;
use super::refusal::{Numbering, dispatch, invalid, sending, unknown};
use super::weights::Call;
use crate::wallet::Hotkey;
use subxt::client::OnlineClientAtBlockImpl;
use subxt::config::SubstrateConfig;
use subxt::config::substrate::SubstrateExtrinsicParamsBuilder;
use subxt::error::TransactionEventsError;
use subxt::transactions::{TransactionInBlock, TransactionStatus, ValidationResult};
use subxt::utils::H256;

/// Blocks for which a transaction is valid; afterwards the chain forgets it.
const LIFE: u64 = 32;

/// A transaction in a block, where it succeeded.
#[derive(Debug)]
pub(super) struct Included {
    /// Its hash, `0x` and hexadecimal.
    pub(super) transaction: String,
    /// The block.
    pub(super) block: H256,
}

/// Signs and sends a call, and waits until it has succeeded in a block that is final.
///
/// # Errors
/// The chain's refusal; [`NodeError::Broken`] where nothing was sent; [`NodeError::Sent`] where it is not known what became of
/// it.
pub(super) async fn send(
    node: &Node,
    key: &Hotkey,
    doing: &'static str,
    call: &Call,
) -> Result<Included, NodeError> {
    // Before the newest block is asked for: where blocks are final at once, the transaction would be born after the block
    // that it is judged by.
    let birth = node.finalized().await?;
    let at = node.newest().await?;
    let numbering = Numbering::read(&at);
    let told = |error| sending(doing, error, numbering);
    let transactions = at.tx();
    // The account's own count, not the pool's: a second try takes the place of a first one that still waits there,
    // so that never both come into a block.
    let nonce = transactions.account_nonce(&key.account()).await.map_err(told)?;
    let parameters = SubstrateExtrinsicParamsBuilder::new()
        .nonce(nonce)
        .mortal_from_unchecked(LIFE, birth.block_number(), birth.block_hash())
        .build();
    let mut unsigned = transactions.create_signable_offline(call, parameters).map_err(told)?;
    let signed = unsigned.sign(key).map_err(told)?;
    match signed.validate().await.map_err(told)? {
        ValidationResult::Valid(_) => {}
        ValidationResult::Invalid(why) => return Err(invalid(doing, &why, numbering)),
        ValidationResult::Unknown(why) => return Err(unknown(doing, &why)),
    }
    let transaction = format!("{:?}", signed.hash());
    let sent = |reason: String| NodeError::Sent { transaction: transaction.clone(), reason };
    let mut progress = match signed.submit_and_watch().await.map_err(told) {
        Ok(progress) => progress,
        // It may have arrived all the same.
        Err(NodeError::Broken(reason)) => return Err(sent(reason)),
        Err(refused) => return Err(refused),
    };
    while let Some(status) = progress.next().await {
        match status.map_err(|error| sent(error.to_string()))? {
            TransactionStatus::InBestBlock(place) => {
                // A failure is known from here on; a success may yet be lost with a fork.
                success(doing, &place).await.map_err(|fault| known_or(fault, &sent))?;
            }
            TransactionStatus::InFinalizedBlock(place) => {
                success(doing, &place).await.map_err(|fault| known_or(fault, &sent))?;
                return Ok(Included { transaction: transaction.clone(), block: place.block_hash() });
            }
            TransactionStatus::Error { message }
            | TransactionStatus::Invalid { message }
            | TransactionStatus::Dropped { message } => return Err(sent(message)),
            _ => {}
        }
    }
    Err(sent("the node ended its report".into()))
}

type InBlock = TransactionInBlock<SubstrateConfig, OnlineClientAtBlockImpl<SubstrateConfig>>;

/// Whether the block's events say that the transaction succeeded.
async fn success(doing: &'static str, place: &InBlock) -> Result<(), NodeError> {
    match place.wait_for_success().await {
        Ok(events) => {
            let mut names = events.iter().filter_map(Result::ok);
            if names.any(|event| event.pallet_name() == "System" && event.event_name() == "ExtrinsicSuccess")
            {
                return Ok(());
            }
            Err(NodeError::broken("the block has no event of the transaction's success"))
        }
        Err(TransactionEventsError::ExtrinsicFailed(error)) => Err(dispatch(doing, &error)),
        Err(error) => Err(NodeError::broken(error)),
    }
}

fn known_or(fault: NodeError, sent: &impl Fn(String) -> NodeError) -> NodeError {
    match fault {
        NodeError::Broken(reason) => sent(reason),
        known => known,
    }
}
