//! Reading order: a region is divided at gutters, and tables are taken out, until only lines are left.

use super::super::page::Rect;
use super::aligned;
use super::columns::{Gutter, gutters};
use super::lines::{Line, lines};
use super::piece::{Piece, centre, union};

/// Maximum depth of nested divisions.
const MAX_DEPTH: usize = 24;

/// Part of a page in reading order.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Lines of one column.
    Lines(Vec<Line>),
    /// Markdown of a table, or of another part that was read separately.
    Block(String),
    /// A separate text, such as a note in the margin.
    Apart(Vec<Node>),
}

/// A part that is complete already, and its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub rect: Rect,
    pub node: Node,
}

/// Pieces and complete parts of a region.
#[derive(Clone, Debug, Default)]
pub(super) struct Region {
    pub pieces: Vec<Piece>,
    pub placed: Vec<Placed>,
    /// Horizontal lines: no gutter crosses them.
    pub rules: Vec<Rect>,
}

impl Region {
    fn boxes(&self) -> Vec<Rect> {
        let pieces = self.pieces.iter().map(|piece| piece.rect);
        let placed = self.placed.iter().map(|placed| placed.rect);
        pieces.chain(placed).chain(self.rules.iter().copied()).collect()
    }

    /// Divides the region by a test on the position of each part.
    fn split(self, first: impl Fn(&Rect) -> bool) -> (Region, Region) {
        let (mut a, mut b) = (Region::default(), Region::default());
        for piece in self.pieces {
            if first(&piece.rect) { a.pieces.push(piece) } else { b.pieces.push(piece) }
        }
        for placed in self.placed {
            if first(&placed.rect) { a.placed.push(placed) } else { b.placed.push(placed) }
        }
        for rule in self.rules {
            if first(&rule) { a.rules.push(rule) } else { b.rules.push(rule) }
        }
        (a, b)
    }

    fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.placed.is_empty()
    }
}

/// Reads a region. `em` is the size of the body text in points.
pub(super) fn read(region: Region, em: f32) -> Vec<Node> {
    let mut nodes = Vec::new();
    divide(region, em, 0, &mut nodes);
    nodes
}

fn divide(region: Region, em: f32, depth: usize, nodes: &mut Vec<Node>) {
    if region.is_empty() {
        return;
    }
    if depth >= MAX_DEPTH {
        return leaf(region, nodes);
    }
    let boxes = region.boxes();
    let gutters = gutters(&boxes, em);
    if let Some(gutter) = gutters.iter().find(|gutter| parts_prose(&region, gutter, &gutters, em)) {
        return cut(region, gutter, em, depth, nodes);
    }
    let mut region = region;
    if take_tables(&mut region) {
        return divide(region, em, depth + 1, nodes);
    }
    let apart =
        |gutter: &&Gutter| parts_columns(&region, gutter, &gutters, em) || is_beside_placed(&region, gutter);
    match gutters.iter().find(apart) {
        Some(gutter) => cut(region, gutter, em, depth, nodes),
        None => leaf(region, nodes),
    }
}

/// Reads the parts above, left of, right of and below the gutter.
fn cut(region: Region, gutter: &Gutter, em: f32, depth: usize, nodes: &mut Vec<Node>) {
    let middle = gutter.middle();
    let top = top_of_columns(&region, gutter, em);
    let (above, rest) = region.split(|rect| centre(rect).1 < top);
    let (below, rest) = rest.split(|rect| centre(rect).1 > gutter.y1);
    let (left, right) = rest.split(|rect| centre(rect).0 < middle);
    divide(above, em, depth + 1, nodes);
    let rtl = |region: &Region| {
        let letters = || region.pieces.iter().flat_map(|p| p.text.chars()).filter(|c| c.is_alphabetic());
        letters().filter(|c| super::characters::is_rtl(*c)).count() * 2 > letters().count()
    };
    let note = is_margin(&left, &right);
    let swapped = rtl(&left) && rtl(&right);
    let (first, second) = if swapped { (right, left) } else { (left, right) };
    match note {
        // A note in the margin follows the text beside it.
        Some(left_is_note) => {
            let (note, text) = if left_is_note != swapped { (first, second) } else { (second, first) };
            divide(text, em, depth + 1, nodes);
            let mut apart = Vec::new();
            divide(note, em, depth + 1, &mut apart);
            nodes.push(Node::Apart(apart));
        }
        None => {
            divide(first, em, depth + 1, nodes);
            divide(second, em, depth + 1, nodes);
        }
    }
    divide(below, em, depth + 1, nodes);
}

/// Where the columns beside a gutter begin: below the lines that are centred on the whole region, such as a
/// title that stands beside the gutter between the first two of three columns.
fn top_of_columns(region: &Region, gutter: &Gutter, em: f32) -> f32 {
    let middle = gutter.middle();
    let inside = |rect: &Rect| centre(rect).1 >= gutter.y0 && centre(rect).1 <= gutter.y1;
    let top = |left: bool| {
        let side = region.pieces.iter().map(|piece| &piece.rect).filter(|rect| inside(rect));
        side.filter(|rect| (centre(rect).0 < middle) == left).map(|rect| rect.y0).fold(gutter.y1, f32::min)
    };
    let start = top(true).max(top(false));
    let Some(bounds) = region.boxes().into_iter().reduce(|a, b| union(&a, &b)) else { return gutter.y0 };
    let over = |piece: &&Piece| inside(&piece.rect) && piece.rect.y1 < start;
    let mut end = gutter.y0;
    for line in lines(region.pieces.iter().filter(over).cloned().collect()) {
        if (centre(&line.rect).0 - centre(&bounds).0).abs() > 1.5 * em {
            break;
        }
        end = line.rect.y1;
    }
    end
}

/// Whether the left (true) or the right part (false) is a note in the margin.
fn is_margin(left: &Region, right: &Region) -> Option<bool> {
    let size = |region: &Region| region.pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>();
    let (a, b) = (size(left), size(right));
    if !left.placed.is_empty() || !right.placed.is_empty() {
        // A box beside the text is also a note.
        let boxed = |region: &Region| {
            region.pieces.is_empty() && region.placed.iter().all(|part| matches!(part.node, Node::Apart(_)))
        };
        return if a.max(b) < 200 {
            None
        } else if boxed(left) {
            Some(true)
        } else {
            boxed(right).then_some(false)
        };
    }
    (a.max(b) > 200 && a.min(b) * 5 < a.max(b)).then_some(a < b)
}

/// The lines on one side of a gutter, up to the next gutter.
struct Side {
    lines: Vec<Line>,
    bounds: Rect,
}

fn sides(region: &Region, gutter: &Gutter, all: &[Gutter]) -> Option<(Side, Side)> {
    let middle = gutter.middle();
    // Only the nearest columns count. Several columns together would not look like running text.
    let beside = |other: &&Gutter| other.y1.min(gutter.y1) - other.y0.max(gutter.y0) > 0.6 * gutter.height();
    let near = |other: &&Gutter| other.height() > 0.8 * gutter.height() && beside(other);
    let columns = || all.iter().filter(near);
    let first =
        columns().filter(|other| other.x1 <= gutter.x0).map(Gutter::middle).fold(f32::NEG_INFINITY, f32::max);
    let last =
        columns().filter(|other| other.x0 >= gutter.x1).map(Gutter::middle).fold(f32::INFINITY, f32::min);
    let inside = |rect: &Rect| {
        let (x, y) = centre(rect);
        (gutter.y0..=gutter.y1).contains(&y) && (first..=last).contains(&x)
    };
    let side = |left: bool| {
        let pieces: Vec<Piece> = region
            .pieces
            .iter()
            .filter(|piece| inside(&piece.rect) && (piece.centre().0 < middle) == left)
            .cloned()
            .collect();
        let bounds = pieces.iter().map(|piece| piece.rect).reduce(|a, b| union(&a, &b))?;
        Some(Side { lines: lines(pieces), bounds })
    };
    Some((side(true)?, side(false)?))
}

/// Whether running text stands on both sides.
fn parts_prose(region: &Region, gutter: &Gutter, all: &[Gutter], em: f32) -> bool {
    if gutter.height() < 4.0 * em {
        return false;
    }
    let Some((left, right)) = sides(region, gutter, all) else { return false };
    is_prose(&left, em) && is_prose(&right, em)
}

/// Whether the lines of a side fill their column and have several words each.
fn is_prose(side: &Side, em: f32) -> bool {
    let width = (side.bounds.x1 - side.bounds.x0).max(1.0);
    let words = |line: &Line| line.pieces.iter().filter(|piece| !piece.glued).count();
    let full = side
        .lines
        .iter()
        .filter(|line| {
            let long = line.rect.x1 - line.rect.x0 > 0.7 * width;
            // Chinese has no blanks, so length counts.
            long && (words(line) >= 4 || line.len() >= 18)
        })
        .count();
    side.lines.len() >= 3 && full * 2 >= side.lines.len() && width > 7.0 * em
}

/// Whether a gutter divides blocks side by side, of which at least one is no running text.
fn parts_columns(region: &Region, gutter: &Gutter, all: &[Gutter], em: f32) -> bool {
    let Some((left, right)) = sides(region, gutter, all) else { return false };
    let (few, many) = if left.lines.len() <= right.lines.len() { (&left, &right) } else { (&right, &left) };
    if few.lines.len() < 2 || gutter.x1 - gutter.x0 < 0.9 * em {
        return false;
    }
    // List marks and the like belong to the lines beside them.
    let marks = few.lines.iter().filter(|line| line.len() <= 5).count();
    if marks * 2 > few.lines.len() {
        return false;
    }
    let shared = few
        .lines
        .iter()
        .filter(|line| many.lines.iter().any(|other| (other.baseline - line.baseline).abs() < 0.12 * em))
        .count();
    let apart = shared * 2 < few.lines.len();
    let wide = gutter.x1 - gutter.x0 >= 1.8 * em;
    let narrow = gutter.x1 - gutter.x0 >= 1.2 * em || styled_apart(few, many);
    apart
        || (is_prose(many, em) && narrow)
        || (wide && is_pair(few, gutter, em))
        || (wide && few.lines.len() >= 3 && is_dense(few) && is_dense(many))
}

/// Whether one side has only complete parts, and the other has lines of text.
fn is_beside_placed(region: &Region, gutter: &Gutter) -> bool {
    let middle = gutter.middle();
    let inside = |rect: &Rect| (gutter.y0..=gutter.y1).contains(&centre(rect).1);
    let count = |left: bool| {
        let side = |rect: &Rect| inside(rect) && (centre(rect).0 < middle) == left;
        let pieces = region.pieces.iter().filter(|piece| side(&piece.rect)).count();
        let placed = region.placed.iter().filter(|placed| side(&placed.rect)).count();
        (pieces, placed)
    };
    matches!((count(true), count(false)), ((0, 1..), (8.., _)) | ((8.., _), (0, 1..)))
}

/// Whether the letters of one side are of another size or weight.
fn styled_apart(few: &Side, many: &Side) -> bool {
    let size =
        |side: &Side| side.lines.iter().map(|line| line.size).sum::<f32>() / side.lines.len().max(1) as f32;
    let bold = |side: &Side| side.lines.iter().filter(|line| line.bold).count() * 2 > side.lines.len();
    (size(few) - size(many)).abs() > 0.08 * size(many) || bold(few) != bold(many)
}

/// Whether a side is a label above its value, in a form: two lines with the same left edge.
fn is_pair(side: &Side, gutter: &Gutter, em: f32) -> bool {
    let [label, value] = side.lines.as_slice() else { return false };
    let aligned = (label.rect.x0 - value.rect.x0).abs() < 0.7 * label.size;
    let close = value.baseline - label.baseline < 2.9 * label.size.max(value.size);
    let number = |line: &Line| super::cells::is_numeric(&super::line_text::text(line));
    aligned && close && gutter.x1 - gutter.x0 >= 2.5 * em && !number(label) && !number(value)
}

/// Whether most lines follow each other closely, as in an address.
fn is_dense(side: &Side) -> bool {
    let close = side
        .lines
        .windows(2)
        .filter(|pair| match pair {
            [a, b] => b.baseline - a.baseline < 1.7 * a.size.max(b.size),
            _ => false,
        })
        .count();
    close * 3 >= (side.lines.len() - 1) * 2
}

/// Replaces aligned tables by complete parts. Returns whether there was one.
fn take_tables(region: &mut Region) -> bool {
    // Complete parts divide the lines: a table does not continue beside or behind them.
    let all = lines(region.pieces.clone());
    let tables = aligned::tables(&all);
    if tables.is_empty() {
        return false;
    }
    let mut taken = vec![false; all.len()];
    for table in tables {
        let rows = all.get(table.from..table.to).unwrap_or_default();
        let Some(rect) = rows.iter().map(|line| line.rect).reduce(|a, b| union(&a, &b)) else { continue };
        let blocked = region.placed.iter().any(|placed| {
            placed.rect.y0 < rect.y1
                && rect.y0 < placed.rect.y1
                && placed.rect.x0 < rect.x1
                && rect.x0 < placed.rect.x1
        });
        if blocked {
            continue;
        }
        if let Some(taken) = taken.get_mut(table.from..table.to) {
            taken.fill(true);
        }
        region.placed.push(Placed { rect, node: Node::Block(table.cells.markdown()) });
    }
    if !taken.contains(&true) {
        return false;
    }
    region.pieces =
        all.into_iter().zip(taken).filter(|(_, taken)| !taken).flat_map(|(line, _)| line.pieces).collect();
    true
}

/// Lines from top to bottom, with the complete parts between them.
fn leaf(region: Region, nodes: &mut Vec<Node>) {
    let mut placed = region.placed;
    placed.sort_by(|a, b| a.rect.y0.total_cmp(&b.rect.y0));
    let mut rest = lines(region.pieces);
    for part in placed {
        let middle = f32::midpoint(part.rect.y0, part.rect.y1);
        let at = rest.partition_point(|line| centre(&line.rect).1 < middle);
        let after = rest.split_off(at);
        if !rest.is_empty() {
            nodes.push(Node::Lines(rest));
        }
        nodes.push(part.node);
        rest = after;
    }
    if !rest.is_empty() {
        nodes.push(Node::Lines(rest));
    }
}
