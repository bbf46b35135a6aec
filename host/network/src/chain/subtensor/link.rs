//! Keeps one connection, to one of several nodes, and replaces it whenever anything is wrong with it.

use super::node::Node;
use super::node_error::NodeError;
use super::settings::NodeLimits;
use crate::chain::ChainError;
use mantis_config::{Block, bare_node};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subxt::utils::H256;
use tokio::time::timeout;

/// The connection, and the nodes that it may lead to.
pub(super) struct Link {
    endpoints: Vec<String>,
    limits: NodeLimits,
    state: Mutex<State>,
    /// Held while connecting: several callers wait for one connection instead of opening one each.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Which endpoint is next.
    next: usize,
    node: Option<Arc<Node>>,
    /// The chain's first block: a node of another chain is refused.
    genesis: Option<H256>,
    /// The newest block, and since when it is the newest.
    newest: Option<(Block, Instant)>,
}

impl Link {
    /// Nothing is connected before it is needed. There is at least one endpoint.
    pub(super) fn new(endpoints: Vec<String>, limits: NodeLimits) -> Self {
        Self { endpoints, limits, state: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// Reads something: on the open connection, then, where that fails, on a new one to each endpoint in turn.
    ///
    /// # Errors
    /// What the chain says, or what went wrong with the last node.
    pub(super) async fn read<T, F>(
        &self,
        doing: &'static str,
        f: impl Fn(Arc<Node>) -> F,
    ) -> Result<T, ChainError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let stale = usize::from(self.state().node.is_some());
        let mut attempts = self.endpoints.len() + stale;
        loop {
            attempts -= 1;
            match self.once(doing, self.limits.read, &f).await {
                Err(ChainError::Unreachable { .. }) if attempts > 0 => {}
                other => return other,
            }
        }
    }

    /// Does something once, on the open connection or a new one.
    ///
    /// # Errors
    /// What the chain says, or what went wrong with the node; then the next call takes the next one.
    pub(super) async fn once<T, F>(
        &self,
        doing: &'static str,
        limit: Duration,
        f: impl Fn(Arc<Node>) -> F,
    ) -> Result<T, ChainError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let node = self.node(doing).await?;
        let fault = match timeout(limit, f(node.clone())).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(fault)) => fault,
            Err(_) => NodeError::Broken(format!("no answer for {} seconds", limit.as_secs())),
        };
        let reason = match fault {
            NodeError::Said(error) => return Err(error),
            NodeError::Sent { transaction, reason } => {
                self.leave(&node);
                return Err(ChainError::Unconfirmed { doing, transaction, reason });
            }
            NodeError::Broken(reason) => reason,
        };
        self.leave(&node);
        Err(unreachable(&node.endpoint, doing, &reason))
    }

    /// Takes note of the newest block.
    ///
    /// # Errors
    /// If it has been the same for too long: then the next call takes the next node.
    pub(super) fn saw(&self, node: &Arc<Node>, block: Block) -> Result<(), NodeError> {
        let mut state = self.state();
        let now = Instant::now();
        match state.newest {
            Some((newest, since)) if newest == block && now - since > self.limits.stalled => {
                state.newest = Some((block, now));
                drop(state);
                self.leave(node);
                let seconds = self.limits.stalled.as_secs();
                Err(NodeError::Broken(format!(
                    "its newest block has been {block} for more than {seconds} seconds"
                )))
            }
            Some((newest, _)) if newest == block => Ok(()),
            _ => {
                state.newest = Some((block, now));
                Ok(())
            }
        }
    }

    async fn node(&self, doing: &'static str) -> Result<Arc<Node>, ChainError> {
        if let Some(node) = &self.state().node {
            return Ok(node.clone());
        }
        let _alone = self.connecting.lock().await;
        let (endpoint, known) = {
            let state = self.state();
            if let Some(node) = &state.node {
                return Ok(node.clone());
            }
            (self.endpoints[state.next % self.endpoints.len()].clone(), state.genesis)
        };
        let connect = Node::connect(&endpoint, &self.limits);
        let limit = self.limits.connect + self.limits.request;
        let result = match timeout(limit, connect).await {
            Ok(Ok(node)) if known.is_some_and(|known| known != node.online.genesis_hash()) => {
                Err("it belongs to another chain than the nodes before".into())
            }
            Ok(Ok(node)) => Ok(Arc::new(node)),
            Ok(Err(NodeError::Broken(reason))) => Err(reason),
            Ok(Err(other)) => Err(format!("{other:?}")),
            Err(_) => Err(format!("no connection for {} seconds", limit.as_secs())),
        };
        let mut state = self.state();
        match result {
            Ok(node) => {
                state.genesis = Some(node.online.genesis_hash());
                state.node = Some(node.clone());
                Ok(node)
            }
            Err(reason) => {
                state.next = state.next.wrapping_add(1);
                Err(unreachable(&endpoint, doing, &reason))
            }
        }
    }

    /// Gives up a connection; the next one leads to the next endpoint. What still uses it keeps it until its time
    /// is over; one that was given up already stays so.
    fn leave(&self, node: &Arc<Node>) {
        let mut state = self.state();
        if state.node.as_ref().is_some_and(|current| Arc::ptr_eq(current, node)) {
            state.node = None;
            state.next = state.next.wrapping_add(1);
        }
    }

    /// Gives up the connection, for the next endpoint: what came over it is not believed.
    pub(super) fn doubt(&self) {
        let node = self.state().node.clone();
        if let Some(node) = node {
            self.leave(&node);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a node that failed. Its URL may hold a key, and what went wrong may repeat the URL.
fn unreachable(endpoint: &str, doing: &'static str, reason: &str) -> ChainError {
    let bare = bare_node(endpoint);
    ChainError::Unreachable { reason: reason.replace(endpoint, &bare), endpoint: bare, doing }
}
