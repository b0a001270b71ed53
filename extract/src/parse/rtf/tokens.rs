//! Tokens of RTF: groups, control words, control symbols, bytes and text.

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// A control word and its number.
    Control(&'a str, Option<i32>),
    /// A control symbol.
    Symbol(u8),
    /// A byte of text in hexadecimal.
    Byte(u8),
    Text(&'a [u8]),
}

/// The tokens of a file.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn split(&mut self, at: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at_checked(at).unwrap_or((self.rest, &[]));
        self.rest = rest;
        head
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.rest.first()?;
        if first == b'\'' {
            self.split(1);
            let digits = self.split(2);
            let digits = std::str::from_utf8(digits).ok();
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            return Some(byte.map_or(Token::Symbol(b'\''), Token::Byte));
        }
        if !first.is_ascii_alphabetic() {
            self.split(1);
            return Some(Token::Symbol(first));
        }
        let end = self.rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let word = std::str::from_utf8(self.split(end)).unwrap_or_default();
        let sign = usize::from(self.rest.first() == Some(&b'-'));
        let digits = self.rest.get(sign..).unwrap_or_default();
        let digits = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        let value = if digits > 0 {
            let number = std::str::from_utf8(self.split(sign + digits)).unwrap_or_default();
            Some(number.parse().unwrap_or(if sign > 0 { i32::MIN } else { i32::MAX }))
        } else {
            None
        };
        if self.rest.first() == Some(&b' ') {
            self.split(1);
        }
        if word == "bin" {
            let length = value.and_then(|value| usize::try_from(value).ok()).unwrap_or_default();
            self.split(length.min(self.rest.len()));
        }
        Some(Token::Control(word, value))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            match *self.rest.first()? {
                b'{' => {
                    self.split(1);
                    return Some(Token::Open);
                }
                b'}' => {
                    self.split(1);
                    return Some(Token::Close);
                }
                b'\\' => {
                    self.split(1);
                    return self.control();
                }
                // Line ends of the file are no text.
                b'\r' | b'\n' | 0 => {
                    self.split(1);
                }
                _ => {
                    let special = |byte: &u8| matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0);
                    let end = self.rest.iter().position(special).unwrap_or(self.rest.len());
                    return Some(Token::Text(self.split(end)));
                }
            }
        }
    }
}
