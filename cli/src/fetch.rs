//! `parlance fetch`: the parts that `api` and `worker` need, in a folder of their own, as an image of them has it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use parlance_core::platform::config::Config;
use parlance_embedded::default_cache_dir;
use parlance_embedded::parts::{Model, Parts};

use crate::models;

/// The library, whatever version it is.
const LIBRARY: &str = "libonnxruntime.so";

/// Fetches what is not in the cache, copies it, and prints the settings that name it. What is there already is
/// replaced.
pub(crate) async fn run(config: Config, folder: PathBuf) -> anyhow::Result<()> {
    let cache_dir = config.cache_dir.unwrap_or_else(default_cache_dir);
    let model = match &config.embedding.model {
        Some(name) => name.parse().context("EMBEDDING_MODEL names a model that is not embedded: unset it")?,
        None => Model::default(),
    };
    let settings = parlance_core::blocking(move || copy(&Parts::new(&cache_dir), model, &folder)).await??;
    crate::out(&settings);
    Ok(())
}

fn copy(parts: &Parts, model: Model, folder: &Path) -> anyhow::Result<String> {
    let (library, model) = (parts.onnxruntime()?, parts.model(model, models::PRECISION)?);
    // Its name is the model's id, which is the same wherever it is used.
    let to_model = folder.join(model.file_name().context("a model has a name")?);
    fs::create_dir_all(&to_model).with_context(|| format!("{} cannot be made", to_model.display()))?;
    let to_library = folder.join(LIBRARY);
    copy_file(&library, &to_library)?;
    for entry in fs::read_dir(&model)? {
        let entry = entry?;
        copy_file(&entry.path(), &to_model.join(entry.file_name()))?;
    }
    Ok(format!("ORT_DYLIB_PATH={}\nEMBEDDING_MODEL_DIR={}", to_library.display(), to_model.display()))
}

fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(())
}
