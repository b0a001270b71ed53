//! Names of tab panels: each panel gets the name of its tab, and the row of tabs is not written.

use std::collections::{HashMap, HashSet};

use dom_query::{NodeId, NodeRef};

use super::dom;

/// Maximum length of a tab's name, in bytes.
const MAX_NAME: usize = 120;

/// Tabs of a page and their panels.
#[derive(Default)]
pub(super) struct Tabs {
    names: HashMap<NodeId, String>,
    tabs: HashSet<NodeId>,
}

impl Tabs {
    pub(super) fn of(root: &NodeRef) -> Self {
        let mut tabs: Vec<(NodeId, String, String, String)> = Vec::new();
        let mut panels: HashMap<String, NodeId> = HashMap::new();
        let mut labelled: HashMap<String, NodeId> = HashMap::new();
        // Tabs and panels in page order, to pair those that no id connects.
        let mut rows: Vec<(Vec<usize>, Vec<NodeId>)> = Vec::new();
        for node in root.descendants_it() {
            if !node.is_element() {
                continue;
            }
            let role = dom::keyword(&node, "role");
            let toggle = ["data-toggle", "data-bs-toggle"]
                .iter()
                .any(|name| matches!(dom::keyword(&node, name).as_str(), "tab" | "pill"));
            if let Some(id) = node.id_attr() {
                panels.insert(id.to_string(), node.id);
            }
            if role == "tab" || toggle {
                let target = dom::attribute(&node, "aria-controls")
                    .or_else(|| {
                        ["href", "data-bs-target", "data-target"].iter().find_map(|name| {
                            dom::attribute(&node, name)?.strip_prefix('#').map(str::to_owned)
                        })
                    })
                    .unwrap_or_default();
                let name = dom::text(&node, MAX_NAME);
                let own = node.id_attr().map(|id| id.to_string()).unwrap_or_default();
                let begins = rows.last().is_none_or(|(_, panels)| !panels.is_empty());
                if begins {
                    rows.push((Vec::new(), Vec::new()));
                }
                if let Some((row, _)) = rows.last_mut() {
                    row.push(tabs.len());
                }
                tabs.push((node.id, target, own, name));
            } else if role == "tabpanel" {
                if let Some(by) = dom::attribute(&node, "aria-labelledby") {
                    labelled.insert(by, node.id);
                }
                if let Some((_, panels)) = rows.last_mut() {
                    panels.push(node.id);
                }
            }
        }
        let mut named = Tabs::default();
        for (tab, target, own, name) in &tabs {
            if let Some(panel) = panels.get(target).or_else(|| labelled.get(own)) {
                named.add(*tab, *panel, name);
            }
        }
        for (row, panels) in &rows {
            if row.len() == panels.len() && !panels.iter().any(|panel| named.names.contains_key(panel)) {
                for (tab, panel) in row.iter().zip(panels) {
                    if let Some((tab, _, _, name)) = tabs.get(*tab) {
                        named.add(*tab, *panel, name);
                    }
                }
            }
        }
        named
    }

    fn add(&mut self, tab: NodeId, panel: NodeId, name: &str) {
        if tab != panel && !name.is_empty() {
            self.tabs.insert(tab);
            self.names.insert(panel, name.to_owned());
        }
    }

    /// The name of a panel.
    pub(super) fn name(&self, node: &NodeRef) -> Option<String> {
        self.names.get(&node.id).cloned()
    }

    /// Whether a node is a tab whose name is written with its panel.
    pub(super) fn is_tab(&self, node: &NodeRef) -> bool {
        self.tabs.contains(&node.id)
    }
}
