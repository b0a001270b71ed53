//! Resolves the configured embedding models to folders in the cache.

use std::path::{Path, PathBuf};

use parlance_core::platform::config::{Config, Embedding};
use parlance_embedded::default_cache_dir;
use parlance_embedded::model::Precision;
use parlance_embedded::parts::{Model, Parts};

/// Precision of the embedded models: 8-bit integers.
pub(crate) const PRECISION: Precision = Precision::Int8;

/// The configured embedded model; `None` for a folder or a model of the library's catalogue.
pub(crate) fn embedded(config: &Embedding) -> Option<Model> {
    match &config.model {
        Some(name) => name.parse().ok(),
        None => config.model_dir.is_none().then(Model::default),
    }
}

/// Replaces names of embedded models with their folders, and downloads missing models.
pub(crate) async fn resolve(config: &mut Config) -> anyhow::Result<()> {
    let parse = |name: &Option<String>| name.as_ref().and_then(|name| name.parse::<Model>().ok());
    let (model, before) = (parse(&config.embedding.model), parse(&config.embedding.model_before));
    if model.is_none() && before.is_none() {
        return Ok(());
    }
    let parts = Parts::new(&config.cache_dir.clone().unwrap_or_else(default_cache_dir));
    let (model, before) = parlance_core::blocking(move || {
        let folder = |model: Option<Model>| model.map(|model| parts.model(model, PRECISION)).transpose();
        Ok::<_, parlance_embedded::Error>((folder(model)?, folder(before)?))
    })
    .await??;
    if let Some(folder) = model {
        (config.embedding.model, config.embedding.model_dir) = (None, Some(folder));
    }
    if let Some(folder) = before {
        config.embedding.model_before = Some(folder.to_string_lossy().into_owned());
    }
    Ok(())
}

/// Cached folder of the embedded model with this id. Downloads nothing.
pub(crate) fn cached(cache_dir: &Path, id: &str) -> Option<PathBuf> {
    let model = Model::ALL.into_iter().find(|model| model.id(PRECISION) == id)?;
    Parts::new(cache_dir).kept_model(model, PRECISION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(model: Option<&str>, folder: Option<&str>) -> Option<Model> {
        let config = Config::read(|name| match name {
            "EMBEDDING_MODEL" => model.map(str::to_owned),
            "EMBEDDING_MODEL_DIR" => folder.map(str::to_owned),
            _ => None,
        });
        embedded(&config.unwrap().embedding)
    }

    #[test]
    fn model_is_chosen_by_name_folder_or_default() {
        assert_eq!(chosen(None, None), Some(Model::MultilingualE5Small));
        assert_eq!(chosen(None, Some("/models/mine")), None);
        assert_eq!(chosen(Some("all-MiniLM-L6-v2"), Some("/models/mine")), Some(Model::AllMiniLmL6V2));
        assert_eq!(chosen(Some("BAAI/bge-m3"), None), None);
    }
}
