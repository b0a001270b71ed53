//! Values of XFA forms, which are only in their XML.

use hayro_syntax::object::{Array, Dict, Object, Stream, String as PdfString};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::fields::name_as_label;

/// Maximum number of values read.
const MAX_VALUES: usize = 5_000;

/// Maximum depth of elements. Deeper ones are skipped.
const MAX_DEPTH: usize = 64;

/// Labels and values of the data of an XFA form, in document order.
pub(super) fn values(form: &Dict<'_>) -> Vec<(String, String)> {
    datasets(form).map(|xml| parse(&xml)).unwrap_or_default()
}

/// The XML packet of the data. The form is one stream, or an array of names and streams.
fn datasets(form: &Dict<'_>) -> Option<Vec<u8>> {
    match form.get::<Object<'_>>(b"XFA")? {
        Object::Stream(stream) => Some(stream.decoded_data().ok()?.into_owned()),
        Object::Array(parts) => packet(&parts),
        _ => None,
    }
}

fn packet(parts: &Array<'_>) -> Option<Vec<u8>> {
    let mut found = false;
    for part in parts.iter::<Object<'_>>() {
        match part {
            Object::String(name) => found = is_datasets(&name),
            Object::Stream(stream) if found => return data(&stream),
            _ => {}
        }
    }
    None
}

fn is_datasets(name: &PdfString<'_>) -> bool {
    name.as_bytes() == b"datasets"
}

fn data(stream: &Stream<'_>) -> Option<Vec<u8>> {
    Some(stream.decoded_data().ok()?.into_owned())
}

/// The elements below `xfa:data` with text and without child elements.
fn parse(xml: &[u8]) -> Vec<(String, String)> {
    let xml = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(&xml);
    let mut values = Vec::new();
    // Names of the open elements, and whether the innermost has child elements.
    let mut open: Vec<String> = Vec::new();
    let mut data_depth = None;
    let mut text = String::new();
    // Every step reads at least one byte.
    while values.len() < MAX_VALUES {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                let name = element.local_name().as_ref().to_owned();
                if open.len() >= MAX_DEPTH {
                    break;
                }
                if name == "data"
                    && data_depth.is_none()
                    && open.last().is_some_and(|outer| outer == "datasets")
                {
                    data_depth = Some(open.len());
                }
                open.push(name);
                text.clear();
            }
            Ok(Event::Text(part)) => text.push_str(&part.xml10_content()),
            Ok(Event::CData(part)) => text.push_str(&part),
            Ok(Event::GeneralRef(reference)) => push_reference(&mut text, &reference),
            Ok(Event::End(_)) => {
                let name = open.pop().unwrap_or_default();
                if data_depth.is_some_and(|depth| open.len() > depth) && !text.trim().is_empty() {
                    let label = name_as_label(&name);
                    let label = if label.is_empty() { name } else { label };
                    values.push((label, super::strings::plain(text.trim())));
                }
                if data_depth == Some(open.len()) {
                    break;
                }
                text.clear();
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    values
}

fn push_reference(text: &mut String, reference: &quick_xml::events::BytesRef<'_>) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        text.push(character);
        return;
    }
    text.push_str(match reference.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_of_the_data_are_values() {
        let xml = b"<xfa:datasets xmlns:xfa='x'><xfa:data><form1><Name>Ada &amp; Bert</Name><part><Berth_size>9</Berth_size><Empty/></part></form1></xfa:data><dd>no</dd></xfa:datasets>";
        let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        assert_eq!(parse(xml), [pair("Name", "Ada & Bert"), pair("Berth size", "9")]);
    }
}
