//! One connection to one node.

use super::fault::Fault;
use super::settings::NodeLimits;
use jsonrpsee::ws_client::{PingConfig, WsClientBuilder};
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
    pub(super) async fn connect(endpoint: &str, limits: &NodeLimits) -> Result<Self, Fault> {
        let mut builder = WsClientBuilder::new()
            .connection_timeout(limits.connect)
            .request_timeout(limits.request)
            .max_response_size(LARGEST_ANSWER)
            .enable_ws_ping(PingConfig::new().ping_interval(PING).inactive_limit(3 * PING).max_failures(1));
        if let Some(tls) = crate::http::tls_config() {
            builder = builder.with_custom_cert_store(tls.clone());
        }
        let rpc = RpcClient::new(builder.build(endpoint).await.map_err(Fault::broken)?);
        let backend = LegacyBackend::builder().storage_page_size(PAGE).build(rpc.clone());
        let online =
            OnlineClient::from_backend_with_config(SubstrateConfig::new(), std::sync::Arc::new(backend))
                .await
                .map_err(Fault::broken)?;
        Ok(Self { endpoint: endpoint.to_owned(), online, methods: LegacyRpcMethods::new(rpc) })
    }

    /// The chain at its newest block, which a fork may yet replace.
    pub(super) async fn newest(&self) -> Result<At, Fault> {
        let hash = self.methods.chain_get_block_hash(None).await.map_err(Fault::broken)?;
        let hash = hash.ok_or_else(|| Fault::broken("it has no newest block"))?;
        self.at(hash).await
    }

    /// The chain at its newest block that is final.
    pub(super) async fn finalized(&self) -> Result<At, Fault> {
        self.online.at_current_block().await.map_err(Fault::broken)
    }

    /// The chain at a block.
    pub(super) async fn at(&self, hash: H256) -> Result<At, Fault> {
        self.online.at_block(hash).await.map_err(Fault::broken)
    }
}
