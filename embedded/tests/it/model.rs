//! The converted model computes the same as the published one, in ONNX Runtime and through fastembed.

mod reference;

use std::{fs, iter, path::Path, sync::OnceLock};

use fastembed::{
    InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use ndarray::{Array2, Axis};
use ort::{environment::Environment, inputs, session::Session, value::Tensor};
use parlance_embedded::{
    default_cache_dir,
    model::{ONNX_FILE, Precision, convert},
    parts::{Model, Parts},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reference::Reference;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use tempfile::TempDir;
use tokenizers::Tokenizer;

/// The model's training length in tokens; longer texts are truncated.
const MAX_TOKENS: usize = 256;

/// Short and long texts, plain and odd, in the alphabets of the tokenizer and in an unknown one.
const TEXTS: [&str; 22] = [
    "a",
    "?!",
    "Refunds are paid within 14 days.",
    "How do I cancel my subscription?",
    "The quick brown fox jumps over the lazy dog.",
    "HTTP 429 means that the client has sent too many requests; retry after the given time.",
    "fn main() { println!(\"{}\", 6 * 7); } // Rust",
    "| Plan | Price |\n|---|---|\n| Free | 0 € |\n| Team | 12 € |",
    "La réponse est connue, à moins que l'élève n'ait triché.",
    "Die Größe der Übertragung überschreitet die zulässige Höchstgrenze.",
    "¿Dónde está la biblioteca? Cerca de la estación, según el mapa.",
    "L'orologio della città è fermo da più di vent'anni.",
    "A reunião começa às nove, e não há café antes das dez.",
    "Добро пожаловать в нашу службу поддержки.",
    "東京は日本の首都です。",
    "مرحبا بكم في مركز المساعدة",
    "🙂🚀 emoji, z͑ͫa̴l̶g̵o and \u{200b}zero width\u{feff}",
    "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "0 1 2 3.14159 -273.15 6.02e23 0xDEADBEEF 192.168.0.1 2026-11-24T23:15:00Z",
    "The warranty covers defects in material and workmanship for two years from the date of purchase. It does not \
     cover damage from misuse, from water, or from repairs by anybody but our own workshops.",
    "Every source is read, cut into passages and turned into vectors. A question becomes a vector too, and the \
     passages that lie nearest to it are what the answer is made of. ",
    "We hold these truths to be self-evident, that all men are created equal, that they are endowed by their Creator \
     with certain unalienable Rights, that among these are Life, Liberty and the pursuit of Happiness. ",
];

/// Repeats the last texts up to the maximum length.
fn texts() -> Vec<String> {
    let long = TEXTS.iter().skip(TEXTS.len() - 2).map(|text| text.repeat(12));
    TEXTS.iter().map(ToString::to_string).chain(long).collect()
}

/// Token ids and types of a text.
type Tokens = (Vec<i64>, Vec<i64>);

fn parts() -> Parts {
    Parts::new(&default_cache_dir())
}

/// A process has one environment, which must live as long as the process.
fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let library = parts().onnxruntime().unwrap();
        ort::init_from(library).unwrap().build().unwrap()
    })
}

/// A converted model, loaded.
struct Converted(Session);

impl Converted {
    fn load(model: &Path) -> Self {
        let session = Session::builder(environment()).unwrap();
        let mut session = session.with_intra_threads(1).unwrap();
        Self(session.commit_from_file(model.join(ONNX_FILE)).unwrap())
    }

    /// The hidden states of a batch, with the rows of the padding.
    fn run(&mut self, batch: &[Tokens]) -> Vec<Array2<f32>> {
        let longest = batch.iter().map(|(ids, _)| ids.len()).max().unwrap();
        let padded = |row: &dyn Fn(&Tokens) -> Vec<i64>| {
            let rows =
                batch.iter().flat_map(|text| row(text).into_iter().chain(iter::repeat(0)).take(longest));
            Tensor::from_array(([batch.len(), longest], rows.collect::<Vec<_>>())).unwrap()
        };
        let outputs = self.0.run(inputs! {
            "input_ids" => padded(&|(ids, _)| ids.clone()),
            "attention_mask" => padded(&|(ids, _)| vec![1; ids.len()]),
            "token_type_ids" => padded(&|(_, types)| types.clone()),
        });
        let outputs = outputs.unwrap();
        let (shape, values) = outputs["last_hidden_state"].try_extract_tensor::<f32>().unwrap();
        let sizes: Vec<usize> = shape.iter().map(|size| usize::try_from(*size).unwrap()).collect();
        assert_eq!(sizes[..2], [batch.len(), longest]);
        values
            .chunks(longest * sizes[2])
            .map(|rows| Array2::from_shape_vec((longest, sizes[2]), rows.to_vec()).unwrap())
            .collect()
    }
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Tokens {
    let encoding = tokenizer.encode(text, true).unwrap();
    let wide = |values: &[u32]| values.iter().map(|value| i64::from(*value)).collect();
    (wide(encoding.get_ids()), wide(encoding.get_type_ids()))
}

fn tokenizer(source: &Path) -> Tokenizer {
    let mut tokenizer = Tokenizer::from_file(source.join("tokenizer.json")).unwrap();
    tokenizer.with_padding(None);
    let truncation = tokenizers::TruncationParams { max_length: MAX_TOKENS, ..Default::default() };
    tokenizer.with_truncation(Some(truncation)).unwrap();
    tokenizer
}

/// The mean over the tokens of a text: its vector.
fn mean(state: &Array2<f32>, tokens: usize) -> Vec<f32> {
    state.slice(ndarray::s![..tokens, ..]).mean_axis(Axis(0)).unwrap().to_vec()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Loads a converted model as Parlance does.
fn fastembed(model: &Path) -> TextEmbedding {
    let file = |name: &str| fs::read(model.join(name)).unwrap();
    let files = TokenizerFiles {
        tokenizer_file: file("tokenizer.json"),
        config_file: file("config.json"),
        special_tokens_map_file: file("special_tokens_map.json"),
        tokenizer_config_file: file("tokenizer_config.json"),
    };
    let model = UserDefinedEmbeddingModel::new(file(ONNX_FILE), files)
        .with_pooling(Pooling::Mean)
        .with_quantization(QuantizationMode::Dynamic);
    let options = InitOptionsUserDefined::new()
        .with_environment(environment().clone())
        .with_intra_threads(1)
        .with_max_length(MAX_TOKENS);
    TextEmbedding::try_new_from_user_defined(model, options).unwrap()
}

#[test]
fn the_english_model_matches_the_published_weights() {
    let source = parts().model_source(Model::AllMiniLmL6V2).unwrap();
    let tokenizer = tokenizer(&source);
    compare(&source, &tokenizer, &Reference::open(&source), 0.96, 0.93);
}

#[test]
fn the_packed_model_matches_its_weights() {
    let source = parts().model_source(Model::MultilingualE5Small).unwrap();
    let converted = parts().model(Model::MultilingualE5Small, Precision::Int8).unwrap();
    let tokenizer = tokenizer(&converted);
    compare(&source, &tokenizer, &Reference::unpack(&source), 0.99, 0.98);
}

/// Compares the vectors of both precisions. `alone` and `padded` are the minimum cosines of int8.
fn compare(source: &Path, tokenizer: &Tokenizer, reference: &Reference, alone: f32, padded: f32) {
    let batch: Vec<_> = texts().iter().map(|text| tokens(tokenizer, text)).collect();
    assert!(batch.iter().any(|(ids, _)| ids.len() == MAX_TOKENS) && batch.len() >= 20);
    let expected: Vec<_> =
        batch.iter().map(|(ids, types)| mean(&reference.run(ids, types), ids.len())).collect();

    // The texts of a batch share one quantization range: int8 is coarser in a batch.
    for (precision, least, least_padded) in
        [(Precision::Fp32, 0.9999, 0.9999), (Precision::Int8, alone, padded)]
    {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("model");
        convert(source, precision, &target).unwrap();
        let mut model = Converted::load(&target);
        let mut fastembed = fastembed(&target);
        let padded = model.run(&batch);
        for (i, text) in texts().iter().enumerate() {
            let length = batch[i].0.len();
            let alone = mean(&model.run(&batch[i..=i])[0], length);
            let padded = mean(&padded[i], length);
            let embedded = fastembed.embed([text], None).unwrap().remove(0);
            for (how, vector, least) in
                [("alone", alone, least), ("padded", padded, least_padded), ("by fastembed", embedded, least)]
            {
                let cosine = cosine(&vector, &expected[i]);
                assert!(cosine >= least, "{precision} {how} {cosine}: {text}");
            }
        }
    }
}

/// Sizes that differ from the published model's, all token types, and an epsilon large enough to matter.
#[test]
fn a_model_with_other_sizes_matches_the_reference() {
    let source = TempDir::new().unwrap();
    let config = r#"{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "intermediate_size": 80, "layer_norm_eps": 0.5, "vocab_size": 100,
        "max_position_embeddings": 40, "type_vocab_size": 3}"#;
    fs::write(source.path().join("config.json"), config).unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        fs::write(source.path().join(name), "{}").unwrap();
    }
    let mut shapes = vec![
        ("embeddings.word_embeddings".to_owned(), 100, 48),
        ("embeddings.position_embeddings".to_owned(), 40, 48),
        ("embeddings.token_type_embeddings".to_owned(), 3, 48),
        ("embeddings.LayerNorm".to_owned(), 48, 0),
    ];
    for layer in 0..3 {
        for (name, to, from) in [
            ("attention.self.query", 48, 48),
            ("attention.self.key", 48, 48),
            ("attention.self.value", 48, 48),
            ("attention.output.dense", 48, 48),
            ("attention.output.LayerNorm", 48, 0),
            ("intermediate.dense", 80, 48),
            ("output.dense", 48, 80),
            ("output.LayerNorm", 48, 0),
        ] {
            shapes.push((format!("encoder.layer.{layer}.{name}"), to, from));
        }
    }
    let mut rng = StdRng::seed_from_u64(3);
    let mut random = |shape: Vec<usize>| {
        let floats = iter::repeat_with(|| rng.random_range(-0.5_f32..0.5)).take(shape.iter().product());
        (shape, floats.flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
    };
    let tensors: Vec<_> = shapes
        .iter()
        .flat_map(|(name, to, from)| {
            let weight = if *from == 0 { vec![*to] } else { vec![*to, *from] };
            [(format!("{name}.weight"), random(weight)), (format!("{name}.bias"), random(vec![*to]))]
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, (shape, bytes))| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    serialize_to_file(views, None, &source.path().join("model.safetensors")).unwrap();

    let reference = Reference::open(source.path());
    let batch = [7_i64, 1, 40].map(|length| {
        let ids = (0..length).map(|i| (i * 37 + length) % 100).collect::<Vec<_>>();
        let types = (0..length).map(|i| i % 3).collect::<Vec<_>>();
        (ids, types)
    });
    for (precision, max_distance) in [(Precision::Fp32, 1e-4), (Precision::Int8, 0.1)] {
        let target = source.path().join(precision.as_str());
        convert(source.path(), precision, &target).unwrap();
        let states = Converted::load(&target).run(&batch);
        for ((ids, types), state) in batch.iter().zip(states) {
            let expected = reference.run(ids, types);
            let state = state.slice(ndarray::s![..ids.len(), ..]);
            let distance = (&state - &expected).fold(0.0_f32, |most, value| most.max(value.abs()));
            assert!(distance <= max_distance, "{precision} {distance}");
        }
    }
}
