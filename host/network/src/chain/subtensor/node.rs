//! One connection to one node.

use super::node_error::NodeError;
use super::settings::NodeLimits;
use crate::chain::Finality;
use jsonrpsee::ws_client::{PingConfig, WsClientBuilder};
use mantis_config::Block;
use std::time::Duration;
use subxt::backend::LegacyBackend;
use subxt::client::{OnlineClient, OnlineClientAtBlock};
use subxt::config::{RpcConfigFor, SubstrateConfig};
use subxt::rpcs::RpcClient;
use subxt::rpcs::methods::legacy::LegacyRpcMethods;
use subxt::utils::H256;

/// The chain at one block.
pub(super) type At = OnlineClientAtBlock<SubstrateConfig>;

/// Keys of storage that a node lists at once; it allows 1,000.
const PAGE: u32 = 512;
/// The largest answer: metadata has about 1 MB in hexadecimal.
const LARGEST_ANSWER: u32 = 64 << 20;
/// Time between two pings, which find out a connection that is only half open.
const PING: Duration = Duration::from_secs(10);

/// One connection to one node. Its tasks end when the last owner drops it.
pub(super) struct Node {
    pub(super) endpoint: String,
    pub(super) online: OnlineClient<SubstrateConfig>,
    pub(super) methods: LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>,
}

impl Node {
    /// Connects. The metadata of runtimes is kept as long as the connection is: what a node that answers nonsense says
    /// of them is forgotten with it.
    pub(super) async fn connect(endpoint: &str, limits: &NodeLimits) -> Result<Self, NodeError> {
        let mut builder = WsClientBuilder::new()
            .connection_timeout(limits.connect)
            .request_timeout(limits.request)
            .max_response_size(LARGEST_ANSWER)
            .enable_ws_ping(PingConfig::new().ping_interval(PING).inactive_limit(3 * PING).max_failures(1));
        if let Some(tls) = crate::http::tls_config() {
            builder = builder.with_custom_cert_store(tls.clone());
        }
        let rpc = RpcClient::new(builder.build(endpoint).await.map_err(NodeError::broken)?);
        let backend = LegacyBackend::builder().storage_page_size(PAGE).build(rpc.clone());
        let online =
            OnlineClient::from_backend_with_config(SubstrateConfig::new(), std::sync::Arc::new(backend))
                .await
                .map_err(NodeError::broken)?;
        Ok(Self { endpoint: endpoint.to_owned(), online, methods: LegacyRpcMethods::new(rpc) })
    }

    /// The chain at its newest block, which a fork may yet replace.
    pub(super) async fn newest(&self) -> Result<At, NodeError> {
        let hash = self.methods.chain_get_block_hash(None).await.map_err(NodeError::broken)?;
        let hash = hash.ok_or_else(|| NodeError::broken("it has no newest block"))?;
        self.at(hash).await
    }

    /// The chain at the block that has this number now.
    pub(super) async fn at_number(&self, block: Block) -> Result<At, NodeError> {
        let number = u64::try_from(block.0).unwrap_or(0);
        let hash = self.methods.chain_get_block_hash(Some(number.into())).await.map_err(NodeError::broken)?;
        self.at(hash.ok_or_else(|| NodeError::broken(format!("it has no block {block}")))?).await
    }

    /// The chain at its newest block that is final.
    pub(super) async fn finalized(&self) -> Result<At, NodeError> {
        self.online.at_current_block().await.map_err(NodeError::broken)
    }

    /// What is final, and which hash the block `known` has.
    pub(super) async fn finality(&self, known: Option<Block>) -> Result<Finality, NodeError> {
        let hash = self.methods.chain_get_finalized_head().await.map_err(NodeError::broken)?;
        let header = self.methods.chain_get_header(Some(hash)).await.map_err(NodeError::broken)?;
        let header = header.ok_or_else(|| NodeError::broken("it has no header of its final block"))?;
        let number = known.and_then(|known| u64::try_from(known.0).ok());
        let hash_then = match number {
            Some(known) => {
                self.methods.chain_get_block_hash(Some(known.into())).await.map_err(NodeError::broken)?
            }
            None => None,
        };
        Ok(Finality {
            block: Block(i64::try_from(header.number).unwrap_or(i64::MAX)),
            hash: format!("{hash:?}"),
            known: known.zip(hash_then).map(|(block, hash)| (block, format!("{hash:?}"))),
        })
    }

    /// The chain at a block.
    pub(super) async fn at(&self, hash: H256) -> Result<At, NodeError> {
        self.online.at_block(hash).await.map_err(NodeError::broken)
    }
}
