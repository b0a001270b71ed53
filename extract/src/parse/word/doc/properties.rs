//! Properties of paragraphs and characters (\[MS-DOC\] 2.6, 2.9.105, 2.9.174).

use super::bytes::{positions, slice, u8_at, u16_at, u32_at};

/// Size of a page of properties, in bytes.
const PAGE: usize = 512;

/// Maximum number of runs of properties read.
const MAX_RUNS: usize = 4 << 20;

/// Calls `visit` with the code and the operand of each property.
pub(super) fn each(properties: &[u8], mut visit: impl FnMut(u16, &[u8])) {
    let mut at = 0;
    while let Some(code) = u16_at(properties, at) {
        at += 2;
        let length = match code >> 13 {
            0 | 1 => 1,
            2 | 4 | 5 => 2,
            3 => 4,
            7 => 3,
            _ => {
                let Some(length) = operand_length(code, properties, &mut at) else { return };
                length
            }
        };
        visit(code, slice(properties, at, length));
        at += length;
    }
}

/// Length of an operand of variable size. Advances `at` past the length field.
fn operand_length(code: u16, properties: &[u8], at: &mut usize) -> Option<usize> {
    const TABLE_DEFINITION: u16 = 0xd608;
    const TABS: u16 = 0xc615;

    if code == TABLE_DEFINITION {
        let length = u16_at(properties, *at)? as usize;
        *at += 2;
        return Some(length.saturating_sub(1));
    }
    let length = u8_at(properties, *at)? as usize;
    *at += 1;
    if code == TABS && length == 255 {
        let deleted = u8_at(properties, *at)? as usize;
        let added = u8_at(properties, *at + 1 + 4 * deleted)? as usize;
        return Some(2 + 4 * deleted + 3 * added);
    }
    Some(length)
}

/// Runs of properties by offset in the main stream, in order.
pub(super) struct Runs {
    runs: Vec<Run>,
}

/// Properties of the characters between two offsets.
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Style of a paragraph.
    pub(super) style: u16,
    /// Offset of the properties in the main stream.
    at: usize,
    length: usize,
}

impl Run {
    pub(super) fn properties<'a>(&self, main: &'a [u8]) -> &'a [u8] {
        slice(main, self.at, self.length)
    }
}

impl Runs {
    /// Reads the pages of paragraph or character properties.
    pub(super) fn read(main: &[u8], index: &[u8], paragraphs: bool) -> Self {
        let mut runs = Vec::new();
        let records = index.len().saturating_sub(4) / 8;
        for record in 0..records {
            let Some(page) = u32_at(index, (records + 1) * 4 + record * 4) else { break };
            let start = (page & 0x003f_ffff) as usize * PAGE;
            let Some(bytes) = main.get(start..start + PAGE) else { continue };
            read_page(bytes, start, paragraphs, &mut runs);
            if runs.len() > MAX_RUNS {
                break;
            }
        }
        runs.sort_by_key(|run| run.start);
        Self { runs }
    }

    /// The run that holds an offset.
    pub(super) fn at(&self, offset: usize) -> Option<&Run> {
        let offset = u32::try_from(offset).ok()?;
        let next = self.runs.partition_point(|run| run.start <= offset);
        self.runs.get(next.checked_sub(1)?).filter(|run| offset < run.end)
    }

    /// Start of the first run behind an offset.
    pub(super) fn next_start(&self, offset: usize) -> Option<u32> {
        let offset = u32::try_from(offset).ok()?;
        self.runs.get(self.runs.partition_point(|run| run.start <= offset)).map(|run| run.start)
    }
}

fn read_page(page: &[u8], start: usize, paragraphs: bool, runs: &mut Vec<Run>) {
    let count = usize::from(u8_at(page, PAGE - 1).unwrap_or(0));
    let record = if paragraphs { 13 } else { 1 };
    for index in 0..count {
        let (Some(from), Some(to)) = (u32_at(page, index * 4), u32_at(page, index * 4 + 4)) else { return };
        let place = usize::from(u8_at(page, (count + 1) * 4 + index * record).unwrap_or(0)) * 2;
        let mut run = Run { start: from, end: to, style: 0, at: 0, length: 0 };
        if place > 0 && to > from {
            let words = usize::from(u8_at(page, place).unwrap_or(0));
            if !paragraphs {
                (run.at, run.length) = (start + place + 1, words);
            } else {
                // A zero byte precedes the length in words of two bytes. Otherwise the byte itself is the
                // length in words, and it counts as one byte.
                let (at, length) = if words == 0 {
                    (place + 2, usize::from(u8_at(page, place + 1).unwrap_or(0)) * 2)
                } else {
                    (place + 1, words * 2 - 1)
                };
                run.style = u16_at(page, at).unwrap_or(0);
                (run.at, run.length) = (start + at + 2, length.saturating_sub(2));
            }
            // Properties never extend into the next page.
            run.length = run.length.min((start + PAGE).saturating_sub(run.at));
        }
        if to > from {
            runs.push(run);
        }
    }
}

/// Layout of the cells of a table row.
#[derive(Clone, Debug, Default)]
pub(super) struct RowLayout {
    /// Edges of the cells from left to right, in twentieths of a point: one more than cells.
    pub(super) edges: Vec<i16>,
    pub(super) cells: Vec<CellLayout>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CellLayout {
    /// Whether the cell belongs to the one on its left.
    pub(super) merged: bool,
    /// Whether the cell belongs to the one above.
    pub(super) continues: bool,
}

/// Properties of a paragraph that matter for the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Paragraph {
    pub(super) style: u16,
    pub(super) in_table: bool,
    /// Number of tables around the paragraph.
    pub(super) depth: u32,
    pub(super) row_end: bool,
    pub(super) inner_cell_end: bool,
    pub(super) inner_row_end: bool,
    pub(super) header_row: bool,
    /// Whether the paragraph is the enlarged first letter of the next one.
    pub(super) drop_cap: bool,
    /// List (1-based) and level. Zero: none.
    pub(super) list: Option<i16>,
    pub(super) level: Option<u8>,
    /// Outline level from 0; 9 is body text.
    pub(super) outline: Option<u8>,
    pub(super) row: Option<RowLayout>,
    /// Offset of further properties in the data stream.
    pub(super) huge: Option<u32>,
}

impl Paragraph {
    pub(super) fn apply(&mut self, properties: &[u8]) {
        each(properties, |code, operand| self.apply_one(code, operand));
    }

    fn apply_one(&mut self, code: u16, operand: &[u8]) {
        let byte = operand.first().copied();
        let on = byte.is_some_and(|byte| byte & 1 != 0);
        match code {
            0x4600 => self.style = u16_at(operand, 0).unwrap_or(self.style),
            0x2416 => self.in_table = on,
            0x2417 => self.row_end = on,
            0x244b => self.inner_cell_end = on,
            0x244c => self.inner_row_end = on,
            0x6649 => self.depth = u32_at(operand, 0).unwrap_or(0),
            0x3404 => self.header_row = on,
            // The kind of drop cap is in the lowest three bits.
            0x442c => self.drop_cap = byte.is_some_and(|byte| byte & 7 != 0),
            0x460b => self.list = u16_at(operand, 0).map(u16::cast_signed),
            0x260a => self.level = byte,
            0x2640 => self.outline = byte.filter(|level| *level <= 9),
            0xd608 => self.row = row_layout(operand),
            0xd62b => {
                if let (Some(row), Some(cell), Some(flags)) = (&mut self.row, byte, u8_at(operand, 1))
                    && let Some(cell) = row.cells.get_mut(usize::from(cell))
                {
                    cell.continues = flags & 3 == 1;
                }
            }
            0x5624 => {
                let (first, end) = (byte.unwrap_or(0), u8_at(operand, 1).unwrap_or(0));
                if let Some(row) = &mut self.row {
                    let cells = row.cells.iter_mut().enumerate();
                    cells
                        .filter(|(index, _)| *index > usize::from(first) && *index < usize::from(end))
                        .for_each(|(_, cell)| cell.merged = true);
                }
            }
            0x6646 | 0x6645 | 0x646b => self.huge = u32_at(operand, 0),
            _ => {}
        }
    }
}

/// Definition of a row (\[MS-DOC\] 2.9.321).
fn row_layout(operand: &[u8]) -> Option<RowLayout> {
    let count = usize::from(u8_at(operand, 0)?).min(64);
    let edges = (0..=count).map_while(|index| u16_at(operand, 1 + index * 2)).map(u16::cast_signed).collect();
    let records = 1 + (count + 1) * 2;
    let cells = (0..count)
        .map(|index| {
            let flags = u16_at(operand, records + index * 20).unwrap_or(0);
            CellLayout { merged: flags & 2 != 0, continues: flags & 0x20 != 0 && flags & 0x40 == 0 }
        })
        .collect();
    Some(RowLayout { edges, cells })
}

/// Properties of characters that matter for the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Character {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
    pub(super) deleted: bool,
    pub(super) hidden: bool,
    /// Whether the character stands for a note, a picture or a symbol.
    pub(super) special: bool,
    pub(super) raised: u8,
    /// Index of the font for ASCII, and of the font for other characters.
    pub(super) font: Option<u16>,
    pub(super) other_font: Option<u16>,
    /// Font and code of a symbol.
    pub(super) symbol: Option<(u16, u16)>,
    pub(super) style: Option<u16>,
    /// Offset of a form field in the data stream.
    pub(super) data: Option<u32>,
}

impl Character {
    pub(super) fn apply(&mut self, properties: &[u8]) {
        each(properties, |code, operand| {
            // A toggle of 0x80 keeps the value of the style, and 0x81 inverts it.
            let toggle = |current: bool| match operand.first() {
                Some(0) => false,
                Some(1) => true,
                Some(0x81) => !current,
                _ => current,
            };
            match code {
                0x0800 => self.deleted = operand.first() == Some(&1),
                0x0835 => self.bold = toggle(self.bold),
                0x0836 => self.italic = toggle(self.italic),
                0x0837 | 0x2a53 => self.strike = toggle(self.strike),
                0x083c => {
                    self.hidden =
                        if operand.first() == Some(&0x81) { self.hidden } else { toggle(self.hidden) }
                }
                0x0855 => self.special = operand.first() == Some(&1),
                0x2a48 => self.raised = operand.first().copied().unwrap_or(0),
                // A distance from the line in half points. Small ones align text with a picture.
                0x4845 => {
                    self.raised = match u16_at(operand, 0).map_or(0, u16::cast_signed) {
                        4.. => 1,
                        ..=-4 => 2,
                        _ => self.raised,
                    }
                }
                0x4a4f => self.font = u16_at(operand, 0),
                0x4a51 => self.other_font = u16_at(operand, 0),
                0x4a30 => self.style = u16_at(operand, 0),
                0x6a09 => self.symbol = u16_at(operand, 0).zip(u16_at(operand, 2)),
                0x6a03 => self.data = u32_at(operand, 0),
                _ => {}
            }
        });
    }
}

/// Positions of the records of a PLC, and the records.
pub(super) fn records(plc: &[u8], size: usize) -> Vec<(u32, &[u8])> {
    let positions = positions(plc, size);
    let count = positions.len().saturating_sub(1);
    let at = (count + 1) * 4;
    positions
        .into_iter()
        .take(count)
        .enumerate()
        .map(|(index, position)| (position, slice(plc, at + index * size, size)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_one_after_another() {
        let mut paragraph = Paragraph::default();
        paragraph.apply(&[0x0b, 0x46, 3, 0, 0x15, 0xc6, 2, 0, 0, 0x0a, 0x26, 1, 0x40, 0x26, 9, 0x16]);
        assert_eq!((paragraph.list, paragraph.level, paragraph.outline), (Some(3), Some(1), Some(9)));
        let mut character = Character::default();
        character.apply(&[0x35, 0x08, 1, 0x36, 0x08, 0x81, 0x09, 0x6a, 2, 0, 0xfc, 0xf0, 0x55, 0x08, 1]);
        assert!(character.bold && character.italic && character.special);
        assert_eq!(character.symbol, Some((2, 0xf0fc)));
    }
}
