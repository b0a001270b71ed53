//! A reranking model with a simple score: how often question and passage contain a word.
//!
//! It is a real ONNX model of three nodes, with the tokenizer of the embedded embedding model, in a folder as
//! an operator would provide it.

use crate::servers::model_parts;

/// A folder with a reranking model. Its logit is the number of occurrences of the word, a single token, in
/// the pair. The library requires an output named `logits`; with another name every run fails.
pub fn reranker_in_folder(word: &str, output: &str) -> tempfile::TempDir {
    let (target, (_, model)) = (tempfile::tempdir().unwrap(), model_parts());
    let folder = target.path();
    for name in ["tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"] {
        std::fs::copy(model.join(name), folder.join(name)).unwrap();
    }
    let tokenizer = std::fs::read(folder.join("tokenizer.json")).unwrap();
    let tokenizer: serde_json::Value = serde_json::from_slice(&tokenizer).unwrap();
    let token = token_of(&tokenizer["model"]["vocab"], word);
    std::fs::write(folder.join("model.onnx"), counting_model(token, output)).unwrap();
    target
}

/// The id of a single-token word that starts with the space mark: its index in the Unigram vocabulary.
fn token_of(vocabulary: &serde_json::Value, word: &str) -> u64 {
    let piece = format!("\u{2581}{word}");
    let pieces = vocabulary.as_array().unwrap();
    let id = pieces.iter().position(|entry| entry[0] == piece.as_str());
    id.unwrap() as u64
}

/// Field numbers are those of `onnx.proto`.
fn counting_model(token: u64, output: &str) -> Vec<u8> {
    const FLOAT: u64 = 1;
    const INT64: u64 = 7;
    let node = |kind: &str, inputs: &[&str], output: &str, attributes: Message| {
        let inputs = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        inputs.text(2, output).text(4, kind).append(attributes)
    };
    let integer = |name: &str, value: u64| {
        Message::default().message(5, Message::default().text(1, name).number(3, value).number(20, 2))
    };
    let constant = |name: &str, value: u64| {
        Message::default().number(1, 1).number(2, INT64).number(7, value).text(8, name)
    };
    let value = |name: &str, kind: u64, dimensions: [&str; 2]| {
        let shape = dimensions.iter().fold(Message::default(), |shape, dimension| {
            shape.message(1, Message::default().text(2, dimension))
        });
        let tensor = Message::default().number(1, kind).message(2, shape);
        Message::default().text(1, name).message(2, Message::default().message(1, tensor))
    };
    let empty = Message::default;
    let graph = empty()
        .message(1, node("Equal", &["input_ids", "token"], "equal", empty()))
        .message(1, node("Cast", &["equal"], "one", integer("to", FLOAT)))
        .message(1, node("ReduceSum", &["one", "axis"], output, integer("keepdims", 1)))
        .text(2, "count")
        .message(5, constant("token", token))
        .message(5, constant("axis", 1))
        .message(11, value("input_ids", INT64, ["batch", "length"]))
        .message(11, value("attention_mask", INT64, ["batch", "length"]))
        .message(11, value("token_type_ids", INT64, ["batch", "length"]))
        .message(12, value(output, FLOAT, ["batch", "one"]));
    empty().number(1, 8).message(7, graph).message(8, empty().number(2, 17)).0
}

/// A protocol buffer message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: u8, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    fn text(self, field: u8, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u8, message: Message) -> Self {
        self.bytes(field, &message.0)
    }

    fn append(mut self, more: Message) -> Self {
        self.0.extend(more.0);
        self
    }

    fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
