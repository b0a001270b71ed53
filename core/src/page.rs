//! Pages of lists: which one is asked for, and what is on it.

use crate::error::{Error, Problem, Result};

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: i64,
    per_page: i64,
}

impl PageRequest {
    /// The page's number from 1, and its length from 1 to 100; 1 and 20 when not given.
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

    /// Rows on a page at most.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.per_page
    }

    /// Rows before it. No list is so long that the bound matters.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page).min(i64::MAX / 2)
    }
}

/// One page of a list, and how it lies in the whole.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Its number, from 1.
    pub page: i64,
    /// Rows on a page at most.
    pub per_page: i64,
    /// Rows in all.
    pub total: i64,
}

impl<T> Page<T> {
    /// A page as it was asked for.
    #[must_use]
    pub fn new(request: PageRequest, items: Vec<T>, total: i64) -> Self {
        Self { items, page: request.page, per_page: request.per_page, total }
    }

    /// Pages in all; 0 for an empty list.
    #[must_use]
    pub fn pages(&self) -> i64 {
        (self.total + self.per_page - 1) / self.per_page
    }
}
