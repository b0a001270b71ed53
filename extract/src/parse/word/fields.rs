//! Fields: instructions with a displayed result, such as links, dates and references.

use std::rc::Rc;

use super::symbols;

/// Maximum depth of nested fields. Deeper ones count as part of the field around them.
const MAX_FIELDS: usize = 64;

/// Longest instruction that is kept, in bytes.
const MAX_INSTRUCTION: usize = 8192;

/// Longest address of a link, in bytes.
const MAX_ADDRESS: usize = 2048;

#[derive(Default)]
struct Field {
    instruction: String,
    result: bool,
    link: Option<Rc<str>>,
    /// Text of a form field without a result of its own.
    form: Option<String>,
    has_text: bool,
}

/// The fields open at a place of the text.
#[derive(Default)]
pub(super) struct Fields {
    open: Vec<Field>,
    /// Fields opened beyond the maximum.
    extra: usize,
}

impl Fields {
    pub(super) fn begin(&mut self, form: Option<String>) {
        if self.open.len() < MAX_FIELDS {
            self.open.push(Field { form, ..Field::default() });
        } else {
            self.extra += 1;
        }
    }

    /// Sets the text of the innermost form field.
    pub(super) fn set_form(&mut self, text: String) {
        if self.extra == 0
            && let Some(field) = self.open.last_mut()
        {
            field.form = Some(text);
        }
    }

    /// Ends the instruction and begins the result.
    pub(super) fn separate(&mut self) {
        if self.extra == 0
            && let Some(field) = self.open.last_mut()
        {
            field.result = true;
            field.link = link(&field.instruction);
        }
    }

    /// Ends the field. Returns the text of fields without a result: symbols, equations, form fields.
    pub(super) fn end(&mut self) -> Option<String> {
        if self.extra > 0 {
            self.extra -= 1;
            return None;
        }
        let field = self.open.pop()?;
        if !self.shows_text() {
            return None;
        }
        let text = if field.has_text { None } else { field.form.or_else(|| computed(&field.instruction)) };
        if text.is_some() {
            self.mark();
        }
        text
    }

    /// Whether text at this position is displayed. Instructions are not displayed.
    pub(super) fn shows_text(&self) -> bool {
        self.open.iter().all(|field| field.result)
    }

    /// Records that the results of the open fields hold text.
    pub(super) fn mark(&mut self) {
        self.open.iter_mut().for_each(|field| field.has_text = true);
    }

    /// Adds to the instruction of the innermost field.
    pub(super) fn instruct(&mut self, text: &str) {
        if self.extra == 0
            && let Some(field) = self.open.last_mut()
            && !field.result
            && field.instruction.len() + text.len() <= MAX_INSTRUCTION
        {
            field.instruction.push_str(text);
        }
    }

    /// Address of the innermost link around this place.
    pub(super) fn link(&self) -> Option<Rc<str>> {
        self.open.iter().rev().find_map(|field| field.link.clone())
    }
}

/// Address of a `HYPERLINK` instruction, if it leads to the web or to a mail address.
pub(super) fn link(instruction: &str) -> Option<Rc<str>> {
    let words = words(instruction);
    let mut words = words.iter();
    if !words.next()?.eq_ignore_ascii_case("HYPERLINK") {
        return None;
    }
    let (mut target, mut anchor) = (None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "\\l" | "\\L" => anchor = words.next(),
            "\\o" | "\\O" | "\\t" | "\\T" => {
                words.next();
            }
            "\\m" | "\\M" | "\\n" | "\\N" | "\\h" | "\\H" => {}
            _ if target.is_none() => target = Some(word),
            _ => {}
        }
    }
    address(target?, anchor.map(String::as_str))
}

/// A target and an anchor as an address. None if it leads to a file or a place in the document.
pub(super) fn address(target: &str, anchor: Option<&str>) -> Option<Rc<str>> {
    let target = target.trim();
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    let leads = matches!(scheme.as_str(), "http" | "https" | "mailto" | "ftp" | "tel");
    if !leads || target.len() > MAX_ADDRESS || target.chars().any(char::is_control) {
        return None;
    }
    Some(match anchor {
        Some(anchor) if !anchor.is_empty() && !target.contains('#') && anchor.len() <= MAX_ADDRESS => {
            Rc::from(format!("{target}#{anchor}"))
        }
        _ => Rc::from(target),
    })
}

/// The words of an instruction. Quotes hold words together; a backslash escapes in quotes.
fn words(instruction: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    let mut characters = instruction.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' | '“' | '”' | '„' => {
                quoted = !quoted;
                begun = true;
            }
            '\\' if quoted => match characters.next_if(|next| matches!(next, '\\' | '"')) {
                Some(escaped) => word.push(escaped),
                None => word.push('\\'),
            },
            _ if character.is_whitespace() && !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => {
                word.push(character);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// The text of fields without a stored result, which Word computes at every display.
fn computed(instruction: &str) -> Option<String> {
    let instruction = instruction.trim();
    let name = instruction.split_whitespace().next()?;
    if name.eq_ignore_ascii_case("SYMBOL") {
        let words = words(instruction);
        let code = words.get(1)?;
        let code = match code.strip_prefix("0x").or_else(|| code.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => code.parse().ok()?,
        };
        let font = words.iter().position(|word| word.eq_ignore_ascii_case("\\f"));
        let font = font.and_then(|at| words.get(at + 1)).map_or("Symbol", String::as_str);
        return symbols::character(font, code).map(String::from);
    }
    if name.eq_ignore_ascii_case("EQ") {
        let text = equation(instruction.get(name.len()..)?.trim(), 0);
        return Some(text).filter(|text| !text.is_empty());
    }
    if name.eq_ignore_ascii_case("MACROBUTTON") || name.eq_ignore_ascii_case("GOTOBUTTON") {
        let shown = instruction.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
        return Some(shown).filter(|shown| !shown.is_empty());
    }
    None
}

/// Maximum depth of nested functions in an `EQ` field.
const MAX_EQUATION: usize = 12;

/// An `EQ` field as linear text: `\f(a,b)` is `a/b`. Word also writes ruby as an `EQ` field.
fn equation(text: &str, depth: usize) -> String {
    if depth > MAX_EQUATION {
        return String::new();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { break };
        if !first.is_ascii_alphabetic() && first != '*' {
            // An escaped character.
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let end = rest
            .find(|character: char| !character.is_ascii_alphanumeric() && character != '*')
            .unwrap_or(rest.len());
        let switch = rest.get(..end).unwrap_or_default().to_ascii_lowercase();
        rest = rest.get(end..).unwrap_or_default();
        if switch == "*" || switch.starts_with("jc") || switch.starts_with("hps") {
            // A format of the field, which is skipped: `\* jc2`, or `\* "Font:MS Mincho"`.
            rest = rest.trim_start();
            let quoted = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"'));
            let end = |text: &str| {
                text.find(|character: char| character.is_whitespace() || character == '\\')
                    .unwrap_or(text.len())
            };
            rest = match quoted {
                Some((_, after)) => after,
                None => rest.get(end(rest)..).unwrap_or_default(),
            };
            rest = rest.trim_start();
            continue;
        }
        // Options such as `\ac` or `\up 9` stand between the switch and its arguments.
        let Some((options, arguments, after)) = arguments(rest) else { continue };
        rest = after;
        let ruby = options.contains("\\ad") || arguments.iter().any(|argument| argument.contains("\\up"));
        let mut arguments: Vec<String> =
            arguments.iter().map(|argument| equation(argument.trim(), depth + 1)).collect();
        match switch.as_str() {
            "f" => out.push_str(&arguments.iter().map(|part| atom(part)).collect::<Vec<_>>().join("/")),
            "r" => match arguments.as_slice() {
                [index, radicand] => out.push_str(&format!("root({index}, {radicand})")),
                _ => out.push_str(&format!("sqrt({})", arguments.join(", "))),
            },
            "o" if ruby => out.extend(arguments.pop()),
            "b" => out.push_str(&format!("({})", arguments.join(", "))),
            "i" => match arguments.as_slice() {
                [from, to, body] => out.push_str(&format!("∫_{from}^{to} {body}")),
                _ => out.push_str(&arguments.join(" ")),
            },
            "a" | "l" => out.push_str(&arguments.join(", ")),
            _ => out.push_str(&arguments.concat()),
        }
    }
    out.push_str(rest);
    out
}

/// Splits `options (a,b) rest`. The list separator is a comma or a semicolon.
fn arguments(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let open = text.find('(')?;
    let options = text.get(..open)?;
    let mut depth = 0_usize;
    let mut start = open + 1;
    let mut arguments = Vec::new();
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match character {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    arguments.push(text.get(start..at)?);
                    return Some((options, arguments, text.get(at + 1..)?));
                }
            }
            ',' | ';' if depth == 1 => {
                arguments.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// A part of a fraction, in parentheses unless it is a number or a single sign.
pub(super) fn atom(text: &str) -> String {
    let text = text.trim();
    let number = text.chars().all(|character| character.is_ascii_digit() || matches!(character, '.' | ','));
    if number || text.chars().count() == 1 { text.to_owned() } else { format!("({text})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_web_or_to_a_mail_address() {
        for (instruction, expected) in [
            (
                r#" HYPERLINK "https://a.example/claim" \l "step?kind=B" "#,
                Some("https://a.example/claim#step?kind=B"),
            ),
            (r#"HYPERLINK "mailto:desk@a.example""#, Some("mailto:desk@a.example")),
            (r"HYPERLINK https://a.example/ \t _blank", Some("https://a.example/")),
            (r#"HYPERLINK "https://a.example/" \o "a tip""#, Some("https://a.example/")),
            (r#"HYPERLINK \l "_Toc1""#, None),
            (r#"HYPERLINK "C:\\Users\\a\\b.doc""#, None),
            (r#"HYPERLINK "javascript:alert(1)""#, None),
            ("PAGEREF _Toc1", None),
        ] {
            assert_eq!(link(instruction).as_deref(), expected, "{instruction}");
        }
    }

    #[test]
    fn fields_without_a_result_are_computed() {
        for (instruction, expected) in [
            (r#" SYMBOL 183 \f "Symbol" "#, Some("•")),
            (r"EQ \f(a+b,2c)", Some("(a+b)/(2c)")),
            (r"EQ \r(3,x)", Some("root(3, x)")),
            (r#"EQ \* jc2 \* "Font:MS Mincho" \* hps10 \o\ad(\s\up 9(みなと),港)"#, Some("港")),
            ("MACROBUTTON NoMacro [Click here]", Some("[Click here]")),
            ("PAGE", None),
        ] {
            let mut fields = Fields::default();
            fields.begin(None);
            fields.instruct(instruction);
            assert_eq!(fields.end().as_deref(), expected, "{instruction}");
        }
    }

    #[test]
    fn only_the_results_of_fields_are_shown() {
        let mut fields = Fields::default();
        fields.begin(None);
        fields.begin(None);
        assert!(!fields.shows_text());
        fields.separate();
        assert!(!fields.shows_text());
        assert_eq!(fields.end(), None);
        fields.separate();
        assert!(fields.shows_text());
    }
}
