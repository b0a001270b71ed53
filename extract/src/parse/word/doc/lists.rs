//! The lists of a document (\[MS-DOC\] 2.9.131 `LFO`, 2.9.147 `LSTF`, 2.9.150 `LVLF`).

use std::collections::HashMap;

use super::bytes::{slice, u8_at, u16_at, u32_at, utf16};
use crate::parse::word::model::Marker;
use crate::parse::word::number_names::by_code;
use crate::parse::word::numbering::{Counters, LEVELS, Level, List};

/// Maximum number of lists read.
const MAX_LISTS: usize = 20_000;

/// All lists and their counters.
pub(super) struct Lists {
    lists: Vec<List>,
    counters: Counters,
}

impl Lists {
    pub(super) fn read(definitions: &[u8], overrides: &[u8]) -> Self {
        let definitions = read_definitions(definitions);
        Self { lists: read_overrides(overrides, &definitions), counters: Counters::default() }
    }

    /// Counts a paragraph of a list at a level. Lists are 1-based; a negative number means the same list.
    pub(super) fn next(&mut self, list: i16, level: u8) -> Option<(usize, Option<Marker>)> {
        let index = list.unsigned_abs().checked_sub(1)?;
        let list = self.lists.get(usize::from(index))?;
        let level = usize::from(level).min(LEVELS - 1);
        Some((level, self.counters.next(u32::from(index), list, level)))
    }
}

/// The levels of each list, by its identifier.
fn read_definitions(bytes: &[u8]) -> HashMap<u32, Vec<Level>> {
    const RECORD: usize = 28;

    let count = usize::from(u16_at(bytes, 0).unwrap_or(0)).min(MAX_LISTS);
    let mut at = 2 + count * RECORD;
    let mut definitions = HashMap::new();
    for index in 0..count {
        let record = slice(bytes, 2 + index * RECORD, RECORD);
        let (Some(id), Some(flags)) = (u32_at(record, 0), u8_at(record, 26)) else { break };
        let count = if flags & 1 == 1 { 1 } else { LEVELS };
        let mut levels = Vec::with_capacity(count);
        for _ in 0..count {
            let Some((level, length)) = read_level(bytes, at) else { break };
            levels.push(level);
            at += length;
        }
        definitions.insert(id, levels);
    }
    definitions
}

/// A level and its length in bytes.
fn read_level(bytes: &[u8], at: usize) -> Option<(Level, usize)> {
    const HEADER: usize = 28;

    let start = u32_at(bytes, at)?;
    let code = u8_at(bytes, at + 4)?;
    let flags = u8_at(bytes, at + 5)?;
    let characters = usize::from(u8_at(bytes, at + 24)?);
    let paragraph = usize::from(u8_at(bytes, at + 25)?);
    let limit = u8_at(bytes, at + 26)?;
    let text_at = at + HEADER + characters + paragraph;
    let length = usize::from(u16_at(bytes, text_at)?);
    let text = utf16(slice(bytes, text_at + 2, length * 2));
    // In the text, the characters 0 to 8 stand for the numbers of the levels.
    let text = text.chars().fold(String::new(), |mut text, character| {
        match u32::from(character) {
            level @ 0..=8 => {
                text.push('%');
                text.extend(char::from_digit(level + 1, 10));
            }
            _ => text.push(character),
        }
        text
    });
    let level = Level {
        start: i64::from(start.cast_signed()),
        format: by_code(code),
        text,
        legal: flags & 0x04 != 0,
        restart: (flags & 0x08 != 0).then_some(usize::from(limit)),
        style: None,
    };
    Some((level, HEADER + characters + paragraph + 2 + length * 2))
}

/// The lists that paragraphs refer to, in order.
fn read_overrides(bytes: &[u8], definitions: &HashMap<u32, Vec<Level>>) -> Vec<List> {
    const RECORD: usize = 16;

    let count = (u32_at(bytes, 0).unwrap_or(0) as usize).min(MAX_LISTS);
    let mut at = 4 + count * RECORD;
    let mut lists = Vec::new();
    for index in 0..count {
        let record = slice(bytes, 4 + index * RECORD, RECORD);
        let (Some(id), Some(changes)) = (u32_at(record, 0), u8_at(record, 12)) else { break };
        let mut list = List {
            counters: id,
            levels: definitions.get(&id).cloned().unwrap_or_default(),
            overrides: HashMap::new(),
        };
        at += 4;
        for _ in 0..changes {
            let Some(length) = read_change(bytes, at, &mut list) else { break };
            at += length;
        }
        lists.push(list);
    }
    lists
}

/// Applies a change of one level and returns the length of the change in bytes.
fn read_change(bytes: &[u8], at: usize, list: &mut List) -> Option<usize> {
    let start = u32_at(bytes, at)?;
    let flags = u32_at(bytes, at + 4)?;
    let level = (flags & 0x0f) as usize;
    let mut length = 8;
    let (starts, formats) = (flags & 0x10 != 0, flags & 0x20 != 0);
    if formats {
        let (changed, more) = read_level(bytes, at + 8)?;
        length += more;
        if starts {
            list.overrides.insert(level, changed.start);
        }
        if let Some(place) = list.levels.get_mut(level) {
            *place = changed;
        }
    } else if starts {
        list.overrides.insert(level, i64::from(start.cast_signed()));
    }
    Some(length)
}
