//! Pure: builds the tokenizer's files from the vocabulary of a packed model.

use serde::Serialize;
use serde_json::{Value, json};

use super::{ModelError, config::Config, packed::Vocabulary};

/// Removed by the packed file's normalisation table: control characters.
const REMOVED: &str = "[\u{1}-\u{8}\u{b}\u{e}-\u{1f}\u{7f}\u{8f}\u{9f}]";

/// Mapped to a space by that table, and not white space to the splitter: zero-width characters, byte order
/// mark, replacement character, and the space mark of pieces.
const SPACES: &str = "[\u{200b}-\u{200f}\u{feff}\u{fffd}\u{2581}]";

/// Represents a space in pieces.
const SPACE_MARK: &str = "\u{2581}";

const BEGIN: &str = "<s>";
const END: &str = "</s>";
const PADDING: &str = "<pad>";
const UNKNOWN: &str = "<unk>";
const MASK: &str = "<mask>";

/// The content of tokenizer.json; typed, since the vocabulary is too long for a [`Value`].
#[derive(Serialize)]
struct Tokenizer<'a> {
    version: &'static str,
    truncation: Option<()>,
    padding: Option<()>,
    added_tokens: Vec<Value>,
    normalizer: Value,
    pre_tokenizer: Value,
    post_processor: Value,
    decoder: Value,
    model: Unigram<'a>,
}

#[derive(Serialize)]
struct Unigram<'a> {
    r#type: &'static str,
    unk_id: u32,
    byte_fallback: bool,
    vocab: Vec<(&'a str, f64)>,
}

/// Builds the tokenizer's files: names and contents.
pub(super) fn files(
    config: &Config,
    vocabulary: &Vocabulary<'_>,
) -> Result<Vec<(&'static str, Vec<u8>)>, ModelError> {
    let special = json!({
        "bos_token": BEGIN, "cls_token": BEGIN, "eos_token": END, "sep_token": END,
        "unk_token": UNKNOWN, "pad_token": PADDING, "mask_token": MASK,
    });
    let mut tokenizer_config = special.clone();
    if let Some(tokenizer_config) = tokenizer_config.as_object_mut() {
        tokenizer_config.insert("tokenizer_class".to_owned(), "XLMRobertaTokenizer".into());
        tokenizer_config.insert("model_max_length".to_owned(), config.max_position_embeddings.into());
    }
    Ok(vec![
        ("tokenizer.json", encode(&tokenizer_json(vocabulary))?),
        ("config.json", encode(&config_json(config, vocabulary))?),
        ("special_tokens_map.json", encode(&special)?),
        ("tokenizer_config.json", encode(&tokenizer_config)?),
    ])
}

fn tokenizer_json<'a>(vocabulary: &Vocabulary<'a>) -> Tokenizer<'a> {
    let mask = vocabulary.pieces.iter().zip(0..).find(|((piece, _), _)| *piece == MASK).map(|(_, id)| id);
    let ids = [
        (Some(vocabulary.begin), BEGIN),
        (Some(vocabulary.padding), PADDING),
        (Some(vocabulary.end), END),
        (Some(vocabulary.unknown), UNKNOWN),
        (mask, MASK),
    ];
    let added = ids.into_iter().filter_map(|(id, content)| {
        let id: u32 = id?;
        Some(json!({
            "id": id, "content": content, "single_word": false, "lstrip": content == MASK,
            "rstrip": false, "normalized": false, "special": true,
        }))
    });
    let replace = |pattern: &str, with: &str| json!({"type": "Replace", "pattern": {"Regex": pattern}, "content": with});
    let token = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let metaspace =
        json!({"type": "Metaspace", "replacement": SPACE_MARK, "prepend_scheme": "always", "split": true});
    Tokenizer {
        version: "1.0",
        truncation: None,
        padding: None,
        added_tokens: added.collect(),
        normalizer: json!({
            "type": "Sequence",
            "normalizers": [replace(REMOVED, ""), replace(SPACES, " "), {"type": "NFKC"}],
        }),
        pre_tokenizer: json!({
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
        }),
        post_processor: json!({
            "type": "TemplateProcessing",
            "single": [token(BEGIN), text("A"), token(END)],
            "pair": [token(BEGIN), text("A"), token(END), token(END), text("B"), token(END)],
            "special_tokens": {
                BEGIN: {"id": BEGIN, "ids": [vocabulary.begin], "tokens": [BEGIN]},
                END: {"id": END, "ids": [vocabulary.end], "tokens": [END]},
            },
        }),
        decoder: metaspace,
        model: Unigram {
            r#type: "Unigram",
            unk_id: vocabulary.unknown,
            byte_fallback: false,
            vocab: vocabulary.pieces.iter().map(|(piece, score)| (*piece, f64::from(*score))).collect(),
        },
    }
}

fn config_json(config: &Config, vocabulary: &Vocabulary<'_>) -> Value {
    json!({
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "intermediate_size": config.intermediate_size,
        "layer_norm_eps": config.layer_norm_eps,
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.max_position_embeddings,
        "type_vocab_size": config.type_vocab_size,
        "pad_token_id": vocabulary.padding,
    })
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, ModelError> {
    serde_json::to_vec(value).map_err(|source| ModelError::Encode { source })
}
