//! Pure: table lookups and matrix products of the encoder.
//!
//! All differences between the precisions are here.

use super::{
    ModelError, Precision,
    encoder::Encoder,
    graph::{Op, Value, to_i64},
    proto::data_type,
    quantize,
    weights::{BLOCK, Blocks, Matrix},
};

/// The input of a matrix product.
pub(super) enum Operand {
    Floats(Value),
    /// Unsigned 8-bit integers, their scale and their zero point.
    Integers([Value; 3]),
}

impl Encoder<'_> {
    /// Looks up rows of the word embeddings, which are half of the model.
    pub(super) fn look_up(&mut self, name: &str, table: &Matrix<f32>, ids: &Value) -> Value {
        let sizes = [table.rows, table.columns];
        match self.precision {
            Precision::Fp32 => {
                let table = self.graph.constant(name, &sizes, &table.values);
                self.graph.node(Op::onnx("Gather"), &[&table, ids])
            }
            Precision::Int8 => {
                let table = quantize::by_row(table, quantize::LOOKUP_MAX);
                let scales = format!("{name}.scale");
                let scales = self.graph.constant(&scales, &[table.scales.len(), 1], &table.scales);
                let table = self.graph.constant(name, &sizes, &table.matrix.values);
                let integers = self.graph.node(Op::onnx("Gather"), &[&table, ids]);
                let cast = Op::onnx("Cast").with("to", data_type::FLOAT.into());
                let numbers = self.graph.node(cast, &[&integers]);
                let scales = self.graph.node(Op::onnx("Gather"), &[&scales, ids]);
                self.graph.node(Op::onnx("Mul"), &[&numbers, &scales])
            }
        }
    }

    /// Looks up rows of the word embeddings in their 4-bit form, in both precisions: this is lossless.
    pub(super) fn look_up_blocks(&mut self, name: &str, table: &Blocks, ids: &Value) -> Value {
        let scales = format!("{name}.scale");
        let scales = self.graph.constant(&scales, &[table.rows, table.columns / BLOCK], &table.scales);
        let table = self.graph.constant(name, &[table.rows, table.columns / 2], &table.pairs);
        // The default zero point of unsigned 4-bit integers in bytes is 8.
        let gather = Op::microsoft("GatherBlockQuantized")
            .with("bits", 4)
            .with("block_size", to_i64(BLOCK))
            .with("gather_axis", 0)
            .with("quantize_axis", 1);
        let numbers = self.graph.node(gather, &[&table, ids, &scales]);
        let cast = Op::onnx("Cast").with("to", data_type::FLOAT.into());
        self.graph.node(cast, &[&numbers])
    }

    /// Prepares a value for all its matrix products. The quantization range is that of the values of this
    /// run.
    pub(super) fn operand(&mut self, value: &Value) -> Operand {
        match self.precision {
            Precision::Fp32 => Operand::Floats(value.clone()),
            Precision::Int8 => {
                let quantize = Op::onnx("DynamicQuantizeLinear");
                Operand::Integers(self.graph.node_with_outputs(quantize, &[value]))
            }
        }
    }

    /// A linear layer, `x · Wᵀ + b`. Weights are stored with one row per output.
    pub(super) fn linear(
        &mut self,
        name: &str,
        input: &Operand,
        from: usize,
        to: usize,
    ) -> Result<Value, ModelError> {
        let bias = format!("{name}.bias");
        let values = self.weights.vector(&bias, to)?;
        let bias = self.graph.constant(&bias, &[to], &values);
        let name = format!("{name}.weight");
        let weight = self.weights.matrix(&name, to, from)?;
        Ok(match input {
            Operand::Floats(input) => {
                let weight = weight.transposed();
                let weight = self.graph.constant(&name, &[from, to], &weight.values);
                let product = self.graph.node(Op::onnx("MatMul"), &[input, &weight]);
                self.graph.node(Op::onnx("Add"), &[&product, &bias])
            }
            // The weights are symmetric, hence no zero point. If this is the only layer of its input, ONNX
            // Runtime fuses both nodes into DynamicQuantizeMatMul.
            Operand::Integers([integers, scale, zero]) => {
                let weight = quantize::by_row(&weight, quantize::MULTIPLIED_MAX);
                let scales = format!("{name}.scale");
                let scales = self.graph.constant(&scales, &[to], &weight.scales);
                let weight = weight.matrix.transposed();
                let weight = self.graph.constant(&name, &[from, to], &weight.values);
                let none = Value::none();
                let inputs = [integers, &weight, scale, &scales, zero, &none, &bias];
                let multiply = Op::microsoft("MatMulIntegerToFloat");
                self.graph.node(multiply, &inputs)
            }
        })
    }
}
