//! Where the originals of uploaded files are kept.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Error, Result};
use crate::platform::config::Storage;

mod files;

pub use files::ObjectStorage;

/// A store of whole files by key. A key is made by us (`<tenant>/<source>/<version>`), never of a
/// user's text.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores `bytes` under `key`, whole or not at all; replaces what was there.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<()>;

    /// The bytes under `key`; `None` when there are none.
    async fn get(&self, key: &str) -> Result<Option<Bytes>>;

    /// Removes what is under `key`, if anything.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Whether the store can be written and read right now.
    async fn check(&self) -> Result<()>;
}

/// The store that `STORAGE_URL` names.
///
/// # Errors
/// When it cannot be opened.
pub fn from_config(config: &Storage) -> Result<Arc<dyn BlobStore>> {
    let url = config.require().map_err(|error| Error::internal("no storage is configured", error))?;
    Ok(Arc::new(ObjectStorage::open(url, &config.s3)?))
}
