//! The embedding models that come as parts, as the configuration names them.

use std::path::{Path, PathBuf};

use parlance_core::platform::config::{Config, Embedding};
use parlance_embedded::default_cache_dir;
use parlance_embedded::model::Precision;
use parlance_embedded::parts::{Model, Parts};

/// Embedded models are 8-bit.
pub(crate) const PRECISION: Precision = Precision::Int8;

/// The embedded model that the configuration asks for; `None` when it names a folder, or a model of the
/// library's catalogue.
pub(crate) fn embedded(config: &Embedding) -> Option<Model> {
    match &config.model {
        Some(name) => name.parse().ok(),
        None => config.model_dir.is_none().then(Model::default),
    }
}

/// Puts the folders of embedded models in the place of their names, and fetches what is missing.
pub(crate) async fn resolve(config: &mut Config) -> anyhow::Result<()> {
    let of = |name: &Option<String>| name.as_ref().and_then(|name| name.parse::<Model>().ok());
    let (model, before) = (of(&config.embedding.model), of(&config.embedding.model_before));
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

/// The folder of an embedded model by its id, if it is in the cache: nothing is fetched for it.
pub(crate) fn kept(cache_dir: &Path, id: &str) -> Option<PathBuf> {
    let model = Model::ALL.into_iter().find(|model| model.id(PRECISION) == id)?;
    Parts::new(cache_dir).kept_model(model, PRECISION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(model: Option<&str>, folder: Option<&str>) -> Option<Model> {
        let config = Config::read(|name| match name {
            "EMBEDDING_MODEL" => model.map(str::to_owned),
            "EMBEDDING_MODEL_DIR" => folder.map(str::to_owned),
            _ => None,
        });
        embedded(&config.unwrap().embedding)
    }

    #[test]
    fn a_name_a_folder_or_nothing_chooses_the_model() {
        assert_eq!(asked(None, None), Some(Model::MultilingualE5Small));
        assert_eq!(asked(None, Some("/models/mine")), None);
        assert_eq!(asked(Some("all-MiniLM-L6-v2"), Some("/models/mine")), Some(Model::AllMiniLmL6V2));
        assert_eq!(asked(Some("BAAI/bge-m3"), None), None);
    }
}
