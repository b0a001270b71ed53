//! Conversion of a small random model, from files to files.

use std::{collections::BTreeSet, fs, path::PathBuf};

use prost::Message;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use tempfile::TempDir;

use super::{
    proto::{GraphProto, ModelProto, data_type},
    *,
};

const CONFIG: &str = r#"{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 12, "num_hidden_layers": 2,
    "num_attention_heads": 3, "intermediate_size": 20, "layer_norm_eps": 1e-5, "vocab_size": 31,
    "max_position_embeddings": 16, "type_vocab_size": 2}"#;

/// A folder with a random source model; the target is created beside it.
struct TestModel(TempDir);

impl TestModel {
    fn new() -> Self {
        let model = Self(TempDir::new().unwrap());
        fs::create_dir(model.source()).unwrap();
        for name in TOKENIZER_FILES {
            fs::write(model.source().join(name), format!("the {name}")).unwrap();
        }
        fs::write(model.source().join(CONFIG_FILE), CONFIG).unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let tensors: Vec<_> = shapes()
            .into_iter()
            .map(|(name, shape)| {
                let bytes: Vec<u8> = (0..shape.iter().product())
                    .flat_map(|_| rng.random_range(-1.0_f32..1.0).to_le_bytes())
                    .collect();
                (name, shape, bytes)
            })
            .collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
            (name, view)
        });
        serialize_to_file(views, None, &model.source().join(WEIGHTS_FILE)).unwrap();
        model
    }

    fn source(&self) -> PathBuf {
        self.0.path().join("source")
    }

    fn target(&self) -> PathBuf {
        self.0.path().join("models").join("target")
    }

    fn convert(&self, precision: Precision) -> Result<(), ModelError> {
        convert(&self.source(), precision, &self.target())
    }

    fn graph(&self, precision: Precision) -> GraphProto {
        self.convert(precision).unwrap();
        let bytes = fs::read(self.target().join(ONNX_FILE)).unwrap();
        ModelProto::decode(&bytes[..]).unwrap().graph.unwrap()
    }

    /// The entries of the target's parent: temporary folders would show up here.
    fn siblings(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path().join("models")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![31, 12]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![16, 12]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, 12]),
    ];
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in ["encoder.layer.0", "encoder.layer.1"] {
        for (name, to, from) in [
            ("attention.self.query", 12, 12),
            ("attention.self.key", 12, 12),
            ("attention.self.value", 12, 12),
            ("attention.output.dense", 12, 12),
            ("intermediate.dense", 20, 12),
            ("output.dense", 12, 20),
        ] {
            shapes.push((format!("{layer}.{name}.weight"), vec![to, from]));
            shapes.push((format!("{layer}.{name}.bias"), vec![to]));
        }
        norms.extend(["attention.output", "output"].map(|part| format!("{layer}.{part}.LayerNorm")));
    }
    for norm in norms {
        shapes.push((format!("{norm}.weight"), vec![12]));
        shapes.push((format!("{norm}.bias"), vec![12]));
    }
    shapes
}

/// Asserts that every input of a node is a graph input, a constant or an earlier output, and that names are
/// unique.
fn check(graph: &GraphProto, outer: &BTreeSet<String>) {
    let inputs = graph.input.iter().map(|input| input.name.clone());
    let constants = graph.initializer.iter().map(|tensor| tensor.name.clone());
    let mut known: BTreeSet<String> = outer.clone();
    for name in inputs.chain(constants) {
        assert!(known.insert(name.clone()), "{name} twice");
    }
    for node in &graph.node {
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            assert!(known.contains(input), "{} takes {input}", node.name);
        }
        for branch in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            check(branch, &known);
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} twice");
        }
    }
    assert!(graph.output.iter().all(|output| known.contains(&output.name)));
}

#[test]
fn both_precisions_give_a_valid_graph_with_every_weight() {
    for precision in [Precision::Fp32, Precision::Int8] {
        let graph = TestModel::new().graph(precision);
        check(&graph, &BTreeSet::new());
        let inputs: Vec<_> = graph.input.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(inputs, ["input_ids", "attention_mask", "token_type_ids"]);
        assert_eq!(graph.output[0].name, "last_hidden_state");
        for (name, shape) in shapes() {
            let tensor = graph.initializer.iter().find(|tensor| tensor.name == name);
            let tensor = tensor.unwrap_or_else(|| panic!("no {name}"));
            let numbers: usize = shape.iter().product();
            let is_multiplied = shape.len() == 2 && name.starts_with("encoder") || name.contains("word");
            let (data_type, bytes) = if precision == Precision::Int8 && is_multiplied {
                (data_type::INT8, 1)
            } else {
                (data_type::FLOAT, 4)
            };
            assert_eq!((tensor.data_type, tensor.raw_data.len()), (data_type, numbers * bytes), "{name}");
        }
    }
}

#[test]
fn the_target_has_the_fastembed_files_and_no_leftovers() {
    let model = TestModel::new();
    model.convert(Precision::Int8).unwrap();
    for name in TOKENIZER_FILES {
        let copy = fs::read(model.target().join(name)).unwrap();
        assert_eq!(copy, fs::read(model.source().join(name)).unwrap());
    }
    assert_eq!(model.siblings(), ["target"]);
}

#[test]
fn an_existing_model_is_left_unchanged() {
    let model = TestModel::new();
    model.convert(Precision::Int8).unwrap();
    fs::write(model.target().join(ONNX_FILE), "unchanged").unwrap();
    fs::remove_dir_all(model.source()).unwrap();
    model.convert(Precision::Int8).unwrap();
    assert_eq!(fs::read(model.target().join(ONNX_FILE)).unwrap(), b"unchanged");
}

#[test]
fn an_empty_target_is_used_and_a_foreign_one_refused() {
    let model = TestModel::new();
    fs::create_dir_all(model.target()).unwrap();
    model.convert(Precision::Int8).unwrap();

    let model = TestModel::new();
    fs::create_dir_all(model.target()).unwrap();
    fs::write(model.target().join("thesis.txt"), "keep").unwrap();
    let error = model.convert(Precision::Int8).unwrap_err();
    assert!(matches!(error, ModelError::Occupied { .. }), "{error}");
    assert_eq!(fs::read(model.target().join("thesis.txt")).unwrap(), b"keep");
    assert_eq!(model.siblings(), ["target"]);
}

#[test]
fn concurrent_conversions_all_succeed() {
    let model = TestModel::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| model.convert(Precision::Int8).unwrap());
        }
    });
    assert!(folder::is_complete(&model.target()));
    assert_eq!(model.siblings(), ["target"]);
}

#[test]
fn a_missing_file_is_named_and_nothing_is_written() {
    for name in TOKENIZER_FILES.into_iter().chain([WEIGHTS_FILE]) {
        let model = TestModel::new();
        fs::remove_file(model.source().join(name)).unwrap();
        let error = model.convert(Precision::Fp32).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("fetch it again"), "{error}");
        assert!(!model.target().exists());
    }
}

#[test]
fn weights_of_another_model_are_rejected() {
    let model = TestModel::new();
    let config = CONFIG.replace(r#""vocab_size": 31"#, r#""vocab_size": 32"#);
    fs::write(model.source().join(CONFIG_FILE), config).unwrap();
    let error = model.convert(Precision::Fp32).unwrap_err().to_string();
    for words in ["word_embeddings", "[31, 12]", "[32, 12]", "fetch the file again"] {
        assert!(error.contains(words), "{error}");
    }
}
