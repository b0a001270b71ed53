//! Robots directives in `meta` elements.

use dom_query::Document as Tree;

/// Names of the `meta` elements that address this crawler: all crawlers, or its own name.
const AGENTS: [&str; 2] = ["robots", "parlancebot"];

/// The directives of a page for this crawler.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Robots {
    /// `noindex` or `none`.
    pub(super) noindex: bool,
    /// `nofollow` or `none`.
    pub(super) nofollow: bool,
    /// Value of `unavailable_after`, as written.
    pub(super) unavailable_after: Option<String>,
}

/// The directives of a page.
pub(super) fn of(tree: &Tree) -> Robots {
    let mut robots = Robots::default();
    for meta in tree.select("meta[name][content]").iter() {
        let name = meta.attr_or("name", "");
        if AGENTS.iter().any(|agent| name.trim().eq_ignore_ascii_case(agent)) {
            robots.read(&meta.attr_or("content", ""));
        }
    }
    robots
}

impl Robots {
    /// Reads a list of directives. The value of a directive is not itself a directive: `none` in
    /// `max-image-preview:none` does not count. A date may contain commas, so `unavailable_after` takes all
    /// parts up to the next directive.
    fn read(&mut self, content: &str) {
        let mut dated = false;
        for piece in content.split([',', ';']) {
            let piece = piece.trim();
            if let Some((name, value)) = piece.split_once(':')
                && name.trim().eq_ignore_ascii_case("unavailable_after")
            {
                self.unavailable_after = Some(value.trim().to_owned());
                dated = true;
                continue;
            }
            // Some pages separate directives by spaces, and a space may follow the colon.
            let mut words = piece.split_ascii_whitespace().peekable();
            let mut valued = false;
            let mut known = piece.contains(':') && !dated;
            while let Some(word) = words.next() {
                if !valued {
                    known |= self.directive(word);
                }
                valued = word.ends_with(':') || words.peek().is_some_and(|next| next.starts_with(':'));
            }
            if dated && !known && !piece.is_empty() {
                if let Some(date) = &mut self.unavailable_after {
                    date.push_str(", ");
                    date.push_str(piece);
                }
            } else {
                dated = false;
            }
        }
    }

    /// Applies one directive. Returns whether it is a known one.
    fn directive(&mut self, word: &str) -> bool {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        self.noindex |= is("noindex") || is("none");
        self.nofollow |= is("nofollow") || is("none");
        ["noindex", "nofollow", "none", "index", "follow", "all", "noarchive", "nosnippet", "noimageindex"]
            .iter()
            .any(|name| is(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robots(meta: &str) -> Robots {
        of(&Tree::from(format!("<head>{meta}</head>")))
    }

    #[test]
    fn directives_count_only_when_they_address_us() {
        for (meta, noindex, nofollow) in [
            ("<meta name=robots content='NoFollow, noarchive'>", false, true),
            ("<meta name=ROBOTS content='none'>", true, true),
            ("<meta name=robots content='noindex nofollow'>", true, true),
            ("<meta name=ParlanceBot content='noindex'>", true, false),
            ("<meta name=googlebot content='noindex'>", false, false),
            ("<meta name=robots content='index, max-image-preview:none'>", false, false),
            ("<meta name=robots content='max-image-preview: none, follow'>", false, false),
            ("<meta name=robots content='max-snippet :none'>", false, false),
            ("<meta name=robots content='noindexed'>", false, false),
            ("<meta property=robots content='noindex'>", false, false),
        ] {
            let robots = robots(meta);
            assert_eq!((robots.noindex, robots.nofollow), (noindex, nofollow), "{meta}");
        }
    }

    #[test]
    fn the_date_of_unavailable_after_keeps_its_commas() {
        let meta = "<meta name=robots content='unavailable_after: Wed, 3 Jun 2020 12:00:00 GMT, nofollow'>";
        let robots = robots(meta);
        assert_eq!(robots.unavailable_after.as_deref(), Some("Wed, 3 Jun 2020 12:00:00 GMT"));
        assert!(robots.nofollow && !robots.noindex);
    }
}
