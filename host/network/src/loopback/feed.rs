//! A market feed.

use super::serve::Server;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use std::io;
use std::sync::Arc;

/// A server of one document, made again for each request.
pub struct FeedServer {
    server: Server,
}

impl FeedServer {
    /// Serves what `document` gives at [`FeedServer::url`].
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(document: Arc<dyn Fn() -> Vec<u8> + Send + Sync>) -> io::Result<Self> {
        let answer = move || {
            let body = document();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        };
        Ok(Self { server: Server::start(Router::new().route("/prices.json", get(answer))).await? })
    }

    /// Where the document lies.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/prices.json", self.server.address)
    }

    /// Stops it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
