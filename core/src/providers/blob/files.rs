//! Blob store on `object_store`: a local folder, or a bucket in S3 or an S3-compatible service.

use async_trait::async_trait;
use bytes::Bytes;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use secrecy::ExposeSecret;
use url::Url;

use super::BlobStore;
use crate::error::{BoxError, Error, Part, Result};
use crate::platform::config::S3;

/// Key of the health check's object. No source can have it.
const PROBE: &str = ".probe";

/// Blob store backed by an `object_store` implementation.
pub struct ObjectStorage {
    store: Box<dyn ObjectStore>,
}

impl ObjectStorage {
    /// Opens the storage at a URL: `file:///folder` (created if absent) or `s3://bucket/prefix`.
    ///
    /// # Errors
    /// When the folder cannot be created or opened, or the S3 settings are inconsistent. A missing bucket is
    /// only detected at first use.
    pub fn open(url: &Url, s3: &S3) -> Result<Self> {
        let store = if url.scheme() == "s3" { bucket(url, s3)? } else { folder(url)? };
        Ok(Self { store })
    }
}

fn folder(url: &Url) -> Result<Box<dyn ObjectStore>> {
    let folder = url.to_file_path().map_err(|()| unusable(url, "not a local path"))?;
    std::fs::create_dir_all(&folder).map_err(|error| unusable(url, error))?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(url, error))?;
    Ok(Box::new(store.with_fsync(true)))
}

fn bucket(url: &Url, s3: &S3) -> Result<Box<dyn ObjectStore>> {
    let bucket = url.host_str().ok_or_else(|| unusable(url, "no bucket in the URL"))?;
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    if let Some(region) = &s3.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &s3.endpoint {
        let plain = endpoint.scheme() == "http";
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/')).with_allow_http(plain);
    }
    if let Some((id, secret)) = &s3.access_key {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose_secret());
    }
    if let Some((role, token)) = &s3.web_identity {
        builder = builder
            .with_config(AmazonS3ConfigKey::RoleArn, role)
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token.to_string_lossy());
    }
    let store = builder.build().map_err(|error| unusable(url, error))?;
    Ok(Box::new(PrefixStore::new(store, url.path().trim_matches('/'))))
}

fn unusable(url: &Url, error: impl Into<BoxError>) -> Error {
    Error::internal(format!("cannot open storage {url}"), error)
}

#[async_trait]
impl BlobStore for ObjectStorage {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.store.put(&Path::from(key), PutPayload::from_bytes(bytes)).await.map_err(unavailable)?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        match self.store.get(&Path::from(key)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(unavailable),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn check(&self) -> Result<()> {
        self.put(PROBE, Bytes::from_static(b"ok")).await?;
        self.get(PROBE).await?;
        self.delete(PROBE).await
    }
}

fn unavailable(error: object_store::Error) -> Error {
    Error::unavailable(Part::Storage, error)
}
