//! Query parameters of paginated lists.

use parlance_core::{PageNumber, PageRequest, PageSize, Result};

use crate::extract::fields::{Field, Fields};

/// Parses `page` and `per_page` of a query with other parameters.
pub(crate) fn parse(
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

/// Parses `page` and `per_page` of a query without other parameters.
pub(crate) fn parse_only(page: Field<PageNumber>, per_page: Field<PageSize>) -> Result<PageRequest> {
    let mut fields = Fields::of_query();
    let page = parse(&mut fields, page, per_page);
    fields.finish(|| page)
}

/// Default of `page` in the specification.
pub(crate) fn default_page() -> Field<PageNumber> {
    Field::Given(PageRequest::FIRST)
}

/// Default of `per_page` in the specification.
pub(crate) fn default_per_page() -> Field<PageSize> {
    Field::Given(PageRequest::DEFAULT_SIZE)
}
