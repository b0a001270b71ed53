//! Pagination of lists: request and result.

use crate::error::{Error, Problem, Result};

/// Request for one page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: i64,
    per_page: i64,
}

impl PageRequest {
    /// Page number, from 1, and page size, 1 to 100; the defaults are 1 and 20.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every number that is out of range.
    pub fn parse(page: Option<i64>, per_page: Option<i64>) -> Result<Self> {
        let mut problems = Vec::new();
        let (page, per_page) = (page.unwrap_or(1), per_page.unwrap_or(20));
        if page < 1 {
            problems.push(Problem::wrong("page", "The 'page' parameter must be 1 or more"));
        }
        if !(1..=100).contains(&per_page) {
            problems.push(Problem::wrong("per_page", "The 'per_page' parameter must be between 1 and 100"));
        }
        if problems.is_empty() { Ok(Self { page, per_page }) } else { Err(Error::Invalid(problems)) }
    }

    /// Page size.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.per_page
    }

    /// Rows before the page, bounded to avoid overflow.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page).min(i64::MAX / 2)
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Items on this page.
    pub items: Vec<T>,
    /// Page number, from 1.
    pub page: i64,
    /// Page size.
    pub per_page: i64,
    /// Items in the whole list.
    pub total: i64,
}

impl<T> Page<T> {
    /// The page that answers a request.
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
