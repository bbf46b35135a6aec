//! Keeps one connection, to one of several nodes, and replaces it whenever anything is wrong with it.

use super::node::Node;
use super::node_error::NodeError;
use super::settings::NodeLimits;
use crate::chain::ChainError;
use mantis_config::{Block, bare_node};
use std::collections::BTreeMap;
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
    /// Until when endpoints that have had enough of us are left alone.
    resting: BTreeMap<String, Instant>,
}

/// How long an endpoint that says that it is asked too much is left alone. Which time it names itself, the client's library does
/// not tell.
const REST: Duration = Duration::from_secs(60);

/// Whether a node says that it is asked too much.
fn is_too_much(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["status code: 429", "too many requests", "rate limit"].iter().any(|sign| reason.contains(sign))
}

impl State {
    /// The endpoint that is next: the first, in turn, that is not left alone.
    ///
    /// # Errors
    /// If all are: one of them, and for how long.
    fn choose<'a>(&mut self, endpoints: &'a [String], now: Instant) -> Result<&'a str, (&'a str, Duration)> {
        self.resting.retain(|_, until| *until > now);
        let first = self.next % endpoints.len();
        let in_turn = || endpoints[first..].iter().chain(&endpoints[..first]);
        let free = in_turn().enumerate().find(|(_, endpoint)| !self.resting.contains_key(*endpoint));
        if let Some((skipped, endpoint)) = free {
            self.next = first + skipped;
            return Ok(endpoint);
        }
        let soonest = in_turn().min_by_key(|endpoint| self.resting[*endpoint]);
        let endpoint = soonest.unwrap_or(&endpoints[first]);
        Err((endpoint, self.resting[endpoint] - now))
    }

    /// Leaves an endpoint alone that is asked too much.
    fn rest_after(&mut self, endpoint: &str, reason: &str, now: Instant) {
        if is_too_much(reason) {
            self.resting.insert(endpoint.to_owned(), now + REST);
        }
    }
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
        self.state().rest_after(&node.endpoint, &reason, Instant::now());
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
            let mut state = self.state();
            if let Some(node) = &state.node {
                return Ok(node.clone());
            }
            let endpoint = state.choose(&self.endpoints, Instant::now()).map_err(|(endpoint, left)| {
                let seconds = left.as_secs() + 1;
                let reason =
                    format!("it is asked too much, and left alone for {seconds} s more; name more nodes");
                unreachable(endpoint, doing, &reason)
            })?;
            (endpoint.to_owned(), state.genesis)
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
                state.rest_after(&endpoint, &reason, Instant::now());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_too_much_is_left_alone() {
        let endpoints = ["a", "b"].map(String::from);
        let (mut state, now) = (State::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(state.choose(&endpoints, now), Ok("a"));
        state.rest_after("a", "Connection rejected with status code: 429", now);
        assert_eq!(state.choose(&endpoints, at(1)), Ok("b"));
        // Anything else leaves it in its turn.
        state.rest_after("b", "Connection rejected with status code: 503", at(1));
        assert_eq!(state.choose(&endpoints, at(2)), Ok("b"));
        state.rest_after("b", "Too Many Requests", at(10));
        assert_eq!(state.choose(&endpoints, at(11)), Err(("a", Duration::from_secs(49))));
        state.next = 1;
        assert_eq!(state.choose(&endpoints, at(61)), Ok("a"));
        assert_eq!(state.choose(&endpoints, at(71)), Ok("a"));
        state.next = 1;
        assert_eq!(state.choose(&endpoints, at(71)), Ok("b"));
    }
}
