//! Pages of lists.

use crate::field::Int;

/// Number of a page, from 1.
pub type PageNumber = Int<1, { i64::MAX }>;

/// Rows of a page at most.
pub type PageSize = Int<1, 100>;

/// A page of a list to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: i64,
    per_page: i64,
}

impl PageRequest {
    /// The page to read when a request names none.
    pub const FIRST: PageNumber = PageNumber::nearest(1);

    /// The size of a page when a request names none.
    pub const DEFAULT_SIZE: PageSize = PageSize::nearest(20);

    /// A page of this number and size.
    #[must_use]
    pub fn new(page: PageNumber, per_page: PageSize) -> Self {
        Self { page: page.get(), per_page: per_page.get() }
    }

    /// A page of this number and of the maximum size; numbers below 1 count as 1.
    #[must_use]
    pub fn largest(page: i64) -> Self {
        Self::new(PageNumber::nearest(page), PageSize::nearest(i64::MAX))
    }

    /// Rows of the page at most.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.per_page
    }

    /// Rows before the page. Capped where no list reaches, so that Postgres can add the limit.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page).min(i64::MAX / 2)
    }
}

/// One page of a list, and its place in the list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Rows of the page.
    pub items: Vec<T>,
    /// Number of the page, from 1.
    pub page: i64,
    /// Rows of a page at most.
    pub per_page: i64,
    /// Rows of the list.
    pub total: i64,
}

impl<T> Page<T> {
    /// The page that was requested.
    #[must_use]
    pub fn new(request: PageRequest, items: Vec<T>, total: i64) -> Self {
        Self { items, page: request.page, per_page: request.per_page, total }
    }

    /// Number of pages; 0 for an empty list.
    #[must_use]
    pub fn pages(&self) -> i64 {
        (self.total + self.per_page - 1) / self.per_page
    }
}
