//! Turns a BERT sentence encoder, as it is published (safetensors and JSON), into what ONNX Runtime
//! and fastembed load. Only files in, files out: it knows no runtime, no network and no settings.
//!
//! The vectors of the two precisions differ, so whoever stores vectors records the precision with
//! them.

mod config;
mod encoder;
mod error;
mod folder;
mod graph;
mod linear;
mod proto;
mod quantize;
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

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";

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

/// Converts the model in `source` (`model.safetensors`, `config.json` and the tokenizer's files) and
/// makes the folder `target` with [`ONNX_FILE`] and [`TOKENIZER_FILES`].
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
    let model = onnx(source, precision)?;
    folder::publish(target, |partial| {
        folder::write(&partial.join(ONNX_FILE), &model)?;
        TOKENIZER_FILES.iter().try_for_each(|name| {
            let content = read(&source.join(name))?;
            folder::write(&partial.join(name), &content)
        })
    })
}

/// The bytes of the ONNX file. The weights are let go before it is written: together they would be
/// the peak of a small machine's memory.
fn onnx(source: &Path, precision: Precision) -> Result<Vec<u8>, ModelError> {
    let config_path = source.join(CONFIG_FILE);
    let config = config::Config::parse(&config_path, &read(&config_path)?)?;
    let weights_path = source.join(WEIGHTS_FILE);
    let bytes = read(&weights_path)?;
    let weights = weights::Weights::parse(&weights_path, &bytes)?;
    let model = encoder::build(&config, &weights, precision)?;
    drop(bytes);
    Ok(model.encode_to_vec())
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })
}
