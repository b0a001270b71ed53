//! JSON parser (RFC 8259) that keeps numbers as written and members in order.
//!
//! `serde_json` reads numbers as `f64` and sorts members. Features change that, but for all its uses in the
//! workspace.

use std::borrow::Cow;

/// Maximum depth of arrays and objects.
const MAX_DEPTH: usize = 128;

/// A JSON value. `null` is an empty scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Scalar(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    Object(Vec<(String, Value<'a>)>),
}

impl Value<'_> {
    pub(super) fn is_scalar(&self) -> bool {
        matches!(self, Value::Scalar(_))
    }

    /// Whether the value takes one line.
    pub(super) fn is_flat(&self) -> bool {
        match self {
            Value::Scalar(_) => true,
            Value::Array(elements) => elements.iter().all(Value::is_scalar),
            Value::Object(members) => members.is_empty(),
        }
    }

    pub(super) fn scalar(&self) -> Option<&str> {
        if let Value::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// The scalars of an array that is a row of a table.
    pub(super) fn row(&self) -> Option<Vec<&str>> {
        if let Value::Array(cells) = self { cells.iter().map(Value::scalar).collect() } else { None }
    }
}

/// Reason why a text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The line of the error, from 1.
    Syntax(usize),
    TooDeep,
}

/// A reader of the values of a text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next top-level value; `None` at the end.
    pub(super) fn next_value(&mut self) -> Result<Option<Value<'a>>, Fault> {
        self.skip_space();
        // Some writers separate top-level values by record separators or commas.
        while self.take('\x1e') {
            self.skip_space();
        }
        if self.rest().is_empty() { Ok(None) } else { self.value().map(Some) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
    }

    fn take(&mut self, token: char) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len_utf8() } else { 0 };
        found
    }

    fn fault(&self) -> Fault {
        Fault::Syntax(self.text.get(..self.at).unwrap_or_default().matches('\n').count() + 1)
    }

    fn value(&mut self) -> Result<Value<'a>, Fault> {
        self.skip_space();
        match self.rest().bytes().next() {
            Some(b'{') => self
                .nested('{', '}', |reader, members: &mut Vec<(String, Value<'a>)>| {
                    let name = reader.string()?.into_owned();
                    reader.skip_space();
                    if !reader.take(':') {
                        return Err(reader.fault());
                    }
                    members.push((name, reader.value()?));
                    Ok(())
                })
                .map(Value::Object),
            Some(b'[') => self
                .nested('[', ']', |reader, elements: &mut Vec<Value<'a>>| {
                    elements.push(reader.value()?);
                    Ok(())
                })
                .map(Value::Array),
            Some(b'"') => self.string().map(Value::Scalar),
            _ => self.literal(),
        }
    }

    fn nested<T>(
        &mut self,
        open: char,
        close: char,
        element: impl Fn(&mut Self, &mut Vec<T>) -> Result<(), Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.take(open);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        let mut elements = Vec::new();
        self.skip_space();
        if !self.take(close) {
            loop {
                self.skip_space();
                element(self, &mut elements)?;
                self.skip_space();
                if self.take(close) {
                    break;
                }
                if !self.take(',') {
                    return Err(self.fault());
                }
            }
        }
        self.depth -= 1;
        Ok(elements)
    }

    fn literal(&mut self) -> Result<Value<'a>, Fault> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let number =
            word.starts_with(|c: char| c.is_ascii_digit() || c == '-') && word.parse::<f64>().is_ok();
        let word = match word {
            "null" => "",
            "true" | "false" => word,
            _ if number => word,
            _ => return Err(self.fault()),
        };
        self.at += end;
        Ok(Value::Scalar(Cow::Borrowed(word)))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if !self.take('"') {
            return Err(self.fault());
        }
        let mut text = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(['"', '\\']) else { return Err(self.fault()) };
            let plain = rest.get(..end).unwrap_or_default();
            if text.is_empty() {
                text = Cow::Borrowed(plain);
            } else {
                text.to_mut().push_str(plain);
            }
            self.at += end;
            if self.take('"') {
                return Ok(text);
            }
            let character = self.escape()?;
            text.to_mut().push(character);
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.take('\\');
        let Some(code) = self.rest().chars().next() else { return Err(self.fault()) };
        self.at += code.len_utf8();
        Ok(match code {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' | 'f' => ' ',
            'u' => {
                let Some(unit) = self.unit() else { return Err(self.fault()) };
                if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
                    let second = Reader { at: self.at + 2, ..*self }.unit();
                    if let Some(second) = second.filter(|second| (0xdc00..0xe000).contains(second)) {
                        self.at += 6;
                        let scalar = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            '"' | '\\' | '/' => code,
            _ => {
                self.at = start;
                return Err(self.fault());
            }
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        self.at += 4;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}
