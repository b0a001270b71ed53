//! Private servers and models for `up` and `eval`: which ones are missing, and how the configuration refers to them.

use std::path::Path;

use parlance_core::platform::config::Config;
use parlance_embedded::{Options, Servers, default_cache_dir};
use url::Url;

use crate::models;

/// The parts that the configuration does not name and that therefore must be started.
pub(crate) fn missing_parts(config: &Config, data_dir: &Path) -> Options {
    Options {
        data_dir: data_dir.to_owned(),
        cache_dir: config.cache_dir.clone().unwrap_or_else(default_cache_dir),
        postgres: config.database.url.is_none(),
        redis: config.redis.url.is_none(),
        model: models::embedded(&config.embedding).map(|model| (model, models::PRECISION)),
        onnxruntime: config.embedding.ort_dylib.is_none(),
        ephemeral: false,
    }
}

/// Points the configuration at the started parts. Files go into the data folder unless STORAGE_URL is set.
pub(crate) fn configure(config: &mut Config, servers: &Servers, data_dir: &Path) -> anyhow::Result<()> {
    if let Some(url) = servers.database_url() {
        config.database.url = Some(url.to_owned().into());
    }
    if let Some(url) = servers.redis_url() {
        config.redis.url = Some(url.to_owned().into());
    }
    if config.storage.url.is_none() {
        let files = Url::from_directory_path(data_dir.join("files"));
        config.storage.url =
            Some(files.map_err(|()| anyhow::anyhow!("the data folder has no absolute path"))?);
    }
    if let Some(library) = servers.onnxruntime() {
        config.embedding.ort_dylib = Some(library.to_owned());
    }
    if let Some(model) = servers.model_dir() {
        (config.embedding.model, config.embedding.model_dir) = (None, Some(model.to_owned()));
    }
    Ok(())
}
