//! E-mail addresses obfuscated by the site's proxy (Cloudflare).
//!
//! The proxy writes hexadecimal digits. The first byte is a key; all other bytes are combined with it by
//! exclusive or. A script of the proxy restores the addresses in the browser.

use dom_query::Document as Tree;

/// Path of links to an obfuscated address. The address follows as the fragment.
const PATH: &str = "/cdn-cgi/l/email-protection";

/// Maximum length of an address, in bytes.
const MAX_ADDRESS: usize = 254;

/// Replaces obfuscated addresses by the plain ones.
pub(super) fn unveil(tree: &Tree) {
    for link in tree.select("a[href*='/cdn-cgi/l/email-protection']").nodes() {
        let href = link.attr_or("href", "");
        let code = href.split_once('#').map(|(_, code)| code.to_owned());
        let code = code.or_else(|| link.attr("data-cfemail").map(|code| code.to_string()));
        let inner = || {
            link.descendants_it()
                .take(20)
                .find_map(|node| node.attr("data-cfemail").map(|code| code.to_string()))
        };
        if !href.contains(PATH) {
            continue;
        }
        match code.or_else(inner).and_then(|code| decoded(&code)) {
            Some(address) => link.set_attr("href", &format!("mailto:{address}")),
            None => link.remove_attr("href"),
        }
    }
    for node in tree.select("[data-cfemail]").nodes() {
        if let Some(address) = node.attr("data-cfemail").and_then(|code| decoded(&code)) {
            node.set_text(address);
        }
    }
}

fn decoded(code: &str) -> Option<String> {
    let code = code.split('?').next()?.trim();
    if !code.is_ascii() || code.len() > 2 * MAX_ADDRESS + 2 {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(code.get(at..at + 2)?, 16).ok();
    let key = byte(0)?;
    let bytes: Option<Vec<u8>> = (2..code.len()).step_by(2).map(|at| Some(byte(at)? ^ key)).collect();
    let address = String::from_utf8(bytes?).ok()?;
    let plain = address.chars().all(|character| !character.is_control() && !character.is_whitespace());
    (address.contains('@') && plain).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_addresses_are_decoded() {
        assert_eq!(decoded("2a4b6a4804444f"), Some("a@b.ne".to_owned()));
        for bad in ["", "2a", "2a4b6a480", "zz4b", "2a4b4b", "é4b6a48"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
