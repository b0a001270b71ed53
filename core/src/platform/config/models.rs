//! Configuration of the embedding, reranking and language models.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::ConfigError;
use super::reader::Reader;
use super::settings;

/// Embedding model.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// Name of an embedded model or from the embedding library's catalogue; `None`: the model in `model_dir`.
    pub model: Option<String>,
    /// Folder with `model.onnx` and the four tokenizer files; `None`: `up` prepares its own.
    pub model_dir: Option<PathBuf>,
    /// Previous embedding model, for bots not yet re-embedded: a folder or a catalogue name.
    pub model_before: Option<String>,
    /// ONNX Runtime library; `None`: `up` downloads it.
    pub ort_dylib: Option<PathBuf>,
    /// Threads per inference.
    pub threads: usize,
}

/// Reranking of search results.
#[derive(Clone, Debug)]
pub struct Rerank {
    /// `None`: no reranking.
    pub model: Option<LocalOrNamed>,
}

/// Location of a model.
#[derive(Clone, Debug)]
pub enum LocalOrNamed {
    /// Folder with `model.onnx` and the four tokenizer files.
    Local(PathBuf),
    /// Name from the library's catalogue.
    Named(String),
}

impl From<String> for LocalOrNamed {
    /// An existing folder is local; anything else is a catalogue name.
    fn from(value: String) -> Self {
        let folder = PathBuf::from(&value);
        if folder.is_dir() { Self::Local(folder) } else { Self::Named(value) }
    }
}

/// Language model.
#[derive(Clone, Debug)]
pub struct Chat {
    /// `extractive`, or the provider's name of a model.
    pub model: String,
    /// OpenAI-compatible server to use instead of the model's own provider.
    pub base_url: Option<Url>,
    /// API key for the provider or server.
    pub api_key: Option<SecretString>,
    /// Fallback models of the same provider or server, in order.
    pub fallbacks: Vec<String>,
    /// Maximum prompt size in tokens.
    pub context_tokens: usize,
    /// Timeouts of the model.
    pub timeouts: ChatTimeouts,
}

/// Timeouts of the language model.
#[derive(Clone, Copy, Debug)]
pub struct ChatTimeouts {
    /// Timeout for the first token and between tokens.
    pub first_token: Duration,
    /// Timeout for the whole answer.
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

    /// The ONNX Runtime library.
    ///
    /// # Errors
    /// ORT_DYLIB_PATH is not set.
    pub fn require_ort(&self) -> Result<&PathBuf, ConfigError> {
        self.ort_dylib.as_ref().ok_or_else(|| settings::missing("ORT_DYLIB_PATH"))
    }

    /// The folder of the model.
    ///
    /// # Errors
    /// EMBEDDING_MODEL_DIR is not set.
    pub fn require_model_dir(&self) -> Result<&PathBuf, ConfigError> {
        self.model_dir.as_ref().ok_or_else(|| settings::missing("EMBEDDING_MODEL_DIR"))
    }

    /// Configuration of the previous model, if one is configured.
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
            fallbacks: read.list("LLM_FALLBACK_MODELS", "has an entry that is not a model name")?,
            context_tokens: read.number("LLM_CONTEXT_TOKENS", 500..=1_000_000)?,
            timeouts: ChatTimeouts {
                first_token: Duration::from_secs(read.number::<u64>("LLM_FIRST_TOKEN_SECONDS", 1..=600)?),
                total: Duration::from_secs(read.number::<u64>("LLM_TOTAL_SECONDS", 1..=3600)?),
            },
        })
    }
}
