//! Pure: the operations that stand between the encoder and its great matrices: all that differs
//! between the precisions.

use super::{
    ModelError, Precision,
    encoder::Encoder,
    graph::{Op, Value, wide},
    proto::data_type,
    quantize,
    weights::{BLOCK, Blocks, Matrix},
};

/// What is multiplied by weights.
pub(super) enum Factor {
    Floats(Value),
    /// Unsigned 8-bit integers, their scale and their zero.
    Integers([Value; 3]),
}

impl Encoder<'_> {
    /// Rows of the greatest table, which is half of the model.
    pub(super) fn look_up(&mut self, name: &str, table: &Matrix<f32>, ids: &Value) -> Value {
        let sizes = [table.rows, table.columns];
        match self.precision {
            Precision::Fp32 => {
                let table = self.graph.constant(name, &sizes, &table.values);
                self.graph.then(Op::onnx("Gather"), &[&table, ids])
            }
            Precision::Int8 => {
                let table = quantize::by_row(table, quantize::LOOKED_UP);
                let scales = format!("{name}.scale");
                let scales = self.graph.constant(&scales, &[table.scales.len(), 1], &table.scales);
                let table = self.graph.constant(name, &sizes, &table.matrix.values);
                let integers = self.graph.then(Op::onnx("Gather"), &[&table, ids]);
                let cast = Op::onnx("Cast").with("to", data_type::FLOAT.into());
                let numbers = self.graph.then(cast, &[&integers]);
                let scales = self.graph.then(Op::onnx("Gather"), &[&scales, ids]);
                self.graph.then(Op::onnx("Mul"), &[&numbers, &scales])
            }
        }
    }

    /// Rows of the largest table, kept in the 4 bits of its source in both precisions: nothing is lost.
    pub(super) fn look_up_blocks(&mut self, name: &str, table: &Blocks, ids: &Value) -> Value {
        let scales = format!("{name}.scale");
        let scales = self.graph.constant(&scales, &[table.rows, table.columns / BLOCK], &table.scales);
        let table = self.graph.constant(name, &[table.rows, table.columns / 2], &table.pairs);
        // The zero of unsigned 4-bit integers in bytes is 8 when none is given.
        let gather = Op::microsoft("GatherBlockQuantized")
            .with("bits", 4)
            .with("block_size", wide(BLOCK))
            .with("gather_axis", 0)
            .with("quantize_axis", 1);
        let numbers = self.graph.then(gather, &[&table, ids, &scales]);
        let cast = Op::onnx("Cast").with("to", data_type::FLOAT.into());
        self.graph.then(cast, &[&numbers])
    }

    /// Makes a value ready to be multiplied, once for all that it is multiplied by. The range of the
    /// integers is that of the values of this run.
    pub(super) fn factor(&mut self, value: &Value) -> Factor {
        match self.precision {
            Precision::Fp32 => Factor::Floats(value.clone()),
            Precision::Int8 => {
                let quantize = Op::onnx("DynamicQuantizeLinear");
                Factor::Integers(self.graph.apply(quantize, &[value]))
            }
        }
    }

    /// A linear layer, `x · Wᵀ + b`; weights are stored with one row for each output.
    pub(super) fn linear(
        &mut self,
        name: &str,
        input: &Factor,
        from: usize,
        to: usize,
    ) -> Result<Value, ModelError> {
        let bias = format!("{name}.bias");
        let values = self.weights.vector(&bias, to)?;
        let bias = self.graph.constant(&bias, &[to], &values);
        let name = format!("{name}.weight");
        let weight = self.weights.matrix(&name, to, from)?;
        Ok(match input {
            Factor::Floats(input) => {
                let weight = weight.transposed();
                let weight = self.graph.constant(&name, &[from, to], &weight.values);
                let product = self.graph.then(Op::onnx("MatMul"), &[input, &weight]);
                self.graph.then(Op::onnx("Add"), &[&product, &bias])
            }
            // Zero stays zero, hence no zero of the weights. Where this is the only layer of its
            // input, ONNX Runtime fuses both nodes into DynamicQuantizeMatMul.
            Factor::Integers([integers, scale, zero]) => {
                let weight = quantize::by_row(&weight, quantize::FACTOR);
                let scales = format!("{name}.scale");
                let scales = self.graph.constant(&scales, &[to], &weight.scales);
                let weight = weight.matrix.transposed();
                let weight = self.graph.constant(&name, &[from, to], &weight.values);
                let none = Value::none();
                let inputs = [integers, &weight, scale, &scales, zero, &none, &bias];
                let multiply = Op::microsoft("MatMulIntegerToFloat");
                self.graph.then(multiply, &inputs)
            }
        })
    }
}
