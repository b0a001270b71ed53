//! Operands and resources of the operators in content streams.

use hayro_syntax::object::{Dict, Object};

/// The operands of an operator: up to six trailing numbers, and the last operand.
pub(super) struct Operands<'b, 'c> {
    pub(super) numbers: [f64; 6],
    pub(super) count: usize,
    pub(super) last: Option<&'b Object<'c>>,
    pub(super) first: Option<&'b Object<'c>>,
}

impl<'b, 'c> Operands<'b, 'c> {
    pub(super) fn new(operands: impl Iterator<Item = &'b Object<'c>>) -> Self
    where
        'c: 'b,
    {
        let mut all = Self { numbers: [0.0; 6], count: 0, last: None, first: None };
        for operand in operands {
            if let Object::Number(number) = operand {
                if all.count == all.numbers.len() {
                    all.numbers.rotate_left(1);
                    all.count -= 1;
                }
                if let Some(slot) = all.numbers.get_mut(all.count) {
                    *slot = number.as_f64();
                    all.count += 1;
                }
            }
            all.first = all.first.or(Some(operand));
            all.last = Some(operand);
        }
        all
    }

    /// The last `N` numbers. `None` when there are fewer.
    pub(super) fn get<const N: usize>(&self) -> Option<[f64; N]> {
        self.numbers.get(self.count.checked_sub(N)?..self.count)?.try_into().ok()
    }

    pub(super) fn number(&self) -> f64 {
        self.get::<1>().map_or(0.0, |[number]| number)
    }

    pub(super) fn name(&self) -> Option<&'b [u8]> {
        match self.last? {
            Object::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// The resources of a content stream.
pub(super) struct Resources<'a> {
    pub(super) all: Dict<'a>,
    pub(super) fonts: Dict<'a>,
    pub(super) objects: Dict<'a>,
    pub(super) states: Dict<'a>,
    pub(super) properties: Dict<'a>,
}

impl<'a> Resources<'a> {
    pub(super) fn new(all: &Dict<'a>) -> Self {
        let part = |key: &[u8]| all.get::<Dict<'a>>(key).unwrap_or_default();
        Self {
            fonts: part(b"Font"),
            objects: part(b"XObject"),
            states: part(b"ExtGState"),
            properties: part(b"Properties"),
            all: all.clone(),
        }
    }
}
