//! Form fields: check boxes and lists, whose state is in the data stream (\[MS-DOC\] 2.9.78 `FFData`).

use super::bytes::{slice, u16_at, u32_at, utf16};

/// The displayed text of a form field. None for text fields, whose text is the result of the field.
pub(super) fn shown(data: &[u8], at: usize) -> Option<String> {
    const CHECK_BOX: u16 = 1;
    const LIST: u16 = 2;
    /// The value that stands for "not set".
    const UNSET: u16 = 25;

    let header = usize::from(u16_at(data, at + 4)?);
    let field = at + header;
    (u32_at(data, field)? == u32::MAX).then_some(())?;
    let bits = u16_at(data, field + 4)?;
    let (kind, state) = (bits & 3, (bits >> 2) & 0x1f);
    let name = usize::from(u16_at(data, field + 10)?);
    let default_at = field + 12 + name * 2 + 2;
    match kind {
        CHECK_BOX => {
            let state = if state == UNSET { u16_at(data, default_at)? } else { state };
            Some(if state == 0 { "☐" } else { "☑" }.to_owned())
        }
        LIST => {
            let chosen = if state == UNSET { u16_at(data, default_at)? } else { state };
            // Five texts lie between: format, help, status, and two macros.
            let mut place = default_at + 2;
            for _ in 0..5 {
                place += 2 + usize::from(u16_at(data, place)?) * 2 + 2;
            }
            // The list is a table of strings in 16 bits.
            (u16_at(data, place)? == u16::MAX).then_some(())?;
            let extra = usize::from(u16_at(data, place + 6)?);
            place += 8;
            for _ in 0..chosen {
                place += 2 + usize::from(u16_at(data, place)?) * 2 + extra;
            }
            Some(utf16(slice(data, place + 2, usize::from(u16_at(data, place)?) * 2)))
        }
        _ => None,
    }
}
