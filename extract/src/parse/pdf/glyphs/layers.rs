//! Optional content: layers that are switched off.

use std::collections::HashSet;

use hayro_syntax::object::{Array, Dict, Name, ObjectIdentifier};

/// The layers that are off when the document is opened.
#[derive(Default)]
pub(super) struct Layers {
    off: HashSet<ObjectIdentifier>,
}

impl Layers {
    pub(super) fn new(catalog: &Dict<'_>) -> Self {
        let mut off = HashSet::new();
        let Some(properties) = catalog.get::<Dict<'_>>(b"OCProperties") else { return Self { off } };
        let config = properties.get::<Dict<'_>>(b"D").unwrap_or_default();
        if config.get::<Name<'_>>(b"BaseState").is_some_and(|state| &*state == b"OFF") {
            off.extend(references(&properties, b"OCGs"));
            for on in references(&config, b"ON") {
                off.remove(&on);
            }
        }
        off.extend(references(&config, b"OFF"));
        Self { off }
    }

    /// Whether the layer of `owner` under this key hides its content.
    pub(super) fn hide(&self, owner: &Dict<'_>, key: &[u8]) -> bool {
        if self.off.is_empty() {
            return false;
        }
        if owner.get_ref(key).is_some_and(|reference| self.off.contains(&reference.into())) {
            return true;
        }
        owner.get::<Dict<'_>>(key).is_some_and(|layer| self.hides_member(&layer))
    }

    /// Whether a membership dictionary hides its content (ISO 32000-2, 8.11.2.2).
    fn hides_member(&self, layer: &Dict<'_>) -> bool {
        if !layer.contains_key(b"OCGs") {
            return false;
        }
        let mut members = references(layer, b"OCGs");
        members.extend(layer.get_ref(b"OCGs").map(ObjectIdentifier::from));
        members.retain(|member| *member != ObjectIdentifier::new(0, 0));
        if members.is_empty() {
            return false;
        }
        let is_off = |member: &ObjectIdentifier| self.off.contains(member);
        let policy = layer.get::<Name<'_>>(b"P");
        match policy.as_deref() {
            Some(b"AllOn") => members.iter().any(is_off),
            Some(b"AnyOff") => !members.iter().any(is_off),
            Some(b"AllOff") => !members.iter().all(is_off),
            _ => members.iter().all(is_off),
        }
    }
}

fn references(owner: &Dict<'_>, key: &[u8]) -> Vec<ObjectIdentifier> {
    owner
        .get::<Array<'_>>(key)
        .map(|list| {
            list.raw_iter().filter_map(|entry| entry.as_obj_ref()).map(ObjectIdentifier::from).collect()
        })
        .unwrap_or_default()
}
