//! Tables without lines: rows with parts in the same columns.

use super::super::page::Rect;
use super::cells::{self, Cells, is_numeric};
use super::line_text;
use super::lines::Line;
use super::piece::{Piece, union};

/// Minimum gap between two cells, in em.
const CELL_GAP: f32 = 1.1;

/// Maximum number of columns.
const MAX_COLUMNS: usize = 40;

/// A table found among the lines `from..to` of a region.
#[derive(Debug)]
pub(super) struct Aligned {
    pub from: usize,
    pub to: usize,
    pub cells: Cells,
}

/// A row: the line and its parts.
struct Row<'a> {
    line: &'a Line,
    parts: Vec<Line>,
}

/// Finds the tables among the lines of a region, from top to bottom.
pub(super) fn tables(lines: &[Line]) -> Vec<Aligned> {
    let rows: Vec<Row> =
        lines.iter().map(|line| Row { line, parts: line.segments(CELL_GAP * line.size) }).collect();
    let mut tables = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let end = run_end(&rows, at);
        match (end > at + 1).then(|| rows.get(at..end).and_then(table)).flatten() {
            Some((skipped, used, cells)) => {
                tables.push(Aligned { from: at + skipped, to: at + used, cells });
                at += used;
            }
            None => at = end.max(at + 1),
        }
    }
    tables
}

/// The end of a possible table from row `start` on: rows of several parts, and short lines between them.
fn run_end(rows: &[Row], start: usize) -> usize {
    // Blanks in code are no columns.
    if rows.get(start).is_none_or(|row| row.parts.len() < 2 || (row.line.mono && row.parts.len() < 3)) {
        return start;
    }
    let mut end = start + 1;
    let mut single = 0;
    let left = rows.get(start).map_or(0.0, |row| row.line.rect.x0);
    for at in start + 1..rows.len() {
        let (Some(above), Some(row)) = (rows.get(at - 1), rows.get(at)) else { break };
        let pitch = row.line.baseline - above.line.baseline;
        let size = row.line.size.max(above.line.size);
        if pitch > 3.2 * size || (row.line.size - above.line.size).abs() > 0.3 * size {
            break;
        }
        if row.parts.len() >= 2 {
            end = at + 1;
            single = 0;
        } else {
            single += 1;
            // The continuation of a cell, or a heading within the table.
            let wide = row.line.rect.x1 - row.line.rect.x0 > 0.6 * (above.line.rect.x1 - left).max(1.0);
            if single > 3 || (wide && row.line.rect.x0 <= left + 2.0) {
                break;
            }
        }
    }
    end
}

/// The table in these rows: the index of its first row, the index after its last row, and its cells.
fn table(rows: &[Row]) -> Option<(usize, usize, Cells)> {
    let several: Vec<&Row> = rows.iter().filter(|row| row.parts.len() >= 2).collect();
    // Ignored here: headings over several columns, which would join the columns.
    let most = several.iter().map(|row| row.parts.len()).max().unwrap_or_default();
    let full: Vec<&Row> = several.iter().copied().filter(|row| row.parts.len() * 4 >= most * 3).collect();
    let columns = columns(if full.len() >= 2 { &full } else { &several })?;
    let count = columns.len();
    if several.len() < if count >= 3 { 2 } else { 3 } || several.len() * 2 < rows.len() {
        return None;
    }
    let parts: usize = several.iter().map(|row| row.parts.len()).sum();
    if (parts as f32) < 0.5 * (count * several.len()) as f32 {
        return None;
    }
    let mut held: Vec<Vec<Vec<Piece>>> = Vec::new();
    let mut starts: Vec<&Row> = Vec::new();
    let mut above: Option<&Row> = None;
    for row in rows {
        let mut cells: Vec<Vec<Piece>> = vec![Vec::new(); count];
        for part in &row.parts {
            let column = nearest(&columns, part);
            if let Some(cell) = cells.get_mut(column) {
                cell.extend(part.pieces.iter().cloned());
            }
        }
        let first_empty = cells.first().is_some_and(Vec::is_empty);
        let pitch = above.map_or(f32::INFINITY, |above| row.line.baseline - above.line.baseline);
        let numeric = cells.iter().any(|cell| !cell.is_empty() && is_numeric(&cells::text(cell.clone())));
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let continues = pitch <= 1.35 * row.line.size
            && !numeric
            && filled < count
            && (first_empty || (filled == 1 && is_lower_start(row.line)));
        match held.last_mut() {
            Some(last) if continues => {
                for (cell, more) in last.iter_mut().zip(cells) {
                    cell.extend(more);
                }
            }
            _ => {
                held.push(cells);
                starts.push(row);
            }
        }
        above = Some(row);
    }
    if !is_table(&several, &columns) {
        return None;
    }
    let rows_of_text: Vec<Vec<String>> =
        held.into_iter().map(|row| row.into_iter().map(cells::text).collect()).collect();
    let mut cells = Cells { rows: rows_of_text };
    cells.trim();
    cells.turn_rtl();
    (cells.width() >= 2 && cells.rows.len() >= 2 && cells.filled() >= 0.4).then_some((0, rows.len(), cells))
}

fn is_lower_start(line: &Line) -> bool {
    line_text::text(line).starts_with(char::is_lowercase)
}

/// The horizontal extents of the columns. Overlapping parts belong to one column.
fn columns(rows: &[&Row]) -> Option<Vec<Rect>> {
    let mut parts: Vec<Rect> = rows.iter().flat_map(|row| row.parts.iter().map(|part| part.rect)).collect();
    parts.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let mut columns: Vec<Rect> = Vec::new();
    for part in parts {
        match columns.last_mut() {
            Some(last) if part.x0 < last.x1 => *last = union(last, &part),
            _ => columns.push(part),
        }
    }
    (2..=MAX_COLUMNS).contains(&columns.len()).then_some(columns)
}

fn nearest(columns: &[Rect], part: &Line) -> usize {
    let overlap = |column: &Rect| column.x1.min(part.rect.x1) - column.x0.max(part.rect.x0);
    let best = columns.iter().enumerate().max_by(|(_, a), (_, b)| overlap(a).total_cmp(&overlap(b)));
    best.map_or(0, |(at, _)| at)
}

/// Whether columns hold cells and not running text.
fn is_table(rows: &[&Row], columns: &[Rect]) -> bool {
    let mut prose = 0;
    let mut numeric = 0;
    let mut markers = false;
    let mut labels = false;
    for (at, column) in columns.iter().enumerate() {
        let parts: Vec<&Line> = rows
            .iter()
            .flat_map(|row| row.parts.iter())
            .filter(|part| nearest(columns, part) == at)
            .collect();
        let texts: Vec<String> = parts.iter().map(|part| line_text::text(part)).collect();
        let share = |test: &dyn Fn(usize) -> bool| {
            (0..parts.len()).filter(|at| test(*at)).count() * 10 / parts.len().max(1)
        };
        let text = |at: usize| texts.get(at).map_or("", String::as_str);
        let wide = |at: usize| {
            parts.get(at).is_some_and(|part| part.rect.x1 - part.rect.x0 > 0.75 * (column.x1 - column.x0))
                && text(at).split_whitespace().count() >= 4
        };
        prose += usize::from(share(&wide) >= 5);
        numeric += usize::from(share(&|at| is_numeric(text(at))) >= 5);
        if at == 0 {
            markers = share(&|at| is_marker(text(at))) >= 7;
            labels = share(&|at| text(at).ends_with(':')) >= 5;
        }
    }
    if markers && columns.len() == 2 {
        return false;
    }
    if columns.len() == 2 {
        return (numeric > 0 || labels) && prose < 2 || (prose == 0 && rows.len() >= 4);
    }
    prose * 2 < columns.len() || numeric > prose
}

/// The mark of a list item: "1.", "(a)", "§ 3" or a bullet.
fn is_marker(text: &str) -> bool {
    let bare = text.trim_start_matches(['(', '[']).trim_end_matches(['.', ')', ']', ':']);
    let bulleted = text.chars().count() == 1 && !text.chars().all(char::is_alphanumeric);
    // Numbers of sections. Four digits are a year.
    let section = bare.len() <= 6
        && bare
            .split('.')
            .all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    section
        || bulleted
        || text.starts_with('§')
        || (bare.len() < text.len() && bare.chars().count() <= 4 && bare.chars().all(char::is_alphanumeric))
}
