//! Pure: floats in, 8-bit integers and the scales that bring them back out.

use super::weights::Matrix;

/// The greatest integer of a weight that is multiplied: seven bits of the eight.
///
/// On x86 without VNNI, ONNX Runtime sums two products of an unsigned activation and a signed weight
/// in 16 bits, which overflow beyond 64 (2 × 255 × 64 < 2¹⁵). Its remedy (`session.x64quantprecision`)
/// was measured to halve the speed with VNNI too; this one costs no time, and every machine gets the
/// same sums. Cosine to fp32 over 240 passages: mean 0.991 and worst 0.980, with all eight bits 0.993
/// and 0.976.
pub(super) const FACTOR: f32 = 64.0;

/// The greatest integer of a weight that is only looked up.
pub(super) const LOOKED_UP: f32 = 127.0;

/// A matrix whose rows are `values × scale`, each with its own scale.
pub(super) struct Quantized {
    pub(super) matrix: Matrix<i8>,
    pub(super) scales: Vec<f32>,
}

/// Rounds to integers from `-limit` to `limit`, symmetric so that zero stays zero, with the smallest
/// scale that reaches the greatest weight of each row. No weight moves by more than half its scale.
pub(super) fn by_row(matrix: &Matrix<f32>, limit: f32) -> Quantized {
    let mut values = Vec::with_capacity(matrix.values.len());
    let mut scales = Vec::with_capacity(matrix.rows);
    for row in matrix.values.chunks_exact(matrix.columns) {
        let greatest = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        // A row of zeros, or of numbers too small to divide by, is zeros at any scale.
        let scale = if greatest > f32::MIN_POSITIVE * limit { greatest / limit } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, reason = "at most the limit")]
        values.extend(row.iter().map(|value| (value / scale).round_ties_even() as i8));
        scales.push(scale);
    }
    Quantized { matrix: Matrix { rows: matrix.rows, columns: matrix.columns, values }, scales }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    fn random(rng: &mut impl Rng, rows: usize, columns: usize) -> Matrix<f32> {
        let values = (0..rows * columns)
            .map(|i| rng.random_range(-1.0..1.0) * 10_f32.powi(i32::try_from(i % 7).unwrap() - 3))
            .collect();
        Matrix { rows, columns, values }
    }

    #[test]
    fn nothing_moves_by_more_than_half_a_step() {
        let matrix = random(&mut StdRng::seed_from_u64(1), 40, 97);
        for limit in [FACTOR, LOOKED_UP] {
            let quantized = by_row(&matrix, limit);
            let rows = matrix.values.chunks(97);
            let integers = quantized.matrix.values.chunks(97);
            for ((row, integers), scale) in rows.zip(integers).zip(&quantized.scales) {
                for (value, integer) in row.iter().zip(integers) {
                    let back = f32::from(*integer) * scale;
                    assert!((value - back).abs() <= scale * 0.500_01, "{value} {back} {scale}");
                    assert!(f32::from(*integer).abs() <= limit);
                }
                assert!(integers.iter().any(|integer| f32::from(*integer).abs() == limit));
            }
        }
    }

    #[test]
    fn a_pair_of_the_greatest_products_fits_sixteen_bits() {
        assert!(2.0 * 255.0 * FACTOR <= f32::from(i16::MAX));
    }

    #[test]
    fn rows_of_nothing_stay_nothing() {
        let matrix = Matrix { rows: 2, columns: 2, values: vec![0.0, 0.0, 1e-44, -1e-44] };
        let quantized = by_row(&matrix, FACTOR);
        assert_eq!(quantized.matrix.values, [0; 4]);
        assert!(quantized.scales.iter().all(|scale| *scale == 1.0));
    }
}
