//! Object storage on the command line.

use super::args::StoreArgs;
use mantis_network::bucket::{Bucket, BucketSettings};

/// The bucket that the arguments name; `None` where they name none.
pub(super) fn bucket(args: &StoreArgs) -> anyhow::Result<Option<Bucket>> {
    let (Some(endpoint), Some(bucket), Some(public_url)) = (&args.endpoint, &args.bucket, &args.public_url)
    else {
        return Ok(None);
    };
    let settings = BucketSettings {
        endpoint: endpoint.clone(),
        bucket: bucket.clone(),
        region: args.region.clone(),
        public_url: public_url.clone(),
    };
    Ok(Some(Bucket::from_env(&settings)?))
}
