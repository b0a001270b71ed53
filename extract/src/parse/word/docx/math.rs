//! Equations (OMML) as linear text: `(a+b)/(2c)=x^3`.

use unicode_normalization::UnicodeNormalization as _;

use super::xml::Node;
use crate::parse::word::fields::atom;

/// The equation in one line.
pub(super) fn linear(node: &Node) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn children(node: &Node, out: &mut String) {
    for child in node.nodes() {
        write(child, out);
    }
}

/// The text of a child element.
fn part(node: &Node, name: &str) -> String {
    let mut text = String::new();
    if let Some(child) = node.child(name) {
        children(child, &mut text);
    }
    text.trim().to_owned()
}

/// A property of an element: `m:dPr/m:begChr`. None if it is absent; an empty value is a value.
fn property<'a>(node: &'a Node, properties: &str, name: &str) -> Option<&'a str> {
    node.at(&[properties, name]).map(|property| property.val().unwrap_or_default())
}

/// A mathematical letter as an ordinary one, so that a search for `x` finds it.
fn plain(character: char) -> char {
    match character {
        'ℎ' => 'h',
        '\u{1d400}'..='\u{1d7ff}' => character.nfkc().next().unwrap_or(character),
        _ => character,
    }
}

fn write(node: &Node, out: &mut String) {
    match &*node.name {
        "t" => out.extend(node.text().chars().map(plain)),
        "br" => out.push(' '),
        "f" => {
            let (above, below) = (part(node, "num"), part(node, "den"));
            if property(node, "fPr", "type") == Some("noBar") {
                out.push_str(&format!("({above} over {below})"));
            } else {
                out.push_str(&format!("{}/{}", atom(&above), atom(&below)));
            }
        }
        "sSup" => push_scripts(out, &part(node, "e"), None, Some(part(node, "sup"))),
        "sSub" => push_scripts(out, &part(node, "e"), Some(part(node, "sub")), None),
        "sSubSup" => push_scripts(out, &part(node, "e"), Some(part(node, "sub")), Some(part(node, "sup"))),
        "sPre" => {
            push_scripts(out, "", Some(part(node, "sub")), Some(part(node, "sup")));
            out.push_str(&part(node, "e"));
        }
        "rad" => {
            let (degree, radicand) = (part(node, "deg"), part(node, "e"));
            if degree.is_empty() || degree == "2" {
                out.push_str(&format!("sqrt({radicand})"));
            } else {
                out.push_str(&format!("root({degree}, {radicand})"));
            }
        }
        "nary" => {
            let sign = property(node, "naryPr", "chr").filter(|sign| !sign.is_empty()).unwrap_or("∫");
            let script = |name: &str| Some(part(node, name)).filter(|text| !text.is_empty());
            push_scripts(out, sign, script("sub"), script("sup"));
            out.push(' ');
            out.push_str(&part(node, "e"));
        }
        "d" => {
            let parts: Vec<String> = node
                .nodes()
                .filter(|child| &*child.name == "e")
                .map(|child| {
                    let mut text = String::new();
                    children(child, &mut text);
                    text.trim().to_owned()
                })
                .collect();
            out.push_str(property(node, "dPr", "begChr").unwrap_or("("));
            out.push_str(&parts.join(property(node, "dPr", "sepChr").unwrap_or("|")));
            out.push_str(property(node, "dPr", "endChr").unwrap_or(")"));
        }
        "m" => {
            let rows: Vec<String> = node
                .nodes()
                .filter(|row| &*row.name == "mr")
                .map(|row| {
                    let cells = row.nodes().filter(|cell| &*cell.name == "e").map(|cell| {
                        let mut text = String::new();
                        children(cell, &mut text);
                        text.trim().to_owned()
                    });
                    cells.collect::<Vec<_>>().join(", ")
                })
                .collect();
            out.push_str(&format!("[{}]", rows.join("; ")));
        }
        "eqArr" => {
            let rows: Vec<String> = node
                .nodes()
                .filter(|row| &*row.name == "e")
                .map(|row| {
                    let mut text = String::new();
                    children(row, &mut text);
                    text.replace('&', "").trim().to_owned()
                })
                .collect();
            out.push_str(&rows.join("; "));
        }
        "func" => {
            out.push_str(&part(node, "fName"));
            out.push(' ');
            out.push_str(&part(node, "e"));
        }
        "limLow" => push_scripts(out, &part(node, "e"), Some(part(node, "lim")), None),
        "limUpp" => push_scripts(out, &part(node, "e"), None, Some(part(node, "lim"))),
        "acc" => {
            out.push_str(&part(node, "e"));
            out.push_str(property(node, "accPr", "chr").unwrap_or("\u{302}"));
        }
        "bar" => {
            out.push_str(&part(node, "e"));
            let low = property(node, "barPr", "pos") != Some("top");
            out.push(if low { '\u{332}' } else { '\u{305}' });
        }
        "groupChr" => out.push_str(&part(node, "e")),
        // Lines of a display equation are separated.
        "oMath" => {
            if !out.is_empty() {
                out.push(' ');
            }
            children(node, out);
        }
        "del" | "moveFrom" => {}
        name if name.ends_with("Pr") => {}
        _ => children(node, out),
    }
}

fn is_word(text: &str) -> bool {
    text.chars().all(char::is_alphanumeric)
}

fn push_scripts(out: &mut String, base: &str, below: Option<String>, above: Option<String>) {
    // A base of several letters, such as "lim", needs no parentheses.
    let simple =
        base.chars().all(char::is_alphanumeric) || base.chars().count() == 1 || base.ends_with([')', ']']);
    if simple {
        out.push_str(base)
    } else {
        out.push_str(&atom(base))
    }
    for (sign, script) in [('_', below), ('^', above)] {
        if let Some(script) = script.filter(|script| !script.is_empty()) {
            out.push(sign);
            if is_word(&script) { out.push_str(&script) } else { out.push_str(&atom(&script)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::word::docx::xml::each;

    fn read(inner: &str) -> String {
        let mut text = String::new();
        each(format!("<body><m:oMath>{inner}</m:oMath></body>").as_bytes(), "body", |node| {
            text = linear(&node);
            true
        });
        text
    }

    fn t(text: &str) -> String {
        format!("<m:r><m:t>{text}</m:t></m:r>")
    }

    #[test]
    fn equations_are_linear_text() {
        let [a, b, c, n] = ["a", "b", "c", "n"].map(t);
        for (inner, expected) in [
            (format!("<m:f><m:num>{a}{b}</m:num><m:den>{c}</m:den></m:f>"), "(ab)/c"),
            (format!("<m:f><m:num>{}</m:num><m:den>{}</m:den></m:f>", t("a+b"), t("2-c")), "(a+b)/(2-c)"),
            (format!("<m:sSup><m:e>{a}</m:e><m:sup>{}</m:sup></m:sSup>", t("n+1")), "a^(n+1)"),
            (format!("<m:sSubSup><m:e>{a}</m:e><m:sub>{b}</m:sub><m:sup>{c}</m:sup></m:sSubSup>"), "a_b^c"),
            (format!("<m:rad><m:radPr><m:degHide/></m:radPr><m:deg/><m:e>{a}</m:e></m:rad>"), "sqrt(a)"),
            (format!("<m:rad><m:deg>{}</m:deg><m:e>{a}</m:e></m:rad>", t("3")), "root(3, a)"),
            (
                format!(
                    "<m:nary><m:naryPr><m:chr m:val=\"∑\"/></m:naryPr><m:sub>{}</m:sub><m:sup>{n}</m:sup>\
                     <m:e>{a}</m:e></m:nary>",
                    t("i=1")
                ),
                "∑_(i=1)^n a",
            ),
            (
                format!(
                    "<m:d><m:dPr><m:begChr m:val=\"[\"/><m:endChr m:val=\"]\"/></m:dPr><m:e><m:m><m:mr>\
                     <m:e>{a}</m:e><m:e>{b}</m:e></m:mr><m:mr><m:e>{c}</m:e><m:e>{n}</m:e></m:mr></m:m></m:e></m:d>"
                ),
                "[[a, b; c, n]]",
            ),
            (format!("<m:d><m:e>{a}</m:e></m:d>"), "(a)"),
            (t("𝑥≤𝛼ℎ"), "x≤αh"),
            (format!("<m:func><m:fName>{}</m:fName><m:e>{a}</m:e></m:func>", t("sin")), "sin a"),
        ] {
            assert_eq!(read(&inner), expected);
        }
    }
}
