//! Tables.

use super::Reader;
use super::body::control_content;
use super::xml::Node;
use crate::parse::word::model::{Block, Cell, MAX_COLUMNS, Row, Table, remove_bare_numbers};

impl Reader {
    pub(super) fn table(&mut self, node: &Node, out: &mut Vec<Block>) {
        let mut table = Table::default();
        self.rows(node, &mut table);
        out.push(Block::Table(table));
    }

    fn rows(&mut self, node: &Node, table: &mut Table) {
        for child in node.nodes() {
            match &*child.name {
                "tr" => self.row(child, table),
                "sdt" => {
                    if let Some(content) = control_content(child, &self.styles) {
                        self.rows(content, table);
                    }
                }
                "tblPr" | "tblGrid" | "del" | "moveFrom" => {}
                _ => self.rows(child, table),
            }
        }
    }

    fn row(&mut self, node: &Node, table: &mut Table) {
        let properties = node.child("trPr");
        if properties.is_some_and(|properties| properties.child("del").is_some()) {
            return;
        }
        let number = |name: &str| {
            let value = properties.and_then(|properties| properties.child(name)).and_then(Node::val);
            value.and_then(|value| value.trim().parse::<usize>().ok()).unwrap_or(0).min(MAX_COLUMNS)
        };
        let header = properties.and_then(|properties| properties.toggle("tblHeader")) == Some(true);
        let mut row = Row { cells: Vec::new(), header };
        // Columns before the first cell, in rows that begin further right.
        row.cells.extend((0..number("gridBefore")).map(|_| Cell {
            blocks: Vec::new(),
            columns: 1,
            continues: false,
        }));
        self.cells(node, &mut row);
        row.cells.extend((0..number("gridAfter")).map(|_| Cell {
            blocks: Vec::new(),
            columns: 1,
            continues: false,
        }));
        table.rows.push(row);
    }

    fn cells(&mut self, node: &Node, row: &mut Row) {
        for child in node.nodes() {
            match &*child.name {
                "tc" => self.cell(child, row),
                "sdt" => {
                    if let Some(content) = control_content(child, &self.styles) {
                        self.cells(content, row);
                    }
                }
                "trPr" | "tblPrEx" | "del" | "moveFrom" => {}
                _ => self.cells(child, row),
            }
        }
    }

    fn cell(&mut self, node: &Node, row: &mut Row) {
        let properties = node.child("tcPr");
        let property = |name: &str| properties.and_then(|properties| properties.child(name));
        if property("cellDel").is_some() {
            return;
        }
        let columns = property("gridSpan").and_then(Node::val).and_then(|span| span.trim().parse().ok());
        let continues = |name: &str| property(name).is_some_and(|merge| merge.val() != Some("restart"));
        let mut blocks = Vec::new();
        let outer = std::mem::replace(&mut self.in_cell, true);
        self.blocks(node, &mut blocks);
        self.flush_carried(&mut blocks);
        self.in_cell = outer;
        remove_bare_numbers(&mut blocks);
        // A horizontally merged cell of old files is part of the cell before it.
        if continues("hMerge")
            && let Some(before) = row.cells.last_mut()
        {
            before.columns += 1;
            before.blocks.append(&mut blocks);
            return;
        }
        row.cells.push(Cell { blocks, columns: columns.unwrap_or(1), continues: continues("vMerge") });
    }
}
