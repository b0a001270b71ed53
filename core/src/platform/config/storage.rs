//! Configuration of the file storage.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::ConfigError;
use super::reader::Reader;
use super::settings;

/// File storage.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `file:///…` or `s3://bucket/…`; `None` lets `up` use its data folder.
    pub url: Option<Url>,
    /// Time after which the files and texts of failed versions are removed; `None`: never.
    pub failed_kept: Option<Duration>,
    /// Access to S3.
    pub s3: S3,
}

/// Access to S3 or a compatible server.
#[derive(Clone, Debug, Default)]
pub struct S3 {
    /// S3-compatible server; `None`: Amazon S3 in the region.
    pub endpoint: Option<Url>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Access key and secret; `None`: the role of the machine.
    pub access_key: Option<(String, SecretString)>,
    /// Role and token file, as Kubernetes provides them for a service account.
    pub web_identity: Option<(String, PathBuf)>,
}

impl Storage {
    pub(super) fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        let hours: u64 = read.number("FAILED_FILES_KEPT_HOURS", 0..=8760)?;
        Ok(Self {
            url: read.url("STORAGE_URL", &["file", "s3"])?,
            failed_kept: (hours > 0).then(|| Duration::from_secs(60 * 60 * hours)),
            s3: S3::read(read)?,
        })
    }

    /// The URL.
    ///
    /// # Errors
    /// STORAGE_URL is not set.
    pub fn require(&self) -> Result<&Url, ConfigError> {
        self.url.as_ref().ok_or_else(|| settings::missing("STORAGE_URL"))
    }
}

impl S3 {
    fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        let access_key = read.pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")?;
        let web_identity = read.pair("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")?;
        Ok(Self {
            endpoint: read.url("AWS_ENDPOINT_URL", &["http", "https"])?,
            region: read.text("AWS_REGION"),
            access_key: access_key.map(|(id, secret)| (id, secret.into())),
            web_identity: web_identity.map(|(role, file)| (role, file.into())),
        })
    }
}
