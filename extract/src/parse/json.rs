//! JSON and JSON Lines to records: one line `path: value` per value, records separated by a blank line.
//!
//! A record is an element of a top-level array, a line of JSON Lines, or an element of an array of objects in
//! a top-level object. Numbers stay as written. A file that is not valid JSON is read as text.

mod reader;

use super::table::{Layout, Records, SAMPLE_ROWS};
use super::{text, too_large};
use crate::protocol::{Document, Format, MAX_TEXT_BYTES, Markup, Rejection, Verdict};
use reader::{Fault, Reader, Value};

/// Extracts the records of a JSON file.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Rejection> {
    let source = text::read(bytes)?;
    let mut reader = Reader::new(&source);
    let mut values = Vec::new();
    loop {
        match reader.next_value() {
            Ok(Some(value)) => values.push(value),
            Ok(None) => break,
            Err(Fault::TooDeep) => {
                return Err(Rejection::new(
                    Verdict::TooComplex,
                    "The file nests deeper than can be read. Save its parts as files of their own.",
                ));
            }
            Err(Fault::Syntax(line)) => return Ok(as_text(source, line)),
        }
    }
    let mut out = Out::default();
    match <[Value<'_>; 1]>::try_from(values) {
        Ok([Value::Array(elements)]) => out.elements("", &elements)?,
        Ok([Value::Object(members)]) => out.sections(&members)?,
        Ok([value]) => out.elements("", &[value])?,
        // JSON Lines.
        Err(values) => out.elements("", &values)?,
    }
    Ok(Document::new(Format::Json, Markup::Records, out.written))
}

fn as_text(source: String, line: usize) -> Document {
    let mut document = Document::new(Format::Json, Markup::Plain, source);
    document.notes.push(format!("The file is not valid JSON: see line {line}. It was read as text."));
    document
}

#[derive(Default)]
struct Out {
    written: String,
    /// Whether the last record has a line.
    open: bool,
}

impl Out {
    /// Writes each element as a record, and an array of rows as a table.
    fn elements(&mut self, path: &str, elements: &[Value<'_>]) -> Result<(), Rejection> {
        if elements.iter().all(|element| element.row().is_some()) && elements.len() > 1 {
            return self.table(elements);
        }
        if elements.iter().all(Value::is_scalar) {
            self.end_record();
            return self.value(path, &Value::Array(elements.to_vec()));
        }
        for element in elements {
            self.end_record();
            self.value(path, element)?;
        }
        self.end_record();
        Ok(())
    }

    /// Writes the members of a top-level object: first the scalars as one record, then each other member.
    fn sections(&mut self, members: &[(String, Value<'_>)]) -> Result<(), Rejection> {
        for (name, value) in members.iter().filter(|(_, value)| value.is_flat()) {
            self.value(name, value)?;
        }
        for (name, value) in members.iter().filter(|(_, value)| !value.is_flat()) {
            self.end_record();
            match value {
                Value::Array(elements) => self.elements(name, elements)?,
                _ => self.value(name, value)?,
            }
        }
        Ok(())
    }

    fn table(&mut self, rows: &[Value<'_>]) -> Result<(), Rejection> {
        let rows: Vec<Vec<&str>> = rows.iter().filter_map(Value::row).collect();
        let mut records = Records::default();
        records.begin(Layout::detect(rows.get(..SAMPLE_ROWS).unwrap_or(&rows)), None);
        for row in &rows {
            records.push(row)?;
        }
        self.end_record();
        self.line(&records.finish())
    }

    /// Writes the scalars in a value, each with its path.
    fn value(&mut self, path: &str, value: &Value<'_>) -> Result<(), Rejection> {
        match value {
            Value::Scalar(scalar) => self.member(path, scalar),
            Value::Object(members) => {
                members.iter().try_for_each(|(name, value)| self.value(&join(path, name), value))
            }
            Value::Array(elements) if elements.iter().all(Value::is_scalar) => {
                let scalars = elements.iter().filter_map(Value::scalar).filter(|scalar| !scalar.is_empty());
                self.member(path, &scalars.collect::<Vec<_>>().join(", "))
            }
            Value::Array(elements) => elements
                .iter()
                .enumerate()
                .try_for_each(|(index, element)| self.value(&join(path, &(index + 1).to_string()), element)),
        }
    }

    fn member(&mut self, path: &str, scalar: &str) -> Result<(), Rejection> {
        if scalar.trim().is_empty() {
            return Ok(());
        }
        let separator = if path.is_empty() { "" } else { ": " };
        let mut line = format!("{path}{separator}");
        text::push_line(&mut line, scalar);
        self.line(&line)
    }

    fn line(&mut self, line: &str) -> Result<(), Rejection> {
        if self.open {
            self.written.push('\n');
        } else if !self.written.is_empty() {
            self.written.push_str("\n\n");
        }
        self.open = true;
        self.written.push_str(line);
        // Paths repeat, so the text can be larger than the file.
        if self.written.len() > MAX_TEXT_BYTES { Err(too_large()) } else { Ok(()) }
    }

    fn end_record(&mut self) {
        self.open = false;
    }
}

fn join(path: &str, name: &str) -> String {
    let name = text::line(name);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(json: &str) -> String {
        read(json.as_bytes()).unwrap().text
    }

    #[test]
    fn each_element_or_line_is_a_record() {
        let expected = "name: Esk\nprice: 8.50\n\nname: Moor\nprice: 11";
        for json in [
            r#"[{"name":"Esk","price":8.50},{"name":"Moor","price":11}]"#,
            "{\"name\":\"Esk\",\"price\":8.50}\n{\"name\":\"Moor\",\"price\":11}\n",
            "[[\"name\",\"price\"],[\"Esk\",8.50],[\"Moor\",11]]",
        ] {
            assert_eq!(records(json), expected, "{json}");
        }
    }

    #[test]
    fn nested_values_have_paths() {
        assert_eq!(
            records(
                r#"[{"a":{"b":1,"c":[1,"x",null]},"d":[{"e":true},{"e":false}],"f":null,"g":"two\nlines"}]"#
            ),
            "a.b: 1\na.c: 1, x\nd.1.e: true\nd.2.e: false\ng: two lines"
        );
    }

    #[test]
    fn an_object_has_a_record_for_each_section() {
        assert_eq!(
            records(
                r#"{"title":"Fares","tags":["sea","day"],"office":{"city":"Lindow"},"fares":[{"to":"Esk"},{"to":"Moor"}]}"#
            ),
            "title: Fares\ntags: sea, day\n\noffice.city: Lindow\n\nfares.to: Esk\n\nfares.to: Moor"
        );
    }

    #[test]
    fn numbers_and_escapes_are_exact() {
        assert_eq!(
            records(
                r#"{"id":12345678901234567890123,"rate":1.10,"e":-2.5E+10,"s":"\u00e9\ud83d\ude00\t\/"}"#
            ),
            "id: 12345678901234567890123\nrate: 1.10\ne: -2.5E+10\ns: é😀 /"
        );
    }

    #[test]
    fn invalid_json_is_read_as_text() {
        let document = read(b"{\n\"a\": 1,\n}").unwrap();
        assert_eq!((document.text.as_str(), document.markup), ("{\n\"a\": 1,\n}", Markup::Plain));
        assert!(document.notes[0].contains("line 3"), "{:?}", document.notes);
        let deep = "[".repeat(100_000);
        assert_eq!(read(deep.as_bytes()).unwrap_err().verdict, Verdict::TooComplex);
    }
}
