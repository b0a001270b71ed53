//! Pagination: the parameters of a request, and the object of a response.

use parlance_core::{Page, PageNumber, PageRequest, PageSize, Result};
use poem_openapi::Object;

use crate::extract::fields::{Field, Fields};

/// Where a page lies in its list.
#[derive(Clone, Copy, Debug, Object, serde::Serialize)]
pub(crate) struct Pagination {
    /// The page's number, from 1.
    pub(crate) page: i64,
    /// Items on a page at most.
    pub(crate) per_page: i64,
    /// Items in all.
    pub(crate) total: i64,
    /// Pages in all; 0 when the list is empty.
    pub(crate) pages: i64,
    /// Whether there is a page before this one.
    pub(crate) has_prev: bool,
    /// Whether there is a page after this one.
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

/// The page of a query with other parameters.
pub(crate) fn requested(
    fields: &mut Fields,
    page: Field<PageNumber>,
    per_page: Field<PageSize>,
) -> Option<PageRequest> {
    let page = fields.parameter("page", page);
    let per_page = fields.parameter("per_page", per_page);
    Some(PageRequest::new(
        page?.unwrap_or(PageRequest::FIRST),
        per_page?.unwrap_or(PageRequest::DEFAULT_SIZE),
    ))
}

/// The page of a query without other parameters.
pub(crate) fn alone(page: Field<PageNumber>, per_page: Field<PageSize>) -> Result<PageRequest> {
    let mut fields = Fields::of_query();
    let page = requested(&mut fields, page, per_page);
    fields.finish(|| page)
}

/// The default page, for the specification.
pub(crate) fn first() -> Field<PageNumber> {
    Field::Given(PageRequest::FIRST)
}

/// The default page size, for the specification.
pub(crate) fn usual() -> Field<PageSize> {
    Field::Given(PageRequest::DEFAULT_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_has_no_pages() {
        let page = Page::new(alone(Field::Absent, Field::Absent).unwrap(), Vec::<()>::new(), 0);
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
            let request = alone(Field::from_text(Some(&number.to_string())), Field::Absent).unwrap();
            let seen = Pagination::of(&Page::new(request, Vec::<()>::new(), total));
            assert_eq!((seen.pages, seen.has_prev, seen.has_next), (pages, has_prev, has_next));
        }
    }
}
