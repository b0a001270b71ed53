//! Pure: the graph of a BERT encoder (Devlin et al. 2019; a layer is that of Vaswani et al. 2017,
//! normalised after each sum), from its shape and weights. The tensors have the names that Hugging
//! Face's `BertModel` gives them.
//!
//! The operators are those of ONNX opset 20, and of com.microsoft (version 1) where ONNX Runtime's
//! are faster. What was measured, in tokens per CPU-second for passages of 256 and of about 32
//! tokens, one at a time on one thread of a Xeon with VNNI, ONNX Runtime 1.32:
//!
//! | | 256 | 32 |
//! |---|---|---|
//! | int8, all fused: `QAttention`, `SkipLayerNormalization` | 8,460 | 9,460 |
//! | layer normalisation in parts ([`Encoder::normalize`]) | 10,440 | 11,700 |
//! | and attention without a mask where there is no padding ([`Encoder::attend`]) | 11,030 | 11,420 |
//! | fp32, all fused: `Attention`, `SkipLayerNormalization` | 4,800 | 4,950 |
//! | fp32, in the same parts | 5,350 | 5,330 |

use super::{
    ModelError, Precision,
    config::Config,
    graph::{BATCH, Graph, MICROSOFT, Op, SEQUENCE, Size, Value, wide},
    proto::{GraphProto, IR_VERSION, ModelProto, OperatorSetIdProto, data_type},
    weights::Weights,
};

/// The first that has `Gelu`.
const OPSET: i64 = 20;

/// The model whose inputs and output are named as those of Hugging Face's exports.
pub(super) fn build(
    config: &Config,
    weights: &dyn Weights,
    precision: Precision,
) -> Result<ModelProto, ModelError> {
    let mut graph = Graph::new("bert");
    let dynamic = [BATCH, SEQUENCE];
    let ids = graph.input::<i64>("input_ids", &dynamic);
    let mask = graph.input::<i64>("attention_mask", &dynamic);
    let types = graph.input::<i64>("token_type_ids", &dynamic);
    let last_axis = graph.constant("last_axis", &[1], &[-1_i64]);
    let epsilon = graph.constant("epsilon", &[], &[config.layer_norm_eps]);
    let mut encoder = Encoder { config, weights, precision, graph, last_axis, epsilon };
    let mut hidden = encoder.embed(&ids, &types)?;
    let mask = encoder.mask(&mask);
    for layer in 0..config.num_hidden_layers {
        hidden = encoder.layer(&format!("encoder.layer.{layer}"), &hidden, &mask)?;
    }
    let sizes = encoder.hidden_sizes();
    let graph = encoder.graph.finish::<f32>("last_hidden_state", &hidden, &sizes);
    let opsets = [("", OPSET), (MICROSOFT, 1)];
    Ok(ModelProto {
        ir_version: IR_VERSION,
        producer_name: "parlance".to_owned(),
        graph: Some(graph),
        opset_import: opsets
            .map(|(domain, version)| OperatorSetIdProto { domain: domain.to_owned(), version })
            .to_vec(),
    })
}

/// An encoder that is being built. What its precision decides stands in `linear.rs`.
pub(super) struct Encoder<'a> {
    config: &'a Config,
    pub(super) weights: &'a dyn Weights,
    pub(super) precision: Precision,
    pub(super) graph: Graph,
    last_axis: Value,
    epsilon: Value,
}

/// Which tokens are padding.
struct Mask {
    /// For each token 1, or 0 if it is padding.
    tokens: Value,
    /// Whether none is.
    is_full: Value,
}

impl Encoder<'_> {
    /// The sum of what a token, its place and its type stand for, normalised.
    fn embed(&mut self, ids: &Value, types: &Value) -> Result<Value, ModelError> {
        let (hidden, config) = (self.config.hidden_size, self.config);
        let name = "embeddings.word_embeddings.weight";
        let words = match self.weights.blocks(name, config.vocab_size, hidden)? {
            Some(blocks) => self.look_up_blocks(name, &blocks, ids),
            None => {
                let words = self.weights.matrix(name, config.vocab_size, hidden)?;
                self.look_up(name, &words, ids)
            }
        };

        let name = "embeddings.token_type_embeddings.weight";
        let table = self.weights.matrix(name, config.type_vocab_size, hidden)?;
        let table = self.graph.constant(name, &[table.rows, hidden], &table.values);
        let types = self.graph.then(Op::onnx("Gather"), &[&table, types]);

        let name = "embeddings.position_embeddings.weight";
        let rows = config.max_position_embeddings;
        let table = self.weights.matrix(name, rows, hidden)?;
        let table = self.graph.constant(name, &[rows, hidden], &table.values);
        let first = self.graph.constant("first_axis", &[1], &[0_i64]);
        let shape = Op::onnx("Shape").with("start", 1);
        let length = self.graph.then(shape, &[ids]);
        let places = self.graph.then(Op::onnx("Slice"), &[&table, &first, &length, &first]);

        let sum = self.graph.then(Op::onnx("Add"), &[&types, &places]);
        let sum = self.graph.then(Op::onnx("Add"), &[&words, &sum]);
        self.normalize("embeddings.LayerNorm", &sum)
    }

    fn mask(&mut self, mask: &Value) -> Mask {
        let cast = |to: i32| Op::onnx("Cast").with("to", to.into());
        let tokens = self.graph.then(cast(data_type::INT32), &[mask]);
        let least = Op::onnx("ReduceMin").with("keepdims", 0);
        let least = self.graph.then(least, &[mask]);
        let is_full = self.graph.then(cast(data_type::BOOL), &[&least]);
        Mask { tokens, is_full }
    }

    fn layer(&mut self, name: &str, input: &Value, mask: &Mask) -> Result<Value, ModelError> {
        let (hidden, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let factor = self.factor(input);
        let mut part = |part: &str| {
            let name = format!("{name}.attention.self.{part}");
            self.linear(&name, &factor, hidden, hidden)
        };
        let parts = [part("query")?, part("key")?, part("value")?];
        let context = self.attend(name, &parts, mask);
        let context = self.factor(&context);
        let dense = format!("{name}.attention.output.dense");
        let output = self.linear(&dense, &context, hidden, hidden)?;
        let sum = self.graph.then(Op::onnx("Add"), &[&output, input]);
        let attended = self.normalize(&format!("{name}.attention.output.LayerNorm"), &sum)?;

        let factor = self.factor(&attended);
        let dense = format!("{name}.intermediate.dense");
        let output = self.linear(&dense, &factor, hidden, inner)?;
        // Exact by default: x · ½ (1 + erf(x / √2)).
        let output = self.graph.then(Op::onnx("Gelu"), &[&output]);
        let factor = self.factor(&output);
        let dense = format!("{name}.output.dense");
        let output = self.linear(&dense, &factor, inner, hidden)?;
        let sum = self.graph.then(Op::onnx("Add"), &[&output, &attended]);
        self.normalize(&format!("{name}.output.LayerNorm"), &sum)
    }

    /// Scaled dot-product attention of each head. With a mask ONNX Runtime writes and reads a matrix
    /// of token × token for each head; without one it goes by blocks (Dao et al. 2022). A passage
    /// that is embedded alone has no padding, so the graph chooses at each run.
    fn attend(&mut self, name: &str, parts: &[Value; 3], mask: &Mask) -> Value {
        let [query, key, value] = parts;
        let (none, sizes) = (Value::none(), self.hidden_sizes());
        let heads = wide(self.config.num_attention_heads);
        let branch = |name: String, inputs: &[&Value]| -> GraphProto {
            let mut graph = Graph::new(&name);
            let attention = Op::microsoft("MultiHeadAttention").with("num_heads", heads);
            let context = graph.then(attention, inputs);
            graph.finish::<f32>(&format!("{name}.context"), &context, &sizes)
        };
        let full = branch(format!("{name}.full"), &[query, key, value]);
        let inputs = [query, key, value, &none, &mask.tokens];
        let padded = branch(format!("{name}.padded"), &inputs);
        let choice = Op::onnx("If").with_graph("then_branch", full).with_graph("else_branch", padded);
        self.graph.then(choice, &[&mask.is_full])
    }

    /// Layer normalisation (Ba et al. 2016), in parts: ONNX Runtime's own goes number by number and
    /// took a quarter of the time, its sums and products do not. Written with `Reciprocal`, which
    /// it does not fuse back.
    fn normalize(&mut self, name: &str, input: &Value) -> Result<Value, ModelError> {
        let hidden = self.config.hidden_size;
        let mut constant = |part: &str| -> Result<Value, ModelError> {
            let name = format!("{name}.{part}");
            let values = self.weights.vector(&name, hidden)?;
            Ok(self.graph.constant(&name, &[hidden], &values))
        };
        let (weight, bias) = (constant("weight")?, constant("bias")?);
        let (graph, axis) = (&mut self.graph, &self.last_axis);
        let mean = graph.then(Op::onnx("ReduceMean"), &[input, axis]);
        let centred = graph.then(Op::onnx("Sub"), &[input, &mean]);
        let square = graph.then(Op::onnx("Mul"), &[&centred, &centred]);
        let variance = graph.then(Op::onnx("ReduceMean"), &[&square, axis]);
        let variance = graph.then(Op::onnx("Add"), &[&variance, &self.epsilon]);
        let deviation = graph.then(Op::onnx("Sqrt"), &[&variance]);
        let factor = graph.then(Op::onnx("Reciprocal"), &[&deviation]);
        let normal = graph.then(Op::onnx("Mul"), &[&centred, &factor]);
        let scaled = graph.then(Op::onnx("Mul"), &[&normal, &weight]);
        Ok(graph.then(Op::onnx("Add"), &[&scaled, &bias]))
    }

    fn hidden_sizes(&self) -> [Size; 3] {
        [BATCH, SEQUENCE, Size::Fixed(self.config.hidden_size)]
    }
}
