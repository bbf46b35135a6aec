//! Object storage on the command line.

use clap::Args;
use mantis_network::bucket::{Bucket, BucketSettings};

/// Where files are uploaded. The access key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The storage service, such as https://ACCOUNT.r2.cloudflarestorage.com.
    #[arg(long, value_name = "URL", requires_all = ["bucket", "public_url"])]
    pub(super) endpoint: Option<String>,
    /// The bucket.
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    pub(super) bucket: Option<String>,
    /// Base of the URLs under which everyone reads the bucket's files, such as https://pub-....r2.dev.
    #[arg(long, value_name = "URL", requires = "endpoint")]
    pub(super) public_url: Option<String>,
    /// The bucket's region.
    #[arg(long, default_value = "auto")]
    pub(super) region: String,
}

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
