//! Order of a crawl: which of the known pages is fetched next. Pure: no IO.
//!
//! The order depends on the stored pages alone, so that a resumed crawl keeps it.

use std::collections::{HashMap, HashSet};

use super::{Link, PageState};

/// Minimum length of a sequence: pages whose URLs differ only in numbers or parameters, such as the days of a
/// calendar, the pages of a list, or its filters.
const SEQUENCE: usize = 8;

/// Number of dead links that ends the crawl. Each takes a tenth of a second.
const MAX_DEAD: usize = 100;

/// Number of refusals (401, 403) that ends the crawl: the site rejects crawlers.
const MAX_REFUSED: usize = 30;

/// A page of a crawl.
#[derive(Clone, Debug)]
pub(in crate::knowledge) struct KnownPage {
    pub(in crate::knowledge) ordinal: i32,
    pub(in crate::knowledge) url: String,
    pub(in crate::knowledge) key: String,
    pub(in crate::knowledge) attempt: i32,
    pub(in crate::knowledge) state: PageState,
    pub(in crate::knowledge) http_status: Option<i32>,
    /// Whether the site map lists it.
    pub(in crate::knowledge) listed: bool,
    /// Seconds until the page may be fetched; zero or less: now.
    pub(in crate::knowledge) wait: f64,
}

/// Whether the crawl may read further pages. Dead links do not count towards the page limit; they have a
/// limit of their own. Errors of the server or the connection take time; the page limit applies to them.
pub(super) fn has_room(pages: &[KnownPage], max_pages: i32) -> bool {
    let max = usize::try_from(max_pages).unwrap_or(1);
    let (mut fetched, mut dead, mut refused, mut errors) = (0, 0, 0, 0);
    for page in pages {
        match (page.state, page.http_status) {
            (PageState::Fetched, _) => fetched += 1,
            (PageState::Failed, Some(401 | 403)) => refused += 1,
            (PageState::Failed, Some(200..=428 | 430..=499)) => dead += 1,
            (PageState::Failed, _) => errors += 1,
            (PageState::Queued | PageState::Skipped, _) => {}
        }
    }
    fetched < max && errors < max && refused < MAX_REFUSED && dead < MAX_DEAD
}

/// The next page: the first by rank and discovery of those that may be fetched now, else the one with the
/// earliest retry.
pub(super) fn next(pages: &[KnownPage]) -> Option<&KnownPage> {
    let mut sizes: HashMap<String, usize> = HashMap::new();
    pages.iter().for_each(|page| *sizes.entry(shape(&page.url)).or_default() += 1);
    let any_listed = pages.iter().any(|page| page.listed);
    let rank = |page: &KnownPage| {
        let is_in_sequence = sizes.get(&shape(&page.url)).is_some_and(|size| *size >= SEQUENCE);
        u8::from(is_in_sequence) + u8::from(any_listed && !page.listed)
    };
    let queued = || pages.iter().filter(|page| page.state == PageState::Queued);
    let ready = queued().filter(|page| page.wait <= 0.0).min_by_key(|page| (rank(page), page.ordinal));
    ready.or_else(|| queued().min_by(|one, other| one.wait.total_cmp(&other.wait)))
}

/// Removes known links and excess links of sequences, which would leave no room for other pages. Twice the
/// page limit is kept per sequence, because some links may be dead.
pub(super) fn thin_out(known: &[KnownPage], links: &[Link], max_pages: i32) -> Vec<Link> {
    let most = (2 * usize::try_from(max_pages).unwrap_or(1)).max(SEQUENCE);
    let keys: HashSet<&str> = known.iter().map(|page| page.key.as_str()).collect();
    let mut sizes: HashMap<String, usize> = HashMap::new();
    known.iter().for_each(|page| *sizes.entry(shape(&page.url)).or_default() += 1);
    let mut is_wanted = |link: &Link| {
        let size = sizes.entry(shape(&link.url)).or_default();
        *size += 1;
        *size <= most
    };
    links.iter().filter(|link| !keys.contains(link.key.as_str()) && is_wanted(link)).cloned().collect()
}

/// A URL without its numbers and parameters: equal for all pages of a sequence.
fn shape(url: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, false), |(path, _)| (path, true));
    let mut shape = String::with_capacity(path.len());
    for character in path.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    if query {
        shape.push('?');
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(ordinal: i32, path: &str) -> KnownPage {
        KnownPage {
            ordinal,
            url: format!("https://example.com{path}"),
            key: path.to_owned(),
            attempt: 0,
            state: PageState::Queued,
            http_status: None,
            listed: false,
            wait: -1.0,
        }
    }

    /// The order in which the pages are fetched.
    fn order(mut pages: Vec<KnownPage>) -> Vec<i32> {
        let mut order = Vec::new();
        while let Some(ordinal) = next(&pages).map(|page| page.ordinal) {
            order.push(ordinal);
            let page = pages.iter_mut().find(|page| page.ordinal == ordinal).unwrap();
            page.state = PageState::Fetched;
        }
        order
    }

    #[test]
    fn pages_are_fetched_as_they_were_found() {
        let pages = ["/a", "/b/1", "/b/2", "/c?page=2"].iter().zip(1..).map(|(path, at)| queued(at, path));
        assert_eq!(order(pages.collect()), [1, 2, 3, 4]);
    }

    #[test]
    fn sequences_come_last() {
        for sequence in [
            |n| format!("/events/2027-03-{n:02}"),
            |n| format!("/2027/{n}/1"),
            |n| format!("/list?page={n}"),
            |n| format!("/list?colour=c{n}&size=x"),
        ] {
            let mut pages: Vec<_> = (1..=10).map(|n| queued(n, &sequence(n))).collect();
            pages.push(queued(11, "/tickets"));
            pages.push(queued(12, "/2027-report"));
            assert_eq!(order(pages)[..3], [11, 12, 1]);
        }
    }

    #[test]
    fn pages_of_the_site_map_come_first() {
        let mut pages: Vec<_> = (1..=10).map(|n| queued(n, &format!("/day/{n}"))).collect();
        pages.extend([queued(11, "/menu"), queued(12, "/tickets"), queued(13, "/list/1")]);
        for listed in [9, 11] {
            pages[listed].listed = true;
        }
        assert_eq!(order(pages)[..5], [12, 10, 11, 13, 1]);
    }

    #[test]
    fn endless_sequences_leave_room_for_other_links() {
        let known: Vec<_> = (1..=8).map(|n| queued(n, &format!("/day/{n}"))).collect();
        let paths = (5..=90).map(|n| format!("/day/{n}")).chain(["/a".to_owned(), "/a".to_owned()]);
        let links: Vec<_> =
            paths.map(|path| Link { url: format!("https://example.com{path}"), key: path }).collect();
        let kept = thin_out(&known, &links, 5);
        let kept: Vec<_> = kept.iter().map(|link| link.key.as_str()).collect();
        assert_eq!(kept, ["/day/9", "/day/10", "/a", "/a"]);
    }

    #[test]
    fn a_page_to_be_retried_does_not_hold_up_the_others() {
        let mut pages = vec![queued(1, "/a"), queued(2, "/b")];
        pages[0].wait = 5.0;
        assert_eq!(next(&pages).unwrap().ordinal, 2);
        pages[1].wait = 9.0;
        assert_eq!(next(&pages).unwrap().ordinal, 1);
        assert!(next(&[]).is_none());
    }

    #[test]
    fn dead_links_do_not_use_up_the_limit() {
        let page = |state, http_status| KnownPage { state, http_status, ..queued(1, "/a") };
        let dead = |count, status| vec![page(PageState::Failed, status); count];
        assert!(has_room(&dead(99, Some(404)), 10));
        assert!(!has_room(&dead(100, Some(410)), 10), "their number is bounded");
        assert!(has_room(&dead(29, Some(403)), 10) && !has_room(&dead(30, Some(403)), 10));
        assert!(has_room(&dead(9, Some(500)), 10) && !has_room(&dead(10, None), 10));
        assert!(!has_room(&vec![page(PageState::Fetched, Some(200)); 10], 10));
        assert!(has_room(&vec![page(PageState::Skipped, Some(200)); 100], 10));
    }
}
