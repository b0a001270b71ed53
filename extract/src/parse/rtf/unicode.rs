//! Characters written as numbers (`\u`).

use super::Reader;

impl Reader {
    pub(super) fn unicode(&mut self, value: i32) {
        self.flush();
        self.skipping = self.group.skip;
        // Units above 32767 are written as negative numbers.
        let unit = (value & 0xffff) as u32;
        let unit = if (0..0x11_0000).contains(&value) { value as u32 } else { unit };
        match (self.high.take(), unit) {
            (_, 0xd800..0xdc00) => self.high = Some(unit),
            (Some(high), 0xdc00..0xe000) => {
                let scalar = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                self.push_scalar(scalar);
            }
            // Symbol fonts: the bullet of lists.
            (_, 0xf0b7 | 0xf0a7 | 0xf06e | 0xf0d8 | 0xf076) => self.push("•"),
            (_, 0xe000..0xf900) => {}
            _ => self.push_scalar(unit),
        }
    }

    fn push_scalar(&mut self, scalar: u32) {
        if let Some(character) = char::from_u32(scalar) {
            let mut buffer = [0; 4];
            self.push(character.encode_utf8(&mut buffer));
        }
    }
}
