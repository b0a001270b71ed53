//! Pages of lists: which one is asked for, and what is on it.

use crate::error::{Error, Problem, Result};

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    page: u32,
    per_page: u32,
}

impl PageRequest {
    /// The page's number from 1, and its length from 1 to 100; 1 and 20 when not given.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every number that is out of range.
    pub fn parse(page: Option<i64>, per_page: Option<i64>) -> Result<Self> {
        let mut problems = Vec::new();
        let mut within = |field, value: Option<i64>, default: u32, most: u32| match value {
            None => default,
            Some(value) => match u32::try_from(value) {
                Ok(value) if (1..=most).contains(&value) => value,
                _ => {
                    let range = if most == u32::MAX {
                        "1 or more".to_owned()
                    } else {
                        format!("between 1 and {most}")
                    };
                    problems.push(Problem::wrong(field, format!("The '{field}' parameter must be {range}")));
                    default
                }
            },
        };
        let request =
            Self { page: within("page", page, 1, u32::MAX), per_page: within("per_page", per_page, 20, 100) };
        if problems.is_empty() { Ok(request) } else { Err(Error::Invalid(problems)) }
    }

    /// Rows on a page at most.
    #[must_use]
    pub fn limit(self) -> i64 {
        i64::from(self.per_page)
    }

    /// Rows before it.
    #[must_use]
    pub fn offset(self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.per_page)
    }
}

/// One page of a list, and how it lies in the whole.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Its number, from 1.
    pub page: u32,
    /// Rows on a page at most.
    pub per_page: u32,
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
        (self.total + i64::from(self.per_page) - 1) / i64::from(self.per_page)
    }
}
