//! Object storage that speaks S3: where miners and the feed's publisher put their files.

mod bucket;

pub use bucket::{Bucket, StoreError, StoreSettings};
