//! Middleware: what applies to every request, whatever its route.

pub(crate) mod admission;
pub(crate) mod body_timeout;
pub(crate) mod cors;
pub(crate) mod disconnect;
pub(crate) mod edge;
pub(crate) mod no_store;
pub(crate) mod path_table;
pub(crate) mod shutdown;
