//! Pure: fixed-length base62 encoding. A fixed length gives all keys the same shape.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Encodes a big-endian number in `length` digits, most significant first, zero-padded.
pub(super) fn encode(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits: Vec<char> = (0..length).map(|_| char::from(next_digit(&mut number))).collect();
    digits.reverse();
    digits.into_iter().collect()
}

/// Divides the number by 62 in place and returns the remainder's digit.
fn next_digit(number: &mut [u8]) -> u8 {
    let mut remainder = 0_usize;
    for byte in number {
        let value = remainder * 256 + usize::from(*byte);
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        remainder = value % 62;
    }
    DIGITS.get(remainder).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn numbers_are_encoded_in_base_62() {
        assert_eq!(encode(&[0], 2), "00");
        assert_eq!(encode(&[61], 2), "0z");
        assert_eq!(encode(&[62], 2), "10");
        assert_eq!(encode(&[255; 4], 6), "4gfFC3");
        assert_eq!(encode(&[255; 32], 43).len(), 43);
        assert_ne!(&encode(&[255; 32], 43)[..1], "0");
    }
}
