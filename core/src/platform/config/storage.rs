//! Where files are kept.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::ConfigError;
use super::settings::{self, Reader};

/// Where files are kept.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `file:///…` or `s3://bucket/…`; `None` lets `up` use its data folder.
    pub url: Option<Url>,
    /// Who asks S3, and where it is.
    pub s3: S3,
}

/// Who asks S3, and where it is.
#[derive(Clone, Debug, Default)]
pub struct S3 {
    /// A server that speaks S3; `None`: Amazon's, in the region.
    pub endpoint: Option<Url>,
    /// The region.
    pub region: Option<String>,
    /// The key, with its secret; `None`: the role of the machine.
    pub access_key: Option<(String, SecretString)>,
    /// A role, and the file with the token that opens it, as Kubernetes gives both.
    pub web_identity: Option<(String, PathBuf)>,
}

impl Storage {
    pub(super) fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self { url: read.url("STORAGE_URL", &["file", "s3"])?, s3: S3::read(read)? })
    }

    /// The URL, or the error that says how to give one.
    ///
    /// # Errors
    /// When there is none.
    pub fn require(&self) -> Result<&Url, ConfigError> {
        self.url.as_ref().ok_or_else(|| settings::absent("STORAGE_URL"))
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
