//! Pages built by a script in the browser: the server sends a shell without content.

use dom_query::Document as Tree;

use super::select::letters_of;
use super::weight;
use crate::protocol::{Rejection, Verdict, Web};

/// Selectors of mount elements: frameworks insert the page into them.
const MOUNTS: &str = "#root, #app, #__next, #__nuxt, #___gatsby, #svelte, #app-root, #main-app, #react-root, #mount, \
    #application, #app-mount, #ember-app, #q-app, #vue-app, #app-container, #shopify-section-app, #reactRoot, \
    app-root, my-app, [ng-app], [data-reactroot], [ng-version], [data-server-rendered], [id^='ember']";

/// Phrases that ask the visitor to enable scripts.
const ASKING: &[&str] = &[
    "enable javascript",
    "javascript is disabled",
    "javascript is required",
    "requires javascript",
    "javascript to run",
    "without javascript",
    "turn on javascript",
    "javascript aktiv",
    "javascript deaktiv",
    "activer javascript",
    "activez javascript",
    "habilita javascript",
    "active javascript",
    "habilite o javascript",
    "abilita javascript",
    "attiva javascript",
    "javascript in",
    "включите javascript",
    "启用javascript",
    "javascriptを有効",
    "checking your browser",
];

/// Loading messages: a whole line, or the start of a short line such as "Loading, please wait …".
const WAITING: &[&str] = &[
    "loading",
    "please wait",
    "wird geladen",
    "lädt",
    "bezig met laden",
    "chargement",
    "cargando",
    "carregando",
    "caricamento",
    "ładowanie",
    "загрузка",
    "加载中",
    "読み込み中",
    "로딩",
    "yükleniyor",
    "načítání",
    "indlæser",
    "laddar",
    "ladataan",
    "just a moment",
];

/// Maximum number of words of a loading message.
const MAX_WAITING_WORDS: usize = 4;

/// Maximum text of a page with only a loading message, in letters and digits.
const MAX_WAITING: usize = 200;

/// Maximum text in the mount element of a shell, in letters.
const MAX_WAITING_LETTERS: u32 = 200;

/// Maximum text of a page whose mount element is empty, in letters and digits: a banner and a footer.
const MAX_SHELL: usize = 600;

/// Signs that a script builds the page, collected before anything is removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signs {
    /// The page has scripts.
    scripts: bool,
    /// The page is a set of frames.
    frameset: bool,
    /// The page has mount elements, all of them nearly empty.
    empty_mount: bool,
    /// The page has a mount element.
    mount: bool,
}

impl Signs {
    /// Collects the signs.
    pub(super) fn of(tree: &Tree) -> Self {
        let mounts = tree.select(MOUNTS);
        let empty_mount =
            mounts.exists() && mounts.nodes().iter().all(|mount| letters_of(mount) <= MAX_WAITING_LETTERS);
        let scripts = tree.select("script").nodes().iter().any(|script| {
            let kind = script.attr_or("type", "").to_ascii_lowercase();
            let runs = kind.is_empty() || kind.contains("javascript") || kind == "module";
            // Any script may fill an empty mount element. On other pages, an inline script of up to
            // 20 bytes only sets a flag.
            runs && (script.has_attr("src") || script.text().trim().len() > if empty_mount { 0 } else { 20 })
        });
        Self { scripts, frameset: tree.select("frameset").exists(), empty_mount, mount: mounts.exists() }
    }

    /// The rejection of a page without content of its own. `served`: the page has content for browsers
    /// without scripts. `bare`: its content is at most two links.
    pub(super) fn judge(self, text: &str, bare: bool, served: bool, web: &Web) -> Option<Rejection> {
        let letters = weight(text);
        // Addresses of links are not visible text.
        let visible = without_addresses(text);
        let shown = weight(&visible);
        let lower = if shown <= MAX_SHELL { visible.to_lowercase() } else { String::new() };
        let asks = shown <= MAX_WAITING && ASKING.iter().any(|phrase| lower.contains(phrase));
        let most = if self.mount { MAX_SHELL } else { MAX_WAITING };
        let waits =
            (self.scripts || self.mount) && (asks || (shown <= most && lower.lines().any(is_waiting)));
        let shell = !served && self.scripts && self.empty_mount && letters <= MAX_SHELL;
        let bare = bare && !served && letters <= MAX_WAITING;
        if letters > 0 && !waits && !shell && !bare {
            return None;
        }
        let needs_browser = (self.scripts || waits) && web.refresh.is_none() && !self.frameset;
        let message = if needs_browser {
            "The page is made by a script in the browser: what the server sends has no text of its own."
        } else {
            "The page has no text of its own."
        };
        Some(Rejection {
            needs_browser,
            web: Some(Box::new(web.clone())),
            ..Rejection::new(Verdict::Empty, message)
        })
    }
}

/// Whether a line, in lower case, is a loading message.
fn is_waiting(line: &str) -> bool {
    let line = line.trim_matches(|mark: char| !mark.is_alphanumeric());
    line.split_whitespace().count() <= MAX_WAITING_WORDS
        && WAITING.iter().any(|phrase| {
            let rest = line.strip_prefix(phrase);
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
}

/// Markdown without the addresses of its links.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("](");
    let mut visible = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        visible.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::is_waiting;

    #[test]
    fn only_lines_that_wait_are_taken_for_waiting() {
        for line in ["loading", "loading…", "**loading, please wait …**", "wird geladen ...", "加载中"]
        {
            assert!(is_waiting(line), "{line}");
        }
        for line in
            ["unser laden ist offen", "loading docks for trucks up to 40 tons", "ladekabel", "loadings"]
        {
            assert!(!is_waiting(line), "{line}");
        }
    }
}
