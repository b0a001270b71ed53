//! Pure: builds an ONNX graph node by node. Knows the format, not the model.

use half::f16;

use super::proto::{
    AttributeProto, Dimension, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, attribute_type, data_type,
};

/// A value of the graph: an input, a constant or the output of a node.
#[derive(Debug, Clone)]
pub(super) struct Value(String);

/// Number of texts in a run.
pub(super) const BATCH: Size = Size::Named("batch");
/// Number of tokens per text, padding included.
pub(super) const SEQUENCE: Size = Size::Named("sequence");

/// A dimension: fixed, or chosen by each run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Fixed(usize),
    Named(&'static str),
}

/// A number type of constants.
pub(super) trait Element: Copy {
    const TYPE: i32;
    fn write(self, bytes: &mut Vec<u8>);
}

impl Element for f32 {
    const TYPE: i32 = data_type::FLOAT;
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

impl Element for f16 {
    const TYPE: i32 = data_type::FLOAT16;
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

impl Element for u8 {
    const TYPE: i32 = data_type::UINT8;
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }
}

impl Element for i8 {
    const TYPE: i32 = data_type::INT8;
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.push(self.cast_unsigned());
    }
}

impl Element for i64 {
    const TYPE: i32 = data_type::INT64;
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

/// An operator with its attributes.
pub(super) struct Op {
    domain: &'static str,
    name: &'static str,
    attributes: Vec<AttributeProto>,
}

/// The operator set that ONNX Runtime adds to ONNX.
pub(super) const MICROSOFT: &str = "com.microsoft";

impl Op {
    pub(super) const fn onnx(name: &'static str) -> Self {
        Self { domain: "", name, attributes: Vec::new() }
    }

    pub(super) const fn microsoft(name: &'static str) -> Self {
        Self { domain: MICROSOFT, name, attributes: Vec::new() }
    }

    pub(super) fn with(mut self, name: &str, value: i64) -> Self {
        self.attributes.push(AttributeProto {
            name: name.to_owned(),
            i: Some(value),
            g: None,
            r#type: attribute_type::INT,
        });
        self
    }

    pub(super) fn with_graph(mut self, name: &str, graph: GraphProto) -> Self {
        self.attributes.push(AttributeProto {
            name: name.to_owned(),
            i: None,
            g: Some(graph),
            r#type: attribute_type::GRAPH,
        });
        self
    }
}

/// A graph under construction. Generated names start with the graph's own: a branch sees the values of the
/// enclosing graph and must not shadow them.
pub(super) struct Graph(GraphProto);

impl Graph {
    pub(super) fn new(name: &str) -> Self {
        Self(GraphProto { name: name.to_owned(), ..GraphProto::default() })
    }

    pub(super) fn input<T: Element>(&mut self, name: &str, sizes: &[Size]) -> Value {
        self.0.input.push(info(name, T::TYPE, sizes));
        Value(name.to_owned())
    }

    /// Adds a constant; a scalar if `sizes` is empty.
    pub(super) fn constant<T: Element>(&mut self, name: &str, sizes: &[usize], values: &[T]) -> Value {
        debug_assert_eq!(sizes.iter().product::<usize>(), values.len(), "{name}");
        let mut raw_data = Vec::with_capacity(size_of_val(values));
        values.iter().for_each(|value| value.write(&mut raw_data));
        self.0.initializer.push(TensorProto {
            dims: sizes.iter().copied().map(to_i64).collect(),
            data_type: T::TYPE,
            name: name.to_owned(),
            raw_data,
        });
        Value(name.to_owned())
    }

    /// Adds a node with `N` outputs.
    pub(super) fn node_with_outputs<const N: usize>(&mut self, op: Op, inputs: &[&Value]) -> [Value; N] {
        let name = format!("{}/{}.{}", self.0.name, self.0.node.len(), op.name);
        let outputs: [Value; N] = std::array::from_fn(|i| Value(format!("{name}:{i}")));
        self.push(name, op, inputs, &outputs);
        outputs
    }

    /// Adds a node with one output.
    pub(super) fn node(&mut self, op: Op, inputs: &[&Value]) -> Value {
        let [output] = self.node_with_outputs(op, inputs);
        output
    }

    /// Finishes the graph and names its output.
    pub(super) fn finish<T: Element>(mut self, name: &str, value: &Value, sizes: &[Size]) -> GraphProto {
        let output = Value(name.to_owned());
        self.push(name.to_owned(), Op::onnx("Identity"), &[value], &[output]);
        self.0.output.push(info(name, T::TYPE, sizes));
        self.0
    }

    fn push(&mut self, name: String, op: Op, inputs: &[&Value], outputs: &[Value]) {
        self.0.node.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: outputs.iter().map(|value| value.0.clone()).collect(),
            name,
            op_type: op.name.to_owned(),
            attribute: op.attributes,
            domain: op.domain.to_owned(),
        });
    }
}

impl Value {
    /// An omitted optional input.
    pub(super) const fn none() -> Self {
        Self(String::new())
    }
}

fn info(name: &str, elem_type: i32, sizes: &[Size]) -> ValueInfoProto {
    let dimension = |size: &Size| DimensionProto {
        value: Some(match size {
            Size::Fixed(size) => Dimension::Fixed(to_i64(*size)),
            Size::Named(name) => Dimension::Named((*name).to_owned()),
        }),
    };
    let shape = TensorShapeProto { dim: sizes.iter().map(dimension).collect() };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type, shape: Some(shape) }) }),
    }
}

/// Converts a size to the integer type of the format.
pub(super) fn to_i64(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
