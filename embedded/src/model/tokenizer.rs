//! Pure: the pieces of a packed model in, the tokenizer's files out.

use serde::Serialize;
use serde_json::{Value, json};

use super::{ModelError, config::Config, packed::Pieces};

/// What the file's table of characters removes: control characters.
const REMOVED: &str = "[\u{1}-\u{8}\u{b}\u{e}-\u{1f}\u{7f}\u{8f}\u{9f}]";

/// What it makes a space, and is no white space to the splitter: zero-width characters, a byte order
/// mark, the replacement character, and the mark that stands for a space in pieces.
const SPACES: &str = "[\u{200b}-\u{200f}\u{feff}\u{fffd}\u{2581}]";

/// Stands for a space in pieces.
const SPACE_MARK: &str = "\u{2581}";

const BEGIN: &str = "<s>";
const END: &str = "</s>";
const PADDING: &str = "<pad>";
const UNKNOWN: &str = "<unk>";
const MASK: &str = "<mask>";

/// tokenizer.json, whose vocabulary is too long for a [`Value`].
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

/// The tokenizer's files, each with its name.
pub(super) fn files(
    config: &Config,
    tokenizer: &Pieces<'_>,
) -> Result<Vec<(&'static str, Vec<u8>)>, ModelError> {
    let special = json!({
        "bos_token": BEGIN, "cls_token": BEGIN, "eos_token": END, "sep_token": END,
        "unk_token": UNKNOWN, "pad_token": PADDING, "mask_token": MASK,
    });
    let mut about = special.clone();
    if let Some(about) = about.as_object_mut() {
        about.insert("tokenizer_class".to_owned(), "XLMRobertaTokenizer".into());
        about.insert("model_max_length".to_owned(), config.max_position_embeddings.into());
    }
    Ok(vec![
        ("tokenizer.json", encode(&tokenizer_json(tokenizer))?),
        ("config.json", encode(&config_json(config, tokenizer))?),
        ("special_tokens_map.json", encode(&special)?),
        ("tokenizer_config.json", encode(&about)?),
    ])
}

fn tokenizer_json<'a>(tokenizer: &Pieces<'a>) -> Tokenizer<'a> {
    let mask = tokenizer.pieces.iter().zip(0..).find(|((piece, _), _)| *piece == MASK).map(|(_, id)| id);
    let ids = [
        (Some(tokenizer.begin), BEGIN),
        (Some(tokenizer.padding), PADDING),
        (Some(tokenizer.end), END),
        (Some(tokenizer.unknown), UNKNOWN),
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
                BEGIN: {"id": BEGIN, "ids": [tokenizer.begin], "tokens": [BEGIN]},
                END: {"id": END, "ids": [tokenizer.end], "tokens": [END]},
            },
        }),
        decoder: metaspace,
        model: Unigram {
            r#type: "Unigram",
            unk_id: tokenizer.unknown,
            byte_fallback: false,
            vocab: tokenizer.pieces.iter().map(|(piece, score)| (*piece, f64::from(*score))).collect(),
        },
    }
}

fn config_json(config: &Config, tokenizer: &Pieces<'_>) -> Value {
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
        "pad_token_id": tokenizer.padding,
    })
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, ModelError> {
    serde_json::to_vec(value).map_err(|source| ModelError::Encode { source })
}
