//! Query parameters of paginated lists.

use parlance_core::{PageRequest, Result};

use crate::extract::fields::{Field, Fields};

/// Parses `page` and `per_page` of a query with other parameters. The caller collects all errors in `fields`.
pub(crate) fn parse(fields: &mut Fields, page: Field<i64>, per_page: Field<i64>) -> Result<PageRequest> {
    let page = fields.take("page", page);
    let per_page = fields.take("per_page", per_page);
    PageRequest::parse(page, per_page)
}

/// Parses `page` and `per_page` of a query without other parameters.
pub(crate) fn parse_only(page: Field<i64>, per_page: Field<i64>) -> Result<PageRequest> {
    let mut fields = Fields::of_query();
    let page = parse(&mut fields, page, per_page);
    fields.check(page)
}

/// Default of `page` in the specification.
pub(crate) fn default_page() -> Field<i64> {
    Field::Given(1)
}

/// Default of `per_page` in the specification.
pub(crate) fn default_per_page() -> Field<i64> {
    Field::Given(20)
}
