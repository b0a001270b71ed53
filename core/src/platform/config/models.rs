//! The models: what embeds, what reranks, what writes.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::ConfigError;
use super::settings::{self, Reader};

/// What turns text into vectors.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// A name of an embedded model or of the embedding library's catalogue; `None`: the model in `model_dir`.
    pub model: Option<String>,
    /// A folder with `model.onnx` and the tokenizer's four files; `None` lets `up` prepare its own.
    pub model_dir: Option<PathBuf>,
    /// The model before it, while bots change over: a folder, or a name of the catalogue.
    pub model_before: Option<String>,
    /// The ONNX Runtime library; `None` lets `up` fetch it.
    pub ort_dylib: Option<PathBuf>,
    /// Threads that one passage may use.
    pub threads: usize,
}

/// What looks again at what a search found.
#[derive(Clone, Debug)]
pub struct Rerank {
    /// `None`: nothing does.
    pub model: Option<LocalOrNamed>,
}

/// Where a model is.
#[derive(Clone, Debug)]
pub enum LocalOrNamed {
    /// A folder with `model.onnx` and the tokenizer's four files.
    Local(PathBuf),
    /// A name of the library's catalogue.
    Named(String),
}

impl From<String> for LocalOrNamed {
    /// What is a folder is one.
    fn from(named: String) -> Self {
        let folder = PathBuf::from(&named);
        if folder.is_dir() { Self::Local(folder) } else { Self::Named(named) }
    }
}

/// What writes the answers.
#[derive(Clone, Debug)]
pub struct Chat {
    /// `extractive`, or a model's name as its provider writes it.
    pub model: String,
    /// An OpenAI-compatible server to ask instead of the model's own provider.
    pub base_url: Option<Url>,
    /// The key for that provider or server.
    pub api_key: Option<SecretString>,
    /// Models to ask, in this order, when the first does not answer; from the same provider or server.
    pub fallbacks: Vec<String>,
    /// The most tokens of a prompt.
    pub context_tokens: usize,
    /// How long a model is waited for.
    pub patience: Patience,
}

/// How long a model is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until the first token, and from one to the next.
    pub first_token: Duration,
    /// For the whole answer.
    pub total: Duration,
}

impl Embedding {
    pub(super) fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            model: read.text("EMBEDDING_MODEL"),
            model_dir: read.text("EMBEDDING_MODEL_DIR").map(PathBuf::from),
            model_before: read.text("EMBEDDING_MODEL_BEFORE"),
            ort_dylib: read.text("ORT_DYLIB_PATH").map(PathBuf::from),
            threads: match read.text("EMBEDDING_THREADS") {
                Some(_) => read.number::<usize>("EMBEDDING_THREADS", 1..=256)?,
                None => std::thread::available_parallelism().map_or(1, usize::from),
            },
        })
    }

    /// The ONNX Runtime library, or the error that says how to give one.
    ///
    /// # Errors
    /// When there is none.
    pub fn require_ort(&self) -> Result<&PathBuf, ConfigError> {
        self.ort_dylib.as_ref().ok_or_else(|| settings::absent("ORT_DYLIB_PATH"))
    }

    /// The model's folder, or the error that says how to give one.
    ///
    /// # Errors
    /// When there is none.
    pub fn require_model_dir(&self) -> Result<&PathBuf, ConfigError> {
        self.model_dir.as_ref().ok_or_else(|| settings::absent("EMBEDDING_MODEL_DIR"))
    }

    /// The model before this one, when it is to be loaded too.
    #[must_use]
    pub fn before(&self) -> Option<Self> {
        let (model, model_dir) = match self.model_before.clone()?.into() {
            LocalOrNamed::Local(folder) => (None, Some(folder)),
            LocalOrNamed::Named(name) => (Some(name), None),
        };
        Some(Self { model, model_dir, model_before: None, ..self.clone() })
    }
}

impl Rerank {
    pub(super) fn read(read: &Reader<'_>) -> Self {
        Self { model: read.text("RERANK_MODEL").map(LocalOrNamed::from) }
    }
}

impl Chat {
    pub(super) fn read(read: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            model: read.required("LLM_MODEL")?,
            base_url: read.url("LLM_BASE_URL", &["http", "https"])?,
            api_key: read.text("LLM_API_KEY").map(SecretString::from),
            fallbacks: read.list("LLM_FALLBACK_MODELS", "has an entry that is not a model's name")?,
            context_tokens: read.number("LLM_CONTEXT_TOKENS", 500..=1_000_000)?,
            patience: Patience {
                first_token: Duration::from_secs(read.number::<u64>("LLM_FIRST_TOKEN_SECONDS", 1..=600)?),
                total: Duration::from_secs(read.number::<u64>("LLM_TOTAL_SECONDS", 1..=3600)?),
            },
        })
    }
}
