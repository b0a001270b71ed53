//! Fonts: character codes to text and widths.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use hayro_cmap::{BfString, CMap, CMapName, CidFamily};
use hayro_font::{
    CMapResolverFn, Font as Program, FontCache, FontGlyph, FontQuery, FontResolverFn, StandardFont,
};
use hayro_syntax::object::{Array, Dict, Name, Object, Stream, String as PdfString};
use rustc_hash::FxHashMap;

use super::names;
use super::strings;

/// The largest character identifier of a composite font. Larger ones in a table of widths are attempts to
/// exhaust memory.
const MAX_CID: i64 = 0xffff;

/// Font weight from which a font is bold (CSS: 600 is semi-bold).
const BOLD_WEIGHT: f32 = 600.0;

/// Bits of `/Flags` in a font descriptor (ISO 32000-2, table 121).
const FIXED_PITCH: u32 = 1;
const FORCE_BOLD: u32 = 1 << 18;

/// Ligatures of Latin letters.
const LIGATURES: [&str; 12] = ["ff", "fi", "fl", "ffi", "ffl", "st", "ft", "Th", "ct", "tt", "fj", "ffj"];

/// A font, or `None` for one that cannot be read.
type Loaded<'a> = Option<Rc<Font<'a>>>;

/// The fonts of a document.
pub(super) struct Fonts<'a> {
    programs: FontCache<'a>,
    known: RefCell<FxHashMap<(usize, usize), Loaded<'a>>>,
    substitute: RefCell<Option<Loaded<'a>>>,
    substitutes: FontResolverFn,
    predefined: CMapResolverFn,
}

/// A font.
pub(super) struct Font<'a> {
    program: Program<'a>,
    to_unicode: Option<CMap>,
    /// Text by character identifier, for the character collections of Adobe, and the encoding that gives the
    /// identifier.
    collection: Option<(CMap, CMap)>,
    /// Text by glyph number, of an embedded font without other information.
    by_glyph: RefCell<Option<HashMap<u32, char>>>,
    /// Text by code, of the glyph names in the encoding.
    by_name: RefCell<Option<HashMap<u32, String>>>,
    dict: Dict<'a>,
    texts: RefCell<FxHashMap<u32, Option<Rc<str>>>>,
    advances: RefCell<FxHashMap<u32, (f64, f64)>>,
    symbols: names::Symbols,
    states_encoding: bool,
    pub(super) bold: bool,
    pub(super) mono: bool,
    pub(super) vertical: bool,
    /// Height of the em square in text space units of 1. Differs from 1 for fonts of type 3.
    pub(super) em: f32,
    /// Whether the font is of type 3, whose glyphs are drawings.
    pub(super) drawn: bool,
}

impl<'a> Fonts<'a> {
    pub(super) fn new() -> Self {
        Self {
            programs: FontCache::new(),
            known: RefCell::default(),
            substitute: RefCell::default(),
            substitutes: Arc::new(|query| {
                Some(match query {
                    FontQuery::Standard(font) => font.get_font_data(),
                    FontQuery::Fallback(font) => font.pick_standard_font().get_font_data(),
                })
            }),
            predefined: Arc::new(hayro_cmap::load_embedded),
        }
    }

    /// The font of a font dictionary. `None` for one that cannot be read.
    pub(super) fn get(&self, dict: &Dict<'a>) -> Option<Rc<Font<'a>>> {
        let data = dict.data();
        let key = (data.as_ptr() as usize, data.len());
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let font = self.load(dict).map(Rc::new);
        self.known.borrow_mut().insert(key, font.clone());
        font
    }

    /// The font for text whose own font is missing or damaged: Helvetica, which fits Latin text.
    pub(super) fn substitute(&self) -> Option<Rc<Font<'a>>> {
        let mut substitute = self.substitute.borrow_mut();
        substitute
            .get_or_insert_with(|| {
                let program = self.programs.standard_font(StandardFont::Helvetica, &self.substitutes)?;
                Some(Rc::new(self.describe(&Dict::empty(), None, program)))
            })
            .clone()
    }

    fn load(&self, dict: &Dict<'a>) -> Option<Font<'a>> {
        let descendant =
            dict.get::<Array<'a>>(b"DescendantFonts").and_then(|list| list.iter::<Dict<'a>>().next());
        if let Some(descendant) = &descendant
            && !(widths_are_bounded(descendant, b"W", 1) && widths_are_bounded(descendant, b"W2", 3))
        {
            return None;
        }
        let program = self.programs.font(dict, &self.substitutes, &self.predefined)?;
        Some(self.describe(dict, descendant, program))
    }

    fn describe(&self, dict: &Dict<'a>, descendant: Option<Dict<'a>>, program: Program<'a>) -> Font<'a> {
        let owner = descendant.as_ref().unwrap_or(dict);
        let descriptor = owner.get::<Dict<'a>>(b"FontDescriptor").unwrap_or_default();
        let flags = descriptor.get::<u32>(b"Flags").unwrap_or_default();
        let name = dict.get::<Name<'a>>(b"BaseFont").map(|name| name.as_str().to_owned()).unwrap_or_default();
        let face = name.split_once('+').map_or(name.as_str(), |(_, face)| face).to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| face.contains(word));
        let drawn = dict.get::<Name<'a>>(b"Subtype").is_some_and(|kind| &*kind == b"Type3");
        Font {
            to_unicode: dict.get::<Stream<'a>>(b"ToUnicode").and_then(|stream| self.cmap(&stream)),
            collection: descendant.as_ref().and_then(|descendant| self.collection(dict, descendant)),
            by_glyph: RefCell::default(),
            by_name: RefCell::default(),
            dict: dict.clone(),
            texts: RefCell::default(),
            advances: RefCell::default(),
            symbols: names::Symbols::of(&face),
            states_encoding: dict.contains_key(b"Encoding"),
            bold: says(&["bold", "black", "heavy", "semibold", "demi"])
                || flags & FORCE_BOLD != 0
                || descriptor.get::<f32>(b"FontWeight").is_some_and(|weight| weight >= BOLD_WEIGHT),
            mono: says(&["courier", "mono", "consol", "typewriter", "menlo", "cmtt"])
                || flags & FIXED_PITCH != 0,
            vertical: !program.is_horizontal(),
            em: if drawn { type3_em(dict) } else { 1.0 },
            drawn,
            program,
        }
    }

    fn cmap(&self, stream: &Stream<'_>) -> Option<CMap> {
        let predefined = Arc::clone(&self.predefined);
        CMap::parse(&stream.decoded_data().ok()?, move |name| predefined(name))
    }

    /// The tables of a character collection: code to identifier, and identifier to text.
    fn collection(&self, dict: &Dict<'a>, descendant: &Dict<'a>) -> Option<(CMap, CMap)> {
        let parse = |name: CMapName<'_>| {
            let predefined = Arc::clone(&self.predefined);
            CMap::parse(predefined(name)?, move |name| predefined(name))
        };
        let encoding = match dict.get::<Object<'a>>(b"Encoding")? {
            Object::Name(name) => match CMapName::from_bytes(&name) {
                CMapName::IdentityH => CMap::identity_h(),
                CMapName::IdentityV => CMap::identity_v(),
                named => parse(named)?,
            },
            Object::Stream(stream) => self.cmap(&stream)?,
            _ => return None,
        };
        let info = descendant.get::<Dict<'a>>(b"CIDSystemInfo")?;
        let registry = info.get::<PdfString<'a>>(b"Registry")?;
        let ordering = info.get::<PdfString<'a>>(b"Ordering")?;
        let family = CidFamily::from_registry_ordering(registry.as_bytes(), ordering.as_bytes());
        let texts = parse(family.ucs2_cmap()?)?;
        Some((encoding, texts))
    }
}

impl<'a> Font<'a> {
    /// The next character code of a string at `offset`, and its length in bytes, at least 1.
    pub(super) fn next_code(&self, bytes: &[u8], offset: usize) -> (u32, usize) {
        let (code, length) = self.program.read_code(bytes, offset);
        (code, length.max(1))
    }

    /// Advance of a code, in thousandths of the font size: horizontal, and vertical in vertical writing.
    pub(super) fn advance(&self, code: u32) -> (f64, f64) {
        *self.advances.borrow_mut().entry(code).or_insert_with(|| {
            let advance = self.program.code_advance(code);
            (advance.x, advance.y)
        })
    }

    /// The text of a code. `None` when the font does not state it.
    pub(super) fn text(&self, code: u32) -> Option<Rc<str>> {
        if let Some(text) = self.texts.borrow().get(&code) {
            return text.clone();
        }
        let text = self.find_text(code).map(|text| Rc::from(strings::plain(&text)));
        self.texts.borrow_mut().insert(code, text.clone());
        text
    }

    fn find_text(&self, code: u32) -> Option<String> {
        let mapped = self.to_unicode.as_ref().and_then(|map| map.lookup_bf_string(code)).map(string);
        if let Some(text) = mapped.as_ref().filter(|text| strings::is_readable(text)) {
            return Some(self.ligature(code, text).unwrap_or_else(|| text.clone()));
        }
        let readable = |text: &String| strings::is_readable(text);
        if self.symbols == names::Symbols::Wingdings && !self.is_composite() {
            return self.symbols.text(mapped.as_deref(), code);
        }
        self.collection_text(code)
            .filter(readable)
            .or_else(|| self.unstated_text(code).filter(readable))
            .or_else(|| self.program_text(code).filter(readable))
            .or_else(|| self.named_text(code).filter(readable))
            .or_else(|| self.symbols.text(mapped.as_deref(), code))
    }

    /// The ligature named by the glyph name, where `ToUnicode` has only a sign or the first letters of the
    /// ligature. Some programs write TeX fonts so.
    fn ligature(&self, code: u32, mapped: &str) -> Option<String> {
        if self.is_composite() {
            return None;
        }
        let name = strings::plain(&self.named_text(code)?);
        let mapped = strings::plain(mapped);
        let wrong = !mapped.chars().any(char::is_alphanumeric)
            || (mapped.len() < name.len() && name.starts_with(&mapped));
        (LIGATURES.contains(&name.as_str()) && wrong).then_some(name)
    }

    fn collection_text(&self, code: u32) -> Option<String> {
        let (encoding, texts) = self.collection.as_ref()?;
        let cid = (1..=4).find_map(|length| encoding.lookup_cid_code(code, length))?;
        texts.lookup_bf_string(cid).map(string)
    }

    /// Text from the character map of an embedded font whose dictionary states no text.
    fn unstated_text(&self, code: u32) -> Option<String> {
        if !self.is_composite() && (self.to_unicode.is_some() || self.states_encoding) || self.drawn {
            return None;
        }
        let FontGlyph::Outline(glyph) = self.program.glyph(self.program.map_code(code), code) else {
            return None;
        };
        let mut by_glyph = self.by_glyph.borrow_mut();
        let map = by_glyph.get_or_insert_with(|| {
            glyph.font_data().map(|font| names::by_glyph((*font.data).as_ref())).unwrap_or_default()
        });
        map.get(&glyph.glyph_id().to_u32()).map(char::to_string)
    }

    fn is_composite(&self) -> bool {
        self.dict.contains_key(b"DescendantFonts")
    }

    fn program_text(&self, code: u32) -> Option<String> {
        match self.program.glyph(self.program.map_code(code), code) {
            FontGlyph::Outline(glyph) => glyph.as_unicode(),
            FontGlyph::Type3(glyph) => glyph.as_unicode(),
        }
        .map(string)
    }

    /// Text by the glyph name, regardless of `ToUnicode`.
    fn named_text(&self, code: u32) -> Option<String> {
        let mut by_name = self.by_name.borrow_mut();
        by_name.get_or_insert_with(|| names::by_code(&self.dict)).get(&code).cloned()
    }
}

fn string(text: BfString) -> String {
    match text {
        BfString::Char(character) => character.to_string(),
        BfString::String(text) => text,
    }
}

/// Whether the ranges of a table of widths end at valid identifiers. `values` is the number of values of one
/// character.
fn widths_are_bounded(font: &Dict<'_>, key: &[u8], values: usize) -> bool {
    let Some(table) = font.get::<Array<'_>>(key) else { return true };
    let mut numbers = 0;
    for entry in table.iter::<Object<'_>>() {
        match entry {
            Object::Number(number) => {
                numbers += 1;
                // The first two numbers of a range are identifiers.
                if numbers <= 2 && number.as_i64() > MAX_CID {
                    return false;
                }
                if numbers == 2 + values {
                    numbers = 0;
                }
            }
            _ => numbers = 0,
        }
    }
    true
}

/// Height of the em square of a font of type 3, by its matrix and its bounding box or widths.
fn type3_em(dict: &Dict<'_>) -> f32 {
    let [a, b, c, d, ..] = dict.get::<[f32; 6]>(b"FontMatrix").unwrap_or([0.001, 0.0, 0.0, 0.001, 0.0, 0.0]);
    let bounds = dict.get::<[f32; 4]>(b"FontBBox").unwrap_or_default();
    let height = (bounds[3] - bounds[1]).abs() * c.hypot(d);
    let widths = dict.get::<Array<'_>>(b"Widths");
    let widest = widths.map_or(0.0, |list| list.iter::<f32>().take(256).fold(0.0, f32::max)) * a.hypot(b);
    let em = if height > 0.0 { height } else { widest };
    // The usual size is right for a box of about the em square.
    if em.is_finite() && em > 0.0 && !(0.6..=1.8).contains(&em) { em } else { 1.0 }
}
