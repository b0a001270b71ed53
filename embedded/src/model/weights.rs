//! Pure: access to a model's tensors by name, and its implementation for safetensors files.

use std::path::Path;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::ModelError;

/// A matrix in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix<T> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<T>,
}

impl<T: Copy> Matrix<T> {
    /// Its rows as columns.
    pub(super) fn transposed(&self) -> Self {
        let column = |start| self.values.iter().skip(start).step_by(self.columns);
        Self {
            rows: self.columns,
            columns: self.rows,
            values: (0..self.columns).flat_map(column).copied().collect(),
        }
    }
}

/// Number of weights that share a scale in [`Blocks`].
pub(super) const BLOCK: usize = 32;

/// A matrix in 4 bits: a weight is `(integer - 8) × scale`, with one scale per [`BLOCK`] of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blocks {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Two integers per byte, the first one in the low half.
    pub(super) pairs: Vec<u8>,
    pub(super) scales: Vec<f16>,
}

/// The tensors of a model, by their names in Hugging Face's `BertModel`.
pub(super) trait Weights {
    fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError>;

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix<f32>, ModelError>;

    /// The matrix in 4 bits, if the file stores it in that form.
    fn blocks(&self, _name: &str, _rows: usize, _columns: usize) -> Result<Option<Blocks>, ModelError> {
        Ok(None)
    }
}

/// A parsed safetensors file.
pub(super) struct SafetensorsFile<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl<'a> SafetensorsFile<'a> {
    pub(super) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| ModelError::Weights {
            path: path.to_owned(),
            reason: format!("not a complete safetensors file ({error})"),
        })?;
        Ok(Self { path, tensors })
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let wrong = |reason| ModelError::Weights { path: self.path.to_owned(), reason };
        let tensor = self.tensors.tensor(name).map_err(|_| wrong(format!("no tensor {name}")))?;
        if tensor.shape() != shape {
            let found = tensor.shape();
            return Err(wrong(format!("{name} has the shape {found:?}, and config.json requires {shape:?}")));
        }
        // Numbers are little endian by the format; the parser has checked the length.
        let data = tensor.data();
        let values: Vec<f32> = match tensor.dtype() {
            Dtype::F32 => decode(data, f32::from_le_bytes),
            Dtype::F16 => decode(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => decode(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            other => {
                return Err(wrong(format!(
                    "{name} has type {other:?}, and only F32, F16 and BF16 are supported"
                )));
            }
        };
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(wrong(format!("{name} has non-finite values")))
        }
    }
}

impl Weights for SafetensorsFile<'_> {
    fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        self.floats(name, &[len])
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix<f32>, ModelError> {
        let values = self.floats(name, &[rows, columns])?;
        Ok(Matrix { rows, columns, values })
    }
}

fn decode<const N: usize>(data: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (numbers, _) = data.as_chunks::<N>();
    numbers.iter().map(|bytes| convert(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{TensorView, serialize};

    use super::*;

    fn file(dtype: Dtype, data: &[u8]) -> Vec<u8> {
        let shape = vec![data.len() * 8 / dtype.bitsize()];
        serialize([("t", TensorView::new(dtype, shape, data).unwrap())], None).unwrap()
    }

    fn read(file: &[u8], len: usize) -> Result<Vec<f32>, String> {
        SafetensorsFile::parse(Path::new("model.safetensors"), file)
            .and_then(|weights| weights.vector("t", len))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_float_type_is_read() {
        let numbers = [1.5_f32, -0.25];
        let full: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        let half: Vec<u8> = numbers.iter().flat_map(|n| f16::from_f32(*n).to_le_bytes()).collect();
        let brain: Vec<u8> = numbers.iter().flat_map(|n| bf16::from_f32(*n).to_le_bytes()).collect();
        for (dtype, data) in [(Dtype::F32, full), (Dtype::F16, half), (Dtype::BF16, brain)] {
            assert_eq!(read(&file(dtype, &data), 2).unwrap(), numbers);
        }
    }

    #[test]
    fn invalid_tensors_are_named_in_the_error() {
        let good = file(Dtype::F32, &1.0_f32.to_le_bytes());
        let infinite = file(Dtype::F32, &f32::INFINITY.to_le_bytes());
        for (result, words) in [
            (read(&good, 2), "t has the shape [1]"),
            (read(&file(Dtype::I8, &[1]), 1), "has type I8"),
            (read(&infinite, 1), "non-finite"),
            (read(&good[..good.len() - 1], 1), "not a complete safetensors file"),
            (read(b"", 1), "not a complete safetensors file"),
        ] {
            let error = result.unwrap_err();
            assert!(error.contains(words) && error.contains("model.safetensors"), "{error}");
        }
        let weights = SafetensorsFile::parse(Path::new("model.safetensors"), &good).unwrap();
        let error = weights.matrix("missing", 1, 1).unwrap_err().to_string();
        assert!(error.contains("no tensor missing"), "{error}");
    }

    #[test]
    fn transposed_swaps_rows_and_columns() {
        let matrix = Matrix { rows: 2, columns: 3, values: vec![1, 2, 3, 4, 5, 6] };
        let transposed = matrix.transposed();
        assert_eq!((transposed.rows, transposed.columns), (3, 2));
        assert_eq!(transposed.values, [1, 4, 2, 5, 3, 6]);
    }
}
