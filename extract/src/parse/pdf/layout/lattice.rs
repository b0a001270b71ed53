//! Ruled tables: cells between horizontal and vertical lines.

use super::super::page::{Rect, Rule};
use super::cells::{self, Cells, is_numeric};
use super::line_text;
use super::lines::lines;
use super::piece::{Piece, contains, union};

/// Distance up to which two lines meet or coincide, in points.
const SNAP: f32 = 3.0;

/// Maximum number of lines of a page, of pairs compared, and of cells of a table.
const MAX_RULES: usize = 6_000;
const MAX_PAIRS: usize = 4_000_000;
const MAX_CELLS: usize = 20_000;

/// Maximum number of ruled tables of a page.
const MAX_TABLES: usize = 200;

/// Maximum number of lines in a cell of a table. A cell with more lines is a page with a frame.
const MAX_LINES: usize = 25;

/// Longest text, in characters, that is repeated in each column that its cell spans.
const MAX_REPEATED: usize = 40;

/// Longest text, in characters, that is repeated in each row that its cell spans.
const MAX_REPEATED_BELOW: usize = 120;

/// Maximum text of a cell, in characters, in a grid of few cells. With more text it is a page with frames.
const MAX_LETTERS: usize = 500;

/// A straight line along one axis.
#[derive(Clone, Copy, Debug)]
struct Edge {
    /// Position across the line.
    at: f32,
    start: f32,
    end: f32,
}

/// A ruled table and its place.
#[derive(Debug)]
pub(super) struct Lattice {
    pub rect: Rect,
    pub cells: Cells,
}

/// The grids that lines form.
fn grids(rules: &[Rule]) -> Vec<Grid> {
    if rules.len() > MAX_RULES {
        return Vec::new();
    }
    let flat = |rule: &&Rule| (rule.y1 - rule.y0).abs() < 1.0 && rule.x1 - rule.x0 > 1.0;
    let upright = |rule: &&Rule| (rule.x1 - rule.x0).abs() < 1.0 && rule.y1 - rule.y0 > 1.0;
    let across = merged(
        rules.iter().filter(flat).map(|rule| Edge { at: rule.y0, start: rule.x0, end: rule.x1 }).collect(),
    );
    let down = merged(
        rules.iter().filter(upright).map(|rule| Edge { at: rule.x0, start: rule.y0, end: rule.y1 }).collect(),
    );
    if across.len() * down.len() > MAX_PAIRS {
        return Vec::new();
    }
    let parts = components(&across, &down).into_iter().take(MAX_TABLES);
    parts.filter_map(|(across, down)| Grid::new(&across, &down)).collect()
}

/// The places of the grids.
pub(super) fn places(rules: &[Rule]) -> Vec<Rect> {
    grids(rules).iter().map(Grid::rect).collect()
}

/// Finds the ruled tables and takes their pieces.
pub(super) fn tables(rules: &[Rule], pieces: &mut Vec<Piece>) -> Vec<Lattice> {
    grids(rules).iter().filter_map(|grid| grid.table(pieces)).collect()
}

/// Joins lines that continue each other, such as dashes and the edges of neighbouring cells.
fn merged(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut all: Vec<Edge> = Vec::new();
    for group in edges.chunk_by_mut(|a, b| b.at - a.at <= 1.5) {
        group.sort_by(|a, b| a.start.total_cmp(&b.start));
        let at = group.iter().map(|edge| edge.at).sum::<f32>() / group.len().max(1) as f32;
        let from = all.len();
        for edge in group.iter() {
            match all.get_mut(from..).and_then(<[Edge]>::last_mut) {
                Some(last) if edge.start - last.end <= SNAP => last.end = last.end.max(edge.end),
                _ => all.push(Edge { at, ..*edge }),
            }
        }
    }
    all.retain(|edge| edge.end - edge.start >= 5.0);
    all
}

/// Groups of lines that meet.
fn components(across: &[Edge], down: &[Edge]) -> Vec<(Vec<Edge>, Vec<Edge>)> {
    let mut group: Vec<usize> = (0..across.len() + down.len()).collect();
    for (i, a) in across.iter().enumerate() {
        for (j, d) in down.iter().enumerate() {
            let meets = d.start - SNAP <= a.at
                && a.at <= d.end + SNAP
                && a.start - SNAP <= d.at
                && d.at <= a.end + SNAP;
            if meets {
                let (a, b) = (root(&mut group, i), root(&mut group, across.len() + j));
                if let Some(parent) = group.get_mut(a.max(b)) {
                    *parent = a.min(b);
                }
            }
        }
    }
    let mut parts: std::collections::BTreeMap<usize, (Vec<Edge>, Vec<Edge>)> =
        std::collections::BTreeMap::new();
    for (at, edge) in across.iter().enumerate() {
        parts.entry(root(&mut group, at)).or_default().0.push(*edge);
    }
    for (at, edge) in down.iter().enumerate() {
        parts.entry(root(&mut group, across.len() + at)).or_default().1.push(*edge);
    }
    parts.into_values().filter(|(across, down)| across.len() >= 2 && !down.is_empty()).collect()
}

/// The representative of a group, with path halving.
fn root(group: &mut [usize], mut at: usize) -> usize {
    while let Some(&parent) = group.get(at) {
        if parent == at {
            break;
        }
        let above = group.get(parent).copied().unwrap_or(parent);
        if let Some(entry) = group.get_mut(at) {
            *entry = above;
        }
        at = above;
    }
    at
}

/// Lines that meet, and the positions of the bounds of rows and columns.
struct Grid {
    xs: Vec<f32>,
    ys: Vec<f32>,
    across: Vec<Edge>,
    down: Vec<Edge>,
}

impl Grid {
    fn new(across: &[Edge], down: &[Edge]) -> Option<Self> {
        // A table may be open at its sides. The ends of its lines then bound the table.
        let xs = positions(down.iter().map(|edge| edge.at), across.iter().flat_map(|e| [e.start, e.end]));
        let ys = positions(across.iter().map(|edge| edge.at), down.iter().flat_map(|e| [e.start, e.end]));
        let fits = xs.len() >= 3 && ys.len() >= 3 && xs.len() * ys.len() <= MAX_CELLS;
        fits.then(|| Self { xs, ys, across: across.to_vec(), down: down.to_vec() })
    }

    fn rect(&self) -> Rect {
        let first = |values: &[f32]| values.first().copied().unwrap_or_default();
        let last = |values: &[f32]| values.last().copied().unwrap_or_default();
        Rect { x0: first(&self.xs), y0: first(&self.ys), x1: last(&self.xs), y1: last(&self.ys) }
    }

    fn columns(&self) -> usize {
        self.xs.len() - 1
    }

    /// For each cell of the grid, the first cell of the merged cell it belongs to, row by row.
    fn merged_cells(&self) -> Vec<usize> {
        let width = self.columns();
        let rows = self.ys.len() - 1;
        let mut owner: Vec<usize> = (0..rows * width).collect();
        for row in 0..rows {
            for column in 0..width {
                let at = row * width + column;
                let (middle_x, middle_y) = (middle(&self.xs, column), middle(&self.ys, row));
                let left = column > 0 && !crosses(&self.down, self.xs.get(column), middle_y);
                let above = row > 0 && !crosses(&self.across, self.ys.get(row), middle_x);
                let from = if left {
                    at.checked_sub(1)
                } else if above {
                    at.checked_sub(width)
                } else {
                    None
                };
                if let Some(first) = from.and_then(|from| owner.get(from).copied())
                    && let Some(entry) = owner.get_mut(at)
                {
                    *entry = first;
                }
            }
        }
        owner
    }

    fn table(&self, pieces: &mut Vec<Piece>) -> Option<Lattice> {
        let width = self.columns();
        let bounds = self.rect();
        let owner = self.merged_cells();
        let columns_of = |row: &[usize]| {
            let mut owners = row.to_vec();
            owners.dedup();
            owners.len()
        };
        let divided = owner.chunks(width).filter(|row| columns_of(row) >= 2).count();
        if divided < 2 {
            return None;
        }
        let mut held: Vec<Vec<Piece>> = vec![Vec::new(); owner.len()];
        let mut rect = bounds;
        for piece in pieces.iter() {
            if let Some(at) = self.cell(piece.centre())
                && let Some(cell) = owner.get(at).and_then(|first| held.get_mut(*first))
            {
                cell.push(piece.clone());
                rect = union(&rect, &piece.rect);
            }
        }
        let filled = held.iter().filter(|cell| !cell.is_empty()).count();
        let owners = owner.iter().enumerate().filter(|(at, first)| at == *first).count();
        let long = held.iter().any(|cell| cell.len() > 40 && lines(cell.clone()).len() > MAX_LINES);
        let letters = |cell: &Vec<Piece>| cell.iter().map(|piece| piece.text.chars().count()).sum::<usize>();
        let long = long || (filled <= 8 && held.iter().any(|cell| letters(cell) > MAX_LETTERS));
        if filled < 3 || filled * 5 < owners || long {
            return None;
        }
        let mut rows = Vec::new();
        for row in 0..self.ys.len() - 1 {
            rows.extend(self.row(row, &owner, &held));
        }
        if self.has_two_headers(&owner) {
            join_headers(&mut rows);
        }
        let mut cells = Cells { rows };
        cells.trim();
        cells.turn_rtl();
        if cells.width() < 2 || cells.rows.len() < 2 {
            return None;
        }
        pieces.retain(|piece| !contains(&bounds, piece.centre()));
        Some(Lattice { rect, cells })
    }

    /// The index of the cell that holds a point.
    fn cell(&self, (x, y): (f32, f32)) -> Option<usize> {
        let column = self.xs.partition_point(|edge| *edge <= x).checked_sub(1)?;
        let row = self.ys.partition_point(|edge| *edge <= y).checked_sub(1)?;
        (column < self.columns() && row + 1 < self.ys.len()).then_some(row * self.columns() + column)
    }

    /// Whether the first two rows are one heading. Cells of the second row then divide a cell of the first,
    /// and another cell spans both rows.
    fn has_two_headers(&self, owner: &[usize]) -> bool {
        let width = self.columns();
        let (Some(first), Some(second)) = (owner.get(..width), owner.get(width..2 * width)) else {
            return false;
        };
        let spans = first.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
        let divided = |at: usize| first.get(at) == first.get(at + 1) && second.get(at) != second.get(at + 1);
        let both = first.iter().zip(second).any(|(a, b)| a == b);
        spans && both && self.ys.len() > 3 && (0..width.saturating_sub(1)).any(divided)
    }

    /// The rows of text in a ruled row.
    fn row(&self, row: usize, owner: &[usize], held: &[Vec<Piece>]) -> Vec<Vec<String>> {
        let width = self.columns();
        let members = owner.get(row * width..(row + 1) * width).unwrap_or_default();
        let spans = |first: usize| members.iter().filter(|owner| **owner == first).count();
        let letters = |cell: &Vec<Piece>| cell.iter().map(|piece| piece.text.chars().count()).sum::<usize>();
        let content: Vec<Option<&Vec<Piece>>> = (0..width)
            .map(|column| {
                let first = *owner.get(row * width + column)?;
                // A cell over several rows is repeated in each row, and a short cell over several columns in
                // each column.
                let cell = held.get(first)?;
                let below = first / width < row;
                let leads = (first % width == column && (!below || letters(cell) <= MAX_REPEATED_BELOW))
                    || spans(first) < width && letters(cell) <= MAX_REPEATED;
                leads.then_some(cell)
            })
            .collect();
        if let Some(rows) = unruled_rows(&content) {
            return rows;
        }
        vec![
            content
                .into_iter()
                .map(|cell| cell.map(|cell| cells::text(cell.clone())).unwrap_or_default())
                .collect(),
        ]
    }
}

/// Rows within one ruled row, recognised by several numbers one below the other.
fn unruled_rows(content: &[Option<&Vec<Piece>>]) -> Option<Vec<Vec<String>>> {
    let columns: Vec<Vec<(f32, String, Vec<Piece>)>> = content
        .iter()
        .map(|cell| {
            let lines = cell.map(|cell| lines(cell.clone())).unwrap_or_default();
            lines.into_iter().map(|line| (line.baseline, line_text::text(&line), line.pieces)).collect()
        })
        .collect();
    let numeric = columns
        .iter()
        .filter(|column| column.len() >= 2 && column.iter().all(|(_, text, _)| is_numeric(text)));
    let longest = numeric.max_by_key(|column| column.len())?;
    let others = columns.iter().filter(|column| column.len() >= 2).count();
    if others < 2 {
        return None;
    }
    let base = columns.iter().max_by_key(|column| column.len()).unwrap_or(longest);
    let starts: Vec<f32> = base.iter().map(|(baseline, ..)| *baseline).collect();
    let mut rows = vec![vec![Vec::new(); columns.len()]; starts.len()];
    for (at, column) in columns.into_iter().enumerate() {
        for (baseline, _, pieces) in column {
            let row = starts.partition_point(|start| *start <= baseline + 3.0).saturating_sub(1);
            if let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(at)) {
                cell.extend(pieces);
            }
        }
    }
    Some(rows.into_iter().map(|row| row.into_iter().map(cells::text).collect()).collect())
}

/// Joins the first two rows.
fn join_headers(rows: &mut Vec<Vec<String>>) {
    if rows.len() < 3 {
        return;
    }
    let second = rows.remove(1);
    if let Some(first) = rows.first_mut() {
        for (cell, below) in first.iter_mut().zip(second) {
            if cell.is_empty() {
                *cell = below;
            } else if *cell != below && !below.is_empty() {
                cell.push(' ');
                cell.push_str(&below);
            }
        }
    }
}

fn middle(edges: &[f32], at: usize) -> f32 {
    match edges.get(at..at + 2) {
        Some([a, b]) => f32::midpoint(*a, *b),
        _ => 0.0,
    }
}

fn crosses(edges: &[Edge], at: Option<&f32>, point: f32) -> bool {
    let Some(at) = at else { return true };
    edges.iter().any(|edge| (edge.at - at).abs() <= SNAP && edge.start <= point && point <= edge.end)
}

/// Distinct positions, sorted. The ends of crossing lines are included if they lie outside the others.
fn positions(inner: impl Iterator<Item = f32>, ends: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut all: Vec<f32> = inner.collect();
    all.sort_by(f32::total_cmp);
    let (low, high) = ends.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), end| (a.min(end), b.max(end)));
    if all.first().is_none_or(|first| first - low > 4.0 * SNAP) {
        all.insert(0, low);
    }
    if all.last().is_none_or(|last| high - last > 4.0 * SNAP) {
        all.push(high);
    }
    let mut kept: Vec<f32> = Vec::new();
    for position in all {
        if kept.last().is_none_or(|last| position - last > SNAP) {
            kept.push(position);
        }
    }
    kept
}
