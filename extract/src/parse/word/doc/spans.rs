//! The text of a paragraph, with the fields, notes and symbols in it.

use std::ops::Range;

use super::properties::{Character, Paragraph};
use super::{Reader, forms};
use crate::parse::word::model::{Emphasis, Span};
use crate::parse::word::scripts::{self, Script};
use crate::parse::word::symbols;

/// Characters with a special meaning.
mod mark {
    pub(super) const PICTURE: u16 = 0x01;
    pub(super) const NOTE: u16 = 0x02;
    pub(super) const TAB: u16 = 0x09;
    pub(super) const LINE: u16 = 0x0b;
    pub(super) const PAGE: u16 = 0x0c;
    pub(super) const COLUMN: u16 = 0x0e;
    pub(super) const FIELD_BEGIN: u16 = 0x13;
    pub(super) const FIELD_RESULT: u16 = 0x14;
    pub(super) const FIELD_END: u16 = 0x15;
    pub(super) const HYPHEN: u16 = 0x1e;
    pub(super) const SYMBOL: u16 = 0x28;
}

impl Reader {
    /// The spans of the characters in a range.
    pub(super) fn spans(&mut self, range: Range<usize>, paragraph: &Paragraph) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let (end, character) = self.run(at, range.end, paragraph);
            self.push_run(at..end, &character, &mut spans);
            at = end;
        }
        spans
    }

    /// The end of the run of equal properties that begins at a position, and these properties.
    fn run(&self, at: usize, limit: usize, paragraph: &Paragraph) -> (usize, Character) {
        let mut character = Character::default();
        let Some(piece) = self.text.piece(at) else { return (at + 1, character) };
        let offset = piece.offset + (at - piece.start) * piece.width;
        let run = self.characters.at(offset);
        let run_end = match run {
            Some(run) => run.end as usize,
            None => self.characters.next_start(offset).map_or(usize::MAX, |start| start as usize),
        };
        let length = run_end.saturating_sub(offset).div_ceil(piece.width).max(1);
        let end = at.saturating_add(length).min(piece.end).min(limit).min(self.notes.after(at)).max(at + 1);
        // Of the style of the paragraph only hidden text and fonts matter. Its emphasis applies to all its
        // text, and so emphasises nothing.
        self.styles.apply_character(paragraph.style, &mut character);
        let Character { hidden, font, other_font, .. } = character;
        character = Character { hidden, font, other_font, ..Character::default() };
        if let Some(run) = run {
            let properties = run.properties(&self.main);
            let mut direct = Character::default();
            direct.apply(properties);
            if let Some(style) = direct.style {
                self.styles.apply_character(style, &mut character);
            }
            character.apply(properties);
        }
        character.apply(&piece.properties);
        (end, character)
    }

    fn push_run(&mut self, range: Range<usize>, character: &Character, spans: &mut Vec<Span>) {
        let mut range = range;
        // A note with a mark written by the author.
        if !character.special && !character.deleted && self.notes.is_at(range.start) {
            let mark = self.custom_mark(range.clone());
            if let Some(label) = self.reference(range.start, &mark) {
                push(spans, &format!("[^{label}]"), Emphasis::default(), None);
                range.start += mark.encode_utf16().count();
            }
        }
        let mut text = String::new();
        let mut high = None;
        for at in range {
            let Some(unit) = self.text.units.get(at).copied() else { break };
            if let 0xd800..=0xdbff = unit {
                high = Some(unit);
                continue;
            }
            let first = high.take();
            match unit {
                mark::FIELD_BEGIN | mark::FIELD_RESULT | mark::FIELD_END => {
                    self.flush(&mut text, character, spans);
                    self.field(unit, character, spans);
                }
                // A picture, or the data of a form field.
                mark::PICTURE if character.special => {
                    if let Some(at) = character.data
                        && !self.fields.shows_text()
                        && let Some(shown) = forms::shown(&self.data, at as usize)
                    {
                        self.fields.set_form(shown);
                    }
                }
                mark::NOTE if character.special => {
                    self.flush(&mut text, character, spans);
                    self.note(at, character, spans);
                }
                mark::SYMBOL if character.special => text.extend(self.symbol(character)),
                mark::TAB => text.push('\t'),
                mark::LINE => text.push('\n'),
                mark::PAGE | mark::COLUMN => text.push(' '),
                mark::HYPHEN => text.push('-'),
                0x00..=0x1f | 0xad => {}
                _ => {
                    let pair: Vec<u16> = first.into_iter().chain([unit]).collect();
                    text.push_str(&String::from_utf16_lossy(&pair));
                }
            }
        }
        self.flush(&mut text, character, spans);
    }

    /// The mark written by an author: a word of up to four characters. Of a longer word, the signs at its
    /// start or its first character.
    fn custom_mark(&self, range: Range<usize>) -> String {
        const LONGEST: usize = 4;

        let units = self.text.units.get(range).unwrap_or_default();
        let text = String::from_utf16_lossy(units);
        let ends = |character: &char| character.is_whitespace() || character.is_control();
        let word: String = text.chars().take_while(|character| !ends(character)).take(LONGEST + 1).collect();
        if word.chars().count() <= LONGEST {
            return word;
        }
        let signs: String =
            word.chars().take_while(|character| !character.is_alphanumeric()).take(LONGEST).collect();
        if signs.is_empty() { word.chars().take(1).collect() } else { signs }
    }

    /// Adds the text collected so far, as the text of a field's instruction or as displayed text.
    fn flush(&mut self, text: &mut String, character: &Character, spans: &mut Vec<Span>) {
        let text = std::mem::take(text);
        if text.is_empty() || character.deleted {
            return;
        }
        if !self.fields.shows_text() {
            self.fields.instruct(&text);
            return;
        }
        if character.hidden {
            return;
        }
        let mut text = self.of_font(text, character);
        let script = match character.raised {
            1 => Some(Script::Super),
            2 => Some(Script::Sub),
            _ => None,
        };
        if let Some(script) = script {
            let before = spans.last().and_then(|span| span.text.chars().next_back());
            text = scripts::write(script, &text, before);
        }
        self.fields.mark();
        let emphasis = Emphasis { bold: character.bold, italic: character.italic, strike: character.strike };
        push(spans, &text, emphasis, self.fields.link());
    }

    /// Text in a symbol font as the displayed signs.
    fn of_font(&self, text: String, character: &Character) -> String {
        let name =
            |font: Option<u16>| font.and_then(|font| self.fonts.get(usize::from(font))).map(String::as_str);
        let fonts = [name(character.font), name(character.other_font)];
        let symbol = fonts.into_iter().flatten().find(|font| symbols::is_symbol_font(font));
        let is_private = |character| matches!(character, '\u{f000}'..='\u{f0ff}');
        // Only the font of ASCII text can turn letters into signs.
        let letters = fonts.first().copied().flatten().is_some_and(symbols::is_symbol_font);
        if letters || text.contains(is_private) {
            return symbols::text(symbol.unwrap_or_default(), &text);
        }
        text
    }

    fn symbol(&self, character: &Character) -> Option<char> {
        let (font, code) = character.symbol?;
        let font = self.fonts.get(usize::from(font)).map_or("Symbol", String::as_str);
        symbols::character(font, u32::from(code))
    }

    fn field(&mut self, mark: u16, character: &Character, spans: &mut Vec<Span>) {
        match mark {
            mark::FIELD_BEGIN => self.fields.begin(None),
            mark::FIELD_RESULT => self.fields.separate(),
            _ => {
                let text = self.fields.end();
                if let Some(text) = text.filter(|_| !character.hidden && !character.deleted) {
                    push(spans, &text, Emphasis::default(), self.fields.link());
                }
            }
        }
    }

    fn note(&mut self, at: usize, character: &Character, spans: &mut Vec<Span>) {
        if character.deleted || character.hidden || !self.fields.shows_text() {
            return;
        }
        if let Some(label) = self.reference(at, "") {
            push(spans, &format!("[^{label}]"), Emphasis::default(), None);
        }
    }
}

fn push(spans: &mut Vec<Span>, text: &str, emphasis: Emphasis, link: Option<std::rc::Rc<str>>) {
    match spans.last_mut() {
        Some(last) if last.emphasis == emphasis && last.link == link => last.text.push_str(text),
        _ => spans.push(Span { text: text.to_owned(), emphasis, link }),
    }
}
