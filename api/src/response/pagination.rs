//! Pagination object of list responses.

use parlance_core::Page;
use poem_openapi::Object;

/// Position of a page in its list.
#[derive(Clone, Copy, Debug, Object, serde::Serialize)]
pub(crate) struct Pagination {
    /// Number of the page, from 1.
    pub(crate) page: i64,
    /// Maximum number of items per page.
    pub(crate) per_page: i64,
    /// Total number of items.
    pub(crate) total: i64,
    /// Total number of pages; 0 when the list is empty.
    pub(crate) pages: i64,
    /// Whether a previous page exists.
    pub(crate) has_prev: bool,
    /// Whether a next page exists.
    pub(crate) has_next: bool,
}

impl Pagination {
    pub(crate) fn of<T>(page: &Page<T>) -> Self {
        let pages = page.pages();
        Self {
            page: page.page,
            per_page: page.per_page,
            total: page.total,
            pages,
            has_prev: page.page > 1,
            has_next: page.page < pages,
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_core::{PageNumber, PageRequest};

    use super::*;

    #[test]
    fn an_empty_list_has_no_pages() {
        let page =
            Page::new(PageRequest::new(PageRequest::FIRST, PageRequest::DEFAULT_SIZE), Vec::<()>::new(), 0);
        let Pagination { pages, has_prev, has_next, .. } = Pagination::of(&page);
        assert_eq!((pages, has_prev, has_next), (0, false, false));
    }

    #[test]
    fn the_last_page_has_no_next() {
        for (number, total, pages, has_prev, has_next) in [
            (1, 5, 1, false, false),
            (1, 21, 2, false, true),
            (2, 21, 2, true, false),
            (3, 21, 2, true, false),
        ] {
            let request = PageRequest::new(PageNumber::nearest(number), PageRequest::DEFAULT_SIZE);
            let seen = Pagination::of(&Page::new(request, Vec::<()>::new(), total));
            assert_eq!((seen.pages, seen.has_prev, seen.has_next), (pages, has_prev, has_next));
        }
    }
}
