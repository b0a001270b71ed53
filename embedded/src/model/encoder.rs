//! Pure: builds the ONNX graph of a BERT encoder from its shape and weights.
//!
//! BERT: Devlin et al. 2019. A layer is that of Vaswani et al. 2017, with normalisation after each sum.
//! Tensors have the names of Hugging Face's `BertModel`.
//!
//! Operators come from ONNX opset 20, and from com.microsoft (version 1) where ONNX Runtime's are faster.
//! Measured tokens per CPU-second for passages of 256 and of about 32 tokens, one at a time on one
//! thread of a Xeon with VNNI, ONNX Runtime 1.32:
//!
//! | | 256 | 32 |
//! |---|---|---|
//! | int8, all fused: `QAttention`, `SkipLayerNormalization` | 8,460 | 9,460 |
//! | unfused layer normalisation ([`Encoder::normalize`]) | 10,440 | 11,700 |
//! | and attention without a mask when there is no padding ([`Encoder::attend`]) | 11,030 | 11,420 |
//! | fp32, all fused: `Attention`, `SkipLayerNormalization` | 4,800 | 4,950 |
//! | fp32, unfused in the same way | 5,350 | 5,330 |

use super::{
    ModelError, Precision,
    config::Config,
    graph::{BATCH, Graph, MICROSOFT, Op, SEQUENCE, Size, Value, to_i64},
    proto::{GraphProto, IR_VERSION, ModelProto, OperatorSetIdProto, data_type},
    weights::Weights,
};

/// The first opset with `Gelu`.
const OPSET: i64 = 20;

/// Builds the model. Inputs and output have the names of Hugging Face's exports.
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

/// An encoder under construction. The precision-dependent part is in `linear.rs`.
pub(super) struct Encoder<'a> {
    config: &'a Config,
    pub(super) weights: &'a dyn Weights,
    pub(super) precision: Precision,
    pub(super) graph: Graph,
    last_axis: Value,
    epsilon: Value,
}

/// The padding mask.
struct Mask {
    /// 1 for each token, 0 for padding.
    tokens: Value,
    /// True if there is no padding.
    is_full: Value,
}

impl Encoder<'_> {
    /// Normalised sum of the word, position and token type embeddings.
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
        let types = self.graph.node(Op::onnx("Gather"), &[&table, types]);

        let name = "embeddings.position_embeddings.weight";
        let rows = config.max_position_embeddings;
        let table = self.weights.matrix(name, rows, hidden)?;
        let table = self.graph.constant(name, &[rows, hidden], &table.values);
        let first = self.graph.constant("first_axis", &[1], &[0_i64]);
        let shape = Op::onnx("Shape").with("start", 1);
        let length = self.graph.node(shape, &[ids]);
        let positions = self.graph.node(Op::onnx("Slice"), &[&table, &first, &length, &first]);

        let sum = self.graph.node(Op::onnx("Add"), &[&types, &positions]);
        let sum = self.graph.node(Op::onnx("Add"), &[&words, &sum]);
        self.normalize("embeddings.LayerNorm", &sum)
    }

    fn mask(&mut self, mask: &Value) -> Mask {
        let cast = |to: i32| Op::onnx("Cast").with("to", to.into());
        let tokens = self.graph.node(cast(data_type::INT32), &[mask]);
        let least = Op::onnx("ReduceMin").with("keepdims", 0);
        let least = self.graph.node(least, &[mask]);
        let is_full = self.graph.node(cast(data_type::BOOL), &[&least]);
        Mask { tokens, is_full }
    }

    fn layer(&mut self, name: &str, input: &Value, mask: &Mask) -> Result<Value, ModelError> {
        let (hidden, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let operand = self.operand(input);
        let mut part = |part: &str| {
            let name = format!("{name}.attention.self.{part}");
            self.linear(&name, &operand, hidden, hidden)
        };
        let parts = [part("query")?, part("key")?, part("value")?];
        let context = self.attend(name, &parts, mask);
        let context = self.operand(&context);
        let dense = format!("{name}.attention.output.dense");
        let output = self.linear(&dense, &context, hidden, hidden)?;
        let sum = self.graph.node(Op::onnx("Add"), &[&output, input]);
        let attended = self.normalize(&format!("{name}.attention.output.LayerNorm"), &sum)?;

        let operand = self.operand(&attended);
        let dense = format!("{name}.intermediate.dense");
        let output = self.linear(&dense, &operand, hidden, inner)?;
        // Exact by default: x · ½ (1 + erf(x / √2)).
        let output = self.graph.node(Op::onnx("Gelu"), &[&output]);
        let operand = self.operand(&output);
        let dense = format!("{name}.output.dense");
        let output = self.linear(&dense, &operand, inner, hidden)?;
        let sum = self.graph.node(Op::onnx("Add"), &[&output, &attended]);
        self.normalize(&format!("{name}.output.LayerNorm"), &sum)
    }

    /// Scaled dot-product attention of each head. With a mask ONNX Runtime materialises a token × token
    /// matrix per head; without one it works in blocks (Dao et al. 2022). A passage embedded alone has
    /// no padding, so the graph branches at run time.
    fn attend(&mut self, name: &str, parts: &[Value; 3], mask: &Mask) -> Value {
        let [query, key, value] = parts;
        let (none, sizes) = (Value::none(), self.hidden_sizes());
        let heads = to_i64(self.config.num_attention_heads);
        let branch = |name: String, inputs: &[&Value]| -> GraphProto {
            let mut graph = Graph::new(&name);
            let attention = Op::microsoft("MultiHeadAttention").with("num_heads", heads);
            let context = graph.node(attention, inputs);
            graph.finish::<f32>(&format!("{name}.context"), &context, &sizes)
        };
        let full = branch(format!("{name}.full"), &[query, key, value]);
        let inputs = [query, key, value, &none, &mask.tokens];
        let padded = branch(format!("{name}.padded"), &inputs);
        let choice = Op::onnx("If").with_graph("then_branch", full).with_graph("else_branch", padded);
        self.graph.node(choice, &[&mask.is_full])
    }

    /// Layer normalisation (Ba et al. 2016) as elementary operators. ONNX Runtime's own operator is not
    /// vectorised and took a quarter of the time; its sums and products are. `Reciprocal` keeps the
    /// optimizer from fusing them back.
    fn normalize(&mut self, name: &str, input: &Value) -> Result<Value, ModelError> {
        let hidden = self.config.hidden_size;
        let mut constant = |part: &str| -> Result<Value, ModelError> {
            let name = format!("{name}.{part}");
            let values = self.weights.vector(&name, hidden)?;
            Ok(self.graph.constant(&name, &[hidden], &values))
        };
        let (weight, bias) = (constant("weight")?, constant("bias")?);
        let (graph, axis) = (&mut self.graph, &self.last_axis);
        let mean = graph.node(Op::onnx("ReduceMean"), &[input, axis]);
        let centred = graph.node(Op::onnx("Sub"), &[input, &mean]);
        let square = graph.node(Op::onnx("Mul"), &[&centred, &centred]);
        let variance = graph.node(Op::onnx("ReduceMean"), &[&square, axis]);
        let variance = graph.node(Op::onnx("Add"), &[&variance, &self.epsilon]);
        let deviation = graph.node(Op::onnx("Sqrt"), &[&variance]);
        let inverse = graph.node(Op::onnx("Reciprocal"), &[&deviation]);
        let normal = graph.node(Op::onnx("Mul"), &[&centred, &inverse]);
        let scaled = graph.node(Op::onnx("Mul"), &[&normal, &weight]);
        Ok(graph.node(Op::onnx("Add"), &[&scaled, &bias]))
    }

    fn hidden_sizes(&self) -> [Size; 3] {
        [BATCH, SEQUENCE, Size::Fixed(self.config.hidden_size)]
    }
}
