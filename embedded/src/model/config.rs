//! Pure: parses config.json into the shape of the encoder.

use std::path::Path;

use serde::Deserialize;

use super::ModelError;

/// The shape of a BERT encoder, with the field names of config.json.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub(super) model_type: String,
    pub(super) hidden_act: String,
    #[serde(default = "absolute")]
    pub(super) position_embedding_type: String,
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) layer_norm_eps: f32,
    pub(super) vocab_size: usize,
    pub(super) max_position_embeddings: usize,
    pub(super) type_vocab_size: usize,
}

/// The default of older files.
fn absolute() -> String {
    "absolute".to_owned()
}

impl Config {
    /// The supported architecture, with all sizes 0.
    pub(super) fn bert() -> Self {
        Self {
            model_type: "bert".to_owned(),
            hidden_act: "gelu".to_owned(),
            position_embedding_type: absolute(),
            hidden_size: 0,
            num_hidden_layers: 0,
            num_attention_heads: 0,
            intermediate_size: 0,
            layer_norm_eps: 0.0,
            vocab_size: 0,
            max_position_embeddings: 0,
            type_vocab_size: 0,
        }
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ModelError> {
        let broken = |reason: String| ModelError::Config { path: path.to_owned(), reason };
        let config: Self = serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        let kinds = [
            ("model_type", &config.model_type, "bert"),
            // The exact GELU, by the error function (Hendrycks and Gimpel 2016).
            ("hidden_act", &config.hidden_act, "gelu"),
            ("position_embedding_type", &config.position_embedding_type, "absolute"),
        ];
        for (field, found, supported) in kinds {
            if found != supported {
                return Err(ModelError::Unsupported {
                    path: path.to_owned(),
                    field,
                    found: found.clone(),
                    supported,
                });
            }
        }
        config.check().map_err(broken)
    }

    /// Checks that the sizes can be those of an encoder.
    pub(super) fn check(self) -> Result<Self, String> {
        let sizes = [
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        if let Some((field, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{field} is 0"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(format!("layer_norm_eps {} is not small and positive", self.layer_norm_eps));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINI: &str = r#"{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 384, "num_hidden_layers": 6,
        "num_attention_heads": 12, "intermediate_size": 1536, "layer_norm_eps": 1e-12, "vocab_size": 30522,
        "max_position_embeddings": 512, "type_vocab_size": 2, "use_cache": true}"#;

    fn error(from: &str, to: &str) -> String {
        assert!(MINI.contains(from));
        Config::parse(Path::new("model/config.json"), MINI.replace(from, to).as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn parses_a_published_config() {
        let config = Config::parse(Path::new("config.json"), MINI.as_bytes()).unwrap();
        assert_eq!((config.hidden_size, config.num_attention_heads), (384, 12));
    }

    #[test]
    fn unsupported_model_error_names_the_field_and_the_remedy() {
        let error = error(r#""gelu""#, r#""relu""#);
        for words in ["model/config.json", r#"hidden_act = "relu""#, r#"only "gelu""#, "all-MiniLM-L6-v2"] {
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn invalid_configs_are_rejected() {
        for (from, to, words) in [
            (r#""bert""#, r#""roberta""#, "model_type"),
            (r#""hidden_size": 384,"#, "", "missing field `hidden_size`"),
            ("384", "380", "not a multiple"),
            (r#""num_hidden_layers": 6"#, r#""num_hidden_layers": 0"#, "is 0"),
            ("1e-12", "-1", "layer_norm_eps"),
            ("}", "", "EOF"),
            ("true", r#"true, "position_embedding_type": "relative_key""#, "relative_key"),
        ] {
            let error = error(from, to);
            assert!(error.contains(words), "{error}");
        }
    }
}
