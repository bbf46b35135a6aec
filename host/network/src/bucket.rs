//! One bucket, for uploads.

use crate::http;
use reqwest::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Client, Url};
use rusty_s3::{Credentials, S3Action, UrlStyle};
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// Time for one upload; a large one has a second more for each of so many bytes.
const TIMEOUT: Duration = Duration::from_secs(30);
const SLOWEST: u64 = 64 << 10;
/// How long a signed request is valid.
const VALID: Duration = Duration::from_secs(300);
/// Characters of a server's refusal that are shown.
const SHOWN: usize = 300;

/// Where a bucket lies. Its credentials come from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// and `AWS_SESSION_TOKEN` if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSettings {
    /// The service: `https://ACCOUNT.r2.cloudflarestorage.com`.
    pub endpoint: String,
    /// The bucket's name.
    pub bucket: String,
    /// The region; `auto` for R2.
    pub region: String,
    /// Base of the URLs under which everyone reads the bucket's files: `https://pub-....r2.dev`.
    pub public_url: String,
}

/// Why a file was not stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BucketError {
    /// A setting cannot be used.
    #[error("the store's {setting} {value:?} is not allowed: {reason}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        reason: String,
    },
    /// No credentials in the environment.
    #[error("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the store's access key")]
    NoCredentials,
    /// The store cannot be reached.
    #[error("the store at {host} cannot be reached: {fault}")]
    Unreachable {
        /// Its host.
        host: String,
        /// What happened.
        fault: http::HttpError,
    },
    /// The store refuses.
    #[error(
        "the store at {host} refuses {key} with status {status}: {answer}; {}", advice(*status)
    )]
    Refused {
        /// Its host.
        host: String,
        /// The file.
        key: String,
        /// HTTP status.
        status: u16,
        /// The beginning of its answer.
        answer: String,
    },
}

impl BucketError {
    /// Whether it may be over in a moment.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            Self::Setting { .. } | Self::NoCredentials => false,
        }
    }
}

/// What to do about a status.
fn advice(status: u16) -> &'static str {
    match status {
        400 => "check the region, the endpoint and this machine's clock",
        401 | 403 => "check the access key, its permission to write, and this machine's clock",
        404 => "check the bucket's name and the endpoint",
        408 | 429 => "it has too much to do: send less often",
        500.. => "the fault is the store's own, and may be over soon",
        _ => "check the endpoint: is that an S3 service?",
    }
}

/// A bucket that can be written to.
#[derive(Clone)]
pub struct Bucket {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    public_url: String,
    client: Client,
}

impl Bucket {
    /// The bucket, with the credentials of the environment.
    ///
    /// # Errors
    /// If a setting is no good or there are no credentials.
    pub fn from_env(settings: &BucketSettings) -> Result<Self, BucketError> {
        Self::new(settings, Credentials::from_env().ok_or(BucketError::NoCredentials)?)
    }

    /// The bucket, with an access key and its secret.
    ///
    /// # Errors
    /// If a setting is no good.
    pub fn with_key(settings: &BucketSettings, key: &str, secret: &str) -> Result<Self, BucketError> {
        Self::new(settings, Credentials::new(key, secret))
    }

    fn new(settings: &BucketSettings, credentials: Credentials) -> Result<Self, BucketError> {
        let fault = |setting, value: &str, reason: String| BucketError::Setting {
            setting,
            value: value.into(),
            reason,
        };
        let bad_endpoint = |reason| fault("endpoint", &settings.endpoint, reason);
        let endpoint = Url::parse(&settings.endpoint).map_err(|error| bad_endpoint(error.to_string()))?;
        if let Err(error) = Url::parse(&settings.public_url) {
            return Err(fault("public URL", &settings.public_url, error.to_string()));
        }
        // By path: it works with every service, bucket name and address.
        let (bucket, region) = (settings.bucket.clone(), settings.region.clone());
        let bucket = rusty_s3::Bucket::new(endpoint, UrlStyle::Path, bucket, region)
            .map_err(|error| bad_endpoint(error.to_string()))?;
        let client = http::builder().timeout(TIMEOUT).build();
        let client = client.map_err(|error| bad_endpoint(error.without_url().to_string()))?;
        let public_url = settings.public_url.trim_end_matches('/').to_owned();
        Ok(Self { bucket, credentials, public_url, client })
    }

    /// The URL under which everyone reads a file.
    #[must_use]
    pub fn url_of(&self, key: &str) -> String {
        format!("{}/{key}", self.public_url)
    }

    /// Stores a JSON file, in the place of the one that has this key. Readers are asked not to cache it.
    ///
    /// # Errors
    /// If the store cannot be reached or refuses, or the key is no plain name.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        if !is_plain(key) {
            let reason = "a name of letters, digits, `_`, `-` and `.` is needed".into();
            return Err(BucketError::Setting { setting: "key", value: key.into(), reason });
        }
        self.store(key, bytes, "application/json").await
    }

    /// Stores any file under plain names with slashes between them, in the place of the one that is there. Readers are asked not
    /// to cache it.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub async fn put_file(&self, path: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        if !path.split('/').all(is_plain) {
            let reason = "plain names with slashes between them are needed".into();
            return Err(BucketError::Setting { setting: "key", value: path.into(), reason });
        }
        self.store(path, bytes, "application/octet-stream").await
    }

    async fn store(&self, key: &str, bytes: Vec<u8>, content: &str) -> Result<(), BucketError> {
        let mut put = self.bucket.put_object(Some(&self.credentials), key);
        let headers = [(CONTENT_TYPE, content), (CACHE_CONTROL, "no-cache, max-age=0")];
        for (name, value) in &headers {
            put.headers_mut().insert(name.as_str().to_owned(), (*value).to_owned());
        }
        let time = TIMEOUT + Duration::from_secs(bytes.len() as u64 / SLOWEST);
        let mut request = self.client.put(put.sign(VALID)).header(CONTENT_LENGTH, bytes.len()).body(bytes);
        request = request.timeout(time);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let unreachable =
            |error: reqwest::Error| BucketError::Unreachable { host: self.host(), fault: error.into() };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        // The first piece says enough, and may not come.
        let answer = response.chunk().await.ok().flatten().unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer).chars().take(SHOWN).collect::<String>();
        let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        Err(BucketError::Refused { host: self.host(), key: key.into(), status: status.as_u16(), answer })
    }

    fn host(&self) -> String {
        self.bucket.base_url().host_str().unwrap_or_default().to_owned()
    }
}

/// Whether this is one word of a key.
fn is_plain(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    word.bytes().all(plain) && !word.trim_matches('.').is_empty()
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the credentials.
        f.debug_struct("Bucket").field("url", &self.bucket.base_url().as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::ObjectServer;

    fn settings(server: &ObjectServer) -> BucketSettings {
        BucketSettings {
            endpoint: server.endpoint(),
            bucket: ObjectServer::BUCKET.into(),
            region: "auto".into(),
            public_url: server.public_url(),
        }
    }

    #[tokio::test]
    async fn what_is_stored_is_read_by_everyone() {
        let server = ObjectServer::start().await.unwrap();
        let bucket = Bucket::with_key(&settings(&server), ObjectServer::ACCESS_KEY, "secret").unwrap();
        for body in ["{}", "", "{\"v\": 2}"] {
            bucket.put("5Grw", body.into()).await.unwrap();
            let got = reqwest_get(&bucket.url_of("5Grw")).await;
            assert_eq!(got, body);
        }
        bucket.put_file("14/plugins/a.wasm", b"x".into()).await.unwrap();
        assert_eq!(reqwest_get(&bucket.url_of("14/plugins/a.wasm")).await, "x");
        assert_eq!(server.objects().keys(), ["14/plugins/a.wasm", "5Grw"]);
        server.stop().await;
    }

    async fn reqwest_get(url: &str) -> String {
        let client = http::builder().build().unwrap();
        String::from_utf8(http::fetch(client.get(url), 1000, &mut ()).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn refusals_say_what_to_check_and_no_secret() {
        let server = ObjectServer::start().await.unwrap();
        let bucket = Bucket::with_key(&settings(&server), "stranger", "hidden").unwrap();
        let error = bucket.put("a", Vec::new()).await.unwrap_err().to_string();
        assert!(
            error.contains("refuses a with status 403") && error.contains("check the access key"),
            "{error}"
        );
        assert!(!format!("{bucket:?}{error}").contains("hidden"), "{bucket:?} {error}");

        let wrong = BucketSettings { bucket: "other".into(), ..settings(&server) };
        let bucket = Bucket::with_key(&wrong, ObjectServer::ACCESS_KEY, "s").unwrap();
        assert!(matches!(bucket.put("a", Vec::new()).await, Err(BucketError::Refused { status: 404, .. })));
        server.stop().await;
        let gone = bucket.put("a", Vec::new()).await;
        assert!(matches!(gone, Err(BucketError::Unreachable { .. })), "{gone:?}");
    }

    #[tokio::test]
    async fn bad_settings_and_keys_are_named() {
        let good = BucketSettings {
            endpoint: "http://127.0.0.1:1".into(),
            bucket: "b".into(),
            region: "auto".into(),
            public_url: "https://pub.r2.dev/".into(),
        };
        let bucket = Bucket::with_key(&good, "k", "s").unwrap();
        assert_eq!(bucket.url_of("hk"), "https://pub.r2.dev/hk");
        for key in ["", ".", "..", "a/b", "../a", "a b", "a?b"] {
            let error = bucket.put(key, Vec::new()).await.unwrap_err();
            assert!(matches!(error, BucketError::Setting { setting: "key", .. }), "{key}: {error}");
            if key != "a/b" {
                assert!(
                    matches!(bucket.put_file(key, Vec::new()).await, Err(BucketError::Setting { .. })),
                    "{key}"
                );
            }
        }
        for endpoint in ["", "r2", "ftp://a"] {
            let error =
                Bucket::with_key(&BucketSettings { endpoint: endpoint.into(), ..good.clone() }, "k", "s");
            assert!(error.unwrap_err().to_string().starts_with("the store's endpoint"), "{endpoint}");
        }
    }
}
