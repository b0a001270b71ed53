//! Removal of cookie banners and other dialogs that cover a page.

use dom_query::{Document as Tree, NodeRef};

use super::select::letters_of;
use super::words::Words;

/// Parts of the `id` and `class` names that consent managers use.
const MANAGERS: &[&str] = &[
    "onetrust",
    "cookiebot",
    "cybotcookie",
    "usercentrics",
    "didomi",
    "quantcast",
    "qc-cmp",
    "cc-window",
    "cc_banner",
    "truste",
    "trustarc",
    "osano",
    "iubenda-cs",
    "cookieyes",
    "cky-consent",
    "cmplz-",
    "borlabs",
    "klaro",
    "termly",
    "sp_message",
    "fc-consent",
    "tarteaucitron",
    "axeptio",
    "cookie-law-info",
    "cookiefirst",
    "cookie-script",
    "evidon",
    "ketch-",
    "moove_gdpr",
    "gdpr-cookie",
    "eu-cookie",
    "cookie-consent",
    "cookieconsent",
    "cookie-banner",
    "cookiebanner",
    "cookie-notice",
    "cookie-bar",
    "cookiebar",
    "cookie-popup",
    "cookie-policy-banner",
    "cookie-alert",
    "cookie-message",
    "consent-banner",
    "consent-manager",
    "consent-popup",
    "consent-modal",
    "gdpr-banner",
    "gdpr-popup",
    "cookie-modal",
    "cookie-overlay",
    "cookies-banner",
    "cookies-notice",
    "privacy-banner",
    "cookie-disclaimer",
];

/// Name words that suggest a banner. They count only together with other evidence.
const NAMES: &[&str] = &["cookie", "cookies", "consent", "gdpr", "ccpa", "dsgvo", "privacy", "cmp", "rgpd"];

/// Words in a banner's text. A banner without a fixed position has one of them and an answer button.
const COOKIES: &[&str] = &["cookie", "クッキー", "куки", "мы используем файлы", "coockie"];

/// Beginnings of the labels of a banner's answer buttons.
const ANSWERS: &[&str] = &[
    "accept",
    "agree",
    "allow",
    "reject",
    "decline",
    "deny",
    "got it",
    "ok",
    "i agree",
    "i accept",
    "manage",
    "cookie settings",
    "preferences",
    "customi",
    "akzept",
    "alle akzept",
    "zustimm",
    "ablehn",
    "verstanden",
    "einverstanden",
    "accepter",
    "tout accepter",
    "refuser",
    "j'accepte",
    "aceptar",
    "rechazar",
    "acepto",
    "aceitar",
    "recusar",
    "accetta",
    "rifiuta",
    "accepteren",
    "weiger",
    "godkänn",
    "acceptera",
    "godta",
    "accepter",
    "hyväksy",
    "akceptuj",
    "zgadzam",
    "přijmout",
    "souhlas",
    "elfogad",
    "принять",
    "согласен",
    "принимаю",
    "同意",
    "接受",
    "동의",
    "kabul",
    "close",
    "dismiss",
    "continue",
];

/// Maximum length of a banner, in letters.
const MAX_BANNER: u32 = 3_000;

/// Removes consent banners and dialogs.
pub(super) fn remove(tree: &Tree) {
    let Some(body) = tree.body() else { return };
    let whole = letters_of(&body);
    let is_small = |node: &NodeRef| {
        let own = letters_of(node);
        own <= MAX_BANNER && own.saturating_mul(2) < whole
    };
    for node in tree.select("dialog, [role='dialog'], [role='alertdialog'], [aria-modal='true']").nodes() {
        if !node.has_attr("open") || is_small(node) {
            node.remove_from_parent();
        }
    }
    let mut stack = vec![body];
    while let Some(node) = stack.pop() {
        for child in node.children_it(false).filter(NodeRef::is_element).collect::<Vec<_>>() {
            if is_banner(&child) && is_small(&child) {
                child.remove_from_parent();
            } else {
                stack.push(child);
            }
        }
    }
}

/// Whether an element is a consent banner: by the name of a consent manager, or by a name word together with
/// a fixed position or with text and a button. A name word alone is not enough: clinics have sections about
/// consent.
fn is_banner(node: &NodeRef) -> bool {
    let words = Words::of(node);
    if words.is_empty() || matches!(node.node_name().as_deref(), Some("html" | "body" | "main" | "article")) {
        return false;
    }
    if words.contain(MANAGERS) {
        return node.children_it(false).next().is_some();
    }
    if !words.any(NAMES) && !words.contain(&["cookie"]) {
        return false;
    }
    let fixed = node.attr("style").is_some_and(|style| {
        let style = style.to_ascii_lowercase();
        style.contains("position:fixed") || style.contains("position: fixed")
    });
    let text = node.text().to_lowercase();
    let about = COOKIES.iter().any(|word| text.contains(word));
    fixed || (about && has_answer(node))
}

fn has_answer(node: &NodeRef) -> bool {
    node.descendants_it().take(500).any(|inner| {
        let control = matches!(inner.node_name().as_deref(), Some("button" | "a" | "input"))
            || inner.attr_or("role", "") == *"button";
        if !control {
            return false;
        }
        let label = inner.text().trim().to_lowercase();
        let label = if label.is_empty() { inner.attr_or("value", "").trim().to_lowercase() } else { label };
        label.len() < 60 && ANSWERS.iter().any(|answer| label.starts_with(answer))
    })
}
