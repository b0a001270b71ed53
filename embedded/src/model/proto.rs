//! The messages of the ONNX file format that an encoder needs.
//!
//! Field numbers are those of the ONNX IR specification (onnx/onnx, IR version 9). Unused fields are
//! omitted, which the wire format of protocol buffers allows.

/// The IR version of opset 20.
pub(super) const IR_VERSION: i64 = 9;

/// Values of `TensorProto.DataType`.
pub(super) mod data_type {
    pub(in crate::model) const FLOAT: i32 = 1;
    pub(in crate::model) const UINT8: i32 = 2;
    pub(in crate::model) const INT8: i32 = 3;
    pub(in crate::model) const INT32: i32 = 6;
    pub(in crate::model) const INT64: i32 = 7;
    pub(in crate::model) const BOOL: i32 = 9;
    pub(in crate::model) const FLOAT16: i32 = 10;
}

/// Values of `AttributeProto.AttributeType`.
pub(super) mod attribute_type {
    pub(in crate::model) const INT: i32 = 2;
    pub(in crate::model) const GRAPH: i32 = 5;
}

/// The root message of a file.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ModelProto {
    #[prost(int64, tag = "1")]
    pub(super) ir_version: i64,
    #[prost(string, tag = "2")]
    pub(super) producer_name: String,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSetIdProto>,
}

/// An operator set and its version; the empty domain is ONNX's own.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// A graph. Nodes are in topological order.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfoProto>,
}

/// An operator with named inputs and outputs.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<AttributeProto>,
    #[prost(string, tag = "7")]
    pub(super) domain: String,
}

/// A fixed argument of an operator. `r#type` selects the field, which is encoded even when it is zero.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int64, optional, tag = "3")]
    pub(super) i: Option<i64>,
    #[prost(message, optional, tag = "6")]
    pub(super) g: Option<GraphProto>,
    #[prost(int32, tag = "20")]
    pub(super) r#type: i32,
}

/// A constant with little-endian numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    #[prost(string, tag = "8")]
    pub(super) name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub(super) raw_data: Vec<u8>,
}

/// An input or output of a graph.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValueInfoProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) r#type: Option<TypeProto>,
}

/// The type of a value: always a tensor here.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub(super) tensor_type: Option<TensorTypeProto>,
}

/// Element type and shape of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorTypeProto {
    #[prost(int32, tag = "1")]
    pub(super) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<TensorShapeProto>,
}

/// The dimensions of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<DimensionProto>,
}

/// A dimension.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DimensionProto {
    #[prost(oneof = "Dimension", tags = "1, 2")]
    pub(super) value: Option<Dimension>,
}

/// A fixed size, or the name of a size that each run chooses.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Dimension {
    #[prost(int64, tag = "1")]
    Fixed(i64),
    #[prost(string, tag = "2")]
    Named(String),
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn encoding_follows_the_specification() {
        let node = NodeProto {
            input: vec!["x".to_owned()],
            output: vec!["y".to_owned()],
            name: String::new(),
            op_type: "Cast".to_owned(),
            attribute: vec![AttributeProto {
                name: "to".to_owned(),
                i: Some(0),
                g: None,
                r#type: attribute_type::INT,
            }],
            domain: String::new(),
        };
        // Field and wire type, length, content. The attribute's 0 is encoded, and field 20 takes two bytes.
        let expected = b"\x0a\x01x\x12\x01y\x22\x04Cast\x2a\x09\x0a\x02to\x18\x00\xa0\x01\x02";
        assert_eq!(node.encode_to_vec(), expected);

        let shape = TensorShapeProto {
            dim: [Dimension::Named("n".to_owned()), Dimension::Fixed(384)]
                .map(|value| DimensionProto { value: Some(value) })
                .to_vec(),
        };
        assert_eq!(shape.encode_to_vec(), b"\x0a\x03\x12\x01n\x0a\x03\x08\x80\x03");
        assert_eq!(TensorShapeProto::decode(&shape.encode_to_vec()[..]).unwrap(), shape);
    }
}
