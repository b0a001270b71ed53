//! The interpreter of content streams.

use std::cell::Cell;

use hayro_syntax::content::UntypedIter;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};

use super::super::page::Page;
use super::fonts::Fonts;
use super::geometry::{Matrix, intersection};
use super::layers::Layers;
use super::marked::Marks;
use super::operands::{Operands, Resources};
use super::paths::Path;
use super::state::{State, color};

/// Maximum depth of saved graphics states.
const MAX_STATES: usize = 512;

/// Maximum depth of forms inside forms.
const MAX_FORMS: usize = 16;

/// Maximum number of operators of a document. A page has some thousands.
const MAX_OPERATORS: usize = 20_000_000;

/// Maximum number of forms that a page paints.
const MAX_PAINTED: usize = 20_000;

/// Maximum number of image positions kept of a page.
const MAX_IMAGES: usize = 5_000;

/// State common to the pages of a document.
pub(super) struct Shared<'a> {
    pub(super) fonts: Fonts<'a>,
    pub(super) layers: Layers,
    /// Number of operators that may still be interpreted.
    operators: Cell<usize>,
}

impl Shared<'_> {
    pub(super) fn new(layers: Layers) -> Self {
        Self { fonts: Fonts::new(), layers, operators: Cell::new(MAX_OPERATORS) }
    }
}

/// Interprets the content of one page.
pub(super) struct Interpreter<'s, 'a> {
    pub(super) shared: &'s Shared<'a>,
    pub(super) page: Page,
    pub(super) marks: Marks,
    pub(super) state: State<'a>,
    saved: Vec<State<'a>>,
    /// Number of saved states beyond [`MAX_STATES`].
    unsaved: usize,
    pub(super) text: TextMatrices,
    path: Path,
    /// Whether the path becomes part of the clip when it is painted.
    clips: bool,
    depth: usize,
    painted: usize,
    pub(super) run: u32,
    /// Number of glyphs without a text since the last one with a text.
    pub(super) unread: usize,
    /// Content whose glyphs are all artifacts, such as a watermark annotation.
    pub(super) artifact: bool,
}

/// The text matrix and the matrix of its line.
#[derive(Clone, Copy)]
pub(super) struct TextMatrices {
    pub(super) current: Matrix,
    pub(super) line: Matrix,
}

impl TextMatrices {
    const START: Self = Self { current: Matrix::IDENTITY, line: Matrix::IDENTITY };

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::translation(x, y).then(self.line);
        self.current = self.line;
    }
}

impl<'s, 'a> Interpreter<'s, 'a> {
    /// `matrix` maps the user space of the page to [`Page`].
    pub(super) fn new(shared: &'s Shared<'a>, page: Page, matrix: Matrix, marks: Marks) -> Self {
        Self {
            shared,
            marks,
            state: State::new(matrix, page.area()),
            page,
            saved: Vec::new(),
            unsaved: 0,
            text: TextMatrices::START,
            path: Path::default(),
            clips: false,
            depth: 0,
            painted: 0,
            run: 0,
            unread: 0,
            artifact: false,
        }
    }

    /// Resets the state for content with its own user space, such as an annotation.
    pub(super) fn start(&mut self, matrix: Matrix) {
        self.state = State::new(matrix, self.page.area());
        self.saved.clear();
        self.unsaved = 0;
        self.marks = Marks::default();
        self.text = TextMatrices::START;
        self.path = Path::default();
    }

    /// Interprets a content stream.
    pub(super) fn run(&mut self, content: &[u8], resources: &Dict<'a>) {
        let bottom = self.saved.len();
        let mut operators = UntypedIter::new(content);
        let resources = Resources::new(resources);
        while let Some(instruction) = operators.next() {
            let left = self.shared.operators.get();
            if left == 0 {
                self.page.damaged = true;
                break;
            }
            self.shared.operators.set(left - 1);
            let operands = Operands::new(instruction.operands());
            self.execute(instruction.operator, &operands, &resources, bottom);
        }
    }

    fn execute(
        &mut self,
        operator: &[u8],
        operands: &Operands<'_, '_>,
        resources: &Resources<'a>,
        bottom: usize,
    ) {
        match operator {
            b"q" => self.save(),
            b"Q" => self.restore(bottom),
            b"cm" => {
                if let Some(matrix) = operands.get() {
                    self.state.matrix = Matrix::new(matrix).then(self.state.matrix);
                }
            }
            b"w" => self.state.line_width = operands.number(),
            b"gs" => self.extended_state(operands, resources),
            b"g" | b"rg" | b"k" | b"sc" | b"scn" => {
                self.state.fill = color(&operands.numbers[..operands.count.min(4)])
            }
            b"G" | b"RG" | b"K" | b"SC" | b"SCN" => {
                self.state.stroke = color(&operands.numbers[..operands.count.min(4)]);
            }
            b"cs" => self.state.fill = 0,
            b"CS" => self.state.stroke = 0,
            b"Do" => self.paint_object(operands, resources),
            b"BI" => self.paint_image(),
            b"BMC" | b"BDC" => {
                let tag = match operands.first {
                    Some(Object::Name(name)) => name as &[u8],
                    _ => b"",
                };
                let properties = if operator == b"BDC" { operands.last } else { None };
                self.marks.begin(tag, properties, &resources.properties, &self.shared.layers, &self.page);
            }
            b"EMC" => self.marks.end(&mut self.page),
            _ => {
                if !self.path_operator(operator, operands) {
                    self.text_operator(operator, operands, resources);
                }
            }
        }
    }

    fn path_operator(&mut self, operator: &[u8], operands: &Operands<'_, '_>) -> bool {
        let matrix = self.state.matrix;
        match operator {
            b"m" => {
                if let Some([x, y]) = operands.get() {
                    self.path.move_to(matrix, x, y);
                }
            }
            b"l" => {
                if let Some([x, y]) = operands.get() {
                    self.path.line_to(matrix, x, y);
                }
            }
            b"c" => {
                if let Some([a, b, c, d, e, f]) = operands.get() {
                    self.path.curve_to(matrix, &[(a, b), (c, d), (e, f)]);
                }
            }
            b"v" | b"y" => {
                if let Some([a, b, c, d]) = operands.get() {
                    self.path.curve_to(matrix, &[(a, b), (c, d)]);
                }
            }
            b"re" => {
                if let Some([x, y, width, height]) = operands.get() {
                    self.path.rectangle(matrix, x, y, width, height);
                }
            }
            b"h" => self.path.close(),
            b"W" | b"W*" => self.clips = true,
            b"n" => self.paint_path(false, false),
            b"f" | b"F" | b"f*" => self.paint_path(true, false),
            b"S" => self.paint_path(false, true),
            b"s" => {
                self.path.close();
                self.paint_path(false, true);
            }
            b"B" | b"B*" => self.paint_path(true, true),
            b"b" | b"b*" => {
                self.path.close();
                self.paint_path(true, true);
            }
            _ => return false,
        }
        true
    }

    fn text_operator(&mut self, operator: &[u8], operands: &Operands<'_, '_>, resources: &Resources<'a>) {
        match operator {
            b"BT" => self.text = TextMatrices::START,
            b"Tf" => {
                let name = operands
                    .first
                    .and_then(|name| if let Object::Name(name) = name { Some(name) } else { None });
                self.state.size = operands.number();
                let dict = name.and_then(|name| resources.fonts.get::<Dict<'a>>(name.as_ref() as &[u8]));
                self.state.font = dict.and_then(|dict| self.shared.fonts.get(&dict));
            }
            b"Tc" => self.state.character_spacing = operands.number(),
            b"Tw" => self.state.word_spacing = operands.number(),
            b"Tz" => self.state.scaling = operands.number() / 100.0,
            b"TL" => self.state.leading = operands.number(),
            b"Ts" => self.state.rise = operands.number(),
            // The mode is a small number.
            b"Tr" => self.state.mode = operands.number().clamp(0.0, 7.0) as u8,
            b"Td" => {
                if let Some([x, y]) = operands.get() {
                    self.text.next_line(x, y);
                }
            }
            b"TD" => {
                if let Some([x, y]) = operands.get() {
                    self.state.leading = -y;
                    self.text.next_line(x, y);
                }
            }
            b"Tm" => {
                if let Some(matrix) = operands.get() {
                    self.text.line = Matrix::new(matrix);
                    self.text.current = self.text.line;
                }
            }
            b"T*" => self.text.next_line(0.0, -self.state.leading),
            b"Tj" | b"TJ" => self.show_operand(operands.last),
            b"'" => {
                self.text.next_line(0.0, -self.state.leading);
                self.show_operand(operands.last);
            }
            b"\"" => {
                if let Some([word, character]) = operands.get() {
                    self.state.word_spacing = word;
                    self.state.character_spacing = character;
                }
                self.text.next_line(0.0, -self.state.leading);
                self.show_operand(operands.last);
            }
            _ => {}
        }
    }

    fn show_operand(&mut self, operand: Option<&Object<'_>>) {
        self.run = self.run.saturating_add(1);
        match operand {
            Some(Object::String(text)) => self.show(text.as_bytes()),
            Some(Object::Array(parts)) => {
                for part in parts.iter::<Object<'_>>() {
                    match part {
                        Object::String(text) => self.show(text.as_bytes()),
                        Object::Number(number) => self.adjust(number.as_f64()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn save(&mut self) {
        if self.saved.len() < MAX_STATES {
            self.saved.push(self.state.clone());
        } else {
            self.unsaved += 1;
        }
    }

    /// Restores the last state that this content stream saved.
    fn restore(&mut self, bottom: usize) {
        if self.unsaved > 0 {
            self.unsaved -= 1;
        } else if self.saved.len() > bottom
            && let Some(state) = self.saved.pop()
        {
            self.state = state;
        }
    }

    fn extended_state(&mut self, operands: &Operands<'_, '_>, resources: &Resources<'a>) {
        let Some(name) = operands.name() else { return };
        let Some(state) = resources.states.get::<Dict<'a>>(name) else { return };
        if let Some(font) = state.get::<Array<'a>>(b"Font") {
            self.state.font = font.iter::<Dict<'a>>().next().and_then(|dict| self.shared.fonts.get(&dict));
            if let Some(Object::Number(size)) = font.iter::<Object<'a>>().nth(1) {
                self.state.size = size.as_f64();
            }
        }
        if let Some(width) = state.get::<f32>(b"LW") {
            self.state.line_width = f64::from(width);
        }
    }

    fn paint_path(&mut self, fill: bool, stroke: bool) {
        let path = std::mem::take(&mut self.path);
        if (fill || stroke) && !self.marks.is_hidden() {
            path.paint(&mut self.page, &self.state, fill, stroke);
        }
        if std::mem::take(&mut self.clips) {
            self.state.clip = path.clip(self.state.clip);
        }
    }

    fn paint_object(&mut self, operands: &Operands<'_, '_>, resources: &Resources<'a>) {
        let Some(object) = operands.name().and_then(|name| resources.objects.get::<Stream<'a>>(name)) else {
            return;
        };
        if self.marks.is_hidden() || self.shared.layers.hide(object.dict(), b"OC") {
            return;
        }
        match object.dict().get::<Name<'a>>(b"Subtype").as_deref() {
            Some(b"Image") => self.paint_image(),
            Some(b"Form") => self.paint_form(&object, &resources.all),
            _ => {}
        }
    }

    fn paint_image(&mut self) {
        let area = self.state.matrix.bounds(0.0, 0.0, 1.0, 1.0);
        let area = intersection(area, self.state.clip.unwrap_or(area));
        if !self.marks.is_hidden()
            && area.x1 > area.x0
            && area.y1 > area.y0
            && self.page.images.len() < MAX_IMAGES
        {
            self.page.images.push(area);
        }
    }

    /// Paints a form. `inherited` are the resources of a form that has none.
    pub(super) fn paint_form(&mut self, form: &Stream<'a>, inherited: &Dict<'a>) {
        if self.depth >= MAX_FORMS || self.painted >= MAX_PAINTED {
            return;
        }
        let Ok(content) = form.decoded_data() else {
            self.page.damaged = true;
            return;
        };
        self.depth += 1;
        self.painted += 1;
        let outer = (self.state.clone(), self.text, self.marks.depth());
        // The identifiers of marked content in a form are its own.
        let replacements = self.marks.take_replacements();
        let dict = form.dict();
        if let Some(matrix) = dict.get::<[f64; 6]>(b"Matrix") {
            self.state.matrix = Matrix::new(matrix).then(self.state.matrix);
        }
        if let Some([x0, y0, x1, y1]) = dict.get::<[f64; 4]>(b"BBox") {
            let bounds = self.state.matrix.bounds(x0, y0, x1, y1);
            self.state.clip = Some(intersection(bounds, self.state.clip.unwrap_or(bounds)));
        }
        let own = dict.get::<Dict<'a>>(b"Resources");
        let (bottom, unsaved) = (self.saved.len(), std::mem::take(&mut self.unsaved));
        self.run(&content, own.as_ref().unwrap_or(inherited));
        self.saved.truncate(bottom);
        self.unsaved = unsaved;
        // Marks that the form left open end with it.
        while self.marks.depth() > outer.2 {
            self.marks.end(&mut self.page);
        }
        self.marks.put_replacements(replacements);
        self.path = Path::default();
        (self.state, self.text) = (outer.0, outer.1);
        self.depth -= 1;
    }
}
