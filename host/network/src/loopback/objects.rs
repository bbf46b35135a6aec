//! An object store: S3's PUT for those who upload, a public GET for everyone.

use super::serve::Server;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest object, bytes: enough for files that a collector must refuse.
const LARGEST: usize = 64 << 20;

/// What is stored: bytes by key.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    map: Arc<Mutex<BTreeMap<String, Bytes>>>,
    /// How many uploads fail from now on, and with which status.
    failing: Arc<Mutex<(usize, u16)>>,
}

impl Objects {
    /// Stores an object without HTTP.
    pub fn put(&self, key: &str, body: impl Into<Bytes>) {
        self.lock().insert(key.into(), body.into());
    }

    /// An object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.lock().get(key).cloned()
    }

    /// The keys, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// The status with which an upload fails, if it does.
    fn failure(&self) -> Option<StatusCode> {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.0 = failing.0.checked_sub(1)?;
        StatusCode::from_u16(failing.1).ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store's server. It takes uploads that are signed with [`ObjectServer::ACCESS_KEY`], and does not check the
/// signature itself.
pub struct ObjectServer {
    server: Server,
    objects: Objects,
}

impl ObjectServer {
    /// The only bucket.
    pub const BUCKET: &'static str = "mantis";
    /// The access key that uploads name.
    pub const ACCESS_KEY: &'static str = "demo";

    /// Starts an empty store.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start() -> io::Result<Self> {
        let objects = Objects::default();
        let router = Router::new()
            .route("/{*path}", get(read).put(write))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(objects.clone());
        Ok(Self { server: Server::start(router).await?, objects })
    }

    /// The endpoint for uploads: `PUT {endpoint}/mantis/KEY`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Where everyone reads: `GET {public_url}/KEY`.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.endpoint()
    }

    /// What is stored.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The next uploads fail with a status.
    pub fn fail_next(&self, uploads: usize, status: u16) {
        *self.objects.failing.lock().unwrap_or_else(PoisonError::into_inner) = (uploads, status);
    }

    /// Stops it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn read(State(objects): State<Objects>, Path(key): Path<String>) -> Result<Bytes, StatusCode> {
    objects.get(&key).ok_or(StatusCode::NOT_FOUND)
}

async fn write(
    State(objects): State<Objects>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> StatusCode {
    let Some((ObjectServer::BUCKET, key)) = path.split_once('/') else { return StatusCode::NOT_FOUND };
    let credential = query.get("X-Amz-Credential").map(String::as_str).unwrap_or_default();
    if credential.split('/').next() != Some(ObjectServer::ACCESS_KEY)
        || !query.contains_key("X-Amz-Signature")
    {
        return StatusCode::FORBIDDEN;
    }
    if let Some(failure) = objects.failure() {
        return failure;
    }
    objects.put(key, body);
    StatusCode::OK
}
