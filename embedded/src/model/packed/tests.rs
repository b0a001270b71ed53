//! Parsing of a small hand-made file.

use std::path::Path;

use half::f16;

use super::{
    parse::{MAGIC, VERSION},
    *,
};

/// A file with two tensors and three pieces, in the documented format.
fn file() -> Vec<u8> {
    let mut head = Vec::new();
    let number = |bytes: &mut Vec<u8>, number: u32| bytes.extend_from_slice(&number.to_le_bytes());
    head.extend_from_slice(MAGIC);
    for size in [VERSION, 32, 1, 2, 64, 3, 8, 1] {
        number(&mut head, size);
    }
    head.extend_from_slice(&1e-6_f32.to_le_bytes());
    number(&mut head, 32);
    for count in [3, 0, 2, 1, 1] {
        number(&mut head, count);
    }
    head.extend_from_slice(&6_u64.to_le_bytes());
    for offset in [0, 1, 4, 6] {
        number(&mut head, offset);
    }
    for score in [0.0_f32, -1.5, -2.0] {
        head.extend_from_slice(&score.to_le_bytes());
    }
    head.extend_from_slice("a▁bb".as_bytes());
    for size in [1, 5] {
        number(&mut head, size);
    }
    head.extend_from_slice(&[9, 0, 0, 0, 0]);
    number(&mut head, 2);
    let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
    block.extend((0..16).map(|i: u8| i | (15 - i) << 4));
    let bias: Vec<u8> = [1.0_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensors = [("l0.q.w", 1_u8, block), ("l0.q.b", 0, bias)];
    let entries: usize = tensors.iter().map(|(name, ..)| 2 + name.len() + 1 + 4 + 8 + 8).sum();
    let mut start = head.len() + entries;
    for (name, kind, data) in &tensors {
        head.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        head.extend_from_slice(name.as_bytes());
        head.push(*kind);
        number(&mut head, 0);
        for size in [start, data.len()] {
            head.extend_from_slice(&u64::try_from(size).unwrap().to_le_bytes());
        }
        start += data.len();
    }
    head.extend(tensors.into_iter().flat_map(|(_, _, data)| data));
    head
}

const WEIGHT: &str = "encoder.layer.0.attention.self.query.weight";
const BIAS: &str = "encoder.layer.0.attention.self.query.bias";

#[test]
fn reads_sizes_vocabulary_and_tensors() {
    let bytes = file();
    let packed = Packed::parse(Path::new("model.bin"), &bytes).unwrap();
    assert_eq!((packed.config.hidden_size, packed.config.vocab_size), (32, 3));
    assert_eq!(packed.vocabulary.pieces, [("a", 0.0), ("▁", -1.5), ("bb", -2.0)]);
    assert_eq!(packed.vector(BIAS, 2).unwrap(), [1.0, -2.0]);
    let weights = packed.matrix(WEIGHT, 1, 32).unwrap().values;
    assert_eq!((weights[0], weights[15], weights[16], weights[31]), (-4.0, 3.5, 3.5, -4.0));
}

#[test]
fn blocks_hold_the_same_weights_in_order() {
    let bytes = file();
    let packed = Packed::parse(Path::new("model.bin"), &bytes).unwrap();
    let weights = packed.matrix(WEIGHT, 1, 32).unwrap().values;
    let blocks = packed.blocks(WEIGHT, 1, 32).unwrap().unwrap();
    let integers = blocks.pairs.iter().flat_map(|pair| [pair & 15, pair >> 4]);
    let back: Vec<f32> = integers.map(|i| (f32::from(i) - 8.0) * blocks.scales[0].to_f32()).collect();
    assert_eq!(back, weights);
    assert_eq!(packed.blocks(BIAS, 1, 2).unwrap(), None);
}

#[test]
fn a_truncated_file_is_rejected() {
    let bytes = file();
    for length in 0..bytes.len() {
        let read = Packed::parse(Path::new("model.bin"), &bytes[..length])
            .and_then(|packed| Ok((packed.vector(BIAS, 2)?, packed.matrix(WEIGHT, 1, 32)?)));
        let error = read.unwrap_err().to_string();
        assert!(error.contains("model.bin") && error.contains("fetch it again"), "{error}");
    }
}

#[test]
fn a_tensor_with_a_wrong_size_or_name_is_reported() {
    let bytes = file();
    let packed = Packed::parse(Path::new("model.bin"), &bytes).unwrap();
    for (name, len, words) in [
        (BIAS, 3, "l0.q.b does not have 3 numbers"),
        ("encoder.layer.1.output.dense.bias", 2, "no tensor l1.fo.b"),
        ("pooler.dense.weight", 2, "pooler.dense.weight"),
    ] {
        let error = packed.vector(name, len).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
