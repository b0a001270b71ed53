//! Deep pages of long lists: keyset pagination behind page numbers.
//!
//! The database reads and discards all rows before an offset (3 µs each), so offsets are limited. A page beyond the
//! limit continues after the last row of an earlier page: a client that reads page after page reaches every row.

use std::hash::Hash;
use std::time::Duration;

use moka::sync::Cache;

use super::PageRequest;
use crate::error::{Error, Problem, Result};

/// Maximum number of rows that a statement discards: 30 ms.
pub(crate) const MAX_OFFSET: i64 = 10_000;

/// Maximum time between two pages of a walk. Short, because a row inserted meanwhile would shift the pages of another
/// walk.
const PAUSE: Duration = Duration::from_secs(60);

/// Maximum number of cached positions per process and kind of list.
const POSITIONS: u64 = 100_000;

/// Positions in the lists of one kind, of this process. `L` identifies a list: its tenant and filter. `K` is the sort
/// key.
pub(crate) struct Walks<L, K> {
    /// The last row of a page, by list and number of rows up to it.
    positions: Cache<(L, i64), K>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start<K> {
    /// The row after which it begins; `None`: the first row.
    pub(crate) after: Option<K>,
    /// Rows to skip after that one.
    pub(crate) offset: i64,
}

impl<L: Clone + Eq + Hash + Send + Sync + 'static, K: Clone + Ord + Send + Sync + 'static> Default
    for Walks<L, K>
{
    fn default() -> Self {
        Self { positions: Cache::builder().max_capacity(POSITIONS).time_to_live(PAUSE).build() }
    }
}

impl<L: Clone + Eq + Hash + Send + Sync + 'static, K: Clone + Ord + Send + Sync + 'static> Walks<L, K> {
    /// Where a page begins.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the offset exceeds the maximum and no page near it was read in the last minute.
    pub(crate) fn start(&self, list: &L, page: PageRequest) -> Result<Start<K>> {
        let rows = page.offset();
        if rows <= MAX_OFFSET {
            return Ok(Start { after: None, offset: rows });
        }
        // Another process may have returned the pages in between.
        let pages_back = MAX_OFFSET / page.limit();
        let near = (0..=pages_back).find_map(|pages| {
            let offset = pages * page.limit();
            let after = self.positions.get(&(list.clone(), rows - offset))?;
            Some(Start { after: Some(after), offset })
        });
        near.ok_or_else(|| {
            let message = format!(
                "The 'page' parameter must leave at most {MAX_OFFSET} rows before the page, unless the pages before it \
                 were read within a minute; read page after page, or use a filter"
            );
            Error::Invalid(vec![Problem::wrong("page", message)])
        })
    }

    /// Caches the last row of a page near or beyond the maximum offset.
    ///
    /// If two walks reach the same position, the newer row is kept: the other walk may see a row twice, but misses
    /// none.
    pub(crate) fn learn(&self, list: &L, page: PageRequest, rows: usize, last: Option<K>) {
        let Some(last) = last.filter(|_| i64::try_from(rows) == Ok(page.limit())) else { return };
        let until = page.offset() + page.limit();
        if until < MAX_OFFSET - page.limit() {
            return;
        }
        let place = (list.clone(), until);
        let last = self.positions.get(&place).map_or(last.clone(), |known| known.max(last));
        self.positions.insert(place, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{PageNumber, PageSize};

    fn page(number: i64) -> PageRequest {
        PageRequest::new(PageNumber::nearest(number), PageSize::nearest(100))
    }

    #[test]
    fn a_near_page_is_read_by_its_offset() {
        let walks = Walks::<&str, i64>::default();
        assert_eq!(walks.start(&"list", page(101)).unwrap(), Start { after: None, offset: 10_000 });
        walks.start(&"list", page(102)).unwrap_err();
    }

    #[test]
    fn a_walk_continues_after_the_last_row() {
        let walks = Walks::default();
        walks.learn(&"list", page(101), 100, Some(7));
        assert_eq!(walks.start(&"list", page(102)).unwrap(), Start { after: Some(7), offset: 0 });
        assert_eq!(walks.start(&"list", page(104)).unwrap(), Start { after: Some(7), offset: 200 });
        walks.start(&"another", page(102)).unwrap_err();
        // An incomplete page has no next page, so its position is not cached.
        walks.learn(&"list", page(300), 99, Some(5));
        walks.start(&"list", page(301)).unwrap_err();
    }

    #[test]
    fn of_two_walks_the_newer_position_stays() {
        let walks = Walks::default();
        walks.learn(&"list", page(200), 100, Some(7));
        walks.learn(&"list", page(200), 100, Some(6));
        assert_eq!(walks.start(&"list", page(201)).unwrap().after, Some(7));
    }
}
