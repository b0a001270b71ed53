//! Pure: builds an ONNX graph node by node. It knows the format, and nothing of what is computed.

use half::f16;

use super::proto::{
    AttributeProto, Dimension, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, attribute_type, data_type,
};

/// A value of the graph: an input, a constant or what a node makes.
#[derive(Debug, Clone)]
pub(super) struct Value(String);

/// How many texts a run has.
pub(super) const BATCH: Size = Size::Named("batch");
/// How many tokens each of them has, padding included.
pub(super) const SEQUENCE: Size = Size::Named("sequence");

/// A size that is fixed, or that each run chooses.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Fixed(usize),
    Named(&'static str),
}

/// A number that a constant can hold.
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

/// The set of operators that ONNX Runtime adds to those of ONNX.
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

/// A graph that grows. The names it gives start with its own, so that a branch, which sees the
/// values around it, hides none of them.
pub(super) struct Graph(GraphProto);

impl Graph {
    pub(super) fn new(name: &str) -> Self {
        Self(GraphProto { name: name.to_owned(), ..GraphProto::default() })
    }

    pub(super) fn input<T: Element>(&mut self, name: &str, sizes: &[Size]) -> Value {
        self.0.input.push(info(name, T::TYPE, sizes));
        Value(name.to_owned())
    }

    /// A constant, of one number if there are no sizes.
    pub(super) fn constant<T: Element>(&mut self, name: &str, sizes: &[usize], values: &[T]) -> Value {
        debug_assert_eq!(sizes.iter().product::<usize>(), values.len(), "{name}");
        let mut raw_data = Vec::with_capacity(size_of_val(values));
        values.iter().for_each(|value| value.write(&mut raw_data));
        self.0.initializer.push(TensorProto {
            dims: sizes.iter().copied().map(wide).collect(),
            data_type: T::TYPE,
            name: name.to_owned(),
            raw_data,
        });
        Value(name.to_owned())
    }

    /// Adds a node that makes `N` values.
    pub(super) fn apply<const N: usize>(&mut self, op: Op, inputs: &[&Value]) -> [Value; N] {
        let name = format!("{}/{}.{}", self.0.name, self.0.node.len(), op.name);
        let outputs: [Value; N] = std::array::from_fn(|i| Value(format!("{name}:{i}")));
        self.push(name, op, inputs, &outputs);
        outputs
    }

    /// Adds a node that makes one value.
    pub(super) fn then(&mut self, op: Op, inputs: &[&Value]) -> Value {
        let [output] = self.apply(op, inputs);
        output
    }

    /// Ends the graph with a value that others know by a name.
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
    /// The place of an optional input that is not given.
    pub(super) const fn none() -> Self {
        Self(String::new())
    }
}

fn info(name: &str, elem_type: i32, sizes: &[Size]) -> ValueInfoProto {
    let dimension = |size: &Size| DimensionProto {
        value: Some(match size {
            Size::Fixed(size) => Dimension::Fixed(wide(*size)),
            Size::Named(name) => Dimension::Named((*name).to_owned()),
        }),
    };
    let shape = TensorShapeProto { dim: sizes.iter().map(dimension).collect() };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type, shape: Some(shape) }) }),
    }
}

/// The size of something in memory, as the format writes it.
pub(super) fn wide(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
