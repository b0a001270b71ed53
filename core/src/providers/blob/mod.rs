//! Blob storage for the originals of uploaded files.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Error, Result};
use crate::platform::config::Storage;

mod files;

pub use files::ObjectStorage;

/// Stores whole files by key. Keys are generated (`<tenant>/<source>/<version>`) and never contain user
/// input.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores `bytes` under `key` atomically, replacing any previous object.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<()>;

    /// The bytes stored under `key`, if any.
    async fn get(&self, key: &str) -> Result<Option<Bytes>>;

    /// Deletes the object under `key`, if any.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Health check: writes, reads and deletes a probe object.
    async fn check(&self) -> Result<()>;
}

/// Opens the store at `STORAGE_URL`.
///
/// # Errors
/// When the store cannot be opened.
pub fn from_config(config: &Storage) -> Result<Arc<dyn BlobStore>> {
    let url = config.require().map_err(|error| Error::internal("storage is not configured", error))?;
    Ok(Arc::new(ObjectStorage::open(url, &config.s3)?))
}
