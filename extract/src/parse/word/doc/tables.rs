//! Tables. Marks end their cells and rows, and the mark of a row describes its cells.

use super::properties::{Paragraph, RowLayout};
use crate::parse::word::model::{Block, Cell, Row, Table, remove_bare_numbers};

/// Maximum depth of nested tables. The text of deeper ones is added to the table at this depth.
const MAX_DEPTH: usize = 8;

/// Distance below which two edges are one edge, in twentieths of a point: 1.5 mm.
const TOLERANCE: i32 = 85;

/// A table being read.
#[derive(Default)]
struct Open {
    rows: Vec<(Vec<Vec<Block>>, Option<RowLayout>, bool)>,
    cells: Vec<Vec<Block>>,
    cell: Vec<Block>,
}

/// The tables open at a paragraph, the outermost first.
#[derive(Default)]
pub(super) struct Tables {
    open: Vec<Open>,
    too_deep: bool,
}

impl Tables {
    /// Adds a paragraph of a table. Returns `blocks` if no table is open.
    pub(super) fn add(
        &mut self,
        properties: &Paragraph,
        blocks: Vec<Block>,
        ends_cell: bool,
        ends_row: bool,
    ) -> Vec<Block> {
        let depth = properties.depth.max(1) as usize;
        self.too_deep |= depth > MAX_DEPTH;
        let depth = depth.min(MAX_DEPTH);
        while self.open.len() > depth {
            self.close_innermost();
        }
        while self.open.len() < depth {
            self.open.push(Open::default());
        }
        let Some(table) = self.open.last_mut() else { return blocks };
        table.cell.extend(blocks);
        if ends_row {
            let cell = std::mem::take(&mut table.cell);
            if !cell.is_empty() {
                table.cells.push(cell);
            }
            let cells = std::mem::take(&mut table.cells);
            table.rows.push((cells, properties.row.clone(), properties.header_row));
        } else if ends_cell {
            let mut cell = std::mem::take(&mut table.cell);
            remove_bare_numbers(&mut cell);
            table.cells.push(cell);
        }
        Vec::new()
    }

    pub(super) fn is_too_deep(&self) -> bool {
        self.too_deep
    }

    /// Ends all tables.
    pub(super) fn close(&mut self) -> Vec<Block> {
        while self.open.len() > 1 {
            self.close_innermost();
        }
        self.open.pop().map(|table| table.finish()).into_iter().collect()
    }

    /// Ends the innermost table and adds it to a cell of the table around it.
    fn close_innermost(&mut self) {
        if let Some(inner) = self.open.pop()
            && let Some(outer) = self.open.last_mut()
        {
            outer.cell.push(inner.finish());
        }
    }
}

impl Open {
    fn finish(mut self) -> Block {
        // A file that ends inside a row keeps its cells.
        if !self.cell.is_empty() {
            self.cells.push(self.cell);
        }
        if !self.cells.is_empty() {
            self.rows.push((self.cells, None, false));
        }
        let grid = grid(self.rows.iter().filter_map(|(_, layout, _)| layout.as_ref()));
        let rows =
            self.rows.into_iter().map(|(cells, layout, header)| row(cells, layout.as_ref(), header, &grid));
        Block::Table(Table { rows: rows.collect() })
    }
}

/// The edges of all rows, from left to right.
fn grid<'a>(layouts: impl Iterator<Item = &'a RowLayout>) -> Vec<i32> {
    let mut edges: Vec<i32> =
        layouts.flat_map(|layout| layout.edges.iter().map(|edge| i32::from(*edge))).collect();
    edges.sort_unstable();
    let mut grid: Vec<i32> = Vec::new();
    for edge in edges {
        if grid.last().is_none_or(|last| edge - last > TOLERANCE) {
            grid.push(edge);
        }
    }
    grid
}

fn row(cells: Vec<Vec<Block>>, layout: Option<&RowLayout>, header: bool, grid: &[i32]) -> Row {
    let mut row = Row { cells: Vec::new(), header };
    // Column of an edge: edges within the tolerance are one.
    let column = |edge: Option<&i16>| {
        let edge = edge.map(|edge| i32::from(*edge))?;
        Some(grid.partition_point(|known| *known <= edge).saturating_sub(1))
    };
    let edges = layout.map(|layout| layout.edges.as_slice()).unwrap_or_default();
    let before = column(edges.first()).unwrap_or(0);
    row.cells.extend((0..before).map(|_| Cell { blocks: Vec::new(), columns: 1, continues: false }));
    for (index, mut blocks) in cells.into_iter().enumerate() {
        let cell = layout.and_then(|layout| layout.cells.get(index)).copied().unwrap_or_default();
        let span = column(edges.get(index)).zip(column(edges.get(index + 1)));
        let columns = span.map_or(1, |(left, right)| right.saturating_sub(left).max(1));
        match row.cells.last_mut() {
            Some(left) if cell.merged && index > 0 => {
                left.columns += columns;
                left.blocks.append(&mut blocks);
            }
            _ => row.cells.push(Cell { blocks, columns, continues: cell.continues }),
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::word::doc::properties::CellLayout;

    #[test]
    fn edges_of_other_rows_tell_how_many_columns_a_cell_covers() {
        let layout = |edges: &[i16]| RowLayout {
            edges: edges.to_vec(),
            cells: vec![CellLayout::default(); edges.len() - 1],
        };
        let layouts = [layout(&[0, 1000, 2000, 3000]), layout(&[10, 1990, 3000])];
        let grid = grid(layouts.iter());
        let columns = |layout| {
            let row = row(vec![Vec::new(); 3], Some(layout), false, &grid);
            row.cells.iter().map(|cell| cell.columns).collect::<Vec<_>>()
        };
        assert_eq!(grid, [0, 1000, 1990, 3000]);
        assert_eq!(columns(&layouts[1]).first(), Some(&2));
    }
}
