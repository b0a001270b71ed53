//! Pagination.

use crate::field::Int;

mod walk;

pub(crate) use walk::{Start, Walks};

/// Page number, from 1.
pub type PageNumber = Int<1, { i64::MAX }>;

/// Maximum rows per page.
pub type PageSize = Int<1, 100>;

/// The requested page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: i64,
    per_page: i64,
}

impl PageRequest {
    /// Default page number.
    pub const FIRST: PageNumber = PageNumber::nearest(1);

    /// Default page size.
    pub const DEFAULT_SIZE: PageSize = PageSize::nearest(20);

    /// Creates a request for a page number and size.
    #[must_use]
    pub fn new(page: PageNumber, per_page: PageSize) -> Self {
        Self { page: page.get(), per_page: per_page.get() }
    }

    /// Creates a request for a page of maximum size. Numbers below 1 count as 1.
    #[must_use]
    pub fn largest(page: i64) -> Self {
        Self::new(PageNumber::nearest(page), PageSize::nearest(i64::MAX))
    }

    /// Maximum rows on the page.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.per_page
    }

    /// Rows before the page. Capped far beyond any list, so that offset plus limit cannot overflow in Postgres.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page).min(i64::MAX / 2)
    }
}

/// One page of a list, with its position.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Rows on the page.
    pub items: Vec<T>,
    /// Page number, from 1.
    pub page: i64,
    /// Maximum rows per page.
    pub per_page: i64,
    /// Rows in the whole list.
    pub total: i64,
}

impl<T> Page<T> {
    /// Creates the response to a page request.
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
