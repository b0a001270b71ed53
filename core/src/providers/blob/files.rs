//! Files through `object_store`; today those of a local folder.

use async_trait::async_trait;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use url::Url;

use super::BlobStore;
use crate::error::{Error, Part, Result};

/// A key that no source can have.
const PROBE: &str = ".probe";

/// A store behind the `object_store` interface.
pub struct ObjectStorage {
    store: Box<dyn ObjectStore>,
}

impl ObjectStorage {
    /// Opens the folder that a `file://` URL names, making it when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn open(url: &Url) -> Result<Self> {
        let folder = url.to_file_path().map_err(|()| {
            Error::internal("STORAGE_URL cannot be used", format!("{url} names no local folder"))
        })?;
        let unusable = |error: &dyn std::error::Error| {
            Error::internal(
                format!("the storage folder {} cannot be used", folder.display()),
                error.to_string(),
            )
        };
        std::fs::create_dir_all(&folder).map_err(|error| unusable(&error))?;
        let store =
            LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(&error))?.with_fsync(true);
        Ok(Self { store: Box::new(store) })
    }
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
