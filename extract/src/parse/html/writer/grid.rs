//! The grid of a table: spans expanded, header rows joined, empty rows and columns removed.
//!
//! The text of a cell that spans rows or columns is repeated in each of them, because rows are read
//! separately. Spans are limited by the other rows and by a budget, so that a small page cannot produce a
//! large text.

/// Maximum number of columns.
const MAX_COLUMNS: usize = 200;

/// Maximum number of grid places. Further cells are joined into the last column.
const MAX_PLACES: usize = 3_000_000;

/// Maximum length of a repeated text, in bytes.
const MAX_REPEATED: usize = 300;

/// Part of a table. Cells do not span across parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Head,
    Body(usize),
    Foot,
}

/// A cell as in the source.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) header: bool,
    pub(super) columns: usize,
    /// Number of spanned rows. 0 spans to the end of the section.
    pub(super) rows: usize,
}

/// A row as in the source.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) section: Section,
    pub(super) cells: Vec<Cell>,
}

/// A place in the grid: its text, and the number of its source cell.
#[derive(Clone, Debug, Default)]
struct Place {
    text: String,
    origin: Option<usize>,
    header: bool,
}

/// A row of the grid.
#[derive(Debug)]
struct Line {
    section: Section,
    places: Vec<Place>,
}

/// A table with one place for each row and column.
#[derive(Debug)]
pub(super) struct Grid {
    lines: Vec<Line>,
}

/// A cell that spans the next rows.
struct Pending {
    left: usize,
    place: Place,
}

impl Grid {
    /// Expands the spans. `budget`: number of bytes that repetition may still add.
    pub(super) fn new(rows: Vec<Row>, budget: &mut usize) -> Self {
        let width = width(&rows).min(MAX_PLACES / rows.len().max(1)).max(1);
        let mut lines: Vec<Line> = Vec::new();
        let mut pending: Vec<Option<Pending>> = Vec::new();
        pending.resize_with(width, || None);
        let mut origin = 0;
        for row in rows {
            if lines.last().is_some_and(|last| last.section != row.section) {
                pending.iter_mut().for_each(|slot| *slot = None);
            }
            let mut places = vec![Place::default(); width];
            let mut cells = row.cells.into_iter();
            let mut column = 0;
            while column < width {
                if let Some(Some(open)) = pending.get_mut(column).map(Option::as_mut) {
                    if let Some(place) = places.get_mut(column) {
                        *place = open.place.clone();
                    }
                    open.left -= 1;
                    if open.left == 0
                        && let Some(slot) = pending.get_mut(column)
                    {
                        *slot = None;
                    }
                    column += 1;
                    continue;
                }
                let Some(cell) = cells.next() else {
                    // Cells from rows above may still fill later columns.
                    column += 1;
                    continue;
                };
                origin += 1;
                let below = match cell.rows {
                    0 => usize::MAX,
                    rows => rows - 1,
                };
                let mut text = cell.text;
                for step in 0..cell.columns.clamp(1, width - column) {
                    if step > 0 && pending.get(column).is_some_and(Option::is_some) {
                        break;
                    }
                    let repeats = step > 0 || below > 0;
                    let place = Place { text: text.clone(), origin: Some(origin), header: cell.header };
                    if repeats
                        && below > 0
                        && let Some(slot) = pending.get_mut(column)
                    {
                        let repeated = repeated(&place, budget);
                        *slot = Some(Pending { left: below, place: repeated });
                    }
                    if let Some(slot) = places.get_mut(column) {
                        *slot = place;
                    }
                    if step == 0 && cell.columns > 1 {
                        text = repeated_text(&text, budget);
                    }
                    column += 1;
                }
            }
            for cell in cells.filter(|cell| !cell.text.is_empty()) {
                if let Some(last) = places.last_mut() {
                    last.text.push_str("; ");
                    last.text.push_str(&cell.text);
                }
            }
            lines.push(Line { section: row.section, places });
        }
        let mut grid = Grid { lines };
        grid.drop_columns();
        grid.lines.retain(|line| line.places.iter().any(|place| !place.text.is_empty()));
        grid
    }

    /// Removes empty columns, and columns covered only by cells that span from the previous column.
    fn drop_columns(&mut self) {
        let width = self.lines.first().map_or(0, |line| line.places.len());
        let mut kept = vec![true; width];
        for column in 0..width {
            let empty = self
                .lines
                .iter()
                .all(|line| line.places.get(column).is_none_or(|place| place.text.is_empty()));
            let same = column > 0
                && self.lines.iter().all(|line| {
                    let origin = |column: usize| line.places.get(column).and_then(|place| place.origin);
                    origin(column).is_none() || origin(column) == origin(column - 1)
                });
            if let Some(keep) = kept.get_mut(column) {
                *keep = !empty && !same;
            }
        }
        for line in &mut self.lines {
            let mut keep = kept.iter();
            line.places.retain(|_| keep.next().copied().unwrap_or(false));
        }
    }

    /// Removes leading rows with one header cell across all columns, and returns them as the table's title.
    pub(super) fn take_title(&mut self) -> String {
        let mut titles = Vec::new();
        while self.lines.len() > 1
            && let Some(first) = self.lines.first()
            && first.places.len() > 1
            && is_whole(&first.places)
            && (first.section == Section::Head || first.places.first().is_some_and(|place| place.header))
        {
            titles.push(self.lines.remove(0).places.swap_remove(0).text);
            // Removal at the front is slow, so at most three titles are taken.
            if titles.len() == 3 {
                break;
            }
        }
        titles.join(" – ").replace("\\|", "|")
    }

    /// The number of header rows. `looks`: whether the first row looks like one.
    pub(super) fn head_rows(&self, looks: bool) -> usize {
        let head = self.lines.iter().take_while(|line| line.section == Section::Head).count();
        if head > 0 {
            return head;
        }
        let headers = self.lines.iter().take_while(|line| {
            line.places.iter().all(|place| place.header || place.text.is_empty())
                && line.places.iter().filter(|place| place.header && !place.text.is_empty()).count()
                    > usize::from(line.places.len() > 1)
        });
        let headers = headers.count();
        if headers == self.lines.len() {
            // Only header cells: the first row is the header.
            return usize::from(headers > 1);
        }
        if headers > 0 { headers } else { usize::from(looks) }
    }

    /// The header rows joined into one: `Price: net`.
    pub(super) fn joined_head(&self, rows: usize) -> Vec<String> {
        let width = self.lines.first().map_or(0, |line| line.places.len());
        let column = |column: usize| {
            let mut parts: Vec<&str> = Vec::new();
            for line in self.lines.iter().take(rows) {
                let text = line.places.get(column).map_or("", |place| place.text.as_str());
                if !text.is_empty() && parts.last() != Some(&text) {
                    parts.push(text);
                }
            }
            parts.iter().enumerate().fold(String::new(), |mut joined, (index, part)| {
                if index > 0 {
                    joined.push_str(if joined.ends_with(':') { " " } else { ": " });
                }
                joined.push_str(part);
                joined
            })
        };
        (0..width).map(column).collect()
    }

    /// The rows below the header. The text of a cell across all columns is written once.
    pub(super) fn body(self, head: usize) -> Vec<Vec<String>> {
        let rows = self.lines.into_iter().skip(head).map(|line| {
            let whole = is_whole(&line.places);
            let texts = line.places.into_iter().enumerate();
            texts
                .map(|(column, place)| if whole && column > 0 { String::new() } else { place.text })
                .collect()
        });
        rows.collect()
    }
}

/// Whether a row of several columns consists of one cell.
fn is_whole(places: &[Place]) -> bool {
    let first = places.first().and_then(|place| place.origin);
    places.len() > 1 && first.is_some() && places.iter().all(|place| place.origin == first)
}

/// The number of columns. A cell alone in its row takes the width of the other rows.
fn width(rows: &[Row]) -> usize {
    let mut open: Vec<usize> = Vec::new();
    let mut width = 0;
    let mut alone = 0;
    let mut section = None;
    for row in rows {
        if section != Some(row.section) {
            open.clear();
            section = Some(row.section);
        }
        let spanned = open.len();
        let own: usize = row.cells.iter().map(|cell| cell.columns.clamp(1, MAX_COLUMNS)).sum();
        let total = (own + spanned).min(MAX_COLUMNS);
        if row.cells.len() + spanned > 1 {
            width = width.max(total);
        } else {
            alone = alone.max(total);
        }
        open.iter_mut().for_each(|left| *left -= 1);
        open.retain(|left| *left > 0);
        for cell in &row.cells {
            let below = if cell.rows == 0 { usize::MAX } else { cell.rows - 1 };
            if below > 0 {
                for _ in 0..cell.columns.clamp(1, MAX_COLUMNS) {
                    if open.len() < MAX_COLUMNS {
                        open.push(below);
                    }
                }
            }
        }
    }
    if width == 0 { alone.min(1) } else { width }
}

fn repeated(place: &Place, budget: &mut usize) -> Place {
    Place { text: repeated_text(&place.text, budget), ..place.clone() }
}

/// The repetition of a text, or an empty string if the text is too long or the budget is used up.
fn repeated_text(text: &str, budget: &mut usize) -> String {
    if text.len() > MAX_REPEATED || text.len() > *budget {
        return String::new();
    }
    *budget -= text.len();
    text.to_owned()
}
