//! Fields of interactive forms: kind, label and value.

use hayro_syntax::object::{Array, Dict, Name, Object, Stream};

use super::super::page::FieldKind;
use super::strings;

/// Maximum number of ancestors of a field. The bound ends loops.
const MAX_LEVELS: usize = 32;

/// Bits of `/Ff` (ISO 32000-2, tables 228, 230 and 232).
const PASSWORD: u32 = 1 << 13;
const RADIO: u32 = 1 << 15;
const PUSH_BUTTON: u32 = 1 << 16;
const COMBO: u32 = 1 << 17;
const COMB: u32 = 1 << 24;

/// A field of a form and its place on a page.
pub(super) struct Widget<'a> {
    /// The field and its ancestors, innermost first.
    levels: Vec<Dict<'a>>,
    kind: Kind,
    flags: u32,
    defaults: Dict<'a>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Choice,
    Button,
}

impl<'a> Widget<'a> {
    /// `None` for push buttons, signatures and unknown fields.
    pub(super) fn new(annotation: &Dict<'a>, form: &Dict<'a>) -> Option<Self> {
        let mut levels = vec![annotation.clone()];
        while levels.len() < MAX_LEVELS
            && let Some(parent) = levels.last().and_then(|level| level.get::<Dict<'a>>(b"Parent"))
        {
            levels.push(parent);
        }
        let inherited = |key: &[u8]| levels.iter().find_map(|level| level.get::<Object<'a>>(key));
        let kind = match inherited(b"FT") {
            Some(Object::Name(name)) => match &*name {
                b"Tx" => Kind::Text,
                b"Ch" => Kind::Choice,
                b"Btn" => Kind::Button,
                _ => return None,
            },
            _ => return None,
        };
        let flags = match inherited(b"Ff") {
            // Flags are a 32-bit field; some programs write it signed.
            Some(Object::Number(number)) => number.as_i64() as u32,
            _ => 0,
        };
        if kind == Kind::Button && flags & PUSH_BUTTON != 0 || kind == Kind::Text && flags & PASSWORD != 0 {
            return None;
        }
        Some(Self { levels, kind, flags, defaults: form.clone() })
    }

    fn get(&self, key: &[u8]) -> Option<Object<'a>> {
        self.levels.iter().find_map(|level| level.get::<Object<'a>>(key))
    }

    /// Whether the appearance of the field shows its value as readable text: no drawn mark, no spread
    /// characters and no list of all choices.
    pub(super) fn is_drawn_as_text(&self) -> bool {
        match self.kind {
            Kind::Text => self.flags & COMB == 0,
            Kind::Choice => self.flags & COMBO != 0,
            Kind::Button => false,
        }
    }

    /// Kind and value. `None` for an empty field.
    pub(super) fn value(&self, annotation: &Dict<'a>) -> Option<(FieldKind, String)> {
        match self.kind {
            Kind::Text => Some((FieldKind::Text, text(&self.get(b"V")?)?)),
            Kind::Choice => Some((FieldKind::Choice, self.choice()?)),
            Kind::Button if self.flags & RADIO != 0 => {
                Some((FieldKind::Radio, if self.is_on(annotation) { "(x)" } else { "( )" }.to_owned()))
            }
            Kind::Button => {
                Some((FieldKind::CheckBox, if self.is_on(annotation) { "[x]" } else { "[ ]" }.to_owned()))
            }
        }
    }

    fn is_on(&self, annotation: &Dict<'a>) -> bool {
        if let Some(state) = annotation.get::<Name<'a>>(b"AS") {
            return &*state != b"Off";
        }
        let Some(Object::Name(value)) = self.get(b"V") else { return false };
        let states = annotation.get::<Dict<'a>>(b"AP").and_then(|looks| looks.get::<Dict<'a>>(b"N"));
        &*value != b"Off" && states.is_none_or(|states| states.contains_key(&*value))
    }

    /// The chosen options as displayed.
    fn choice(&self) -> Option<String> {
        let chosen: Vec<String> = match self.get(b"V")? {
            Object::Array(list) => list.iter::<Object<'a>>().filter_map(|value| text(&value)).collect(),
            value => vec![text(&value)?],
        };
        let options = match self.get(b"Opt") {
            Some(Object::Array(list)) => list
                .iter::<Object<'a>>()
                .filter_map(|option| match option {
                    Object::Array(pair) => {
                        let mut pair = pair.iter::<Object<'a>>().filter_map(|part| text(&part));
                        Some((pair.next()?, pair.next()?))
                    }
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let shown = chosen.into_iter().map(|value| {
            options
                .iter()
                .find(|(exported, _)| *exported == value)
                .map_or(value.clone(), |(_, shown)| shown.clone())
        });
        Some(shown.collect::<Vec<_>>().join(", "))
    }

    /// The tooltip, or the name of the field if it reads like words.
    pub(super) fn label(&self) -> String {
        if let Some(Object::String(tooltip)) = self.get(b"TU") {
            return strings::plain(&strings::decode(tooltip.as_bytes())).trim().to_owned();
        }
        let Some(Object::String(name)) = self.get(b"T") else { return String::new() };
        name_as_label(&strings::decode(name.as_bytes()))
    }

    /// Font size of the value, from the default appearance. `None` when it fits the field.
    pub(super) fn size(&self) -> Option<f32> {
        let appearance = match self.get(b"DA").or_else(|| self.defaults.get::<Object<'a>>(b"DA"))? {
            Object::String(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
            _ => return None,
        };
        let words: Vec<&str> = appearance.split_ascii_whitespace().collect();
        let at = words.iter().position(|word| *word == "Tf")?;
        words.get(at.checked_sub(1)?)?.parse().ok().filter(|size: &f32| *size > 0.0 && *size < 200.0)
    }
}

/// Whether a field or one of its direct children has a value.
pub(super) fn is_filled(field: &Dict<'_>) -> bool {
    field.contains_key(b"V")
        || field.contains_key(b"FT")
        || field.get::<Array<'_>>(b"Kids").is_some_and(|kids| {
            kids.iter::<Dict<'_>>().any(|kid| kid.contains_key(b"V") || kid.contains_key(b"FT"))
        })
}

fn text(value: &Object<'_>) -> Option<String> {
    match value {
        Object::String(text) => Some(strings::decode(text.as_bytes())),
        Object::Stream(stream) => stream_text(stream),
        Object::Name(name) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

fn stream_text(stream: &Stream<'_>) -> Option<String> {
    Some(strings::decode(&stream.decoded_data().ok()?))
}

/// A field name that reads like words: letters first, and neither a path nor a number of a form designer.
pub(super) fn name_as_label(name: &str) -> String {
    let generated = name.contains(['[', '.', '#', '/']) || name.chars().any(|letter| letter.is_ascii_digit());
    let label: String = name.chars().map(|letter| if letter == '_' { ' ' } else { letter }).collect();
    let label = label.trim();
    if generated || label.chars().count() < 3 { String::new() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_form_designers_are_no_labels() {
        assert_eq!(name_as_label("Boat_name"), "Boat name");
        assert_eq!(name_as_label("topmostSubform[0].Page1[0].f1_1[0]"), "");
        assert_eq!(name_as_label("Text12"), "");
    }
}
